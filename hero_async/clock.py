"""The time and every wait of the SDK, in one place, so that tests wait for nothing.

All code of the SDK reads time and sleeps here. `use(VirtualClock())` replaces real time for the whole
process; then a sleep returns at once and moves the clock on by what would have been slept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where time comes from."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...

    def now(self) -> datetime:
        """The time of day, aware, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """Real time."""

    monotonic: staticmethod[[], float] = staticmethod(time.monotonic)

    def now(self) -> datetime:
        """The time of day, aware, UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop."""
        import asyncio

        await asyncio.sleep(seconds)


class VirtualClock:
    """Time that moves only when something sleeps, or by `advance`. Threads may share it."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start or datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
        self._elapsed = 0.0
        self._lock = threading.Lock()
        self.slept: list[float] = []
        """Every sleep asked for, in seconds, in order."""

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        return self._elapsed

    def now(self) -> datetime:
        """The start, moved on by all that was slept."""
        return self._start + timedelta(seconds=self._elapsed)

    def advance(self, seconds: float) -> None:
        """Move time on."""
        with self._lock:
            self._elapsed += seconds

    async def sleep(self, seconds: float) -> None:
        """Move time on and let other tasks run once."""
        self.slept.append(seconds)
        wake = self._elapsed + max(seconds, 0.0)
        import asyncio

        await asyncio.sleep(0)
        with self._lock:
            self._elapsed = max(self._elapsed, wake)


_current: Clock = SystemClock()


def monotonic() -> float:
    """Seconds that never run backwards."""
    return _current.monotonic()


def now() -> datetime:
    """The time of day, aware, UTC."""
    return _current.now()


async def sleep(seconds: float) -> None:
    """Wait. Cancelling is safe at any moment."""
    await _current.sleep(seconds)


@contextmanager
def use(clock: Clock) -> Generator[Clock, None, None]:
    """Let the whole process live by another clock while the block runs. For tests."""
    global _current
    before, _current = _current, clock
    try:
        yield clock
    finally:
        _current = before
