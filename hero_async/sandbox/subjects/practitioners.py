"""Practitioners. Not confirmed: every field but the id, and the form of the list."""

from __future__ import annotations

from hero_async.sandbox import rules
from hero_async.sandbox.diary import Diary, Wanted
from hero_async.sandbox.practice import Practitioner
from hero_async.sandbox.serving import Call, everything, missing, serves


@serves("practitioners.list", rules.query({"has_availability": rules.flag_text}))
def listing(call: Call) -> object:
    """Those at any of the locations who offer any of the appointment types."""
    wanted = Wanted(
        location_ids=frozenset(call.several("location_ids")),
        appointment_type_ids=frozenset(call.several("appointment_type_ids")),
    )
    has_availability = call.query.get("has_availability")
    slots = call.state.of(Diary).slots(call.practice, call.now, wanted) if has_availability is not None else ()
    free = {slot.opening.practitioner.id for slot in slots}
    practitioners = [
        practitioner
        for practitioner in call.practice.practitioners
        if _fits(practitioner, wanted) and has_availability in (None, "true" if practitioner.id in free else "false")
    ]
    return everything(practitioners, _show)


def _fits(practitioner: Practitioner, wanted: Wanted) -> bool:
    places = {location.id for location in practitioner.locations}
    kinds = {kind.id for kind in practitioner.appointment_types}
    return (not wanted.location_ids or bool(places & wanted.location_ids)) and (
        not wanted.appointment_type_ids or bool(kinds & wanted.appointment_type_ids)
    )


def _show(practitioner: Practitioner) -> object:
    return {
        "id": practitioner.id,
        "first_name": practitioner.first_name,
        "last_name": practitioner.last_name,
        "practitioner_type": practitioner.type,
        "location_ids": [location.id for location in practitioner.locations],
        "appointment_type_ids": [kind.id for kind in practitioner.appointment_types],
    }


@serves("practitioners.get")
def get(call: Call) -> object:
    """Show a practitioner."""
    practitioner = call.practice.practitioner(call.path["id"])
    if practitioner is None:
        raise missing("practitioner")
    return _show(practitioner)
