"""Slots: free times of the practice group, as `hero_async.sandbox.diary` works them out.

Not confirmed: that a slot that is taken is a 404, the form of a count, and whether `end_date` is part of the window
(here: yes). A check without a practitioner asks whether anyone is free, and without a duration for the type's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from hero_async.sandbox import rules
from hero_async.sandbox.diary import LONGEST, Diary, Slot, Wanted
from hero_async.sandbox.serving import Call, missing, serves
from hero_async.sandbox.state import to_day, to_moment

_FILTERS = rules.query({"start_date": rules.day, "end_date": rules.day})


def _wanted(call: Call) -> Wanted:
    first, last = call.query.get("start_date"), call.query.get("end_date")
    return Wanted(
        location_ids=frozenset(call.several("location_id")),
        practitioner_ids=frozenset(call.several("practitioner_id")),
        appointment_type_ids=frozenset(call.several("appointment_type_id")),
        first=to_day(first) if first is not None else None,
        last=to_day(last) if last is not None else None,
    )


def _free(call: Call) -> Iterator[Slot]:
    return call.state.of(Diary).slots(call.practice, call.now, _wanted(call))


@serves("slots.list", _FILTERS)
def listing(call: Call) -> object:
    """The first page of the free slots, by start."""
    free = _free(call)
    if call.quirks.pages == "none":
        shown = [_show(slot) for slot in free]
        return {"data": shown, "count": len(shown)}
    shown = [_show(slot) for slot in islice(free, call.quirks.first_page_slots)]
    more = sum(1 for _ in free) if call.quirks.count == "total" else 0
    return {"data": shown, "count": len(shown) + more}


@serves("slots.count", _FILTERS)
def count(call: Call) -> object:
    """How many there are."""
    return {"count": sum(1 for _ in _free(call))}


def _show(slot: Slot) -> object:
    return {
        "id": slot.id,
        "practitioner_id": slot.opening.practitioner.id,
        "appointment_type_id": slot.opening.appointment_type.id,
        "location_id": slot.opening.location.id,
        "start_time": slot.start,
        "finish_time": slot.finish,
    }


@serves("slots.get")
def get(call: Call) -> object:
    """Show a slot that is free."""
    slot = call.state.of(Diary).slot(call.practice, call.path["id"], call.now)
    if slot is None:
        raise missing("slot")
    return _show(slot)


_ANY_MINUTES = 10

_TIME = rules.record(
    {"start_time": rules.day},
    {
        "practitioner_id": rules.text(least=1),
        "appointment_type_id": rules.text(least=1),
        "location_id": rules.text(least=1),
        "duration": rules.number_between(1, LONGEST),
    },
)


@serves("slots.check_availability", _TIME)
def check_availability(call: Call) -> object:
    """Whether a time can be booked. `start_time` is needed here."""
    body, practice = call.body, call.practice
    kind = practice.appointment_type(body["appointment_type_id"]) if "appointment_type_id" in body else None
    if kind is None and "appointment_type_id" in body:
        raise missing("appointment type")
    if "location_id" in body and practice.location(body["location_id"]) is None:
        raise missing("location")
    someone = practice.practitioners
    if "practitioner_id" in body:
        one = practice.practitioner(body["practitioner_id"])
        if one is None:
            raise missing("practitioner")
        someone = (one,)
    start = to_moment(body["start_time"])
    minutes = body.get("duration", kind.minutes if kind else _ANY_MINUTES)
    diary = call.state.of(Diary)
    free = (
        diary.is_free(one, start, minutes, call.now, kind=kind, location_id=body.get("location_id")) for one in someone
    )
    return {"available": any(free)}
