"""Automated messages: reminders to the first patients. Not confirmed: every field, and every value but
"INVALIDATED"."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import Any

from hero_async.sandbox import rules
from hero_async.sandbox.practice import SEEDED_AT
from hero_async.sandbox.serving import Call, missing, page, serves

_MOST = 7
_STATES = ("SENT", "SENT", "INVALIDATED")
_TYPES = ("APPOINTMENT_REMINDER", "FORM_REMINDER")


def _messages(call: Call) -> list[dict[str, Any]]:
    patients = islice(call.state.people.all(call.practice_group_id), _MOST)
    return [
        {
            "id": call.practice.make_id(901 + number),
            "recipient_id": patient.patient_id,
            "status": _STATES[number % len(_STATES)],
            "notification_type": _TYPES[number % len(_TYPES)],
            "createdAt": SEEDED_AT + timedelta(hours=number),
        }
        for number, patient in enumerate(patients)
    ]


_LIST = rules.query({**rules.PAGING, "order_descending": rules.flag_text})


@serves("automated_messages.list", _LIST)
def listing(call: Call) -> object:
    """Those that every filter fits, oldest first; whatever `orderBy` says."""
    found = [
        message
        for message in _messages(call)
        if all(
            call.query.get(name) in (None, message[name]) for name in ("recipient_id", "status", "notification_type")
        )
    ]
    if call.query.get("order_descending") == "true":
        found.reverse()
    return page(call, found, lambda message: message)


@serves("automated_messages.get")
def get(call: Call) -> object:
    """Show one."""
    message = next((one for one in _messages(call) if one["id"] == call.path["id"]), None)
    if message is None:
        raise missing("automated message")
    return message
