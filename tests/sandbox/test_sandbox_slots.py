"""Slots: what is free, where, and for how long ahead."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from booking import (
    BRANCH,
    CALL,
    CLINIC,
    DOCTOR,
    FLU,
    GP,
    MORNING,
    NURSE,
    SURGERY,
    VIDEO,
    booked,
    first,
    moment,
    reserve,
    slots,
    time_of,
)

from hero_async.sandbox import Quirks, Sandbox, SandboxClock

pytestmark = pytest.mark.anyio


async def test_slots_are_the_same_every_time(raw):
    once = await slots(raw)
    async with Sandbox(patients=1, seed=9, clock=SandboxClock(frozen=True)) as other:
        raw.sandbox = other
        assert await slots(raw) == once


async def test_slots_are_by_start_free_and_found_by_their_ids(raw):
    found = await slots(raw)
    assert len(found) == 500
    assert len({slot["id"] for slot in found}) == 500
    assert [slot["start_time"] for slot in found] == sorted(slot["start_time"] for slot in found)
    assert all(slot["id"].isdigit() for slot in found)
    for slot in found[::50]:
        assert (await raw("GET", f"/v1/slots/{slot['id']}")).json == slot
        asked = await raw("POST", "/v1/slots/availability", json=time_of(slot))
        assert asked.json == {"available": True}


async def test_slots_lie_in_surgery_hours_of_weekdays_from_now_to_the_horizon(raw, clock):
    raw.sandbox.quirks = Quirks(pages="none")
    found = await slots(raw)
    starts = [moment(slot["start_time"]) for slot in found]
    assert min(starts) > clock.now()
    assert clock.now() + timedelta(days=80) < max(starts) <= clock.now() + timedelta(days=84)
    assert {start.weekday() for start in starts} == {0, 1, 2, 3, 4}
    for slot in found:
        start, finish = moment(slot["start_time"]), moment(slot["finish_time"])
        assert any(opens <= start.hour and finish.hour * 60 + finish.minute <= 60 * closes for opens, closes in HOURS)


HOURS = ((9, 12), (14, 17))


async def test_the_list_is_a_first_page_and_count_may_tell_of_more(raw):
    whole = (await raw("GET", "/v1/slots/count")).json["count"]
    answer = (await raw("GET", "/v1/slots")).json
    assert (len(answer["data"]), answer["count"]) == (500, whole)
    assert whole > 5000
    raw.sandbox.quirks = Quirks(first_page_slots=7, count="page")
    answer = (await raw("GET", "/v1/slots")).json
    assert (len(answer["data"]), answer["count"]) == (7, 7)
    raw.sandbox.quirks = Quirks(pages="none")
    answer = (await raw("GET", "/v1/slots")).json
    assert (len(answer["data"]), answer["count"]) == (whole, whole)


@pytest.mark.parametrize(
    "filters",
    [
        {"location_id": BRANCH},
        {"practitioner_id": DOCTOR},
        {"appointment_type_id": FLU},
        {"practitioner_id": DOCTOR, "appointment_type_id": CALL, "location_id": SURGERY},
    ],
)
async def test_slots_are_narrowed_by_every_filter(raw, filters):
    raw.sandbox.quirks = Quirks(pages="none")
    everything = await slots(raw)
    expected = [slot for slot in everything if filters.items() <= slot.items()]
    assert 0 < len(expected) < len(everything)
    assert await slots(raw, **filters) == expected
    assert (await raw("GET", "/v1/slots/count", params=filters)).json == {"count": len(expected)}


async def test_several_values_of_a_filter_are_either(raw):
    raw.sandbox.quirks = Quirks(pages="none")
    both = await slots(raw, appointment_type_id=[GP, FLU])
    assert {slot["appointment_type_id"] for slot in both} == {GP, FLU}


async def test_a_window_holds_its_first_and_last_day(raw):
    raw.sandbox.quirks = Quirks(pages="none")
    found = await slots(raw, start_date="2026-03-03", end_date="2026-03-04T12:00:00Z")
    assert {slot["start_time"][:10] for slot in found} == {"2026-03-03", "2026-03-04"}
    assert await slots(raw, start_date="2026-03-07", end_date="2026-03-08") == []  # a weekend
    assert await slots(raw, start_date="2025-01-01", end_date="2025-12-31") == []
    assert await slots(raw, start_date="2027-01-01", end_date="9999-12-31") == []
    assert await slots(raw, start_date="2026-03-05", end_date="2026-03-04") == []


@pytest.mark.parametrize("query", [{"start_date": "soon"}, {"end_date": "2026-02-30"}, {"start_date": ""}])
async def test_a_window_that_is_no_date_is_a_400(raw, query):
    for path in ("/v1/slots", "/v1/slots/count"):
        assert (await raw("GET", path, params=query)).status == 400


async def test_time_passes_and_slots_with_it(raw, clock):
    slot = await first(raw)
    clock.advance((moment(slot["start_time"]) - clock.now()).total_seconds() - 1)
    assert (await first(raw))["id"] == slot["id"]
    clock.advance(1)
    assert slot["id"] not in {one["id"] for one in await slots(raw)}
    assert (await raw("GET", f"/v1/slots/{slot['id']}")).status == 404
    assert (await reserve(raw, slot)).status == 400


@pytest.mark.parametrize("which", ["0", "9" * 39, "abc", "1", "13011201204599999", "13011201999990540", "-5", "١" * 17])
async def test_an_id_that_no_slot_has_is_a_404(raw, which):
    assert (await raw("GET", f"/v1/slots/{which}")).status == 404


async def test_an_id_with_another_grid_or_practitioner_is_no_slot(raw):
    which = (await first(raw, appointment_type_id=GP))["id"]
    assert (await raw("GET", f"/v1/slots/{which}")).status == 200
    for other in (f"{which[:-1]}5", which.replace(DOCTOR, CLINIC, 1), which.replace(GP, NURSE, 1), f"0{which}"):
        assert (await raw("GET", f"/v1/slots/{other}")).status == 404


async def ids(raw, path, **query) -> list[str]:
    return [item["id"] for item in (await raw("GET", path, params=query)).json["data"]]


async def test_who_offers_what_where(raw):
    assert await ids(raw, "/v1/locations") == [SURGERY, BRANCH]
    assert await ids(raw, "/v1/locations", appointment_type_ids=FLU) == [SURGERY]
    assert await ids(raw, "/v1/practitioners", appointment_type_ids=[VIDEO, NURSE]) == ["1202", "1203"]
    assert await ids(raw, "/v1/practitioners", location_ids=BRANCH) == ["1202", "1203"]
    assert await ids(raw, "/v1/appointment_types", location_ids=BRANCH) == [GP, VIDEO, NURSE]
    assert await ids(raw, "/v1/appointment_types", location_ids="7") == []
    one = (await raw("GET", f"/v1/practitioners/{DOCTOR}")).json
    assert (one["id"], one["appointment_type_ids"]) == (DOCTOR, [GP, CALL])


async def test_availability_follows_the_diary(raw, clock):
    kinds = {kind["id"]: kind for kind in (await raw("GET", "/v1/appointment_types")).json["data"]}
    slot = (await slots(raw, appointment_type_id=CALL))[0]
    assert kinds[CALL]["next_available_at"] == slot["start_time"]
    counted = (await raw("GET", "/v1/slots/count", params={"appointment_type_id": CALL})).json["count"]
    assert kinds[CALL]["slot_count"] == counted
    await booked(raw, slot)
    after = {kind["id"]: kind for kind in (await raw("GET", "/v1/appointment_types")).json["data"]}
    assert after[CALL]["slot_count"] == kinds[CALL]["slot_count"] - 1
    assert after[CALL]["next_available_at"] > kinds[CALL]["next_available_at"]


@pytest.mark.parametrize("path", ["/v1/appointment_types", "/v1/locations", "/v1/practitioners"])
async def test_whoever_is_fully_booked_has_no_availability(raw, path):
    everything = await ids(raw, path)
    assert await ids(raw, path, has_availability="true") == everything
    assert await ids(raw, path, has_availability="false") == []
    long = {"duration": 1440, "suppress_availability_check": True}
    practitioners = ("1201", "1202", "1203", "1204", "1204")
    for ahead, practitioner in itertools.product(range(86), practitioners):
        day = (date(2026, 1, 5) + timedelta(days=ahead)).isoformat()
        await raw(
            "POST", "/v1/appointments", json=MORNING | long | {"practitioner_id": practitioner, "start_time": day}
        )
    assert await slots(raw) == []
    assert await ids(raw, path, has_availability="true") == []
    assert await ids(raw, path, has_availability="false") == everything
