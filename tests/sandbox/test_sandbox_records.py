"""Patients as records: the shapes they are shown in, the EHR, and merges."""

import attrs
import pytest

from hero_async.sandbox import Sandbox
from hero_async.sandbox.synthetic import make_patients

pytestmark = pytest.mark.anyio

OTHER = {"x-practice-group-id": "2"}
PERSON = {
    "first_name": "Ann",
    "last_name": "Other",
    "dob": "1980-02-29",
    "mobile": "07700 900001",
    "nhs_number": "9990000018",
    "address_line_1": "1 Sandbox Street",
    "county": "Sandshire",
    "postcode": "ZZ99 3CZ",
    "email": "ann@example.com",
}


async def register(raw, **changes):
    return (await raw("POST", "/v1/patients/register", json=PERSON | changes)).json["patient_id"]


async def get(raw, patient_id, version="v2", **options):
    answer = await raw("GET", f"/{version}/patients/{patient_id}", **options)
    return answer.json if answer.status == 200 else answer.status


async def test_a_patient_is_shown_as_registered_in_both_shapes(raw):
    patient_id = await register(raw)
    two, one = await get(raw, patient_id), await get(raw, patient_id, "v1")
    for shown in (two, one):
        assert {name: shown[name] for name in ("first_name", "last_name", "mobile", "nhs_number", "email")} == {
            name: PERSON[name] for name in ("first_name", "last_name", "mobile", "nhs_number", "email")
        }
        assert (shown["dob"], shown["county"]) == ("1980-02-29T00:00:00Z", "Sandshire")
    assert (two["hero_id"], two["line_1"], two["ehr_registered"]) == (patient_id, "1 Sandbox Street", False)
    assert (one["id"], one["address_line_1"], one["emails"]) == (patient_id, "1 Sandbox Street", ["ann@example.com"])
    assert {item["name"]: item["value"] for item in two["identifiers"]} == {
        "hero_id": patient_id,
        "nhs_number": "9990000018",
    }
    assert await get(raw, patient_id, headers=OTHER) == 404
    assert await get(raw, "7", "v1") == 404


@pytest.mark.parametrize("version, key", [("v1", "id"), ("v2", "hero_id")])
async def test_a_field_is_searched_for_a_text(raw, version, key):
    patient = raw.sandbox.patients[3]

    async def found(**query):
        answer = await raw("GET", f"/{version}/patients", params=query)
        return [item[key] for item in answer.json["data"]] if answer.status == 200 else answer.status

    everyone = [one.patient_id for one in raw.sandbox.patients]
    assert await found() == everyone
    assert await found(field="nhs_number", search=patient.nhs_number) == [patient.patient_id]
    assert await found(search=patient.last_name.lower()) == [patient.patient_id]
    assert await found(field="first_name", search=patient.last_name) == []
    assert await found(field="shoe_size", search="44") == 400


async def test_a_patient_is_connected_to_a_record_of_the_ehr(raw):
    patient_id = raw.sandbox.patients[0].patient_id
    assert await get(raw, patient_id, params={"data_source": "ehr"}) == 404
    [candidate] = (await raw("GET", f"/v1/patients/{patient_id}/ehr/candidates")).json["data"]
    connect = f"/v1/patients/{patient_id}/ehr/connect"
    assert (await raw("POST", connect, json={"ehr_partner_id": "another"})).status == 404
    assert (await raw("POST", connect, json={})).status == 400
    assert (await raw("POST", connect, json={"ehr_partner_id": candidate["ehr_partner_id"]})).status == 200
    shown = await get(raw, patient_id, params={"data_source": "ehr"})
    assert (shown["ehr_registered"], shown["data_source"]) == (True, "emis")
    search = {"ehr_partner_id": candidate["ehr_partner_id"]}
    for path, query in (("/v3/patients", search), ("/v2/patients", {"field": "ehr_partner_id", "search": "ehr-"})):
        found = (await raw("GET", path, params=query)).json["data"]
        assert [item["hero_id"] for item in found] == [patient_id]
    assert (await get(raw, patient_id, headers=OTHER))["ehr_registered"] is False
    # what is registered anew stays connected
    patient = raw.sandbox.patients[0]
    again = {"nhs_number": patient.nhs_number, "dob": patient.dob.isoformat()}
    assert await register(raw, **again) == patient_id
    assert (await get(raw, patient_id))["ehr_partner_id"] == candidate["ehr_partner_id"]


async def preview(raw, kept, gone, **options):
    answer = await raw("POST", f"/v1/patients/{kept}/merge/preview", json={"patient_id": gone}, **options)
    return answer.json["merge_token"] if answer.status == 200 else answer.status


async def merge(raw, kept, gone, token, **options):
    body = {"patient_id": gone, "merge_token": token}
    return (await raw("POST", f"/v1/patients/{kept}/merge", json=body, **options)).status


async def test_a_merge_needs_the_token_of_its_own_preview(raw):
    first, second, third = (patient.patient_id for patient in raw.sandbox.patients[:3])
    token = await preview(raw, first, second)
    assert await merge(raw, first, second, "merge-1") == 400
    assert await merge(raw, second, first, token) == 400
    assert await merge(raw, first, third, token) == 400
    assert await merge(raw, first, second, token, headers=OTHER) == 400
    assert raw.sandbox.ledger.changes == ()
    assert await merge(raw, first, second, token) == 200
    assert raw.sandbox.ledger.changed("patients.merge") == (first,)
    assert await merge(raw, first, second, token) == 404
    assert await preview(raw, first, second) == 404


async def test_no_one_is_merged_with_no_one_or_with_themselves(raw):
    first = raw.sandbox.patients[0].patient_id
    assert await preview(raw, first, first) == 400
    assert await preview(raw, first, "7") == 404
    assert await preview(raw, "7", first) == 404
    assert await merge(raw, first, first, "x") == 400


async def test_who_was_merged_is_gone_and_found_as_the_other(raw):
    kept, gone = raw.sandbox.patients[:2]
    await merge(raw, kept.patient_id, gone.patient_id, await preview(raw, kept.patient_id, gone.patient_id))
    assert await get(raw, gone.patient_id) == 404
    assert (await raw.send(1)).status == 404
    assert (await raw.send(0)).status == 200
    by_number = {"nhs_number": gone.nhs_number, "dob": gone.dob.isoformat()}
    traced = await raw("POST", "/v1/patients/register_pds", json=by_number)
    assert traced.json == {"patient_id": kept.patient_id}
    wrong = await raw("POST", "/v1/patients/register_pds", json=by_number | {"dob": "1980-01-01"})
    assert wrong.status == 404
    everyone = (await raw("GET", "/v2/patients")).json["data"]
    assert [item["hero_id"] for item in everyone] == [
        patient.patient_id for patient in raw.sandbox.patients if patient is not gone
    ]
    # in the other practice group nothing was merged
    assert (await get(raw, gone.patient_id, headers=OTHER))["hero_id"] == gone.patient_id


async def test_a_chain_of_merges_leads_to_the_last(raw):
    first, second, third = raw.sandbox.patients[:3]
    for kept, gone in ((second, third), (first, second)):
        await merge(raw, kept.patient_id, gone.patient_id, await preview(raw, kept.patient_id, gone.patient_id))
    by_number = {"nhs_number": third.nhs_number, "dob": third.dob.isoformat()}
    traced = await raw("POST", "/v1/patients/register_pds", json=by_number)
    assert traced.json == {"patient_id": first.patient_id}


async def test_a_message_to_someone_who_was_merged_can_still_be_read(raw):
    sent = (await raw.send(1)).json
    kept, gone = (patient.patient_id for patient in raw.sandbox.patients[:2])
    await merge(raw, kept, gone, await preview(raw, kept, gone))
    shown = (await raw("GET", f"/v1/messages/{sent['message_id']}")).json
    assert shown["patient"] == {"id": gone}


async def test_nobody_has_payment_methods(raw):
    path = f"/v1/patients/{raw.sandbox.patients[0].patient_id}/payment_methods"
    assert (await raw("GET", path)).json == {"data": [], "count": 0}
    assert (await raw("GET", "/v1/patients/7/payment_methods")).status == 404


async def test_files_are_a_patients_own(raw):
    first, second = (patient.patient_id for patient in raw.sandbox.patients[:2])
    files = [(await raw("GET", f"/v1/patients/{one}/attachments")).json["data"] for one in (first, second)]
    assert [len(found) for found in files] == [2, 2]
    assert not {item["id"] for item in files[0]} & {item["id"] for item in files[1]}


async def test_ids_of_new_patients_are_none_that_a_seeded_one_has(connect, monkeypatch):
    many = 400_000
    [last] = [attrs.evolve(one, patient_id=str(100_000 + many)) for one in make_patients(1, 0)]
    seeded = make_patients(1, 0) * (many - 1) + (last,)
    monkeypatch.setattr("hero_async.sandbox.server.make_patients", lambda count, seed: seeded)
    async with Sandbox(patients=many) as sandbox, connect(sandbox) as raw:
        assert int(await register(raw, nhs_number="9990000026")) > 100_000 + many
