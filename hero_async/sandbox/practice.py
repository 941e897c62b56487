"""What a practice group has before anyone calls: places, people, kinds of appointment. Made when first asked for.

The same for the same position among the sandbox's practice groups, and with ids that no other of them has. Nobody
and nothing here exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property

import attrs

SEEDED_AT = datetime(2026, 1, 2, 9, 0, tzinfo=UTC)
"""When what is there from the start was made."""

SESSIONS = ((9 * 60, 12 * 60), (14 * 60, 17 * 60))
"""When patients are seen: minutes after midnight, UTC, from and to."""


@attrs.frozen(repr=False)
class Location:
    """Where patients are seen."""

    id: str
    name: str
    line_1: str
    town: str
    postcode: str


@attrs.frozen(repr=False)
class AppointmentType:
    """A kind of appointment."""

    id: str
    name: str
    minutes: int
    practitioner_type: str
    telephone: bool = False
    video: bool = False

    @property
    def in_person(self) -> bool:
        """Whether the patient comes."""
        return not (self.telephone or self.video)


@attrs.frozen(repr=False)
class Practitioner:
    """Who sees patients: on weekdays, at one location a day, in turn."""

    id: str
    first_name: str
    last_name: str
    type: str
    locations: tuple[Location, ...]
    appointment_types: tuple[AppointmentType, ...]
    capacity: int = 1
    """How many patients are seen at one time."""

    def location_on(self, weekday: int) -> Location | None:
        """Where they are on a weekday, from Monday 0; None at a weekend."""
        return self.locations[weekday % len(self.locations)] if weekday < 5 else None


@attrs.frozen(repr=False)
class Opening:
    """A time of day at which an appointment can start."""

    minute: int
    """After midnight, UTC."""

    practitioner: Practitioner
    appointment_type: AppointmentType
    location: Location


@attrs.frozen(repr=False)
class Admin:
    """A member of staff. Admins who prescribe are the prescribers too."""

    id: str
    first_name: str
    last_name: str
    email: str

    @property
    def full_name(self) -> str:
        """Whole name."""
        return f"{self.first_name} {self.last_name}"


@attrs.frozen(repr=False)
class Practice:
    """One practice group.

    Args:
        id: Its id.
        number: Its place among the sandbox's practice groups, from 1: what its ids begin with.
    """

    id: str
    number: int

    def make_id(self, offset: int) -> str:
        """The id of a thing that is there from the start: digits, and no other practice group's."""
        return f"{self.number}{offset:03d}"

    @cached_property
    def locations(self) -> tuple[Location, ...]:
        """Two."""
        return (
            Location(self.make_id(101), "Sandbox Surgery", "1 Sandbox Street", "Sandford", "ZZ99 3CZ"),
            Location(self.make_id(102), "Sandbox Branch Surgery", "2 Pail Lane", "Spadeham", "ZZ99 3VZ"),
        )

    @cached_property
    def appointment_types(self) -> tuple[AppointmentType, ...]:
        """Five."""
        return (
            AppointmentType(self.make_id(301), "GP appointment", 10, "GP"),
            AppointmentType(self.make_id(302), "GP telephone call", 10, "GP", telephone=True),
            AppointmentType(self.make_id(303), "GP video call", 15, "GP", video=True),
            AppointmentType(self.make_id(304), "Nurse appointment", 20, "Nurse"),
            AppointmentType(self.make_id(305), "Flu vaccination", 5, "Nurse"),
        )

    @cached_property
    def practitioners(self) -> tuple[Practitioner, ...]:
        """Two GPs, a nurse, and a vaccination clinic that sees two patients at one time."""
        surgery, branch = self.locations
        gp, call, video, nurse, flu = self.appointment_types
        return (
            Practitioner(self.make_id(201), "Alex", "XXTESTDOCTOR-A", "GP", (surgery,), (gp, call)),
            Practitioner(self.make_id(202), "Robin", "XXTESTDOCTOR-B", "GP", (surgery, branch), (gp, video)),
            Practitioner(self.make_id(203), "Sam", "XXTESTNURSE-A", "Nurse", (branch, surgery), (nurse,)),
            Practitioner(self.make_id(204), "Kim", "XXTESTNURSE-B", "Nurse", (surgery,), (flu,), capacity=2),
        )

    @cached_property
    def admins(self) -> tuple[Admin, ...]:
        """Three."""
        names = (("Charlie", "XXTESTADMIN-A"), ("Jo", "XXTESTADMIN-B"), ("Ashley", "XXTESTADMIN-C"))
        return tuple(
            Admin(self.make_id(401 + index), first, last, f"{last.lower()}@example.com")
            for index, (first, last) in enumerate(names)
        )

    @cached_property
    def grid(self) -> tuple[tuple[Opening, ...], ...]:
        """By weekday from Monday: every time at which an appointment can start, by time."""
        return tuple(
            tuple(sorted(self._openings(weekday), key=lambda opening: (opening.minute, opening.practitioner.id)))
            for weekday in range(7)
        )

    def _openings(self, weekday: int) -> Iterator[Opening]:
        for practitioner in self.practitioners:
            location = practitioner.location_on(weekday)
            if location is None:
                continue
            for kind in practitioner.appointment_types:
                for opens, closes in SESSIONS:
                    for minute in range(opens, closes - kind.minutes + 1, kind.minutes):
                        yield Opening(minute, practitioner, kind, location)

    def location(self, id: str) -> Location | None:
        """The location with this id."""
        return next((one for one in self.locations if one.id == id), None)

    def appointment_type(self, id: str) -> AppointmentType | None:
        """The appointment type with this id."""
        return next((one for one in self.appointment_types if one.id == id), None)

    def practitioner(self, id: str) -> Practitioner | None:
        """The practitioner with this id."""
        return next((one for one in self.practitioners if one.id == id), None)

    def admin(self, id: str) -> Admin | None:
        """The member of staff with this id."""
        return next((one for one in self.admins if one.id == id), None)
