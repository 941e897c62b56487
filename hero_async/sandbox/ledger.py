"""What really happened, written at the moment of processing: the judge of every test.

A fault that cuts the answer afterwards changes nothing here. Reprs hold no text and no person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any, cast

import attrs

from hero_async.fields import Ref, describe, model


@model
class AcceptedMessage:
    """One message that one patient will get."""

    message_id: Ref
    patient_id: Ref
    practice_group_id: Ref
    message_type: Ref
    """`hero`, `sms`, `email` or `nhs_app`."""

    text: str
    at: datetime
    """When the request for it was processed."""

    batch_id: Ref | None = None
    """The batch that it came from."""


@model
class AcceptedBatch:
    """A batch that was created. Creating sends nothing."""

    batch_id: Ref
    practice_group_id: Ref
    name: str
    channel: Ref
    content: str
    recipients: int
    """How many recipients it was given."""

    at: datetime


@model
class BatchSend:
    """One send of a batch that was acted on."""

    batch_id: Ref
    practice_group_id: Ref
    messages: int
    """How many messages it made."""

    at: datetime


@model
class Change:
    """Something else that was changed: an appointment, a link, a task, a patient, …"""

    what: Ref
    """The operation that did it, such as "appointments.book"."""

    practice_group_id: Ref
    id: Ref
    """Id of what was made or changed."""

    at: datetime


@attrs.define(repr=False)
class Arrival:
    """One request that reached the sandbox whole, known operation or not."""

    operation: Ref
    """The operation's name, such as "messages.send"; "unknown" for a path that no operation has."""

    practice_group_id: Ref
    """As the header says; empty without one."""

    at: datetime
    status: int | None = None
    """The status that was answered; None while none was, or when the connection was cut before it."""

    cut: bool = False
    """A fault kept the answer, or a part of it, from being sent."""

    __repr__ = describe


RECORDS = (AcceptedMessage, AcceptedBatch, BatchSend, Change, Arrival)
"""What a ledger is made of."""


def differences(ours: Sequence[object], theirs: Sequence[object]) -> list[str]:
    """How two sequences of records differ, a line each. Of what a repr hides it is told only that it differs."""
    out: list[str] = []
    if len(ours) != len(theirs):
        out.append(f"{len(ours)} on the left, {len(theirs)} on the right")
    for place, (one, other) in enumerate(zip_longest(ours, theirs)):
        if one == other:
            continue
        if type(one) is not type(other) or not isinstance(one, RECORDS):
            out.append(f"[{place}] {_shown(one)} != {_shown(other)}")
            continue
        shown = repr(one)
        for field in attrs.fields(cast("Any", type(one))):
            left, right = getattr(one, field.name), getattr(other, field.name)
            if left != right:
                is_hidden = f"{field.name}=***" in shown or f"{field.name}=***" in repr(other)
                words = "differs (not shown)" if is_hidden else f"{left!r} != {right!r}"
                out.append(f"[{place}] {type(one).__name__}.{field.name}: {words}")
    return out


def _shown(one: object) -> str:
    return repr(one) if isinstance(one, RECORDS) else "nothing" if one is None else type(one).__name__


class Ledger:
    """What arrived and what was accepted, in order. Every property is a copy of this moment.

    Args:
        hear: Called with each change that is noted.
    """

    def __init__(self, hear: Callable[[Change], None] | None = None) -> None:
        self._hear = hear
        self._requests: list[Arrival] = []
        self._messages: list[AcceptedMessage] = []
        self._batches: list[AcceptedBatch] = []
        self._batch_sends: list[BatchSend] = []
        self._changes: list[Change] = []

    @property
    def requests(self) -> tuple[Arrival, ...]:
        """Everything that arrived."""
        return tuple(self._requests)

    @property
    def calls(self) -> tuple[str, ...]:
        """Everything that arrived, as text to compare with: "messages.send 200", "messages.send 200, cut"."""
        return tuple(
            f"{arrival.operation} {'no answer' if arrival.status is None else arrival.status}"
            f"{', cut' if arrival.cut and arrival.status is not None else ''}"
            for arrival in self.requests
        )

    @property
    def messages(self) -> tuple[AcceptedMessage, ...]:
        """Everything that patients will get."""
        return tuple(self._messages)

    @property
    def batches(self) -> tuple[AcceptedBatch, ...]:
        """Every batch created."""
        return tuple(self._batches)

    @property
    def batch_sends(self) -> tuple[BatchSend, ...]:
        """Every send of a batch that was acted on."""
        return tuple(self._batch_sends)

    @property
    def changes(self) -> tuple[Change, ...]:
        """Everything else that was made, changed or removed."""
        return tuple(self._changes)

    def changed(self, what: str) -> tuple[str, ...]:
        """The ids of what an operation made, changed or removed, such as "appointments.book"."""
        return tuple(change.id for change in self.changes if change.what == what)

    def count(self, operation: str, *, status: int | None = None) -> int:
        """How many requests for an operation arrived; with `status`, those that were answered so."""
        return sum(
            arrival.operation == operation and (status is None or arrival.status == status) for arrival in self.requests
        )

    def doubled(self) -> dict[str, tuple[str, ...]]:
        """By practice group, the ids of patients who were sent more than one message. Empty: no one was."""
        times = Counter((message.practice_group_id, message.patient_id) for message in self.messages)
        found: dict[str, tuple[str, ...]] = {}
        for (practice, patient), number in times.items():
            if number > 1:
                found[practice] = (*found.get(practice, ()), patient)
        return found

    def summary(self) -> Mapping[str, Any]:
        """Counts alone, as `GET /_sandbox/ledger` answers them."""
        requests = self.requests
        messages = Counter(message.practice_group_id for message in self.messages)
        doubled = self.doubled()
        return {
            "requests": len(requests),
            "by_operation": Counter(arrival.operation for arrival in requests),
            "by_status": Counter("none" if a.status is None else str(a.status) for a in requests),
            "messages": messages.total(),
            "batches": len(self._batches),
            "batch_sends": len(self._batch_sends),
            "changes": Counter(change.what for change in self.changes),
            "doubled": sum(len(patients) for patients in doubled.values()),
            "practice_groups": {
                practice: {"messages": number, "doubled": len(doubled.get(practice, ()))}
                for practice, number in messages.items()
            },
        }

    def arrived(self, operation: str, practice_group_id: str, at: datetime) -> Arrival:
        """Note a request."""
        arrival = Arrival(operation, practice_group_id, at)
        self._requests.append(arrival)
        return arrival

    def accept(self, record: AcceptedMessage | AcceptedBatch | BatchSend | Change) -> None:
        """Note what was processed."""
        match record:
            case AcceptedMessage():
                self._messages.append(record)
            case AcceptedBatch():
                self._batches.append(record)
            case BatchSend():
                self._batch_sends.append(record)
            case Change():
                self._changes.append(record)
                if self._hear is not None:
                    self._hear(record)

    def __repr__(self) -> str:
        return (
            f"Ledger(requests={len(self._requests)}, messages={len(self._messages)}, "
            f"batches={len(self._batches)}, batch_sends={len(self._batch_sends)}, changes={len(self._changes)})"
        )
