"""Locations. Not confirmed: every field but the id."""

from __future__ import annotations

from hero_async.sandbox import rules
from hero_async.sandbox.diary import Diary, Wanted
from hero_async.sandbox.practice import Location
from hero_async.sandbox.serving import Call, everything, serves


@serves("locations.list", rules.query({"has_availability": rules.flag_text}))
def listing(call: Call) -> object:
    """The locations at which any of the appointment types is offered."""
    wanted = frozenset(call.several("appointment_type_ids"))
    slots = call.state.of(Diary).slots(call.practice, call.now, Wanted(appointment_type_ids=wanted))
    has_availability = call.query.get("has_availability")
    free = {slot.opening.location.id for slot in slots} if has_availability is not None else set[str]()
    offered = {
        location.id
        for practitioner in call.practice.practitioners
        if not wanted or any(kind.id in wanted for kind in practitioner.appointment_types)
        for location in practitioner.locations
    }
    locations = [
        location
        for location in call.practice.locations
        if location.id in offered and has_availability in (None, "true" if location.id in free else "false")
    ]
    return everything(locations, _show)


def _show(location: Location) -> object:
    address = {"line_1": location.line_1, "town": location.town, "postcode": location.postcode}
    return {"id": location.id, "name": location.name, "address": address}
