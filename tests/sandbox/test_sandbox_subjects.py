"""Messages and patients: what is answered and what is remembered."""

import attrs
import pytest

from hero_async.sandbox import Quirks

pytestmark = pytest.mark.anyio


async def test_a_message_is_answered_and_entered_in_the_ledger(raw, clock):
    answer = await raw.send(3)
    (message,) = raw.sandbox.ledger.messages
    assert answer.json == {
        "message_id": message.message_id,
        "content": "Your flu jab is due",
        "created_at": clock.now().isoformat().replace("+00:00", "Z"),
    }
    assert attrs.asdict(message) == {
        "message_id": message.message_id,
        "patient_id": raw.sandbox.patients[3].patient_id,
        "practice_group_id": "1",
        "message_type": "sms",
        "text": "Your flu jab is due",
        "at": clock.now(),
        "batch_id": None,
    }


async def test_a_message_to_nobody_is_a_404(raw):
    answer = await raw.send(patient_id="7")
    assert (answer.status, answer.json["statusCode"]) == (404, 404)
    assert raw.sandbox.ledger.messages == ()


async def test_filing_to_the_record_is_answered(raw):
    approved = (await raw.send(write_to_record=True, auto_write_to_record=True, snomed_code="1")).json
    assert (approved["write_to_record"], approved["snomed_code"]) == (True, "1")
    assert "confirm_write_to_record_url" not in approved
    waiting = (await raw.send(write_to_record=True)).json
    assert waiting["confirm_write_to_record_url"].endswith(waiting["message_id"])
    shown = (await raw("GET", f"/v1/messages/{approved['message_id']}")).json
    assert shown["write_to_record"]["snomed_code"] == "1"
    assert "write_to_record" not in (await raw.send(write_to_record=False)).json


async def test_a_message_can_be_read_by_its_practice_group_alone(raw):
    sent = (await raw.send(2)).json
    path = f"/v1/messages/{sent['message_id']}"
    shown = (await raw("GET", path)).json
    patient = raw.sandbox.patients[2]
    assert (shown["id"], shown["status"], shown["sent_at"]) == (sent["message_id"], "delivered", sent["created_at"])
    assert shown["patient"] == {
        "id": patient.patient_id,
        "title": patient.title,
        "first_name": patient.first_name,
        "last_name": patient.last_name,
    }
    assert (await raw("GET", path, headers={"x-practice-group-id": "2"})).status == 404
    assert (await raw("GET", "/v1/messages/1")).status == 404


@pytest.mark.parametrize("when", ["2026-01-05T10:00:00Z", "2026-01-05T11:00:00+01:00", "2026-01-05T10:00:00"])
async def test_a_scheduled_message_is_delivered_when_it_is_due(raw, clock, when):
    sent = (await raw.send(send_at=when)).json
    assert sent["send_at"] in ("2026-01-05T10:00:00Z", "2026-01-05T11:00:00+01:00")
    path = f"/v1/messages/{sent['message_id']}"
    clock.advance(3599)
    assert "status" not in (await raw("GET", path)).json
    clock.advance(1)
    assert (await raw("GET", path)).json["status"] == "delivered"


def by_number(patient, **changes):
    return {"nhs_number": patient.nhs_number, "dob": patient.dob.isoformat()} | changes


async def pds(raw, **body):
    return await raw("POST", "/v1/patients/register_pds", json=body)


async def test_pds_finds_everyone_seeded_and_no_one_else(raw):
    patients = raw.sandbox.patients
    for patient in patients:
        assert (await pds(raw, **by_number(patient))).json == {"patient_id": patient.patient_id}
    assert (await pds(raw, nhs_number="9990000018", dob="1980-01-01")).status == 404
    assert (await pds(raw, **by_number(patients[0], dob="1980-01-01"))).status == 404
    assert patients[0].dob.isoformat() != "1980-01-01"
    assert "9990000018" not in {patient.nhs_number for patient in patients}


async def test_pds_reads_an_nhs_number_with_spaces_and_a_date_of_birth_with_a_time(raw):
    patient = raw.sandbox.patients[1]
    number = patient.nhs_number
    spaced = f"{number[:3]} {number[3:6]} {number[6:]}"
    answer = await pds(raw, nhs_number=spaced, dob=f"{patient.dob.isoformat()}T00:00:00Z")
    assert answer.json == {"patient_id": patient.patient_id}


async def test_pds_finds_by_name_date_of_birth_and_postcode(raw):
    patient = raw.sandbox.patients[5]
    given = {
        "forename": patient.first_name.upper(),
        "surname": patient.last_name.lower(),
        "dob": patient.dob.isoformat(),
        "postcode": "zz999zz",
    }
    assert (await pds(raw, **given)).json == {"patient_id": patient.patient_id}
    assert (await pds(raw, **given | {"postcode": "ZZ99 1AA"})).status == 404
    assert (await pds(raw, **given | {"dob": "1980-01-01"})).status == 404


async def test_no_date_of_birth_asks_for_verification(raw):
    answer = await pds(raw, **by_number(raw.sandbox.patients[0], dob=None))
    assert answer.status == 200
    assert answer.json.keys() == {"message", "login_url"}


async def test_a_share_of_the_patients_is_asked_for_verification_always_the_same_ones(raw):
    raw.sandbox.quirks = Quirks(login_url_share=0.3)

    async def asked():
        return [
            patient.patient_id
            for patient in raw.sandbox.patients
            if "login_url" in (await pds(raw, **by_number(patient))).json
        ]

    some = await asked()
    assert 0 < len(some) < len(raw.sandbox.patients)
    assert await asked() == some


PERSON = {"first_name": "Ann", "last_name": "Other", "dob": "1980-02-29", "mobile": "07700 900001"}


async def register(raw, practice="1", **body):
    answer = await raw("POST", "/v1/patients/register", json=PERSON | body, headers={"x-practice-group-id": practice})
    return answer.json["patient_id"]


async def test_registering_makes_a_patient_of_this_practice_group(raw):
    patient_id = await register(raw)
    assert (await raw.send(patient_id=patient_id)).status == 200
    other = {"x-practice-group-id": "2"}
    assert (await raw.send(patient_id=patient_id, headers=other)).status == 404
    assert await register(raw) != patient_id


async def test_registering_the_same_person_updates(raw):
    patient_id = await register(raw, nhs_number="999 000 0018")
    assert await register(raw, nhs_number="9990000018", last_name="Changed") == patient_id
    assert await register(raw, nhs_number="9990000018", dob="1981-01-01") != patient_id
    assert await register(raw, "2", nhs_number="9990000018") != patient_id
    assert (await pds(raw, nhs_number="9990000018", dob="1980-02-29")).json == {"patient_id": patient_id}
    sent = (await raw.send(patient_id=patient_id)).json
    shown = (await raw("GET", f"/v1/messages/{sent['message_id']}")).json
    assert shown["patient"]["last_name"] == "Changed"


async def test_registering_a_seeded_patient_updates_them_in_this_practice_group_alone(raw):
    patient = raw.sandbox.patients[4]
    assert await register(raw, **by_number(patient)) == patient.patient_id
    assert [item["last_name"] for item in (await search(raw, nhs_number=patient.nhs_number))["data"]] == ["Other"]
    elsewhere = await search(raw, "2", nhs_number=patient.nhs_number)
    assert [item["last_name"] for item in elsewhere["data"]] == [patient.last_name]


async def search(raw, practice="1", **filters):
    answer = await raw("GET", "/v3/patients", params=filters, headers={"x-practice-group-id": practice})
    assert answer.status == 200
    return answer.json


async def test_patients_are_searched_by_every_filter_given(raw):
    patient = raw.sandbox.patients[6]
    mates = [other for other in raw.sandbox.patients if other.first_name == patient.first_name]
    assert len(mates) > 1
    found = await search(raw, first_name=patient.first_name.lower())
    assert [item["hero_id"] for item in found["data"]] == [mate.patient_id for mate in mates]
    one = await search(raw, first_name=patient.first_name, dob=patient.dob.isoformat())
    assert [item["dob"] for item in one["data"]] == [patient.dob.isoformat()]
    assert (await search(raw, ehr_partner_id="1"))["data"] == []
    assert (await search(raw, last_name="Nobody")) == {"data": [], "count": 0}


async def test_a_search_without_a_filter_is_refused(raw):
    assert (await raw("GET", "/v3/patients", params={"page_size": "5"})).status == 400


async def test_surprises_are_mixed_into_answers_on_demand(raw):
    patient = raw.sandbox.patients[0]
    raw.sandbox.quirks = Quirks(extra_fields=True, unknown_values=True)
    found = await search(raw, nhs_number=patient.nhs_number)
    assert "sandbox_extra" in found
    assert "sandbox_extra" in found["data"][0]
    assert {found["data"][0][name] for name in ("title", "sex")} == {"sandbox_unknown"}
    assert found["data"][0]["first_name"] == patient.first_name
    sent = (await raw.send()).json
    shown = (await raw("GET", f"/v1/messages/{sent['message_id']}")).json
    assert (shown["status"], shown["patient"]["title"]) == ("sandbox_unknown", "sandbox_unknown")
