"""Subscriptions to events: kept until they are deleted, and served by `deliveries.py`.

Not confirmed: what the list shows of each (here what its creation answered), that a description is not shown, and
that the second deletion is a 404.
"""

from __future__ import annotations

from typing import Any

from hero_async.sandbox import rules
from hero_async.sandbox.serving import Call, everything, missing, note, serves, unshown

_EVENTS = (
    "appointment.confirmed",
    "appointment.cancelled",
    "appointment.rescheduled",
    "prescription.issued",
    "patient.medical-record-updated",
    "patient.added-to-sequence",
    "write-to-record.succeeded",
    "write-to-record.failed",
)
_CREATE = rules.record(
    {"event_type": rules.one_of(*_EVENTS), "url": rules.address},
    {
        "description": rules.text(),
        "signing_key": rules.text(),
        "headers": rules.mapping(rules.text()),
    },
)


class Subscriptions:
    """By practice group: subscriptions by id, oldest first."""

    def __init__(self) -> None:
        self.of: dict[str, dict[str, dict[str, Any]]] = {}


@serves("webhooks.create", _CREATE)
def create(call: Call) -> object:
    """Keep a subscription."""
    fields: dict[str, Any] = {
        name: call.body[name] for name in ("event_type", "url", "signing_key", "headers") if name in call.body
    }
    made: dict[str, Any] = {"id": call.state.new_id(), **fields, "created_at": call.now, "updated_at": call.now}
    call.state.of(Subscriptions).of.setdefault(call.practice_group_id, {})[made["id"]] = made
    note(call, "webhooks.create", made["id"])
    return made


@serves("webhooks.list")
def listing(call: Call) -> object:
    """The practice group's subscriptions, oldest first."""
    wanted = call.query.get("event_type")
    kept = call.state.of(Subscriptions).of.get(call.practice_group_id, {}).values()
    return everything([one for one in kept if wanted in (None, one["event_type"])], lambda one: one)


@serves("webhooks.delete")
def delete(call: Call) -> object:
    """Forget a subscription."""
    kept = call.state.of(Subscriptions).of.get(call.practice_group_id, {})
    if kept.pop(call.path["id"], None) is None:
        raise missing("webhook")
    note(call, "webhooks.delete", call.path["id"])
    return unshown(call, {"id": call.path["id"]})
