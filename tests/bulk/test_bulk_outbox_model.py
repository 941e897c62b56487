"""The outbox against a model of it: any order of fills, changes, claims, words, crashes and reopenings."""

from __future__ import annotations

import tempfile
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hero_async.bulk.decide import MOVES, State, Word, after_crash, after_word
from hero_async.bulk.errors import OutboxError
from hero_async.bulk.outbox import Binding, Change, Claim, Row, Twin
from hero_async.bulk.sqlite_store import Store

BINDING = Binding(origin="o", practice="1", channel="sms", text="t", options="{}")
PEOPLE = st.none() | st.sampled_from([b"a", b"b", b"c"])
PATIENTS = st.none() | st.sampled_from([b"1", b"2", b"3"])
LINES = st.integers(2, 14)


@attrs.define
class Modelled:
    state: State
    reason: str | None = None
    message_id: str | None = None
    person: bytes | None = None
    patient: bytes | None = None
    patient_id: str | None = None


class OutboxMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "it.outbox"
        self.path.touch()
        self.store = Store.connect(self.path)
        self.rows: dict[int, Modelled] = {}

    @initialize()
    def make(self) -> None:
        self.store.make(BINDING)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def owner(self, name: str, value: bytes | None) -> int | None:
        if value is None:
            return None
        return next((line for line, row in self.rows.items() if getattr(row, name) == value), None)

    @rule(people=st.lists(st.tuples(PEOPLE, PATIENTS, st.none() | st.just("phone")), max_size=4))
    def fill(self, people: list[tuple[bytes | None, bytes | None, str | None]]) -> None:
        batch: list[Row] = []
        twins: list[Twin] = []
        for line, (person, patient, rejected) in enumerate(people, start=len(self.rows) + 2):
            if rejected:
                person = patient = None
            batch.append(Row(line, f"r{line}", b"d%d" % line, person, patient, rejected))
            first = self.owner("person", person) or self.owner("patient", patient)
            if first:
                twins.append(Twin(line, first))
                self.rows[line] = Modelled(State.REJECTED, "duplicate_person")
            else:
                state = State.REJECTED if rejected else State.READY
                self.rows[line] = Modelled(state, rejected, None, person, patient)
        assert self.store.fill(batch) == twins

    @rule(
        moves=st.dictionaries(LINES, st.sampled_from(list(State)), min_size=1, max_size=5),
        reason=st.none() | st.just("why"),
        message_id=st.none() | st.just("m1"),
    )
    def change(self, moves: dict[int, State], reason: str | None, message_id: str | None) -> None:
        changes = [Change(line, state, reason, message_id) for line, state in moves.items()]
        allowed = all(line in self.rows and state in MOVES[self.rows[line].state] for line, state in moves.items())
        if not allowed:
            with pytest.raises(OutboxError):
                self.store.write(changes, [])
            return
        assert self.store.write(changes, []) == []
        for line, state in moves.items():
            row = self.rows[line]
            row.state, row.reason, row.message_id = state, reason, message_id
            if state is State.SENDING:  # an intent has nothing to tell
                row.reason = row.message_id = None

    @rule(claims=st.lists(st.tuples(LINES, st.sampled_from("123"), st.booleans()), min_size=1, max_size=4))
    def claim(self, claims: list[tuple[int, str, bool]]) -> None:
        ready = {line for line, row in self.rows.items() if row.state is State.READY}
        once = {line: (patient, hashed) for line, patient, hashed in claims if line in ready}
        asked = [Claim(line, patient, patient.encode() if hashed else None) for line, (patient, hashed) in once.items()]
        taken: list[int] = []
        for line, patient_id, patient in asked:
            row = self.rows[line]
            row.patient_id = patient_id
            if self.owner("patient", patient) in (None, line):
                row.patient = patient
            else:
                row.state, row.reason, row.message_id = State.REJECTED, "duplicate_person", None
                taken.append(line)
        assert self.store.write([], asked) == taken

    @rule(lines=st.none() | st.sets(LINES, max_size=3), word=st.sampled_from(["sent", "unsent"]))
    def mark(self, lines: set[int] | None, word: Word) -> None:
        unknown = {line for line, row in self.rows.items() if row.state is State.UNKNOWN}
        chosen = unknown if lines is None else lines
        if not chosen <= unknown:
            with pytest.raises(OutboxError):
                self.store.mark(lines, word)
            return
        assert self.store.mark(lines, word) == len(chosen)
        step = after_word(State.UNKNOWN, word)
        for line in chosen:
            row = self.rows[line]
            row.state, row.reason, row.message_id = step.state, step.reason, None

    @rule()
    def crash_and_reopen(self) -> None:
        self.store.close()
        self.store = Store.connect(self.path)
        self.store.settle_crash()
        for row in self.rows.values():
            step = after_crash(row.state)
            if step.state is not row.state:
                row.state, row.reason = step.state, step.reason

    @invariant()
    def agrees_with_the_model(self) -> None:
        if not self.store.is_made:
            return
        found = {
            record.line: (record.state, record.reason, record.message_id)
            for record in self.store.records(None, 0, 1000)
        }
        assert found == {line: (row.state, row.reason, row.message_id) for line, row in self.rows.items()}
        ready = [(entry.line, entry.patient_id) for entry in self.store.ready(0, 1000)]
        assert ready == [(line, row.patient_id) for line, row in self.rows.items() if row.state is State.READY]
        status = self.store.status(running=False)
        assert status.rows == len(self.rows)
        for state in State:
            assert status.states[state] == sum(row.state is state for row in self.rows.values())

    @invariant()
    def nobody_is_sent_to_by_two_rows(self) -> None:
        for name in ("person", "patient"):
            owners = [getattr(row, name) for row in self.rows.values() if getattr(row, name) is not None]
            assert len(owners) == len(set(owners))


OutboxMachine.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestOutboxModel = OutboxMachine.TestCase
