"""Single messages.

Not confirmed: 404 for a patient or message that the practice group does not have; that a scheduled message
shows neither status nor time until it is due; the default SNOMED code.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hero_async.sandbox import rules
from hero_async.sandbox.ledger import AcceptedMessage, Change
from hero_async.sandbox.serving import Call, missing, serves
from hero_async.sandbox.state import State, to_moment
from hero_async.sandbox.subjects.links import Links
from hero_async.sandbox.synthetic import SyntheticPatient

_BASIC = frozenset({"patient_id", "message_type", "message_string"})
_NOTHING: Mapping[str, Any] = {}
_REASON = "The sandbox was asked to fail"


class Messages:
    """Every message by id, with the details that the ledger does not hold."""

    def __init__(self) -> None:
        self.sent: dict[str, AcceptedMessage] = {}
        self.details: dict[str, Mapping[str, Any]] = {}
        self.filed: dict[str, tuple[datetime, str | None]] = {}
        """When writing to the record ended, and why it failed, if it did."""


SEND = rules.record(
    {
        "patient_id": rules.text(pattern=r"\d+"),
        "message_type": rules.one_of("hero", "sms", "email", "nhs_app"),
        "message_string": rules.text(least=1),
    },
    {
        "recipient_contact_detail": rules.text(),
        "fallback_contact_detail": rules.text(),
        "fallback_message_type": rules.one_of("sms", "email"),
        "write_to_record": rules.boolean,
        "encrypted": rules.boolean_or_text,
        "snomed_code": rules.text(),
        "snomed_term": rules.text(),
        "auto_write_to_record": rules.boolean,
        "task_id": rules.text(),
        "attachment_uuid": rules.text(least=1),
        "short_link_id": rules.text(least=1),
        "assignee_id": rules.number,
        "assignee_type": rules.text(),
        "send_at": rules.moment,
    },
)


@serves("messages.send", SEND)
def send(call: Call) -> object:
    """Accept a message."""
    body = call.body
    state = call.state
    if state.people.get(call.practice_group_id, body["patient_id"]) is None:
        raise missing("patient")
    message = AcceptedMessage(
        message_id=state.new_id(),
        patient_id=body["patient_id"],
        practice_group_id=call.practice_group_id,
        message_type=body["message_type"],
        text=body["message_string"],
        at=call.now,
    )
    state.ledger.accept(message)
    store = state.of(Messages)
    store.sent[message.message_id] = message
    answer: dict[str, object] = {
        "message_id": message.message_id,
        "content": message.text,
        "created_at": message.at,
    }
    if len(body) > len(_BASIC):
        details = {name: value for name, value in body.items() if name not in _BASIC}
        store.details[message.message_id] = details
        answer |= _extras(message, details)
        if details.get("write_to_record") and details.get("auto_write_to_record"):
            failed = call.quirks.record_outcome == "failed"
            file(state, message.message_id, call.now, _REASON if failed else None)
    return answer


def file(state: State, message_id: str, now: datetime, failure_reason: str | None) -> None:
    """Write a message to the patient's record, or fail to. KeyError: it is not there, or was not to be written."""
    store = state.of(Messages)
    if not store.details.get(message_id, _NOTHING).get("write_to_record"):
        raise KeyError("no message with this id was to be written to the record")
    store.filed[message_id] = (now, failure_reason)
    what = f"messages.write_to_record.{'succeeded' if failure_reason is None else 'failed'}"
    practice = store.sent[message_id].practice_group_id
    state.ledger.accept(Change(what=what, practice_group_id=practice, id=message_id, at=now))


def _extras(message: AcceptedMessage, details: Mapping[str, Any]) -> dict[str, object]:
    extras: dict[str, object] = {}
    if details.get("write_to_record"):
        extras["write_to_record"] = True
        extras["snomed_code"] = details.get("snomed_code", "24561000000109")
        if not details.get("auto_write_to_record"):
            extras["confirm_write_to_record_url"] = f"https://sandbox.invalid/confirm/{message.message_id}"
    if "send_at" in details:
        extras["send_at"] = to_moment(details["send_at"])
    return extras


def _show_patient(patient_id: str, patient: SyntheticPatient | None) -> dict[str, str]:
    """Who it was for; the sample has no null, so what is not known is left out."""
    known = (
        {"title": patient.title, "first_name": patient.first_name, "last_name": patient.last_name} if patient else {}
    )
    return {"id": patient_id, **{name: text for name, text in known.items() if text is not None}}


@serves("messages.get")
def get(call: Call) -> object:
    """Show a message of this practice group."""
    store = call.state.of(Messages)
    message = store.sent.get(call.path["id"])
    if message is None or message.practice_group_id != call.practice_group_id:
        raise missing("message")
    patient = call.state.people.get(call.practice_group_id, message.patient_id)
    details = store.details.get(message.message_id, _NOTHING)
    answer: dict[str, object] = {
        "id": message.message_id,
        "patient": _show_patient(message.patient_id, patient),
        "created_at": message.at,
    }
    due = to_moment(details["send_at"]) if "send_at" in details else message.at
    if "send_at" in details:
        answer["scheduled_at"] = due
    if due <= call.now:
        answer |= {"sent_at": due, "status": "delivered"}
    if details.get("write_to_record"):
        filed: dict[str, object] = {"snomed_code": _extras(message, details)["snomed_code"]}
        if message.message_id in store.filed:
            at, reason = store.filed[message.message_id]
            filed |= (
                {"write_to_record_at": at, "status": "succeeded"}
                if reason is None
                else {"status": "failed", "failure_reason": reason}
            )
        answer["write_to_record"] = filed
    link = call.state.of(Links).made.get(details.get("short_link_id", ""))
    if link is not None and link.practice_group_id == call.practice_group_id:
        answer["short_link"] = {"id": link.id, "type": link.kind, "name": link.url, "status": link.status(call.now)}
    return answer
