"""One timer for all calls of the same limit: calls end in the order in which they began."""

from __future__ import annotations

import asyncio
from typing import Any, Final

_MESSAGE: Final = "Cancelled via cancel scope (the deadline of the call)"
"""Begins as anyio's own. When a scope and a deadline cancel at once and ours is the message that gets through, the
scope still knows the cancel as one that it may keep."""


class Entry:
    """A call that runs against time."""

    __slots__ = ("_before", "expired", "task", "when")

    def __init__(self, when: float, task: asyncio.Task[Any]) -> None:
        self.when: float = when
        self.task: asyncio.Task[Any] = task
        self.expired: bool = False
        self._before = task.cancelling()  # not 0 for a call that cleans up in a cancelled task

    def passed(self) -> bool:
        """Asked on a cancel: was it this deadline, and nobody else's wish?"""
        expired, self.expired = self.expired, False
        return expired and self.task.uncancel() <= self._before


class Deadline:
    """Cancels the task of each call that outlives the limit."""

    __slots__ = ("_limit", "_live", "_loop", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: float) -> None:
        self._loop = loop
        self._limit = limit
        self._live: dict[Entry, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, task: asyncio.Task[Any]) -> Entry:
        """A call starts."""
        entry = Entry(self._loop.time() + self._limit, task)
        self._live[entry] = None
        if self._timer is None:
            self._timer = self._loop.call_at(entry.when, self._fire)
        return entry

    def end(self, entry: Entry) -> None:
        """A call is over."""
        self._live.pop(entry, None)
        if entry.expired:
            entry.task.uncancel()  # a guard kept the cancel to itself: take it back, or it would count on

    def _fire(self) -> None:
        now = self._loop.time()
        self._timer = None
        for entry in list(self._live):
            if entry.when > now:
                self._timer = self._loop.call_at(entry.when, self._fire)
                return
            del self._live[entry]
            entry.expired = True
            entry.task.cancel(_MESSAGE)

    def stop(self) -> None:
        """The client closes. Calls in flight keep their deadline."""
        if self._timer is not None and not self._live:
            self._timer.cancel()
            self._timer = None
