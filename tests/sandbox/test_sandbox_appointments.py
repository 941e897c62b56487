"""Appointments: what is held and for how long, what is booked, moved and cancelled."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import anyio
import attrs
import pytest
from booking import (
    BRANCH,
    CLINIC,
    DOCTOR,
    GP,
    MORNING,
    NURSE,
    VIDEO,
    act,
    booked,
    first,
    moment,
    reserve,
    shown,
    slots,
    time_of,
)

from hero_async import AsyncHero, BookingError, NotFoundError
from hero_async.sandbox import Quirks, Reset, Status

pytestmark = pytest.mark.anyio


async def test_a_reservation_holds_its_time_until_it_runs_out(raw, clock):
    slot = await first(raw)
    before = (await raw("GET", "/v1/slots/count")).json["count"]
    answer = await reserve(raw, slot, patient_id=raw.sandbox.patients[0].patient_id)
    assert answer.json.keys() == {"id", "reserved_until"}
    assert moment(answer.json["reserved_until"]) == clock.now() + timedelta(seconds=900)

    assert (await raw("GET", f"/v1/slots/{slot['id']}")).status == 404
    assert (await raw("POST", "/v1/slots/availability", json=time_of(slot))).json == {"available": False}
    assert (await raw("GET", "/v1/slots/count")).json["count"] == before - 2  # the doctor's phone call goes with it
    assert (await reserve(raw, slot)).status == 400

    clock.advance(899)
    assert (await raw("GET", f"/v1/slots/{slot['id']}")).status == 404
    assert (await shown(raw, answer.json["id"]))["reserved_until"] == answer.json["reserved_until"]
    clock.advance(1)
    assert (await raw("GET", f"/v1/slots/{slot['id']}")).json == slot
    for verb, what in (("GET", ""), ("GET", "status"), ("PATCH", "book"), ("PATCH", "cancel"), ("PATCH", "reschedule")):
        assert (await act(raw, verb, answer.json["id"], what)).status == 404
    assert (await reserve(raw, slot)).status == 200


async def test_an_appointment_is_shown_as_it_was_made(raw):
    slot = await first(raw, appointment_type_id=VIDEO, practitioner_id="1202")
    patient_id = raw.sandbox.patients[1].patient_id
    made = (await reserve(raw, slot, patient_id=patient_id, suppress_mail=True, reason="cough")).json
    assert await shown(raw, made["id"]) == {
        **time_of(slot),
        "id": made["id"],
        "patient_id": patient_id,
        "duration": 15,
        "video": True,
        "in_person": False,
        "telephone": False,
        "video_url": f"https://sandbox.invalid/video/{made['id']}",
        "link_id": None,
        "reserved_until": made["reserved_until"],
        "booking_confirmed_at": None,
        "can_be_cancelled": False,
        "can_be_rescheduled": False,
        "cancellation_policy_hours": 24,
        "suppress_mail": True,
    }


@pytest.mark.parametrize("hold, expected", [(60.0, 60), (None, None)])
async def test_how_long_a_hold_lasts_is_a_quirk(raw, clock, hold, expected):
    raw.sandbox.quirks = Quirks(hold_seconds=hold)
    slot = await first(raw)
    until = (await reserve(raw, slot)).json["reserved_until"]
    assert until is None if expected is None else moment(until) == clock.now() + timedelta(seconds=expected)
    clock.advance(61)
    assert (await reserve(raw, slot)).status == (400 if expected is None else 200)


@pytest.mark.parametrize("hold", [0, -1.0])
def test_a_hold_that_is_none_is_refused(hold):
    with pytest.raises(ValueError):
        Quirks(hold_seconds=hold)


@pytest.mark.parametrize("taken, status", [("bad_request", 400), ("conflict", 409), ("not_found", 404)])
async def test_how_a_taken_time_is_refused_is_a_quirk(raw, taken, status):
    raw.sandbox.quirks = Quirks(taken=taken)
    slot = await first(raw)
    assert (await reserve(raw, slot)).status == 200
    answer = await reserve(raw, slot)
    assert answer.status == status
    assert [issue["path"] for issue in answer.json["message"]] == [["start_time"]] if status == 400 else True
    assert len(raw.sandbox.ledger.changed("appointments.create")) == 1


async def test_one_of_many_who_want_a_time_gets_it(raw):
    slot = await first(raw)
    statuses: list[int] = []

    async def one():
        statuses.append((await reserve(raw, slot)).status)

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(one)
    assert sorted(statuses) == [200] + [400] * 19


async def test_a_clinic_sees_two_at_one_time(raw):
    slot = await first(raw, practitioner_id=CLINIC)
    statuses = [(await reserve(raw, slot)).status for _ in range(3)]
    assert statuses == [200, 200, 400]
    assert slot["id"] not in {one["id"] for one in await slots(raw)}


NOT_FREE = {
    "at the weekend": {"start_time": "2026-01-10T09:30:00Z"},
    "at lunch": {"start_time": "2026-01-06T12:30:00Z"},
    "over the end of a session": {"start_time": "2026-01-06T11:55:00Z"},
    "before the practice opens": {"start_time": "2026-01-06T08:59:00Z"},
    "past": {"start_time": "2026-01-05T08:00:00Z"},
    "beyond the horizon": {"start_time": "2026-06-01T09:30:00Z"},
    "at the other surgery": {"location_id": BRANCH},
    "of a kind that the doctor does not do": {"appointment_type_id": NURSE},
    "too long": {"duration": 181},
    "a bare day": {"start_time": "2026-01-06"},
    "the end of time": {"start_time": "9999-12-31T23:59:59-14:00"},
}


@pytest.mark.parametrize("changes", NOT_FREE.values(), ids=NOT_FREE)
async def test_a_time_that_is_not_free_is_refused_unless_no_one_looks(raw, changes):
    assert (await raw("POST", "/v1/slots/availability", json=MORNING | changes)).json == {"available": False}
    assert (await raw("POST", "/v1/appointments", json=MORNING | changes)).status == 400
    unseen = MORNING | changes | {"suppress_availability_check": True}
    made = await raw("POST", "/v1/appointments", json=unseen)
    assert made.status == 200
    assert (await act(raw, "GET", made.json["id"])).status == 200


async def test_a_time_off_the_grid_and_in_another_zone_is_taken_too(raw):
    made = await raw("POST", "/v1/appointments", json=MORNING | {"start_time": "2026-01-06T10:33:00+01:00"})
    assert made.status == 200
    gone = {"2026-01-06T09:30:00Z", "2026-01-06T09:40:00Z"}
    on_the_day = await slots(raw, practitioner_id=DOCTOR, start_date="2026-01-06", end_date="2026-01-06")
    assert not gone & {slot["start_time"] for slot in on_the_day}
    assert (await shown(raw, made.json["id"]))["start_time"] == "2026-01-06T09:33:00Z"


@pytest.mark.parametrize("field", ["practitioner_id", "appointment_type_id", "location_id", "patient_id"])
async def test_an_unknown_id_in_a_reservation_is_a_404(raw, field):
    for which in ("7", "2201", "x"):
        assert (await raw("POST", "/v1/appointments", json=MORNING | {field: which})).status == 404
    if field != "patient_id":
        assert (await raw("POST", "/v1/slots/availability", json=MORNING | {field: "7"})).status == 404


async def test_a_reservation_without_a_time_takes_none_until_it_is_given_one(raw):
    made = (await raw("POST", "/v1/appointments", json=MORNING | {"start_time": None})).json
    assert (await raw("POST", "/v1/slots/availability", json=MORNING)).json == {"available": True}
    changed = {"start_time": MORNING["start_time"], "duration": 10, "practitioner_id": DOCTOR}
    assert (await act(raw, "PUT", made["id"], **changed)).status == 200
    assert (await raw("POST", "/v1/slots/availability", json=MORNING)).json == {"available": False}


async def test_availability_can_be_asked_for_anyone_and_any_kind(raw):
    ask = {"start_time": MORNING["start_time"]}
    assert (await raw("POST", "/v1/slots/availability", json=ask)).json == {"available": True}
    for slot in await slots(raw, start_date="2026-01-06", end_date="2026-01-06"):
        if slot["start_time"] < "2026-01-06T09:40:00Z":
            await reserve(raw, slot)
            await reserve(raw, slot)
    assert (await raw("POST", "/v1/slots/availability", json=ask)).json == {"available": False}


async def test_a_booking_outlasts_the_hold(raw, clock):
    slot = await first(raw)
    which = await booked(raw, slot)
    after = await shown(raw, which)
    assert (after["reserved_until"], moment(after["booking_confirmed_at"])) == (None, clock.now())
    clock.advance(3600)
    assert (await raw("GET", f"/v1/slots/{slot['id']}")).status == 404
    assert await shown(raw, which) == after


async def test_a_second_booking_is_a_quirk(raw):
    which = await booked(raw, await first(raw))
    assert (await act(raw, "PATCH", which, "book")).status == 409
    raw.sandbox.quirks = Quirks(second_booking="ignore")
    assert (await act(raw, "PATCH", which, "book")).status == 200
    assert raw.sandbox.ledger.changed("appointments.book") == (which,)


async def test_a_reservation_can_be_changed_and_keeps_its_end(raw, clock):
    slot, other = (await slots(raw, practitioner_id=DOCTOR, appointment_type_id=GP))[:2]
    made = (await reserve(raw, slot)).json
    clock.advance(60)
    changed = {"start_time": other["start_time"], "duration": 20, "practitioner_id": DOCTOR, "suppress_mail": True}
    assert (await act(raw, "PUT", made["id"], **changed)).status == 200
    after = await shown(raw, made["id"])
    assert {name: after[name] for name in changed} == changed
    assert after["reserved_until"] == made["reserved_until"]
    assert (await raw("GET", f"/v1/slots/{slot['id']}")).status == 200
    assert (await raw("GET", f"/v1/slots/{other['id']}")).status == 404
    # its own time is not in its way
    assert (await act(raw, "PUT", made["id"], **changed | {"duration": 10})).status == 200


async def test_what_is_booked_is_rescheduled_and_what_is_reserved_is_edited(raw):
    slot, other = (await slots(raw, appointment_type_id=GP, start_date="2026-01-07", practitioner_id=DOCTOR))[:2]
    change = {"start_time": other["start_time"], "duration": 10, "practitioner_id": DOCTOR}
    reserved = (await reserve(raw, slot)).json["id"]
    assert (await act(raw, "PATCH", reserved, "reschedule", **change)).status == 409
    assert (await act(raw, "PATCH", reserved, "cancel")).status == 409
    await act(raw, "PATCH", reserved, "book")
    assert (await act(raw, "PUT", reserved, **change)).status == 409
    assert (await shown(raw, reserved))["can_be_rescheduled"] is True
    assert (await act(raw, "PATCH", reserved, "reschedule", start_time=other["start_time"])).status == 200
    after = await shown(raw, reserved)
    assert (after["start_time"], after["duration"]) == (other["start_time"], 10)
    assert after["booking_confirmed_at"] is not None
    assert (await raw("GET", f"/v1/slots/{slot['id']}")).status == 200
    assert raw.sandbox.ledger.changed("appointments.reschedule") == (reserved,)


async def test_no_one_is_moved_onto_a_taken_time(raw):
    slot, other = (await slots(raw, appointment_type_id=GP, start_date="2026-01-07", practitioner_id=DOCTOR))[:2]
    which = await booked(raw, slot)
    held = (await reserve(raw, other)).json["id"]
    assert (await act(raw, "PATCH", which, "reschedule", start_time=other["start_time"])).status == 400
    back = {"start_time": slot["start_time"], "duration": 10, "practitioner_id": DOCTOR}
    assert (await act(raw, "PUT", held, **back)).status == 400
    assert (await act(raw, "PUT", held, **back | {"practitioner_id": "7"})).status == 404
    assert (await shown(raw, which))["start_time"] == slot["start_time"]
    assert raw.sandbox.ledger.changed("appointments.edit") == ()


async def test_another_day_may_be_at_another_location(raw):
    monday = await first(raw, practitioner_id="1202", start_date="2026-01-12", end_date="2026-01-12")
    tuesday = await first(raw, practitioner_id="1202", start_date="2026-01-13", end_date="2026-01-13")
    assert monday["location_id"] != tuesday["location_id"]
    which = await booked(raw, monday)
    assert (await act(raw, "PATCH", which, "reschedule", start_time=tuesday["start_time"])).status == 200
    assert (await shown(raw, which))["location_id"] == tuesday["location_id"]


async def test_a_cancelled_time_is_free_again(raw):
    slot = await first(raw)
    which = await booked(raw, slot)
    assert (await shown(raw, which))["can_be_cancelled"] is True
    assert (await act(raw, "PATCH", which, "cancel")).status == 200
    assert (await raw("GET", f"/v1/slots/{slot['id']}")).json == slot
    after = await shown(raw, which)
    assert (after["can_be_cancelled"], after["can_be_rescheduled"]) == (False, False)
    for what in ("cancel", "book", "reschedule"):
        assert (await act(raw, "PATCH", which, what)).status == 409
    assert raw.sandbox.ledger.changed("appointments.cancel") == (which,)


async def test_the_policy_forbids_a_late_cancellation_unless_it_is_suppressed(raw, clock):
    slot = await first(raw)
    which = await booked(raw, slot)
    clock.advance((moment(slot["start_time"]) - clock.now()).total_seconds() - 24 * 3600)
    assert (await shown(raw, which))["can_be_cancelled"] is True
    clock.advance(1)
    assert (await shown(raw, which))["can_be_cancelled"] is False
    assert (await act(raw, "PATCH", which, "cancel")).status == 409
    assert (await act(raw, "PATCH", which, "cancel", suppress_cancellation_policy=False)).status == 409
    assert (await act(raw, "PATCH", which, "cancel", suppress_cancellation_policy=True)).status == 200


async def test_what_has_begun_is_not_moved(raw, clock):
    slot = await first(raw)
    which = await booked(raw, slot)
    clock.advance((moment(slot["start_time"]) - clock.now()).total_seconds())
    assert (await act(raw, "PATCH", which, "reschedule", duration=5)).status == 409


async def test_the_status_tells_each_state(raw):
    which = (await reserve(raw, await first(raw))).json["id"]
    states = [(await act(raw, "GET", which, "status")).json["status"]]
    for what in ("book", "cancel"):
        await act(raw, "PATCH", which, what)
        states.append((await act(raw, "GET", which, "status")).json["status"])
    assert states == ["reserved", "booked", "cancelled"]


async def test_answers_that_the_reference_does_not_show_may_be_empty(raw):
    raw.sandbox.quirks = Quirks(unshown="empty")
    which = (await reserve(raw, await first(raw))).json["id"]
    for verb, what in (("PATCH", "book"), ("GET", "status"), ("PATCH", "cancel")):
        answer = await act(raw, verb, which, what)
        assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    "body, where",
    [
        (MORNING | {"duration": 0}, ["duration"]),
        (MORNING | {"duration": 1441}, ["duration"]),
        (MORNING | {"duration": "10"}, ["duration"]),
        (MORNING | {"start_time": "soon"}, ["start_time"]),
        (MORNING | {"location_id": ""}, ["location_id"]),
        (MORNING | {"suppress_mail": "no"}, ["suppress_mail"]),
        ({name: MORNING[name] for name in MORNING if name != "start_time"}, ["start_time"]),
    ],
)
async def test_a_bad_reservation_is_a_400_in_the_documented_shape(raw, body, where):
    answer = await raw("POST", "/v1/appointments", json=body)
    assert (answer.status, [issue["path"] for issue in answer.json["message"]]) == (400, [where])


async def test_each_practice_group_has_its_own_diary(raw):
    other = {"x-practice-group-id": "2"}
    theirs = (await raw("GET", "/v1/slots", headers=other)).json["data"]
    ours = await slots(raw)
    assert not {slot["id"] for slot in theirs} & {slot["id"] for slot in ours}
    assert {slot["start_time"] for slot in theirs} == {slot["start_time"] for slot in ours}
    which = await booked(raw, ours[0])
    for verb, path in (("GET", ""), ("GET", "/status"), ("PATCH", "/book"), ("PATCH", "/cancel")):
        assert (await raw(verb, f"/v1/appointments/{which}{path}", json={}, headers=other)).status == 404
    assert (await raw("GET", f"/v1/slots/{ours[1]['id']}", headers=other)).status == 404
    assert (await raw("POST", "/v1/appointments", json=time_of(ours[1]), headers=other)).status == 404
    assert len((await raw("GET", "/v1/slots", headers=other)).json["data"]) == len(theirs)


@pytest.fixture
async def hero(sandbox):
    async with AsyncHero(api_key=sandbox.api_key, practice_group_id="1", base_url=sandbox.url, retries=0) as hero:
        yield hero


async def wanted(hero) -> dict[str, Any]:
    slot = (await hero.slots.list(start_date=date(2026, 3, 2), end_date=date(2026, 3, 6))).data[0]
    assert isinstance(slot.start_time, datetime)
    names = ("appointment_type_id", "practitioner_id", "location_id", "start_time")
    return {name: getattr(slot, name) for name in names} | {"duration": 10}


async def test_the_sdk_finds_reserves_and_books(hero, sandbox):
    arguments = await wanted(hero)
    assert (await hero.slots.check_availability(**arguments)).available is True
    booking = await hero.appointments.reserve_and_book(**arguments, patient_id=sandbox.patients[0].patient_id)
    appointment = await hero.appointments.get(booking.id)
    assert appointment.booking_confirmed_at == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert (await hero.slots.check_availability(**arguments)).available is False


async def test_the_sdk_finds_out_that_a_booking_whose_answer_was_lost_was_made(hero, sandbox):
    sandbox.faults.add("appointments.book", Reset(after_processing=True))
    booking = await hero.appointments.reserve_and_book(**await wanted(hero))
    assert sandbox.ledger.changed("appointments.book") == (booking.id,)


async def test_the_sdk_tells_what_is_held_when_the_booking_fails(hero, sandbox, clock):
    sandbox.faults.add("appointments.book", Status(500))
    with pytest.raises(BookingError) as failure:
        await hero.appointments.reserve_and_book(**await wanted(hero))
    held = failure.value.appointment_id
    assert (await hero.appointments.get(held)).booking_confirmed_at is None
    await hero.appointments.book(held)
    clock.advance(901)
    assert (await hero.appointments.get(held)).booking_confirmed_at is not None


async def test_the_sdk_is_told_that_a_reservation_ran_out(hero, sandbox, clock):
    held = await hero.appointments.create(**await wanted(hero))
    clock.advance(901)
    with pytest.raises(NotFoundError):
        await hero.appointments.book(held.id)


async def test_the_quirks_can_be_changed_while_it_runs(raw):
    raw.sandbox.quirks = attrs.evolve(raw.sandbox.quirks, hold_seconds=1.0)
    assert (await reserve(raw, await first(raw))).status == 200
