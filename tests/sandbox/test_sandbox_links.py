"""Links of all kinds: made, opened, used, and used up."""

from datetime import datetime

import pytest

from hero_async.sandbox import Quirks

pytestmark = pytest.mark.anyio

KIND, LOCATION, PRACTITIONER, FORM = "1301", "1101", "1201", "1501"


async def make(raw, kind="booking", **body):
    """The id and the address of a new link."""
    body |= {"form_id": FORM} if kind == "form" else {"file_data": "x"} if kind == "attachment" else {}
    answer = await raw("POST", f"/v1/{kind}_links", json=body)
    assert answer.status == 200
    return raw.sandbox.ledger.changed(f"{kind}_links.create")[-1], answer.json


async def status(raw, **query):
    answer = await raw("GET", "/v1/links/status", params=query)
    return answer.json if answer.status == 200 else answer.status


async def test_a_booking_link_is_shown_as_it_was_made(raw, clock):
    patient_id = raw.sandbox.patients[0].patient_id
    offer = {"appointment_type_id": KIND, "location_id": LOCATION, "practitioner_id": PRACTITIONER}
    window = {"from_date": "2026-01-10", "to_date": "2026-02-10"}
    limits = {"expiry_date": "2026-02-01", "maximum_use_count": 2}
    link_id, made = await make(raw, patient_id=patient_id, **offer, **window, **limits)
    shown = (await raw("GET", f"/v1/booking_links/{link_id}")).json
    assert shown == {
        "id": link_id,
        "practice_group_id": "1",
        "short_link": made["short_link"],
        "active": True,
        "expiry_date": "2026-02-01T23:59:59Z",
        "maximum_uses": 2,
        "number_of_uses": 0,
        "open_count": 0,
        "unlimited_use": False,
        "meta": {name: [value] for name, value in offer.items()} | window,
        "created_at": clock.now().isoformat().replace("+00:00", "Z"),
        "link_name": f"Booking link {link_id}",
        "patient_id": patient_id,
    }
    assert (await raw("GET", "/v2/bookinglinks")).json == {"data": [shown], "count": 1}


async def test_a_generic_link_has_no_limits_and_no_patient(raw):
    link_id, _ = await make(raw)
    shown = (await raw("GET", f"/v1/booking_links/{link_id}")).json
    assert shown["unlimited_use"] is True
    assert not {"expiry_date", "maximum_uses", "patient_id"} & shown.keys()
    assert shown["meta"] == {"appointment_type_id": [], "location_id": [], "practitioner_id": []}


async def test_opens_and_uses_are_counted_until_a_link_is_used_up(raw):
    link_id, made = await make(raw, maximum_use_count=2)
    assert (await status(raw, id=link_id))["status"] == "unused"
    assert raw.sandbox.open_link(link_id) is True
    assert (await status(raw, url=made["short_link"]))["status"] == "unused"
    assert raw.sandbox.use_link(made["short_link"]) is True
    assert (await status(raw, id=link_id))["status"] == "used"
    assert raw.sandbox.use_link(link_id) is True
    assert raw.sandbox.use_link(link_id) is False
    shown = (await raw("GET", f"/v1/booking_links/{link_id}")).json
    assert (shown["open_count"], shown["number_of_uses"], shown["active"]) == (4, 2, False)
    assert raw.sandbox.ledger.changed("booking_links.use") == (link_id, link_id)


async def test_a_link_works_through_its_last_day(raw, clock):
    link_id, _ = await make(raw, expiry_date="2026-01-06")
    clock.advance((datetime.fromisoformat("2026-01-06T23:59:59Z") - clock.now()).total_seconds())
    assert raw.sandbox.use_link(link_id) is True
    clock.advance(1)
    assert raw.sandbox.use_link(link_id) is False
    assert raw.sandbox.open_link(link_id) is False
    assert (await status(raw, id=link_id))["status"] == "expired"
    assert (await raw("GET", f"/v1/booking_links/{link_id}")).json["number_of_uses"] == 1


async def test_a_link_that_is_not_there_cannot_be_used(raw):
    for link in ("7", "https://sandbox.invalid/s/7", "https://example.com/"):
        with pytest.raises(KeyError):
            raw.sandbox.use_link(link)
        assert await status(raw, url=link) == 404
        assert await status(raw, id=link) == 404
    assert await status(raw) == 400


async def test_what_a_link_offers_can_be_changed(raw):
    link_id, _ = await make(raw, appointment_type_id=KIND, from_date="2026-01-10")
    path = f"/v1/booking_links/{link_id}"
    assert (await raw("PATCH", path, json={"location_id": LOCATION, "from_date": "2026-01-11"})).status == 200
    meta = (await raw("GET", path)).json["meta"]
    assert (meta["appointment_type_id"], meta["location_id"], meta["from_date"]) == ([KIND], [LOCATION], "2026-01-11")
    assert raw.sandbox.ledger.changed("booking_links.update") == (link_id,)


@pytest.mark.parametrize(
    "field", ["appointment_type_id", "location_id", "practitioner_id", "patient_id", "form_id", "ehr_file_id"]
)
async def test_an_unknown_id_in_a_link_is_a_404(raw, field):
    path = {"form_id": "/v1/form_links", "ehr_file_id": "/v1/attachment_links"}.get(field, "/v1/booking_links")
    for value in ("7", "2301", "2501"):
        assert (await raw("POST", path, json={field: value})).status == 404
    assert raw.sandbox.ledger.changes == ()


async def test_links_are_listed_newest_first_and_narrowed(raw):
    patient_id = raw.sandbox.patients[0].patient_id
    made = [
        (await make(raw, kind, **body))[0]
        for kind, body in (
            ("booking", {"expiry_date": "2026-03-01"}),
            ("form", {"expiry_date": "2026-02-01", "patient_id": patient_id}),
            ("video", {}),
            ("attachment", {"expiry_date": "2026-01-04"}),
        )
    ]

    async def found(**query):
        return [link["id"] for link in (await raw("GET", "/v1/short_links", params=query)).json["data"]]

    assert await found() == made[::-1]
    assert await found(order_descending="true") == made
    assert await found(type="form") == [made[1]]
    assert await found(status="expired") == [made[3]]
    assert await found(exclude_patient_specific_links="true") == [made[3], made[2], made[0]]
    assert await found(order_by="expiry_date") == [made[3], made[1], made[0], made[2]]
    assert await found(page_size="1", page_index="1") == [made[2]]
    assert (await raw("GET", "/v1/short_links", headers={"x-practice-group-id": "2"})).json["data"] == []


async def test_using_a_form_link_makes_a_response(raw):
    patient_id = raw.sandbox.patients[3].patient_id
    link_id, made = await make(raw, "form", patient_id=patient_id, maximum_use_count=1)
    assert raw.sandbox.use_link(made["short_link"]) is True
    assert raw.sandbox.use_link(made["short_link"]) is False
    (response_id,) = raw.sandbox.ledger.changed("form_links.use")
    shown = (await raw("GET", f"/v1/form_response/{response_id}")).json
    ids = {"id": response_id, "form_id": FORM, "client_id": patient_id, "short_link_id": link_id}
    assert {name: shown[name] for name in ids} == {name: int(value) for name, value in ids.items()}
    other = {"x-practice-group-id": "2"}
    assert (await raw("GET", f"/v1/form_response/{response_id}", headers=other)).status == 404


async def test_a_file_is_sent_or_taken_from_the_record(raw):
    patient_id = raw.sandbox.patients[0].patient_id
    files = (await raw("GET", f"/v1/patients/{patient_id}/attachments")).json["data"]
    made = (await raw("POST", "/v1/attachment_links", json={"ehr_file_id": files[0]["id"]})).json
    assert made.keys() == {"attachment_link", "attachment_uuid"}
    assert raw.sandbox.use_link(made["attachment_link"]) is True
    neither = await raw("POST", "/v1/attachment_links", json={"file_name": "a.pdf"})
    assert [issue["path"] for issue in neither.json["message"]] == [["file_data"]]


async def test_a_message_shows_what_became_of_its_link(raw):
    link_id, made = await make(raw)
    sent = (await raw.send(short_link_id=link_id)).json
    path = f"/v1/messages/{sent['message_id']}"
    link = {"id": link_id, "type": "booking", "name": made["short_link"], "status": "unused"}
    assert (await raw("GET", path)).json["short_link"] == link
    raw.sandbox.use_link(link_id)
    assert (await raw("GET", path)).json["short_link"] == link | {"status": "used"}


async def test_a_video_link_needs_no_body_and_checks_the_one_it_is_given(raw):
    assert (await raw("POST", "/v1/video_links")).status == 200
    assert (await raw("POST", "/v1/video_links", json={"patient_id": 5})).status == 400
    assert (await raw("POST", "/v1/video_links", json={"patient_id": "7"})).status == 404
    raw.sandbox.quirks = Quirks(unshown="empty")
    assert (await raw("POST", "/v1/video_links")).body == b""
    assert len(raw.sandbox.ledger.changed("video_links.create")) == 2
