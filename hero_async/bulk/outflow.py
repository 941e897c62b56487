"""Outcomes on their way from the journal to whoever iterates over a run."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

import anyio

from hero_async.bulk.progress import Outcome

_MOST_UNREAD: Final = 1000


class Outflow:
    """Outcomes on their way to whoever iterates over the run. A reader who is slow slows the workers."""

    def __init__(self) -> None:
        self._outcomes: deque[Outcome] = deque()
        self._some = anyio.Event()
        self._room = anyio.Event()
        self._ended = False
        self._open = False

    def publish(self, outcomes: Sequence[Outcome]) -> None:
        """These rows are settled, durably."""
        self._outcomes.extend(outcomes)
        self._some.set()

    def end(self) -> None:
        """There will be no more."""
        self._ended = True
        self._some.set()
        self.let_go()

    def let_go(self) -> None:
        """Nobody is to wait for room any more: the run drains."""
        self._open = True
        self._room.set()

    async def room(self) -> None:
        """Wait until the reader has caught up."""
        while len(self._outcomes) >= _MOST_UNREAD and not self._open:
            self._room = anyio.Event()
            await self._room.wait()

    async def next(self) -> Sequence[Outcome]:
        """All that is there, at least one; none: it has ended."""
        while not self._outcomes and not self._ended:
            self._some = anyio.Event()
            await self._some.wait()
        found = list(self._outcomes)
        self._outcomes.clear()
        self._room.set()
        return found
