"""When patients may be written to: hours of the day on the clock on the wall, in the United Kingdom by default."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from hero_async.bulk.errors import MissingExtraError

ZONE: Final = "Europe/London"
_SPAN = re.compile(r"\s*([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})\s*")
_MINUTE: Final = timedelta(minutes=1)
_LONGEST: Final = 60 * 49
"""Minutes to look ahead at most: two days, one of them an hour longer."""


@attrs.frozen
class Hours:
    """A part of each day, by the clock on the wall: from `start`, up to but without `end`. It may span midnight.

    On the days that the clocks change it is the wall that counts: an hour that is skipped is not waited for, and one
    that comes twice is open, or closed, both times.
    """

    start: time
    end: time
    zone: str = ZONE
    _info: ZoneInfo = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if self.start == self.end:
            raise ValueError("between: the hours must not begin and end at the same time")
        if any(moment.second or moment.microsecond or moment.tzinfo for moment in (self.start, self.end)):
            raise ValueError("between: the hours are whole minutes on the wall, without a zone of their own")
        object.__setattr__(self, "_info", _zone(self.zone))

    @classmethod
    def parse(cls, text: str) -> Hours:
        """From a text such as "08:00-20:00". "24:00" is the end of the day.

        Raises:
            ValueError: It is not of that form.
        """
        found = _SPAN.fullmatch(text)
        if found is not None:
            begins, ends = (int(found[1]), int(found[2])), (int(found[3]), int(found[4]))
            ends = (0, 0) if ends == (24, 0) else ends
            if all(hour < 24 and minute < 60 for hour, minute in (begins, ends)):
                return cls(time(*begins), time(*ends))
        raise ValueError("between: must be two times of day, such as 08:00-20:00")

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    def is_open(self, now: datetime) -> bool:
        """Whether patients may be written to at this moment, which is aware."""
        wall = now.astimezone(self._info).time()
        if self.start < self.end:
            return self.start <= wall < self.end
        return wall >= self.start or wall < self.end

    def opens_at(self, now: datetime) -> datetime:
        """The first moment from `now` on at which they may, UTC; `now` itself if they may."""
        now = now.astimezone(UTC)
        if self.is_open(now):
            return now
        moment = now.replace(second=0, microsecond=0)
        for _ in range(_LONGEST):  # minute by minute: zones change by whole minutes, and no rule of ours can be wrong
            moment += _MINUTE
            if self.is_open(moment):
                return moment
        raise ValueError("between: these hours never come")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        pass
    raise MissingExtraError(f"between: no time zone {name} on this machine; install the package tzdata")
