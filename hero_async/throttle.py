"""How fast a practice group is called: one lane each, shared by every view of a client.

A 429 pauses the lane, not one call. `RateLimit` paces it from the start; without one the lane is free until the
first 429, then starts slowly and finds its own rate.
"""

from __future__ import annotations

import math
import re

import attrs

from hero_async import clock

_PER = {
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "min": 60.0,
    "m": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
}
_RATE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*/\s*([a-z]+)\s*")

_SLACK = 0.02
"""Seconds of pacing that a late timer may catch up with: timers overshoot by a millisecond or more."""

_BACK_OFF = 0.7
"""Which part of the measured rate is aimed at after a 429."""

_FORGET_AFTER = 60.0
"""Seconds without a 429 after which a lane that paces itself is free again."""


def _parse_rate(text: str) -> float:
    found = _RATE.fullmatch(str(text))
    per = _PER.get(found[2]) if found else None
    if not found or not per or float(found[1]) <= 0:
        raise ValueError('rate_limit must be a count and a unit, such as "20/s", "1200/min" or "5000/h"')
    return float(found[1]) / per


@attrs.frozen
class RateLimit:
    """A pace in attempts, for one practice group.

    `RateLimit("20/s")`, `RateLimit("1200/min")`. Your Partner Agreement names the figure; the reference does not.
    """

    rate: float = attrs.field(converter=_parse_rate)
    """Attempts a second."""

    burst: int = attrs.field(default=1, kw_only=True, validator=attrs.validators.ge(1))
    """How many may leave at once after a quiet time."""


class Lane:
    """The pace of one practice group, at one limit."""

    __slots__ = (
        "_calm_since",
        "_count",
        "_free_at",
        "_goal",
        "_group",
        "_limit",
        "_paused_until",
        "_previous",
        "_rate",
        "_turn",
        "_window",
    )

    def __init__(self, limit: RateLimit | None = None, group: list[Lane] | None = None) -> None:
        self._limit = limit
        self._group = [] if group is None else group
        self._group.append(self)
        self._rate = limit.rate if limit else math.inf
        self._goal = math.inf
        self._paused_until = -math.inf
        self._free_at = 0.0 if limit else -math.inf  # -inf: nothing limits this lane
        self._calm_since = -math.inf
        self._window = -math.inf
        self._count = self._previous = 0
        import asyncio  # here, because it is large: making settings should not load it

        self._turn = asyncio.Lock()

    @property
    def rate(self) -> float:
        """Attempts a second at this moment; infinity when nothing limits it."""
        return self._rate

    def delay(self, now: float) -> float:
        """Seconds until the next attempt may leave; zero or less: now."""
        return max(self._paused_until, self._free_at) - now

    def try_enter(self, now: float) -> bool:
        """Enter at once if nothing limits this lane: the hot path."""
        if self._free_at == -math.inf and self._paused_until <= now and not self._turn.locked():
            self._measure(now)
            return True
        return False

    async def enter(self, *, until: float) -> float:
        """Wait for this attempt's turn; first come, first served. Gives the seconds waited.

        Args:
            until: When it must have left, on the clock. A cool-down that ends later is not waited for.

        Raises:
            TimeoutError: Its turn comes, or would come, later than that.
        """
        now = clock.monotonic()
        async with self._turn:
            while (delay := self.delay(now_ := clock.monotonic())) > 0:
                if now_ + delay > until:
                    raise TimeoutError
                await clock.sleep(delay)
            if now_ > until:
                raise TimeoutError
            self._take(now_)
        return now_ - now

    def _measure(self, now: float) -> bool:
        """Count an attempt. True when a second is full."""
        self._count += 1
        if now - self._window < 1.0:
            return False
        self._previous, self._count, self._window = self._count, 0, now
        return True

    def _take(self, now: float) -> None:
        if self._measure(now) and self._limit is None and self._rate != math.inf:
            self._adapt(now)
        if self._rate == math.inf:
            self._free_at = -math.inf
            return
        slack = max(_SLACK, ((self._limit.burst if self._limit else 1) - 1) / self._rate)
        self._free_at = max(self._free_at, now - slack) + 1.0 / self._rate

    def _adapt(self, now: float) -> None:
        """Slow start: double each second up to the goal, then grow by a tenth; in the end, be free."""
        if now - self._calm_since >= _FORGET_AFTER:
            self._rate = self._goal = math.inf
        elif self._rate < self._goal:
            self._rate = min(self._rate * 2, self._goal)
        else:
            self._rate += max(self._rate * 0.1, 1.0)

    @property
    def paused_until(self) -> float:
        """When the last cool-down ends, on the clock."""
        return self._paused_until

    def pause(self, until: float) -> None:
        """Let nothing leave before this moment."""
        self._paused_until = max(self._paused_until, until)

    def cool_down(self, seconds: float, *, sent_at: float) -> None:
        """A 429 came: pause the practice group, and come back slower if the lane paces itself.

        Args:
            seconds: How long.
            sent_at: When the refused attempt left. Attempts that left before the last slow-down
                tell nothing new: they extend the pause, but do not slow down again.
        """
        now = clock.monotonic()
        for lane in self._group:
            lane.pause(now + seconds)
        if self._limit is None and sent_at >= self._calm_since:
            # Paced already: the pace is what was too fast; but a 429 in the slow start says little of the goal.
            paced = self._rate != math.inf
            goal = (self._rate if paced else max(self._previous, self._count)) * _BACK_OFF
            self._goal = max(goal, self._goal / 2 if paced else 1.0, 1.0)
            self._rate = max(self._goal / 4, 1.0)
            self._calm_since = self._window = self._free_at = self._paused_until
            self._count = self._previous = 0


class Throttle:
    """The lanes of a client, by practice group."""

    __slots__ = ("_groups", "_lanes")

    def __init__(self) -> None:
        self._lanes: dict[tuple[str, RateLimit | None], Lane] = {}
        self._groups: dict[str, list[Lane]] = {}

    def lane(self, practice_group_id: str, limit: RateLimit | None) -> Lane:
        """The one lane of a practice group at this limit. A 429 in one pauses all lanes of the practice group."""
        key = (practice_group_id, limit)
        lane = self._lanes.get(key)
        if lane is None:
            group = self._groups.setdefault(practice_group_id, [])
            lane = self._lanes[key] = Lane(limit, group)
            for other in group:
                lane.pause(other.paused_until)
        return lane
