"""Appointments: a time is reserved, then booked. A reservation runs out on the sandbox's clock.

Not confirmed: how long a reservation holds, how a time that is not free is refused, that a reservation that ran out
is a 404, that what does not fit an appointment's state is a 409, that only a booked appointment can be cancelled,
and every body but those of `create` and `get`. Quirks: `hold_seconds`, `taken`, `second_booking`, `unshown`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hero_async.sandbox import rules
from hero_async.sandbox.diary import LONGEST, POLICY_HOURS, Appointment, Diary
from hero_async.sandbox.practice import AppointmentType, Practitioner
from hero_async.sandbox.serving import Call, RefusalError, missing, note, serves, unshown, wrong
from hero_async.sandbox.state import to_moment

_DURATION = rules.number_between(1, LONGEST)
_FLAGS = {"suppress_mail": rules.boolean, "suppress_availability_check": rules.boolean}

CREATE = rules.record(
    {
        "appointment_type_id": rules.text(least=1),
        "location_id": rules.text(least=1),
        "practitioner_id": rules.text(least=1),
        "duration": _DURATION,
        "start_time": rules.nullable(rules.day),
    },
    {
        "patient_id": rules.text(least=1),
        "billpayer_id": rules.text(least=1),
        "reason": rules.text(),
        **_FLAGS,
    },
)


def _taken(call: Call) -> RefusalError:
    match call.quirks.taken:
        case "conflict":
            return RefusalError(409, "This time is not free")
        case "not_found":
            return missing("free time")
        case "bad_request":
            return wrong("a time that is free", "start_time")


@serves("appointments.create", CREATE)
def create(call: Call) -> object:
    """Hold a time. Without a start (null) no time is taken until `edit` gives one."""
    body, practice, state = call.body, call.practice, call.state
    kind = practice.appointment_type(body["appointment_type_id"])
    if kind is None:
        raise missing("appointment type")
    if practice.location(body["location_id"]) is None:
        raise missing("location")
    practitioner = _practitioner(call, body["practitioner_id"])
    if "patient_id" in body and state.people.get(practice.id, body["patient_id"]) is None:
        raise missing("patient")
    diary, start, minutes = state.of(Diary), _start(body), body["duration"]
    if not _is_bookable(call, practitioner, start, minutes, body["location_id"], kind):
        raise _taken(call)
    hold = call.quirks.hold_seconds
    appointment = Appointment(
        id=state.new_id(),
        practice_group_id=practice.id,
        practitioner_id=practitioner.id,
        location_id=body["location_id"],
        appointment_type_id=kind.id,
        minutes=minutes,
        start=start,
        patient_id=body.get("patient_id"),
        reason=body.get("reason"),
        suppress_mail=body.get("suppress_mail", False),
        reserved_until=call.now + timedelta(seconds=hold) if hold is not None else None,
    )
    diary.keep(appointment, call.now)
    note(call, "appointments.create", appointment.id)
    return {"id": appointment.id, "reserved_until": appointment.reserved_until}


def _practitioner(call: Call, id: str) -> Practitioner:
    found = call.practice.practitioner(id)
    if found is None:
        raise missing("practitioner")
    return found


def _start(body: dict[str, Any]) -> datetime | None:
    return to_moment(body["start_time"]) if body["start_time"] is not None else None


def _is_bookable(
    call: Call,
    practitioner: Practitioner,
    start: datetime | None,
    minutes: float,
    location_id: str | None,
    kind: AppointmentType | None,
    but: Appointment | None = None,
) -> bool:
    if start is None or call.body.get("suppress_availability_check"):
        return True
    diary = call.state.of(Diary)
    return diary.is_free(practitioner, start, minutes, call.now, kind=kind, location_id=location_id, but=but)


def _wanted(call: Call) -> Appointment:
    found = call.state.of(Diary).appointments.get(call.path["id"])
    if found is None or found.practice_group_id != call.practice_group_id or not found.is_there(call.now):
        raise missing("appointment")
    return found


@serves("appointments.get")
def get(call: Call) -> object:
    """Show an appointment, reserved, booked or cancelled."""
    appointment = _wanted(call)
    kind = call.practice.appointment_type(appointment.appointment_type_id)
    is_booked = appointment.booked_at is not None
    shown: dict[str, object] = {
        "id": appointment.id,
        "patient_id": appointment.patient_id,
        "practitioner_id": appointment.practitioner_id,
        "location_id": appointment.location_id,
        "appointment_type_id": appointment.appointment_type_id,
        "duration": appointment.minutes,
        "start_time": appointment.start,
        "video": kind is not None and kind.video,
        "in_person": kind is not None and kind.in_person,
        "telephone": kind is not None and kind.telephone,
        "link_id": None,
        "reserved_until": None if is_booked else appointment.reserved_until,
        "booking_confirmed_at": appointment.booked_at,
        "can_be_cancelled": _is_active(appointment) and not _is_late(appointment, call.now),
        "can_be_rescheduled": _is_active(appointment) and not _has_begun(appointment, call.now),
        "cancellation_policy_hours": POLICY_HOURS,
        "suppress_mail": appointment.suppress_mail,
    }
    if kind is not None and kind.video:
        shown["video_url"] = f"https://sandbox.invalid/video/{appointment.id}"
    return shown


def _is_active(appointment: Appointment) -> bool:
    return appointment.booked_at is not None and appointment.cancelled_at is None


def _has_begun(appointment: Appointment, now: datetime) -> bool:
    return appointment.start is not None and appointment.start <= now


def _is_late(appointment: Appointment, now: datetime) -> bool:
    return appointment.start is not None and appointment.start - now < timedelta(hours=POLICY_HOURS)


@serves("appointments.status")
def status(call: Call) -> object:
    """Reserved, booked or cancelled."""
    appointment = _wanted(call)
    state = "cancelled" if appointment.cancelled_at else "booked" if appointment.booked_at else "reserved"
    return unshown(call, {"id": appointment.id, "status": state})


EDIT = rules.record(
    {
        "start_time": rules.nullable(rules.day),
        "duration": _DURATION,
        "practitioner_id": rules.text(pattern=r"\d+"),
    },
    _FLAGS,
)


@serves("appointments.edit", EDIT)
def edit(call: Call) -> object:
    """Change a reservation. It holds until the same moment as before."""
    appointment = _wanted(call)
    if appointment.booked_at is not None:
        raise RefusalError(409, "This appointment is confirmed: reschedule it")
    return _move(call, appointment, "appointments.edit")


RESCHEDULE = rules.record(
    {},
    {
        "start_time": rules.day,
        "duration": _DURATION,
        "practitioner_id": rules.text(least=1),
        **_FLAGS,
    },
)


@serves("appointments.reschedule", RESCHEDULE)
def reschedule(call: Call) -> object:
    """Move a booked appointment that has not begun. What is left out stays."""
    appointment = _wanted(call)
    if not _is_active(appointment) or _has_begun(appointment, call.now):
        raise RefusalError(409, "This appointment cannot be rescheduled")
    return _move(call, appointment, "appointments.reschedule")


def _move(call: Call, appointment: Appointment, what: str) -> object:
    body = call.body
    practitioner = _practitioner(call, body.get("practitioner_id", appointment.practitioner_id))
    start = _start(body) if "start_time" in body else appointment.start
    minutes = body.get("duration", appointment.minutes)
    kind = call.practice.appointment_type(appointment.appointment_type_id)
    if not _is_bookable(call, practitioner, start, minutes, None, kind, appointment):
        raise _taken(call)
    # Neither request names a location: it is wherever the practitioner is on that day.
    location = practitioner.location_on(start.weekday()) if start is not None else None
    appointment.location_id = location.id if location is not None else appointment.location_id
    call.state.of(Diary).move(appointment, practitioner.id, start, minutes, call.now)
    appointment.suppress_mail = body.get("suppress_mail", appointment.suppress_mail)
    note(call, what, appointment.id)
    return unshown(call, {"id": appointment.id})


@serves("appointments.book")
def book(call: Call) -> object:
    """Confirm a reservation."""
    appointment = _wanted(call)
    if appointment.cancelled_at is not None or (
        appointment.booked_at is not None and call.quirks.second_booking == "conflict"
    ):
        raise RefusalError(409, "This appointment is not reserved")
    if appointment.booked_at is None:
        appointment.booked_at = call.now
        note(call, "appointments.book", appointment.id)
    return unshown(call, {"id": appointment.id, "booking_confirmed_at": appointment.booked_at})


CANCEL = rules.record({}, {"suppress_mail": rules.boolean, "suppress_cancellation_policy": rules.boolean})


@serves("appointments.cancel", CANCEL)
def cancel(call: Call) -> object:
    """Give back the time of a booked appointment, if the policy lets it."""
    appointment = _wanted(call)
    if not _is_active(appointment):
        raise RefusalError(409, "This appointment cannot be cancelled")
    if _is_late(appointment, call.now) and not call.body.get("suppress_cancellation_policy"):
        raise RefusalError(409, f"The policy is to cancel {POLICY_HOURS} hours before the start")
    appointment.cancelled_at = call.now
    note(call, "appointments.cancel", appointment.id)
    return unshown(call, {"id": appointment.id})
