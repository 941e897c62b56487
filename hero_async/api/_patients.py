"""What the patients' operations take and answer. Import the names from `hero_async.api.patients`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from hero_async.api._shared import Title
from hero_async.fields import Answer, Hidden, OpenEnum, PrivateTime, Ref, Time, model

Sex = Literal["Not known", "Not specified", "Male", "Female", "Other"]

PatientTitleInput = Literal[
    "Baron",
    "Baroness",
    "Brigadier",
    "Count",
    "Colonel",
    "Countess",
    "Captain",
    "Dame",
    "The Dowager Viscountess",
    "Dr",
    "Duchess",
    "Duke",
    "Earl",
    "His Excellency",
    "Father",
    "H.E. Ambassador Mr",
    "H.E. Mr",
    "H.E. Mrs",
    "Her Grace",
    "His Grace",
    "The Hon",
    "The Hon Mr",
    "The Hon Mrs",
    "HRH",
    "HRH Prince",
    "HRH Princess",
    "Insurance",
    "HM King",
    "Lady",
    "Lord",
    "Major",
    "Master",
    "Miss",
    "Mr",
    "Mrs",
    "Ms",
    "Mss",
    "Mx",
    "Pr",
    "Professor",
    "HM Queen",
    "Rabbi",
    "Reverend",
    "Sheikh",
    "Sheikha",
    "Sir",
    "The",
    "Viscount",
    "Viscountess",
]


class PatientSex(OpenEnum):
    """Sex, as the practice's record has it."""

    NOT_KNOWN = "Not known"
    NOT_SPECIFIED = "Not specified"
    MALE = "Male"
    FEMALE = "Female"
    OTHER = "Other"


class PatientDataSource(OpenEnum):
    """Where a patient's details come from."""

    HERO = "hero"
    EMIS = "emis"
    PDS = "pds"
    GHA = "gha"
    SYSTM_ONE = "systm_one"


class PatientStatus(OpenEnum):
    """Whether a patient is in use."""

    ARCHIVED = "archived"
    UNARCHIVED = "unarchived"


class PatientIdentifierSource(OpenEnum):
    """Who gave an identifier."""

    NHS = "nhs"
    GHA = "gha"
    EHR_PARTNER = "ehr_partner"
    HERO = "hero"


class PatientIdentifierName(OpenEnum):
    """What kind of identifier it is."""

    NHS_NUMBER = "nhs_number"
    GHA_NUMBER = "gha_number"
    EHR_PARTNER_ID = "ehr_partner_id"
    HERO_ID = "hero_id"
    HERO_UID = "hero_uid"


class PatientIdentifierRole(OpenEnum):
    """How an identifier is used."""

    MAIN = "main"
    SECONDARY = "secondary"


class PatientIdentifierLabel(OpenEnum):
    """A short label of an identifier, for people."""

    NHS = "NHS"
    GHA = "GHA"
    EMIS = "EMIS"
    HERO = "Hero"
    SYSTM_ONE = "Systm One"


SexOfPatient = Annotated[PatientSex, Hidden()]
"""Sex, not shown in a repr."""


@model
class PatientId:
    """A patient that Hero knows."""

    patient_id: Ref
    """Hero id, for all later calls."""


@model
class PatientVerificationRequired:
    """PDS alone could not settle who it is: send the patient to `login_url`, then call again.

    Known from a guide's sample only.
    """

    login_url: str | None = None
    """Where the patient proves who they are. Not a page for you to fetch."""

    message: str | None = None
    """A sentence for people."""


@model
class FoundPatient:
    """What `patients.find_or_register` came to."""

    patient_id: Ref
    """Hero id, for all later calls."""

    was_registered: bool
    """True: the Spine knew no such person, so your details were stored, in a new record or in one that Hero had.
    False: the Spine knew the person, and your details were not used."""


@model
class Patient:
    """A patient in the v1 shape."""

    id: Ref
    """Hero id, digits."""

    dob: date | None
    """Date of birth."""

    data_source: PatientDataSource
    """Where the details come from."""

    status: PatientStatus
    """Whether the patient is in use."""

    uid: Ref | None = None
    """A second id; what it is for is not documented."""

    emis_id: str | None = None
    """Id of the patient in EMIS."""

    ehr_partner_id: str | None = None
    """Id of the patient in the connected EHR."""

    deceased_at: PrivateTime | None = None
    """When the patient died."""

    title: Title | None = None
    """Title, such as "Dr"."""

    first_name: str | None = None
    """First name."""

    last_name: str | None = None
    """Last name."""

    sex: SexOfPatient | None = None
    """Sex."""

    nhs_number: str | None = None
    """NHS number."""

    email: str | None = None
    """E-mail address."""

    emails: tuple[str, ...] | None = None
    """E-mail addresses."""

    mobile: str | None = None
    """Mobile number."""

    last_sync_at: Time | None = None
    """When the record was last synchronised."""

    address_line_1: str | None = None
    """First line of the address."""

    address_line_2: str | None = None
    """Second line of the address."""

    address_line_3: str | None = None
    """Third line of the address."""

    country: str | None = None
    """Country."""

    postcode: str | None = None
    """Postcode."""

    town: str | None = None
    """Town."""

    county: str | None = None
    """County."""

    notes: str | None = None
    """Notes."""

    verification_credentials: tuple[str, ...] | None = None
    """What proves who the patient is; the values are not documented."""

    restricted: bool | None = None
    """Whether it is restricted; what that means is not documented."""

    sex_changed_at: PrivateTime | None = None
    """When the sex in the record changed."""


@model
class PatientIdentifier:
    """One identifier of a patient."""

    source: PatientIdentifierSource
    """Who gave it."""

    name: PatientIdentifierName
    """What kind it is."""

    role: PatientIdentifierRole
    """How it is used."""

    label: PatientIdentifierLabel
    """A short label, for people."""

    value: str
    """The identifier."""


@model
class PatientV2:
    """A patient in the v2 shape, from Hero or from the EHR. Fields after `ehr_registered` are not confirmed."""

    dob: date | None
    """Date of birth."""

    identifiers: tuple[PatientIdentifier, ...]
    """All identifiers."""

    ehr_registered: bool | None
    """Whether the patient is registered in the EHR."""

    ehr_partner_id: str | None = None
    """Id of the patient in the connected EHR."""

    emis_id: str | None = None
    """Id of the patient in EMIS."""

    deceased_at: PrivateTime | None = None
    """When the patient died."""

    title: Title | None = None
    """Title, such as "Dr"."""

    first_name: str | None = None
    """First name."""

    last_name: str | None = None
    """Last name."""

    sex: SexOfPatient | None = None
    """Sex."""

    nhs_number: str | None = None
    """NHS number."""

    email: str | None = None
    """E-mail address."""

    mobile: str | None = None
    """Mobile number."""

    last_sync_at: Time | None = None
    """When the record was last synchronised."""

    data_source: PatientDataSource | None = None
    """Where the details come from."""

    restricted: bool | None = None
    """Whether it is restricted; what that means is not documented."""

    line_1: str | None = None
    """First line of the address."""

    line_2: str | None = None
    """Second line of the address."""

    line_3: str | None = None
    """Third line of the address."""

    town: str | None = None
    """Town."""

    county: str | None = None
    """County."""

    postcode: str | None = None
    """Postcode."""

    hero_id: Ref | None = None
    """Hero id, digits, for all later calls. None when Hero does not hold the patient."""

    hero_uid: Ref | None = None
    """Hero's second id; what it is for is not documented."""


@model
class PatientV3:
    """A patient of the list. The reference is cut after `sex`: further fields are not confirmed.

    No Hero id is among the fields that it shows: `patients.list_v2` has `hero_id`.
    """

    dob: date | None
    """Date of birth."""

    ehr_partner_id: str | None = None
    """Id of the patient in the connected EHR."""

    emis_id: str | None = None
    """Id of the patient in EMIS."""

    deceased_at: str | None = None
    """When the patient died: text, its format is not documented."""

    ods_code: str | None = None
    """ODS code of the practice."""

    title: Title | None = None
    """Title, such as "Dr"."""

    first_name: str | None = None
    """First name."""

    last_name: str | None = None
    """Last name."""

    sex: SexOfPatient | None = None
    """Sex."""


class PatientItem(Answer):
    """A patient of the v1 list. Its fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class PatientAttachment(Answer):
    """A file that the EHR holds for a patient. Its fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class PatientPaymentMethod(Answer):
    """A payment method of a patient. Its fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class PatientEhrConnected(Answer):
    """The answer to linking a patient to an EHR record. Its body is not shown in the reference: read `raw`."""

    __slots__ = ()


class PreviewPatientMerge(Answer):
    """What merging two patients would give, and the token for the merge. Its fields are not shown in the reference.

    Read `raw`. The merge asks for the token as `merge_token`; what it is called here is not confirmed.
    """

    __slots__ = ()


class PatientMerged(Answer):
    """The answer to a merge. Its body is not shown in the reference: read `raw`, which may be empty."""

    __slots__ = ()
