"""Patients: PDS knows the seeded ones, and those registered by hand.

Not confirmed: how names and postcodes are compared, that no date of birth (null) means a `login_url`, the
status of a search without a filter, and the fields of a found patient after `sex`.
"""

from __future__ import annotations

from typing import Any

from hero_async.sandbox import rules
from hero_async.sandbox.rules import Issue, Path
from hero_async.sandbox.serving import Call, missing, note, page, serves, wrong
from hero_async.sandbox.state import to_day
from hero_async.sandbox.subjects import patient_records as patient_records  # the subject's other half
from hero_async.sandbox.synthetic import SyntheticPatient, plain_nhs_number

_TITLES = (
    "Baron|Baroness|Brigadier|Count|Colonel|Countess|Captain|Dame|The Dowager Viscountess|Dr|Duchess|"
    "Duke|Earl|His Excellency|Father|H.E. Ambassador Mr|H.E. Mr|H.E. Mrs|Her Grace|His Grace|The Hon|"
    "The Hon Mr|The Hon Mrs|HRH|HRH Prince|HRH Princess|Insurance|HM King|Lady|Lord|Major|Master|Miss|Mr|"
    "Mrs|Ms|Mss|Mx|Pr|Professor|HM Queen|Rabbi|Reverend|Sheikh|Sheikha|Sir|The|Viscount|Viscountess"
)
"""Titles that may be given, as the reference lists them."""

_EHR = {"ehr_partner": rules.text(least=1), "ehr_partner_id": rules.text(least=1)}
_BY_NUMBER = rules.record({"nhs_number": rules.nhs_number, "dob": rules.nullable(rules.day)}, _EHR)
_BY_NAME = rules.record(
    {
        "forename": rules.text(),
        "surname": rules.text(),
        "dob": rules.nullable(rules.day),
        "postcode": rules.text(),
    },
    _EHR,
)


def _either(value: Any, path: Path, issues: list[Issue]) -> None:
    """By name only if a name is given and no NHS number is."""
    given = value if rules.is_object(value) else {}
    by_name = "nhs_number" not in given and ("forename" in given or "surname" in given)
    (_BY_NAME if by_name else _BY_NUMBER)(value, path, issues)


@serves("patients.register_pds", _either)
def register_pds(call: Call) -> object:
    """Trace someone: the patient id, or a `login_url` where that does not settle who it is."""
    patient = _trace(call)
    if patient is None:
        raise missing("patient")
    if call.body["dob"] is None or patient.draw < call.quirks.login_url_share:
        return {
            "message": "The patient's identity has to be verified.",
            "login_url": f"https://sandbox.invalid/verify/{patient.patient_id}",
        }
    return {"patient_id": patient.patient_id}


def _trace(call: Call) -> SyntheticPatient | None:
    body = call.body
    dob = to_day(body["dob"]) if body["dob"] is not None else None
    people = call.state.people
    if "nhs_number" in body:
        return people.find(call.practice_group_id, plain_nhs_number(body["nhs_number"]), dob)
    wanted = (_plain(body["forename"]), _plain(body["surname"]), _plain(body["postcode"]))
    for patient in people.all(call.practice_group_id):
        known = (_plain(patient.first_name), _plain(patient.last_name), _plain(patient.postcode or ""))
        if known == wanted and dob in (None, patient.dob):
            return patient
    return None


def _plain(text: str) -> str:
    return text.replace(" ", "").casefold()


_DETAILS = (
    "landline",
    "address_line_1",
    "address_line_2",
    "address_line_3",
    "country",
    "county",
    "data_source",
)

REGISTER = rules.record(
    {
        "dob": rules.day,
        "first_name": rules.text(least=1),
        "last_name": rules.text(least=1),
        "mobile": rules.text(least=1),
    },
    {
        "nhs_number": rules.nhs_number,
        "sex": rules.one_of("Not known", "Not specified", "Male", "Female", "Other"),
        "title": rules.one_of(*_TITLES.split("|")),
        **dict.fromkeys((*_DETAILS, "ehr_partner_id", "postcode", "email"), rules.text()),
    },
)


@serves("patients.register", REGISTER)
def register(call: Call) -> object:
    """Update the patient with this NHS number and date of birth, or make a new one."""
    body = call.body
    number = body.get("nhs_number")
    given = SyntheticPatient(
        patient_id="",
        nhs_number=plain_nhs_number(number) if number is not None else None,
        dob=to_day(body["dob"]),
        first_name=body["first_name"],
        last_name=body["last_name"],
        mobile=body["mobile"],
        email=body.get("email"),
        postcode=body.get("postcode"),
        title=body.get("title"),
        sex=body.get("sex"),
        ehr_partner_id=body.get("ehr_partner_id"),
        details={name: body[name] for name in _DETAILS if name in body},
    )
    patient = call.state.people.register(call.practice_group_id, given)
    note(call, "patients.register", patient.patient_id)
    return {"patient_id": patient.patient_id}


_FILTERS = ("first_name", "last_name", "dob", "nhs_number", "ehr_partner_id")
_LIST = rules.query({**rules.PAGING, "dob": rules.day})


@serves("patients.list", _LIST)
def search(call: Call) -> object:
    """Those whom every filter fits."""
    filters = {name: _plain(call.query[name]) for name in _FILTERS if call.query.get(name)}
    if not filters:
        raise wrong("at least one filter")
    if "dob" in filters:
        filters["dob"] = filters["dob"][:10]
    found = [patient for patient in call.state.people.all(call.practice_group_id) if _fits(patient, filters)]
    return page(call, found, _show)


def _fits(patient: SyntheticPatient, filters: dict[str, str]) -> bool:
    known = {
        "first_name": patient.first_name,
        "last_name": patient.last_name,
        "dob": patient.dob.isoformat(),
        "nhs_number": patient.nhs_number,
        "ehr_partner_id": patient.ehr_partner_id,
    }
    return all(_plain(known[name] or "") == wanted for name, wanted in filters.items())


def _show(patient: SyntheticPatient) -> object:
    return {
        "ehr_partner_id": patient.ehr_partner_id,
        "emis_id": None,
        "deceased_at": None,
        "ods_code": None,
        "dob": patient.dob.isoformat(),
        "title": patient.title,
        "first_name": patient.first_name,
        "last_name": patient.last_name,
        "sex": patient.sex,
        "nhs_number": patient.nhs_number,
        "mobile": patient.mobile,
        "hero_id": patient.patient_id,
    }
