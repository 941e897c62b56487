"""What the sandbox remembers. A subject keeps its own things in a class of its own, on the state's shelf."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import date
from typing import TypeVar

import attrs

from hero_async.sandbox.ledger import Ledger
from hero_async.sandbox.synthetic import SyntheticPatient

T = TypeVar("T")


class State:
    """Everything that outlives a request."""

    def __init__(self, patients: tuple[SyntheticPatient, ...], ledger: Ledger) -> None:
        self.ledger = ledger
        self._ids = itertools.count(500_001)
        self.people = People(patients, self.new_id)
        self._shelf: dict[type, object] = {}

    def new_id(self) -> str:
        """An id that nothing else has, digits."""
        return str(next(self._ids))

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
        self._own: dict[str, dict[str, SyntheticPatient]] = {}
        self._own_by_nhs_number: dict[tuple[str, str], list[str]] = {}

    def get(self, practice: str, patient_id: str) -> SyntheticPatient | None:
        """A patient of the practice group, as last registered."""
        own = self._own.get(practice)
        found = own.get(patient_id) if own else None
        return found or self._seeded.get(patient_id)

    def find(self, practice: str, nhs_number: str, dob: date | None) -> SyntheticPatient | None:
        """The patient with this NHS number, ten digits, and date of birth; None stands for any."""
        ids = [*self._own_by_nhs_number.get((practice, nhs_number), ())]
        if nhs_number in self._seeded_by_nhs_number:
            ids.append(self._seeded_by_nhs_number[nhs_number])
        for patient_id in ids:
            patient = self.get(practice, patient_id)
            if patient is not None and dob in (None, patient.dob):
                return patient
        return None

    def all(self, practice: str) -> Iterator[SyntheticPatient]:
        """Every patient of the practice group."""
        own = self._own.get(practice, {})
        for patient_id, patient in self._seeded.items():
            yield own.get(patient_id, patient)
        yield from (patient for patient_id, patient in own.items() if patient_id not in self._seeded)

    def register(self, practice: str, given: SyntheticPatient) -> SyntheticPatient:
        """Update the patient with the same NHS number and date of birth, or make a new one."""
        number = given.nhs_number
        known = self.find(practice, number, given.dob) if number else None
        if known is not None:
            patient = attrs.evolve(given, patient_id=known.patient_id, draw=known.draw)
        else:
            patient = attrs.evolve(given, patient_id=self._new_id())
        self._own.setdefault(practice, {})[patient.patient_id] = patient
        if number and known is None:
            self._own_by_nhs_number.setdefault((practice, number), []).append(patient.patient_id)
        return patient


def to_day(value: str) -> date:
    """The day of a date or date-time that the rules let through."""
    return date.fromisoformat(value[:10])
