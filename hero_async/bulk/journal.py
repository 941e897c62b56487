"""Group commit: what many rows become goes to the outbox in one write, while the next group gathers.

An intent is waited for, so its group is written after a moment. A final state is not: it goes along with the next
intent, or alone a little later. That keeps the writes few and loses nothing: a worker's next intent is durable no
sooner than its last final state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import anyio

from hero_async.bulk.errors import OutboxError
from hero_async.bulk.outbox import Change, Claim, Hold
from hero_async.bulk.progress import Outcome
from hero_async.bulk.thread import Steadfast

_GATHER: Final = 0.001
"""Seconds that an intent waits for others to share its write with. A write takes about as long, on a good disk."""

_LINGER: Final = 0.02
"""Seconds that a final state waits for an intent to go along with."""


class Group:
    """Changes that become durable together."""

    __slots__ = ("changes", "claims", "failed", "outcomes", "taken", "timer", "waiting", "written")

    def __init__(self) -> None:
        self.changes: dict[int, Change] = {}  # by line: of two changes of a row only the last one counts
        self.claims: list[Claim] = []
        self.outcomes: list[Outcome] = []
        self.taken: frozenset[int] = frozenset()
        self.failed: str | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.waiting: int = 0
        self.written: Steadfast[None] = Steadfast()

    def check(self) -> None:
        """Once it is written.

        Raises:
            OutboxError: It could not be.
        """
        if self.failed is not None:
            raise OutboxError(self.failed)


class Journal:
    """Takes changes from all workers and writes them in order, a group at a time.

    Within one worker the order is kept: what it `put` is durable no later than what it `commit`s next. So a worker
    has at most one row whose state on disk is behind.

    Args:
        hold: Where to write.
        publish: Given the outcomes of a group once they are durable.
        workers: How many there are. When all of them wait, there is nothing more to gather.
    """

    def __init__(self, hold: Hold, publish: Callable[[Sequence[Outcome]], None], workers: int) -> None:
        self._hold = hold
        self._publish = publish
        self._workers = workers
        self._loop = asyncio.get_running_loop()
        self._group = Group()
        self._wake = anyio.Event()
        self._closed = False
        self._broken: str | None = None
        self.failure: str | None = None
        """Why nothing can be written any more, if so."""

    async def run(self) -> None:
        """Write groups until `close`. Runs beside the workers, and outlives their cancellation."""
        try:
            with anyio.CancelScope(shield=True):
                while self._group.changes or self._group.claims or not self._closed:
                    if not self._closed:
                        await self._wake.wait()
                        self._wake = anyio.Event()
                    group = self._group
                    if group.changes or group.claims:
                        self._group = Group()
                        await self._write(group)
        finally:
            self._broken = self._broken or "the outbox is closed"
            self._end(self._group)

    async def _write(self, group: Group) -> None:
        written = False
        try:
            if self._broken is None:
                group.taken = frozenset(await self._hold.write(group.changes.values(), group.claims))
                written = True
        except OutboxError as error:
            self._broken = self.failure = str(error)
        finally:
            if not written:
                self._broken = self._broken or "the outbox failed"
            self._end(group)
        if written and group.outcomes:
            self._publish(group.outcomes)

    def _end(self, group: Group) -> None:
        """Tell all who wait for a group."""
        if group.timer is not None:
            group.timer.cancel()
        group.failed = self._broken
        group.written.set_result(None)

    def put(self, change: Change, outcome: Outcome | None = None) -> None:
        """Write this with the next group; `outcome` is published then."""
        group = self._group
        group.changes[change.line] = change
        if outcome is not None:
            group.outcomes.append(outcome)
        if group.timer is None:
            group.timer = self._loop.call_later(_LINGER, self._nudge)

    def _gather(self, group: Group) -> None:
        """One more waits for this group. The timers are the loop's own: they have no place on a test's clock."""
        group.waiting += 1
        if group.waiting >= self._workers:
            self._wake.set()
        elif group.waiting == 1:
            if group.timer is not None:
                group.timer.cancel()
            group.timer = self._loop.call_later(_GATHER, self._nudge)

    def _nudge(self) -> None:
        self._wake.set()

    def join(self, change: Change) -> Group:
        """Write this with a group: durable when the group's `written` is done and its `check` is silent.

        Raises:
            OutboxError: Nothing can be written any more.
        """
        group = self._open_group()
        group.changes[change.line] = change
        self._gather(group)
        return group

    async def commit(self, change: Change) -> None:
        """Write this, and return when it is durable.

        Raises:
            OutboxError: It could not be written. Nothing is written from now on.
        """
        group = self.join(change)
        await group.written
        group.check()

    async def claim(self, claim: Claim) -> bool:
        """Keep a registered patient. False: the patient is another row's, and this row is stored as rejected.

        Raises:
            OutboxError: It could not be written. Nothing is written from now on.
        """
        group = self._open_group()
        group.claims.append(claim)
        self._gather(group)
        await group.written
        group.check()
        return claim.line not in group.taken

    def _open_group(self) -> Group:
        if self._broken is not None:
            raise OutboxError(self._broken)
        return self._group

    def close(self) -> None:
        """Let `run` write what is left and end."""
        self._closed = True
        self._wake.set()
