"""What the demo plays with: a file of synthetic patients with some bad rows, and the faults of its server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs

from hero_async.sandbox import CutBody, Delay, Fault, RateLimited, Reset, Sandbox, Status, SyntheticPatient
from hero_async.sandbox.synthetic import make_patients

COLUMNS = ("nhs_number", "dob", "first_name")
_SEED = 7
_ANSWER_SECONDS = 0.03

_Row = list[str]


def _wrong_check_digit(row: _Row) -> _Row:
    last = (int(row[0][-1]) + 1) % 10
    return [f"{row[0][:-1]}{last}", *row[1:]]


_SPOILT: Sequence[Callable[[_Row], _Row]] = (
    _wrong_check_digit,
    lambda row: [row[0], "2099-01-01", row[2]],
    lambda row: [row[0], "31st of May 1980", row[2]],
    lambda row: [row[0], "", row[2]],
    lambda row: [*row[:2], " "],
    lambda row: [*row, "a cell too many"],
    lambda row: [row[0], "1901-01-01", row[2]],  # not this person's date of birth
)

_FAULTS: Sequence[tuple[str, Fault, int, float]] = (
    ("patients.register_pds", Status(503), 3, 0.05),
    ("messages.send", RateLimited(retry_after=1), 15, 0.15),
    ("messages.send", Delay(1.5), 1, 0.25),
    ("messages.send", Reset(after_processing=True), 3, 0.35),
    ("messages.send", CutBody(keep_bytes=10), 1, 0.45),
    ("messages.send", Reset(after_processing=False), 2, 0.5),
    ("messages.send", Status(503), 2, 0.6),
    ("messages.send", Status(503, after_processing=True), 1, 0.65),
)
"""Operation, fault, how often, and after which part of the patients."""

FAULTS_IN_WORDS = (
    "15 times 429, 6 times 503, 5 connections reset (2 before and 3 after the message was processed), "
    "an answer that is cut, one that takes 1.5 seconds"
)


@attrs.frozen(kw_only=True)
class Material:
    """A sandbox that was never entered, and the rows of the file."""

    sandbox: Sandbox
    rows: Sequence[Sequence[str]] = attrs.field(repr=False)
    patient_at: Mapping[int, str]
    """The patient's id by line of the file, of rows that are for a patient of the sandbox."""


def make(patients: int) -> Material:
    """So many patients, a row each; a few of these rows are bad, one is for a stranger, and two people come twice."""
    sandbox = Sandbox(patients=patients, seed=_SEED)
    known = sandbox.patients
    rows = [_row(patient) for patient in known]
    patient_at = {line: patient.patient_id for line, patient in enumerate(known, start=2)}
    places = [(number + 1) * patients // (len(_SPOILT) + 2) for number in range(len(_SPOILT) + 1)]
    for place, spoil in zip(places, _SPOILT, strict=False):
        rows[place] = spoil(rows[place])
    rows[places[-1]] = _row(make_patients(patients + 1, _SEED)[-1])  # nobody that this Hero knows
    for place in (0, patients // 2 + 1):
        patient_at[len(rows) + 2] = known[place].patient_id
        rows.append(_row(known[place], spaces=True))
    share = sorted(patient.draw for patient in known)[1]
    sandbox.quirks = attrs.evolve(sandbox.quirks, login_url_share=share)  # PDS cannot settle who the first of them is
    sandbox.faults.add("*", Delay(_ANSWER_SECONDS), times=None)
    for operation, fault, times, part in _FAULTS:
        sandbox.faults.add(operation, fault, times=times, after=round(patients * part))
    return Material(sandbox=sandbox, rows=rows, patient_at=patient_at)


def _row(patient: SyntheticPatient, *, spaces: bool = False) -> _Row:
    number = patient.nhs_number or ""
    shown = f"{number[:3]} {number[3:6]} {number[6:]}" if spaces else number
    return [shown, patient.dob.isoformat(), patient.first_name]
