"""Batches: created, sent, and shown as they move through their states on the sandbox's clock.

All messages of a batch are accepted at the moment its send is processed; only what is shown moves afterwards.
Not confirmed: everything about the life cycle, the fields of a recipient and of a send, what the answer to a
send holds, and what a recipient whom PDS does not know becomes (here: ENRICHMENT_ERROR, and no message).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import attrs

from hero_async.hiding import hidden
from hero_async.sandbox import rules
from hero_async.sandbox.ledger import AcceptedBatch, AcceptedMessage, BatchSend
from hero_async.sandbox.quirks import Quirks
from hero_async.sandbox.rules import Issue, Path
from hero_async.sandbox.serving import EMPTY, Call, RefusalError, missing, page, serves
from hero_async.sandbox.state import to_day
from hero_async.sandbox.subjects.messages import Messages
from hero_async.sandbox.synthetic import plain_nhs_number

_TYPES = {"SMS": "sms", "EMAIL": "email", "NHS_APP": "nhs_app"}


@hidden
@attrs.frozen(repr=False)
class Recipient:
    """Someone whom a batch is for."""

    id: str
    patient_id: str | None
    """None: PDS does not know the number, or not with this date of birth."""

    nhs_number: str


@hidden
@attrs.define(repr=False)
class Batch:
    """A batch and what became of it."""

    id: str
    practice_group_id: str
    name: str
    channel: str
    subject: str | None
    content: str
    created_at: datetime
    recipients: list[Recipient]
    sent_at: datetime | None = None
    """The last send."""

    sends: list[tuple[str, str | None]] = attrs.field(factory=list[tuple[str, str | None]])
    """Recipient id and message id, for each recipient of each send."""

    def status(self, now: datetime, quirks: Quirks) -> str:
        """What is shown at this moment."""
        seen = now - timedelta(seconds=quirks.status_lag)
        pending = timedelta(seconds=quirks.pending_seconds)
        if self.sent_at is None or seen < self.sent_at:
            waited = quirks.pending_before_send and seen >= self.created_at + pending
            return "PENDING" if waited else "CREATED"
        begins = self.sent_at + pending
        if seen < begins:
            return "PENDING"
        return "SENDING" if seen < begins + timedelta(seconds=quirks.sending_seconds) else "COMPLETED"


class Batches:
    """Every batch by id, oldest first."""

    def __init__(self) -> None:
        self.made: dict[str, Batch] = {}


_FIELDS = rules.record(
    {
        "name": rules.text(),
        "channel": rules.one_of(*_TYPES),
        "content": rules.text(),
        "recipients": rules.array(
            rules.record({"nhs_number": rules.nhs_number, "dob": rules.nullable(rules.day)}), least=1
        ),
    },
    {"subject": rules.text()},
)


def _create(value: Any, path: Path, issues: list[Issue]) -> None:
    _FIELDS(value, path, issues)
    fields = value if rules.is_object(value) else {}
    if fields.get("channel") == "EMAIL" and "subject" not in fields:
        issues.append(rules.issue("invalid_type", "string", (*path, "subject")))


@serves("batch_messages.create", _create)
def create(call: Call) -> object:
    """Keep a batch; nothing is sent."""
    body, state, practice = call.body, call.state, call.practice_group_id
    recipients: list[Recipient] = []
    for given in body["recipients"]:
        dob = to_day(given["dob"]) if given["dob"] is not None else None
        number = plain_nhs_number(given["nhs_number"])
        patient = state.people.find(practice, number, dob)
        recipients.append(Recipient(state.new_id(), patient.patient_id if patient else None, number))
    batch = Batch(
        id=state.new_id(),
        practice_group_id=practice,
        name=body["name"],
        channel=body["channel"],
        subject=body.get("subject"),
        content=body["content"],
        created_at=call.now,
        recipients=recipients,
    )
    state.of(Batches).made[batch.id] = batch
    state.ledger.accept(
        AcceptedBatch(
            batch_id=batch.id,
            practice_group_id=practice,
            name=batch.name,
            channel=batch.channel,
            content=batch.content,
            recipients=len(recipients),
            at=call.now,
        )
    )
    return _show(batch, call)


def _show(batch: Batch, call: Call) -> dict[str, object]:
    shown: dict[str, object] = {
        "id": batch.id,
        "name": batch.name,
        "status": batch.status(call.now, call.quirks),
        "channel": batch.channel,
        "content": batch.content,
    }
    if batch.subject is not None:
        shown["subject"] = batch.subject
    return shown


def _wanted(call: Call) -> Batch:
    batch = call.state.of(Batches).made.get(call.path["id"])
    if batch is None or batch.practice_group_id != call.practice_group_id:
        raise missing("batch message")
    return batch


@serves("batch_messages.get")
def get(call: Call) -> object:
    """Show a batch."""
    return _show(_wanted(call), call)


_LIST = rules.query(
    {
        **rules.PAGING,
        "status": rules.one_of("CREATED", "ENRICHMENT_ERROR", "ENRICHED", "INVALID_PAYLOAD", "QUEUED"),
    },
)


@serves("batch_messages.list", _LIST)
def listing(call: Call) -> object:
    """The practice group's batches, newest first; CREATED is the one filter value that a batch can have."""
    wanted = call.query.get("status")
    newest = call.now - timedelta(seconds=call.quirks.list_lag)
    found = [
        batch
        for batch in reversed(call.state.of(Batches).made.values())
        if batch.practice_group_id == call.practice_group_id
        and batch.created_at <= newest
        and wanted in (None, batch.status(call.now, call.quirks))
    ]
    if call.quirks.batch_list == "object" and found:
        return _show(found[0], call)
    return page(call, found, lambda batch: _show(batch, call))


@serves("batch_messages.send")
def send(call: Call) -> object:
    """Accept a message for everyone in the batch, at once."""
    batch = _wanted(call)
    if batch.sent_at is not None and call.quirks.second_send == "conflict":
        raise RefusalError(409, "Batch message already sent")
    if batch.sent_at is None or call.quirks.second_send == "repeat":
        _send_all(batch, call)
    return EMPTY if call.quirks.send_answer == "empty" else _show(batch, call)


def _send_all(batch: Batch, call: Call) -> None:
    state = call.state
    store = state.of(Messages)
    made = 0
    for recipient in batch.recipients:
        if recipient.patient_id is None:
            batch.sends.append((recipient.id, None))
            continue
        message = AcceptedMessage(
            message_id=state.new_id(),
            patient_id=recipient.patient_id,
            practice_group_id=batch.practice_group_id,
            message_type=_TYPES[batch.channel],
            text=batch.content,
            at=call.now,
            batch_id=batch.id,
        )
        state.ledger.accept(message)
        store.sent[message.message_id] = message
        batch.sends.append((recipient.id, message.message_id))
        made += 1
    batch.sent_at = call.now
    state.ledger.accept(
        BatchSend(batch_id=batch.id, practice_group_id=batch.practice_group_id, messages=made, at=call.now)
    )


_RECIPIENTS = rules.query(rules.PAGING)
_SENDS = rules.query({**rules.PAGING, "status": rules.one_of("CREATED", "QUEUED", "SENT", "ERROR", "SUCCESS")})


@serves("batch_messages.recipients", _RECIPIENTS)
def recipients(call: Call) -> object:
    """The batch's recipients and how far each is: CREATED, then ENRICHED or ENRICHMENT_ERROR, then QUEUED."""
    batch = _wanted(call)
    age = (call.now - batch.created_at).total_seconds() - call.quirks.status_lag
    fresh = batch.sent_at is None and age < call.quirks.pending_seconds
    queued = batch.status(call.now, call.quirks) in ("SENDING", "COMPLETED")
    good = "CREATED" if fresh else "QUEUED" if queued else "ENRICHED"
    bad = "CREATED" if fresh else "ENRICHMENT_ERROR"
    by = call.quirks.recipients_by
    shown = [
        {"id": one.id, by: getattr(one, by), "status": good if one.patient_id else bad} for one in batch.recipients
    ]
    return _page(call, shown)


_STEPS = {"CREATED": "CREATED", "PENDING": "QUEUED", "SENDING": "SENT", "COMPLETED": "SUCCESS"}


@serves("batch_messages.messages", _SENDS)
def messages(call: Call) -> object:
    """One item a recipient and send. None before the batch is sent."""
    batch = _wanted(call)
    step = _STEPS[batch.status(call.now, call.quirks)]
    shown = [
        {"id": message_id, "recipient_id": recipient_id, "status": step if message_id else "ERROR"}
        for recipient_id, message_id in batch.sends
    ]
    return _page(call, shown)


def _page(call: Call, shown: list[dict[str, str | None]]) -> object:
    wanted = call.query.get("status")
    return page(call, [item for item in shown if wanted in (None, item["status"])], lambda item: item)
