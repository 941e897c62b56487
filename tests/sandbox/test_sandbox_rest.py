"""Everything else: kept as it was given, for its own practice group, in the documented shape."""

from datetime import datetime, timedelta

import pytest

from hero_async.sandbox import Quirks

pytestmark = pytest.mark.anyio

OTHER = {"x-practice-group-id": "2"}


async def data(raw, path, headers=None, **query):
    answer = await raw("GET", path, params=query, headers=headers or {})
    return answer.json["data"] if answer.status == 200 else answer.status


# Admins, prescribers, pharmacies


async def test_admins_are_sorted_on_demand(raw):
    names = [admin["first_name"] for admin in await data(raw, "/v1/admins")]
    assert len(names) == 3
    assert [one["first_name"] for one in await data(raw, "/v1/admins", order_by="first_name")] == sorted(names)
    backwards = await data(raw, "/v1/admins", order_by="first_name", order_descending="true")
    assert [one["first_name"] for one in backwards] == sorted(names, reverse=True)
    assert await data(raw, "/v1/admins", order_by="last_name") == 400


async def test_an_admin_keeps_who_they_are_as_a_prescriber(raw):
    details = {"name": "Dr X", "email": "x@example.com", "registration_code": "1"}
    path = "/v1/admins/1402"
    change = {"external_prescriber_id": "p-1", "prescriber_details": details}
    assert (await raw("PATCH", path, json=change)).json == {"admin_id": "1402"}
    assert (await raw("PATCH", path, json={"external_prescriber_id": None})).status == 200
    [admin] = [one for one in await data(raw, "/v1/admins") if one["id"] == "1402"]
    assert (admin["external_prescriber_id"], admin["prescriber_details"]) == (None, details)
    for bad in ({"external_prescriber_id": ""}, {"prescriber_details": {"email": "none"}}, {"prescriber_details": []}):
        assert (await raw("PATCH", path, json=bad)).status == 400
    assert (await raw("PATCH", path, json={}, headers=OTHER)).status == 404


async def test_pharmacies_are_stored_for_their_prescriber(raw):
    fields = {"name": "Sandbox Pharmacy", "email": "p@example.com", "mobile": "07700 900000"}
    made = (await raw("POST", "/v1/pharmacies", json=fields | {"prescriber_id": "1401"})).json
    assert made == {"id": made["id"], "prescriber_id": "1401", **fields}
    assert await data(raw, "/v1/prescriber/1401/pharmacies") == [made]
    assert await data(raw, "/v1/prescriber/1402/pharmacies") == []
    assert await data(raw, "/v1/prescriber/1401/pharmacies", OTHER) == 404
    assert (await raw("POST", "/v1/pharmacies", json=fields | {"prescriber_id": "2401"})).status == 404
    assert (await raw("POST", "/v1/pharmacies", json=fields | {"prescriber_id": "x"})).status == 400


# The practice group


async def test_a_practice_group_keeps_what_is_changed_for_itself_alone(raw):
    before = (await raw("GET", "/v1/me")).json
    assert (before["id"], before["sector"]) == ("1", "nhs")
    address = {"line_1": "9 New Road", "postcode": "ZZ99 3WZ"}
    secret = {"email": "a@example.com", "password": "secret-word"}
    change = {
        "name": "New Name",
        "address": address,
        "prescription_partner": "signature_rx",
        "prescription_partner_enabled": True,
        "prescription_partner_credentials": secret,
    }
    answers = [await raw("PATCH", "/v1/me", json=change), await raw("PATCH", "/v1/me", json={})]
    answers += [await raw("GET", "/v1/me"), await raw("GET", "/v1/me/configuration")]
    assert all(b"secret-word" not in answer.body for answer in answers)
    assert answers[2].json == before | {"name": "New Name", "address": address}
    settings = answers[3].json
    assert (settings["prescription_partner"], settings["prescription_partner_enabled"]) == ("signature_rx", True)
    theirs = (await raw("GET", "/v1/me", headers=OTHER)).json
    assert (theirs["id"], theirs["name"]) == ("2", before["name"])
    assert (await raw("PATCH", "/v1/me", json={"address": {"line_1": 9}})).status == 400


async def test_what_a_practice_group_has_is_shown(raw):
    assert (await raw("GET", "/v1/me/capabilities")).json == {"capabilities": ["sms_messaging"]}
    [element] = await data(raw, "/v1/me/elements")
    assert element["element"] == {"name": "message-builder"}


# Webhooks

HOOK = {"event_type": "appointment.confirmed", "url": "https://example.com/hook"}


async def test_subscriptions_are_kept_until_they_are_deleted(raw, clock):
    given = HOOK | {"signing_key": "k", "headers": {"x-a": "b"}, "description": "text"}
    made = (await raw("POST", "/v1/webhooks", json=given)).json
    now = clock.now().isoformat().replace("+00:00", "Z")
    assert made == {
        **{name: given[name] for name in ("event_type", "url", "signing_key", "headers")},
        "id": made["id"],
        "created_at": now,
        "updated_at": now,
    }
    other = (await raw("POST", "/v1/webhooks", json=HOOK | {"event_type": "prescription.issued"})).json
    assert await data(raw, "/v1/webhooks") == [made, other]
    assert await data(raw, "/v1/webhooks", event_type="prescription.issued") == [other]
    assert await data(raw, "/v1/webhooks", OTHER) == []
    path = f"/v1/webhooks/{made['id']}"
    assert (await raw("DELETE", path, headers=OTHER)).status == 404
    assert (await raw("DELETE", path)).status == 200
    assert (await raw("DELETE", path)).status == 404
    assert await data(raw, "/v1/webhooks") == [other]
    assert raw.sandbox.ledger.changed("webhooks.delete") == (made["id"],)


@pytest.mark.parametrize(
    "change, where",
    [
        ({"event_type": "appointment.created"}, ["event_type"]),
        ({"url": "ftp://example.com"}, ["url"]),
        ({"url": "https://"}, ["url"]),
        ({"headers": {"x": 1}}, ["headers", "x"]),
        ({"headers": ["x"]}, ["headers"]),
        ({"signing_key": None}, ["signing_key"]),
    ],
)
async def test_a_bad_subscription_is_a_400(raw, change, where):
    answer = await raw("POST", "/v1/webhooks", json=HOOK | change)
    assert (answer.status, [issue["path"] for issue in answer.json["message"]]) == (400, [where])


# Money


async def test_customers_are_kept_and_found(raw):
    fields = {
        "name": "Ann Other",
        "email": "ann@example.com",
        "phone": "1",
        "sources": [{"type": "card", "last4": "4242"}],
    }
    made = (await raw("POST", "/v1/invoicing/customers", json=fields)).json
    assert made == {"id": made["id"], **fields}
    for text in ("ann o", "ANN@EX", ""):
        assert await data(raw, "/v1/invoicing/customers", query=text) == [made]
    assert await data(raw, "/v1/invoicing/customers", query="bob") == []
    assert await data(raw, "/v1/invoicing/customers", OTHER, query="ann") == []
    assert await data(raw, "/v1/invoicing/customers") == 400
    for bad in ({"name": 1}, {"email": "none"}, {"sources": {}}, {"sources": ["card"]}):
        assert (await raw("POST", "/v1/invoicing/customers", json=fields | bad)).status == 400


async def test_the_default_customer_is_the_one_that_an_invoice_set(raw):
    patient_id = raw.sandbox.patients[0].patient_id

    async def default(headers=None, **query):
        answer = await raw("GET", "/v1/invoicing/customers/default", params=query, headers=headers or {})
        return answer.json["id"] if answer.status == 200 else answer.status

    own = await default(patient_id=patient_id)
    assert await default(patient_id=patient_id) == own
    payer = (await raw("POST", "/v1/invoicing/customers", json={"name": "A payer"})).json["id"]
    invoice = {"issuer_id": "1401", "patient_id": patient_id, "customer_stripe_id": payer}
    await raw("POST", "/v1/invoicing/invoices", json=invoice)
    assert await default(patient_id=patient_id) == own
    await raw("POST", "/v1/invoicing/invoices", json=invoice | {"set_default_customer": True})
    assert await default(patient_id=patient_id) == payer
    assert await default(OTHER, patient_id=patient_id) != payer
    assert await default(patient_id="7") == 404
    assert await default() == 400


async def booked(raw) -> str:
    time = {
        "appointment_type_id": "1301",
        "location_id": "1101",
        "practitioner_id": "1201",
        "start_time": "2026-01-06T09:30:00Z",
        "duration": 10,
        "patient_id": raw.sandbox.patients[1].patient_id,
    }
    return (await raw("POST", "/v1/appointments", json=time)).json["id"]


async def test_an_invoice_is_answered_as_it_was_given(raw, clock):
    items = [{"quantity": 2, "unit_amount": 150}, {"quantity": 1, "unit_amount_in_pounds": 2.5}, {"quantity": 3}]
    given = {
        "issuer_id": "1401",
        "appointment_id": await booked(raw),
        "customer_stripe_id": "cus_1",
        "mode": "finalize",
        "invoice_items_attributes": items,
    }
    answer = await raw("POST", "/v1/invoicing/invoices", json=given)
    assert answer.status == 201
    now = clock.now().isoformat().replace("+00:00", "Z")
    assert answer.json == {
        "id": answer.json["id"],
        "stripe_id": answer.json["stripe_id"],
        "status": "open",
        "subtotal": 550,
        "amount_due": 550,
        "customer_id": "cus_1",
        "patient_record_id": raw.sandbox.patients[1].patient_id,
        "appointment_id": given["appointment_id"],
        "created_at": now,
        "updated_at": now,
    }


@pytest.mark.parametrize(
    "body, where",
    [
        ({"patient_id": "100001"}, ["issuer_id"]),
        ({"issuer_id": "1401"}, ["patient_id"]),
        ({"issuer_id": "2401", "patient_id": "100001"}, ["issuer_id"]),
        ({"issuer_id": "1401", "patient_id": "100001", "mode": "send"}, ["mode"]),
        ({"issuer_id": "1401", "patient_id": "100001", "coupons": [{"name": "x"}]}, ["coupons", 0, "id"]),
        (
            {"issuer_id": "1401", "patient_id": "100001", "invoice_items_attributes": [{"quantity": 1.5}]},
            ["invoice_items_attributes", 0, "quantity"],
        ),
    ],
)
async def test_a_bad_invoice_is_a_400(raw, body, where):
    answer = await raw("POST", "/v1/invoicing/invoices", json=body)
    assert (answer.status, [issue["path"] for issue in answer.json["message"]]) == (400, [where])
    assert raw.sandbox.ledger.changes == ()


async def test_a_final_invoice_changes_in_three_fields_alone(raw, clock):
    invoice = {"issuer_id": "1401", "patient_id": raw.sandbox.patients[0].patient_id}
    made = (await raw("POST", "/v1/invoicing/invoices", json=invoice)).json
    assert made["status"] == "draft"
    path = f"/v1/invoicing/invoices/{made['id']}"
    clock.advance(60)
    changed = (await raw("PATCH", path, json={"issuer_id": "1402", "insurer": "x", "mode": "finalize"})).json
    assert (changed["status"], changed["updated_at"] > made["updated_at"]) == ("open", True)
    assert (await raw("PATCH", path, json={"issuer_id": "1402", "insurer": "y"})).status == 400
    few = {"issuer_id": "1402", "memo": "m", "footer": "f", "coupons": [{"id": "coupon-sandbox-10"}]}
    assert (await raw("PATCH", path, json=few)).status == 200
    by_stripe_id = f"/v1/invoicing/invoices/{made['stripe_id']}"
    assert (await raw("PATCH", by_stripe_id, json=few)).json["id"] == made["id"]
    assert (await raw("PATCH", path, json=few | {"issuer_id": "2401"}, headers=OTHER)).status == 404


async def test_an_invoice_is_tied_to_an_appointment(raw):
    appointment = await booked(raw)
    known = (await raw("POST", "/v1/invoicing/invoices", json={"issuer_id": "1401", "patient_id": "100001"})).json
    link = {"stripe_invoice_id": known["stripe_id"], "appointment_id": appointment}
    tied = (await raw("POST", "/v1/invoicing/invoices/link", json=link)).json
    assert (tied["id"], tied["appointment_id"]) == (known["id"], appointment)
    stripes = (await raw("POST", "/v1/invoicing/invoices/link", json=link | {"stripe_invoice_id": "in_9"})).json
    assert (stripes["stripe_id"], stripes["appointment_id"]) == ("in_9", appointment)
    for bad, status in (({"appointment_id": "7"}, 404), ({"issuer_id": "7"}, 400), ({"stripe_invoice_id": ""}, 400)):
        assert (await raw("POST", "/v1/invoicing/invoices/link", json=link | bad)).status == status
    assert (await raw("POST", "/v1/invoicing/invoices/link", json=link, headers=OTHER)).status == 404


# What is only read


async def test_forms_are_narrowed_and_shown_with_their_questions(raw):
    everything = await data(raw, "/v1/forms")
    assert {form["form_type"] for form in everything} == {"questionnaire", "response", "appointment", "care_navigation"}
    assert [form["title"] for form in await data(raw, "/v1/forms", search="ASTHMA")] == ["Asthma review"]
    assert [form["form_type"] for form in await data(raw, "/v1/forms", reply_form="true")] == ["response"]
    assert len(await data(raw, "/v1/forms", reply_form="false")) == 3
    assert [form["id"] for form in await data(raw, "/v1/forms", form_type="appointment")] == ["1503"]
    form = (await raw("GET", "/v1/forms/1501")).json
    assert [field["name"] for field in form["fields"]] == ["Any symptoms at night?", "Any attacks?"]
    assert (await raw("GET", "/v1/forms/1501", headers=OTHER)).status == 404
    assert (await raw("GET", "/v1/form_response/1551")).json["form_id"] == 1501


async def test_templates_coupons_and_consultants_are_there(raw):
    assert len(await data(raw, "/v1/templates")) == 3
    assert [one["name"] for one in await data(raw, "/v1/templates", has_follow_up="true")] == ["Asthma review"]
    assert await data(raw, "/v1/templates", has_follow_up="perhaps") == 400
    assert len(await data(raw, "/v1/invoicing/coupons")) == 2
    search = "/v1/booking-hca/consultants"
    assert len(await data(raw, search)) == 3
    assert len(await data(raw, search, search="cardio")) == 2
    assert await data(raw, search, search="cardio", fields=["first_name", "last_name"]) == []
    assert len(await data(raw, search, search="quinn", fields=["last_name", "first_name"])) == 1
    assert (await raw("GET", f"{search}/0000002")).json["first_name"] == "Ellis"


async def test_automated_messages_and_memberships_are_narrowed(raw):
    path = "/v2/automated_messages"
    everything = await data(raw, path)
    assert len(everything) == 7
    for name in ("recipient_id", "status", "notification_type"):
        value = everything[2][name]
        found = await data(raw, path, **{name: value})
        assert found == [one for one in everything if one[name] == value]
        assert len(found) < 7
    assert await data(raw, path, order_descending="true", orderBy="createdAt") == everything[::-1]
    assert (await raw("GET", f"{path}/{everything[0]['id']}")).json == everything[0]
    assert (await raw("GET", f"{path}/{everything[0]['id']}", headers=OTHER)).status == 404

    path = "/v1/subscriptions"
    everything = await data(raw, path)
    for name in ("patient_id", "scheme_id", "scheme_name", "status"):
        value = everything[0][name]
        found = await data(raw, path, **{name: value})
        assert found == [one for one in everything if one[name] == value]
        assert 0 < len(found) < 5
    assert await data(raw, path, **{"order_by[]": "created_at", "order_descending[]": "true"}) == everything[::-1]


async def test_a_token_for_heidi_lasts_a_while_on_the_sandboxs_clock(raw, clock):
    first, second = [(await raw("GET", "/v1/partners/heidi/token")).json for _ in range(2)]
    assert first["token"] != second["token"]
    assert datetime.fromisoformat(first["expiration_time"]) == clock.now() + timedelta(hours=1)


# The ledger


async def test_the_ledger_tells_what_was_changed_even_when_the_answer_is_lost(raw, clock):
    raw.sandbox.quirks = Quirks(unshown="empty")
    await raw("POST", "/v1/video_links", headers=OTHER)
    (change,) = raw.sandbox.ledger.changes
    assert (change.what, change.practice_group_id, change.at) == ("video_links.create", "2", clock.now())
    assert raw.sandbox.ledger.changed("video_links.create") == (change.id,)
    assert raw.sandbox.ledger.changed("form_links.create") == ()
    shown = await raw("GET", "/_sandbox/ledger")
    assert shown.json["changes"] == {"video_links.create": 1}
    assert "changes=1" in repr(raw.sandbox.ledger)
