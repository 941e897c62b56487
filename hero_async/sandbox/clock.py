"""The sandbox's own time: real, or standing still, and moved on by hand.

It is not the SDK's time: `hero_async.clock.use(…)` does not touch it. To let client and sandbox live by one
clock, hand the same `VirtualClock` to both: `Sandbox(clock=virtual)`.
"""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from hero_async.clock import Clock

_FROZEN_START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class SettableClock(Clock, Protocol):
    """Time that can be moved on. `SandboxClock` and `hero_async.clock.VirtualClock` both fit."""

    def advance(self, seconds: float) -> None:
        """Move time on."""
        ...


class SandboxClock:
    """Real time plus what was advanced; frozen, only what was advanced.

    Args:
        frozen: Time moves by `advance` alone, from `start`.
        start: The frozen clock's first moment, aware.
    """

    def __init__(self, *, frozen: bool = False, start: datetime = _FROZEN_START) -> None:
        self._frozen = frozen
        self._start = start
        self._advanced = 0.0
        self._lock = threading.Lock()
        self._sleepers: dict[asyncio.Future[None], asyncio.AbstractEventLoop] = {}

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return self._advanced if self._frozen else time.monotonic() + self._advanced

    def now(self) -> datetime:
        """The time of day, aware, UTC."""
        if self._frozen:
            return self._start + timedelta(seconds=self._advanced)
        now = datetime.now(UTC)
        return now + timedelta(seconds=self._advanced) if self._advanced else now

    def advance(self, seconds: float) -> None:
        """Move time on and wake whoever is due. Safe from any thread.

        Raises:
            ValueError: `seconds` is negative.
        """
        if not seconds >= 0:
            raise ValueError("seconds must be 0 or more: time does not run backwards")
        with self._lock:
            self._advanced += seconds
            for sleeper, loop in self._sleepers.items():
                loop.call_soon_threadsafe(_wake, sleeper)

    @property
    def sleeping(self) -> int:
        """How many sleeps are going on: answers that a `Delay` or a `SlowDrip` holds back."""
        return len(self._sleepers)

    async def sleep(self, seconds: float) -> None:
        """Wait until this clock has moved on by `seconds`."""
        loop = asyncio.get_running_loop()
        due = self.monotonic() + seconds
        while True:
            woken = loop.create_future()
            with self._lock:
                left = due - self.monotonic()
                if left <= 0:
                    return
                self._sleepers[woken] = loop
            timer = None if self._frozen else loop.call_later(left, _wake, woken)
            try:
                await woken
            finally:
                if timer is not None:
                    timer.cancel()
                with self._lock:
                    del self._sleepers[woken]


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)
