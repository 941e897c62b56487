"""The practice group itself: what is changed is kept, for each by itself.

Not confirmed: every field of the configuration, what a change answers (here the practice group), that an address is
replaced as a whole, and that credentials are never shown (here they are not even kept).
"""

from __future__ import annotations

from typing import Any

from hero_async.sandbox import rules
from hero_async.sandbox.diary import POLICY_HOURS
from hero_async.sandbox.serving import Call, everything, note, serves


class Changes:
    """What was changed, by practice group."""

    def __init__(self) -> None:
        self.made: dict[str, dict[str, Any]] = {}


def _show(call: Call) -> dict[str, Any]:
    place = call.practice.locations[0]
    changed = call.state.of(Changes).made.get(call.practice_group_id, {})
    address = {"line_1": place.line_1, "town": place.town, "postcode": place.postcode}
    return {
        "id": call.practice_group_id,
        "name": changed.get("name", "Sandbox Medical Centre"),
        "sector": "nhs",
        "address": changed.get("address", address),
    }


@serves("practice_group.get")
def get(call: Call) -> object:
    """Show the practice group."""
    return _show(call)


_TEXTS = ("line_1", "line_2", "line_3", "town", "county", "postcode")
_UPDATE = rules.record(
    {},
    {
        "name": rules.text(),
        "prescription_partner_enabled": rules.boolean,
        "prescription_partner": rules.text(),
        "prescription_partner_credentials": rules.record({}, {"email": rules.text(), "password": rules.text()}),
        "address": rules.record({}, dict.fromkeys(_TEXTS, rules.text())),
    },
)


@serves("practice_group.update", _UPDATE)
def update(call: Call) -> object:
    """Change the practice group. What is left out stays."""
    kept = ("name", "address", "prescription_partner", "prescription_partner_enabled")
    changed = call.state.of(Changes).made.setdefault(call.practice_group_id, {})
    changed |= {name: call.body[name] for name in kept if name in call.body}
    note(call, "practice_group.update", call.practice_group_id)
    return _show(call)


@serves("practice_group.capabilities")
def capabilities(call: Call) -> object:
    """What is switched on."""
    return {"capabilities": ["sms_messaging"]}


@serves("practice_group.configuration")
def configuration(call: Call) -> object:
    """The settings."""
    changed = call.state.of(Changes).made.get(call.practice_group_id, {})
    return {
        "cancellation_policy_hours": POLICY_HOURS,
        "prescription_partner": changed.get("prescription_partner"),
        "prescription_partner_enabled": changed.get("prescription_partner_enabled", False),
    }


@serves("practice_group.elements")
def elements(call: Call) -> object:
    """One Element: the message builder."""
    element = {"version": "latest", "config": {}, "element": {"name": "message-builder"}}
    return everything([element], lambda one: one)
