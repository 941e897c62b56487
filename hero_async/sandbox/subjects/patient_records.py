"""Patients as records: read in every version's shape, tied to the EHR, merged.

Not confirmed: every field of an attachment and a payment method, the bodies of a connect and a merge, that the
path's patient lives on after a merge and the other one is gone, that a merge token holds until it is used, and what
`data_source=ehr` answers for someone who is not connected (here: 404).
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from hero_async.sandbox import rules
from hero_async.sandbox.serving import Call, everything, missing, note, serves, unshown, wrong
from hero_async.sandbox.state import midnight
from hero_async.sandbox.synthetic import SyntheticPatient


def _wanted(call: Call) -> SyntheticPatient:
    patient = call.state.people.get(call.practice_group_id, call.path["id"])
    if patient is None:
        raise missing("patient")
    return patient


def show_v2(patient: SyntheticPatient, *, data_source: str = "hero") -> dict[str, object]:
    """A patient in the v2 shape."""
    details = patient.details
    return {
        "ehr_partner_id": patient.ehr_partner_id,
        "emis_id": None,
        "deceased_at": None,
        "dob": midnight(patient.dob),
        "title": patient.title,
        "first_name": patient.first_name,
        "last_name": patient.last_name,
        "sex": patient.sex,
        "nhs_number": patient.nhs_number,
        "email": patient.email,
        "mobile": patient.mobile,
        "last_sync_at": None,
        "data_source": data_source,
        "restricted": False,
        "line_1": details.get("address_line_1"),
        "line_2": details.get("address_line_2"),
        "line_3": details.get("address_line_3"),
        "town": None,
        "county": details.get("county"),
        "postcode": patient.postcode,
        "hero_id": patient.patient_id,
        "hero_uid": None,
        "identifiers": _identifiers(patient),
        "ehr_registered": patient.ehr_partner_id is not None,
    }


def _identifiers(patient: SyntheticPatient) -> list[dict[str, str]]:
    known = (
        ("hero", "hero_id", "Hero", patient.patient_id),
        ("nhs", "nhs_number", "NHS", patient.nhs_number),
        ("ehr_partner", "ehr_partner_id", "EMIS", patient.ehr_partner_id),
    )
    return [
        {"source": source, "name": name, "role": "main", "label": label, "value": value}
        for source, name, label, value in known
        if value is not None
    ]


def show_v1(patient: SyntheticPatient) -> dict[str, object]:
    """A patient in the v1 shape."""
    details = patient.details
    return {
        "id": patient.patient_id,
        "uid": None,
        "emis_id": None,
        "ehr_partner_id": patient.ehr_partner_id,
        "dob": midnight(patient.dob),
        "deceased_at": None,
        "title": patient.title,
        "first_name": patient.first_name,
        "last_name": patient.last_name,
        "sex": patient.sex,
        "nhs_number": patient.nhs_number,
        "email": patient.email,
        "emails": [patient.email] if patient.email is not None else [],
        "mobile": patient.mobile,
        "last_sync_at": None,
        "address_line_1": details.get("address_line_1"),
        "address_line_2": details.get("address_line_2"),
        "address_line_3": details.get("address_line_3"),
        "country": details.get("country"),
        "postcode": patient.postcode,
        "town": None,
        "county": details.get("county"),
        "notes": None,
        "verification_credentials": [],
        "data_source": "hero",
        "restricted": False,
        "sex_changed_at": None,
        "status": "unarchived",
    }


@serves("patients.get", rules.query({"data_source": rules.one_of("hero", "ehr")}))
def get(call: Call) -> object:
    """Show a patient in the v2 shape."""
    patient = _wanted(call)
    if call.query.get("data_source") != "ehr":
        return show_v2(patient)
    if patient.ehr_partner_id is None:
        raise missing("patient")
    return show_v2(patient, data_source="emis")


@serves("patients.get_v1")
def get_v1(call: Call) -> object:
    """Show a patient in the v1 shape."""
    return show_v1(_wanted(call))


_FIELDS = ("ehr_partner_id", "emis_id", "first_name", "last_name", "nhs_number", "email", "mobile", "postcode")
_SEARCH = rules.query({"field": rules.one_of(*_FIELDS)})


@serves("patients.list_v2", _SEARCH)
def list_v2(call: Call) -> object:
    """Those whose field holds the text, in the v2 shape."""
    return everything(_found(call), show_v2)


@serves("patients.list_v1", _SEARCH)
def list_v1(call: Call) -> object:
    """Those whose field holds the text, in the v1 shape."""
    return everything(_found(call), show_v1)


def _found(call: Call) -> list[SyntheticPatient]:
    """By one field or, without `field`, any; everyone without `search`."""
    text = _plain(call.query.get("search", ""))
    names = (call.query["field"],) if "field" in call.query else _FIELDS
    everyone = call.state.people.all(call.practice_group_id)
    return [one for one in everyone if not text or any(text in _plain(show_v1(one)[name]) for name in names)]


def _plain(text: object) -> str:
    return text.replace(" ", "").casefold() if isinstance(text, str) else ""


_FILES = ("letter.pdf", "scan.jpg")


def _attachments(patient: SyntheticPatient) -> Mapping[str, str]:
    """File ids and names: two files for everyone."""
    return {f"{patient.patient_id}{number:02d}": name for number, name in enumerate(_FILES, start=1)}


def attachment_owner(call: Call, file_id: str) -> SyntheticPatient | None:
    """The patient of the practice group whose record has this file."""
    patient = call.state.people.get(call.practice_group_id, file_id[:-2])
    return patient if patient is not None and file_id in _attachments(patient) else None


@serves("patients.attachments")
def attachments(call: Call) -> object:
    """The files that the EHR holds."""
    files = _attachments(_wanted(call))
    return everything(files.items(), lambda item: {"id": item[0], "name": item[1]})


@serves("patients.payment_methods")
def payment_methods(call: Call) -> object:
    """None: nobody here pays."""
    _wanted(call)
    return everything((), lambda item: item)


def _candidate(patient: SyntheticPatient) -> SyntheticPatient:
    return attrs.evolve(patient, ehr_partner_id=f"ehr-{patient.patient_id}")


@serves("patients.ehr_candidates")
def ehr_candidates(call: Call) -> object:
    """The one record of the EHR that may be this patient."""
    return everything([_candidate(_wanted(call))], lambda one: show_v2(one, data_source="emis"))


@serves("patients.connect_ehr", rules.record({"ehr_partner_id": rules.text(least=1)}))
def connect_ehr(call: Call) -> object:
    """Tie a patient to the candidate."""
    patient = _wanted(call)
    candidate = _candidate(patient)
    if call.body["ehr_partner_id"] != candidate.ehr_partner_id:
        raise missing("EHR record")
    call.state.people.change(call.practice_group_id, candidate)
    note(call, "patients.connect_ehr", patient.patient_id)
    return unshown(call, {"patient_id": patient.patient_id})


class MergeTokens:
    """What was previewed and not merged yet, by token: practice group, kept id, gone id."""

    def __init__(self) -> None:
        self.open: dict[str, tuple[str, str, str]] = {}


_OTHER = {"patient_id": rules.text(pattern=r"\d+")}


def _other(call: Call, kept: SyntheticPatient) -> SyntheticPatient:
    other = call.state.people.get(call.practice_group_id, call.body["patient_id"])
    if other is None:
        raise missing("patient")
    if other.patient_id == kept.patient_id:
        raise wrong("another patient", "patient_id")
    return other


@serves("patients.preview_merge", rules.record(_OTHER))
def preview_merge(call: Call) -> object:
    """What the merge would give, and a token for it."""
    kept = _wanted(call)
    gone = _other(call, kept)
    token = f"merge-{call.state.new_id()}"
    call.state.of(MergeTokens).open[token] = (call.practice_group_id, kept.patient_id, gone.patient_id)
    return {"preview": show_v2(kept), "merge_token": token}


@serves("patients.merge", rules.record({"merge_token": rules.text(), **_OTHER}))
def merge(call: Call) -> object:
    """Merge the two who were previewed; a token is used once."""
    kept = _wanted(call)
    gone = _other(call, kept)
    tokens = call.state.of(MergeTokens).open
    token = call.body["merge_token"]
    if tokens.get(token) != (call.practice_group_id, kept.patient_id, gone.patient_id):
        raise wrong("the token of a preview of this merge", "merge_token")
    del tokens[token]
    call.state.people.merge(call.practice_group_id, kept, gone)
    note(call, "patients.merge", kept.patient_id)
    return unshown(call, {"patient_id": kept.patient_id})
