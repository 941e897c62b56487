"""Which times are free: slots are worked out when they are asked for, only appointments are kept.

Practitioners see patients on weekdays, 09:00 to 12:00 and 14:00 to 17:00 UTC, as far ahead as `HORIZON`. A time is
free when the practitioner has no other appointment then that holds, whatever its kind: a reservation holds until it
runs out on the sandbox's clock, a booking until it is cancelled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import attrs

from hero_async.hiding import hidden
from hero_async.sandbox.practice import SESSIONS, AppointmentType, Opening, Practice, Practitioner

HORIZON = timedelta(days=84)
"""How far ahead times can be booked."""

POLICY_HOURS = 24
"""Hours before its start until which an appointment can be cancelled."""

LONGEST = 24 * 60
"""Minutes that an appointment takes at most."""

_EPOCH = date(1970, 1, 1)
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)
_DAY_DIGITS = 5
_MINUTE_DIGITS = 4


@attrs.define(repr=False)
class Slot:
    """A time that can be booked."""

    opening: Opening
    start: datetime

    @property
    def id(self) -> str:
        """What it is, in digits: type, practitioner, day and minute."""
        opening = self.opening
        day = (self.start.date() - _EPOCH).days
        tail = f"{day:0{_DAY_DIGITS}d}{opening.minute:0{_MINUTE_DIGITS}d}"
        return f"{opening.appointment_type.id}{opening.practitioner.id}{tail}"

    @property
    def finish(self) -> datetime:
        """When it ends."""
        return self.start + timedelta(minutes=self.opening.appointment_type.minutes)


@hidden
@attrs.define(repr=False)
class Appointment:
    """A time of a practitioner that is held for a patient."""

    id: str
    practice_group_id: str
    practitioner_id: str
    location_id: str
    appointment_type_id: str
    minutes: float
    start: datetime | None
    patient_id: str | None
    reason: str | None
    suppress_mail: bool
    reserved_until: datetime | None
    """When the hold ends; None: it does not run out, or the appointment is booked."""

    booked_at: datetime | None = None
    cancelled_at: datetime | None = None

    def is_there(self, now: datetime) -> bool:
        """Whether it was booked, or the hold has not run out."""
        return self.booked_at is not None or self.reserved_until is None or now < self.reserved_until

    def holds(self, now: datetime) -> bool:
        """Whether its time is taken."""
        return self.cancelled_at is None and self.is_there(now)

    def overlaps(self, start: datetime, minutes: float) -> bool:
        """Whether it takes a part of this time."""
        if self.start is None:
            return False
        return self.start < _end(start, minutes) and start < _end(self.start, self.minutes)

    @property
    def days(self) -> Iterator[date]:
        """The days that it is on."""
        if self.start is not None:
            first, last = self.start.date(), _end(self.start, self.minutes).date()
            yield from (first + timedelta(days=ahead) for ahead in range((last - first).days + 1))


@attrs.frozen(kw_only=True)
class Wanted:
    """Which slots are asked for; what is None or empty narrows nothing."""

    location_ids: frozenset[str] = frozenset()
    practitioner_ids: frozenset[str] = frozenset()
    appointment_type_ids: frozenset[str] = frozenset()
    first: date | None = None
    last: date | None = None

    def fits(self, opening: Opening) -> bool:
        """Whether slots of this opening are asked for."""
        return (
            (not self.location_ids or opening.location.id in self.location_ids)
            and (not self.practitioner_ids or opening.practitioner.id in self.practitioner_ids)
            and (not self.appointment_type_ids or opening.appointment_type.id in self.appointment_type_ids)
        )


class Diary:
    """The appointments of every practice group."""

    def __init__(self) -> None:
        self.appointments: dict[str, Appointment] = {}
        self._busy: dict[tuple[str, date], list[Appointment]] = {}

    def keep(self, appointment: Appointment, now: datetime) -> None:
        """Take its time."""
        self.appointments[appointment.id] = appointment
        for day in appointment.days:
            busy = self._busy.get((appointment.practitioner_id, day), ())
            self._busy[appointment.practitioner_id, day] = [*(one for one in busy if one.holds(now)), appointment]

    def move(
        self, appointment: Appointment, practitioner_id: str, start: datetime | None, minutes: float, now: datetime
    ) -> None:
        """Give back its time and take another."""
        for day in appointment.days:
            key = appointment.practitioner_id, day
            self._busy[key] = [one for one in self._busy[key] if one is not appointment]
        appointment.practitioner_id = practitioner_id
        appointment.start = start
        appointment.minutes = minutes
        self.keep(appointment, now)

    def is_free(
        self,
        practitioner: Practitioner,
        start: datetime,
        minutes: float,
        now: datetime,
        *,
        kind: AppointmentType | None = None,
        location_id: str | None = None,
        but: Appointment | None = None,
    ) -> bool:
        """Whether the practitioner works then and can see one patient more.

        Args:
            practitioner: Who.
            start: When it starts, in UTC.
            minutes: How long it is.
            now: The sandbox's time.
            kind: What must be offered by the practitioner; None: anything.
            location_id: Where the practitioner must be that day; None: anywhere.
            but: An appointment that is left aside, because it is to be moved.
        """
        minute = start.hour * 60 + start.minute + start.second / 60 + start.microsecond / 60e6
        location = practitioner.location_on(start.weekday())
        return (
            location is not None
            and location_id in (None, location.id)
            and (kind is None or kind in practitioner.appointment_types)
            and any(opens <= minute and minute + minutes <= closes for opens, closes in SESSIONS)
            and now < start <= now + HORIZON
            and self._has_room(practitioner, start, minutes, now, but)
        )

    def _has_room(
        self,
        practitioner: Practitioner,
        start: datetime,
        minutes: float,
        now: datetime,
        but: Appointment | None = None,
    ) -> bool:
        busy = self._busy.get((practitioner.id, start.date()))
        if not busy:
            return True
        taken = sum(one is not but and one.holds(now) and one.overlaps(start, minutes) for one in busy)
        return taken < practitioner.capacity

    def slots(self, practice: Practice, now: datetime, wanted: Wanted | None = None) -> Iterator[Slot]:
        """The free slots, by start."""
        asked = wanted or Wanted()
        first = max(now.date(), asked.first or now.date())
        last = min((now + HORIZON).date(), asked.last or date.max)
        grid = [[opening for opening in openings if asked.fits(opening)] for openings in practice.grid]
        for ahead in range((last - first).days + 1):
            day = first + timedelta(days=ahead)
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            for opening in grid[day.weekday()]:
                start = midnight + timedelta(minutes=opening.minute)
                if now < start <= now + HORIZON and (
                    (opening.practitioner.id, day) not in self._busy
                    or self._has_room(opening.practitioner, start, opening.appointment_type.minutes, now)
                ):
                    yield Slot(opening, start)

    def slot(self, practice: Practice, id: str, now: datetime) -> Slot | None:
        """The slot with this id, if it is free."""
        if not re.fullmatch(r"[0-9]{10,40}", id):
            return None
        day = _EPOCH + timedelta(days=int(id[-_DAY_DIGITS - _MINUTE_DIGITS : -_MINUTE_DIGITS]))
        found = self.slots(practice, now, Wanted(first=day, last=day))
        return next((slot for slot in found if slot.id == id), None)


def _end(start: datetime, minutes: float) -> datetime:
    try:
        return start + timedelta(minutes=minutes)
    except OverflowError:
        return _END_OF_TIME
