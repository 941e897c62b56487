"""Each delivery once: who may handle it is settled in a store before a handler runs.

A delivery has no id (none is documented). It is known by a hash of its signature, which covers timestamp and body:
a copy has the same, another event has another. Handling is a claim with an end: it is *taken*, and then *finished*,
or *released* by a failure, or left behind by a crash and free again when its lease is over.
"""

from __future__ import annotations

import math
import threading
from datetime import timedelta
from enum import Enum
from typing import Any, Final, Protocol

import attrs

from hero_async import clock
from hero_async.errors import ConfigurationError

RETENTION: Final = timedelta(days=1)
LEASE: Final = timedelta(minutes=5)


class Claim(Enum):
    """The answer to a claim."""

    TAKEN = "taken"
    """It is yours: handle it, then finish or release it."""

    BUSY = "busy"
    """Another worker is at it."""

    DONE = "done"
    """It was handled."""


class ReplayStore(Protocol):
    """Remembers what was handled. Methods block; they are called on worker threads, from several at once.

    Write your own for workers on several machines: `claim` must be atomic for all of them.
    """

    @property
    def retention(self) -> float:
        """Seconds that a handled delivery is remembered. Must be longer than twice the verifier's tolerance:
        a delivery is accepted from one tolerance before its timestamp until one after it."""
        ...

    def claim(self, key: str, owner: str) -> Claim:
        """Ask to handle `key`, with a lease.

        Args:
            key: Delivery and handler: a hash and a name, no value of the body.
            owner: Whose claim it is: random text, new for every claim.
        """
        ...

    def finish(self, key: str, owner: str) -> None:
        """It was handled. Does nothing if the claim is no longer the owner's."""
        ...

    def release(self, key: str, owner: str) -> None:
        """It was not handled: the next claim may have it. Does nothing if the claim is no longer the owner's."""
        ...


def seconds(name: str, given: float | timedelta) -> float:
    """A duration, checked."""
    plain: Any = given.total_seconds() if isinstance(given, timedelta) else given
    if isinstance(plain, bool) or not isinstance(plain, int | float) or not (plain > 0 and math.isfinite(plain)):
        raise ConfigurationError(f"{name}: must be seconds or a timedelta, more than zero")
    return float(plain)


@attrs.define
class _Entry:
    owner: str
    done: bool
    until: float


class MemoryReplayStore:
    """For one process. What it knows is gone when the process ends.

    Args:
        retention: How long a handled delivery is remembered. Default a day.
        lease: How long a claim is good without an end. Default 5 minutes: let no handler take longer.
    """

    def __init__(self, *, retention: float | timedelta = RETENTION, lease: float | timedelta = LEASE) -> None:
        self.retention: float = seconds("retention", retention)
        self._lease = seconds("lease", lease)
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()
        self._sweep_at = 0

    def __repr__(self) -> str:
        return f"MemoryReplayStore({len(self._entries)} remembered)"

    def claim(self, key: str, owner: str) -> Claim:
        """See `ReplayStore`."""
        now = clock.now().timestamp()
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry.until > now:
                return Claim.DONE if entry.done else Claim.BUSY
            self._sweep(now)
            self._entries[key] = _Entry(owner, done=False, until=now + self._lease)
        return Claim.TAKEN

    def finish(self, key: str, owner: str) -> None:
        """See `ReplayStore`."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry.owner == owner:  # it may have been swept: its lease was over, nobody else came
                self._entries[key] = _Entry(owner, done=True, until=clock.now().timestamp() + self.retention)

    def release(self, key: str, owner: str) -> None:
        """See `ReplayStore`."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry.owner == owner and not entry.done:
                del self._entries[key]

    def _sweep(self, now: float) -> None:
        """Forget what is over; each time that as many came as are kept, so that it costs little a claim."""
        if len(self._entries) >= self._sweep_at:
            self._entries = {key: entry for key, entry in self._entries.items() if entry.until > now}
            self._sweep_at = 2 * len(self._entries) + 100
