"""Kinds of appointment. What is counted as `slot_count` is not confirmed: here, all free slots."""

from __future__ import annotations

from hero_async.sandbox import rules
from hero_async.sandbox.diary import Diary, Slot, Wanted
from hero_async.sandbox.practice import AppointmentType
from hero_async.sandbox.serving import Call, everything, serves


@serves("appointment_types.list", rules.query({"has_availability": rules.flag_text}))
def listing(call: Call) -> object:
    """The kinds that are offered at any of the locations, with their free slots."""
    wanted = frozenset(call.several("location_ids"))
    free: dict[str, list[Slot]] = {}
    for slot in call.state.of(Diary).slots(call.practice, call.now, Wanted(location_ids=wanted)):
        free.setdefault(slot.opening.appointment_type.id, []).append(slot)
    has_availability = call.query.get("has_availability")
    kinds = [
        kind
        for kind in call.practice.appointment_types
        if (not wanted or _is_offered(call, kind, wanted))
        and has_availability in (None, "true" if kind.id in free else "false")
    ]
    return everything(kinds, lambda kind: _show(kind, free.get(kind.id, [])))


def _is_offered(call: Call, kind: AppointmentType, location_ids: frozenset[str]) -> bool:
    return any(
        kind in practitioner.appointment_types and location.id in location_ids
        for practitioner in call.practice.practitioners
        for location in practitioner.locations
    )


def _show(kind: AppointmentType, free: list[Slot]) -> object:
    return {
        "id": kind.id,
        "name": kind.name,
        "partner_slot_name": kind.name,
        "next_available_at": free[0].start if free else None,
        "slot_count": len(free),
        "price": 0,
        "assignee_id": None,
        "assignee_type": None,
        "sector": "nhs",
        "duration": kind.minutes,
        "video": kind.video,
        "in_person": kind.in_person,
        "telephone": kind.telephone,
        "use_partner_bookable_slots": False,
        "admin_booking_invoice_required": False,
        "form_id": None,
        "practitioner_type": kind.practitioner_type,
    }
