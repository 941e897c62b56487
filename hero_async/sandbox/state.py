"""What the sandbox remembers. A subject keeps its own things in a class of its own, on the state's shelf."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import TypeVar

import attrs

from hero_async.sandbox.ledger import Ledger
from hero_async.sandbox.practice import Practice
from hero_async.sandbox.synthetic import FIRST_ID, SyntheticPatient

T = TypeVar("T")


class State:
    """Everything that outlives a request."""

    def __init__(
        self, patients: tuple[SyntheticPatient, ...], ledger: Ledger, practice_group_ids: Sequence[str]
    ) -> None:
        self.ledger = ledger
        self._ids = itertools.count(max(500_001, FIRST_ID + len(patients)))
        self.people: People = People(patients, self.new_id)
        self._practices = {
            practice: Practice(practice, number) for number, practice in enumerate(practice_group_ids, start=1)
        }
        self._shelf: dict[type, object] = {}

    def new_id(self) -> str:
        """An id that nothing else has, digits."""
        return str(next(self._ids))

    def practice(self, practice_group_id: str) -> Practice:
        """What a practice group has from the start."""
        return self._practices[practice_group_id]

    def of(self, kind: type[T]) -> T:
        """A subject's own store: `kind()`, made when it is first asked for."""
        store = self._shelf.get(kind)
        if not isinstance(store, kind):
            store = self._shelf[kind] = kind()
        return store


class People:
    """The patients of every practice group: the seeded ones are in all, registered ones in their own."""

    def __init__(self, seeded: tuple[SyntheticPatient, ...], new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._seeded = {patient.patient_id: patient for patient in seeded}
        self._seeded_by_nhs_number = {patient.nhs_number: patient.patient_id for patient in seeded}
        self._own: dict[str, dict[str, SyntheticPatient | None]] = {}
        """By practice group and id: those it changed or made. None: merged into another."""

        self._own_by_nhs_number: dict[tuple[str, str], list[str]] = {}
        self._merged: dict[tuple[str, str], tuple[str, date]] = {}
        """By practice group and id: into whom they were merged, and their own date of birth."""

    def get(self, practice: str, patient_id: str) -> SyntheticPatient | None:
        """A patient of the practice group, as last changed."""
        own = self._own.get(practice)
        if own is not None and patient_id in own:
            return own[patient_id]
        return self._seeded.get(patient_id)

    def find(self, practice: str, nhs_number: str, dob: date | None) -> SyntheticPatient | None:
        """The patient with this NHS number, ten digits, and date of birth; None stands for any.

        Someone who was merged into another is found as that other one.
        """
        ids = [*self._own_by_nhs_number.get((practice, nhs_number), ())]
        if nhs_number in self._seeded_by_nhs_number:
            ids.append(self._seeded_by_nhs_number[nhs_number])
        for patient_id in ids:
            patient = self.get(practice, patient_id)
            known_dob = patient.dob if patient is not None else self._merged[practice, patient_id][1]
            if dob in (None, known_dob):
                return patient or self._survivor(practice, patient_id)
        return None

    def _survivor(self, practice: str, patient_id: str) -> SyntheticPatient | None:
        while (merged := self._merged.get((practice, patient_id))) is not None:
            patient_id = merged[0]
        return self.get(practice, patient_id)

    def all(self, practice: str) -> Iterator[SyntheticPatient]:
        """Every patient of the practice group."""
        own = self._own.get(practice, {})
        for patient_id, patient in self._seeded.items():
            known = own.get(patient_id, patient)
            if known is not None:
                yield known
        yield from (
            patient for patient_id, patient in own.items() if patient is not None and patient_id not in self._seeded
        )

    def register(self, practice: str, given: SyntheticPatient) -> SyntheticPatient:
        """Update the patient with the same NHS number and date of birth, or make a new one."""
        number = given.nhs_number
        known = self.find(practice, number, given.dob) if number else None
        if known is not None:
            patient = attrs.evolve(
                given,
                patient_id=known.patient_id,
                draw=known.draw,
                ehr_partner_id=given.ehr_partner_id or known.ehr_partner_id,
            )
        else:
            patient = attrs.evolve(given, patient_id=self._new_id())
        self.change(practice, patient)
        if number and known is None:
            self._own_by_nhs_number.setdefault((practice, number), []).append(patient.patient_id)
        return patient

    def change(self, practice: str, patient: SyntheticPatient) -> None:
        """Keep a patient as they are now, for this practice group."""
        self._own.setdefault(practice, {})[patient.patient_id] = patient

    def merge(self, practice: str, kept: SyntheticPatient, gone: SyntheticPatient) -> None:
        """From now on `gone` is `kept`, in this practice group."""
        own = self._own.setdefault(practice, {})
        own[gone.patient_id] = None
        self._merged[practice, gone.patient_id] = (kept.patient_id, gone.dob)


def to_day(value: str) -> date:
    """The day of a date or date-time that the rules let through."""
    return date.fromisoformat(value[:10])


def to_moment(value: str) -> datetime:
    """The moment, in UTC, of a date-time or date that the rules let through. UTC is taken where no zone is told."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # a zone at the end of time
        return moment.replace(tzinfo=UTC)


def midnight(day: date) -> datetime:
    """The start of a day: how the reference types a date of birth."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
