"""Patients of the practice group."""

from __future__ import annotations

from datetime import date
from typing import Literal

from hero_async import operations as op
from hero_async.fields import NhsNumber, NonEmpty, Null, OpenEnum, Ref, model
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode

Sex = Literal["Not known", "Not specified", "Male", "Female", "Other"]


class PatientSex(OpenEnum):
    """Sex, as the practice's record has it."""

    NOT_KNOWN = "Not known"
    NOT_SPECIFIED = "Not specified"
    MALE = "Male"
    FEMALE = "Female"
    OTHER = "Other"


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
class PatientV3:
    """A patient of the list. The reference is cut after `sex`: further fields are not confirmed."""

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

    title: str | None = None
    """Title, such as "Dr"."""

    first_name: str | None = None
    """First name."""

    last_name: str | None = None
    """Last name."""

    sex: PatientSex | None = None
    """Sex."""


class Patients(Resource[Mode]):
    """Patients of the practice group."""

    @op.post(
        "/v1/patients/register_pds",
        id="registerPatientPds",
        idempotent=True,
        needs=(("nhs_number", "dob"), ("forename", "surname", "dob", "postcode")),
    )
    def register_pds(
        self,
        *,
        nhs_number: NhsNumber | None = None,
        dob: date | Null | None = None,
        postcode: str | None = None,
        forename: str | None = None,
        surname: str | None = None,
        ehr_partner: NonEmpty | None = None,
        ehr_partner_id: NonEmpty | None = None,
    ) -> PatientId | PatientVerificationRequired:
        """Find a person on the NHS Spine and get their Hero id; Hero makes the record if it has none.

        Safe to repeat: it answers with the patient it made before. Give `nhs_number` and `dob`, or `forename`,
        `surname`, `dob` and `postcode`.

        Args:
            nhs_number: Ten digits with a right check digit; spaces and hyphens are taken out.
            dob: Date of birth, or NULL.
            postcode: Postcode, as the Spine has it.
            forename: First name, as the Spine has it.
            surname: Last name, as the Spine has it.
            ehr_partner: Which EHR; the accepted values are not documented.
            ehr_partner_id: Id of the patient in that EHR.

        Returns:
            The patient's id; or a `PatientVerificationRequired` when the person must prove who they are first.

        Raises:
            NotFoundError: The Spine knows no such person.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/patients/registerpatientpds
        """
        ...

    @op.post("/v1/patients/register", id="registerPatient")
    def register(
        self,
        *,
        dob: date,
        first_name: NonEmpty,
        last_name: NonEmpty,
        mobile: NonEmpty,
        nhs_number: NhsNumber | None = None,
        ehr_partner_id: str | None = None,
        sex: Sex | None = None,
        title: str | None = None,
        landline: str | None = None,
        address_line_1: str | None = None,
        address_line_2: str | None = None,
        address_line_3: str | None = None,
        country: str | None = None,
        postcode: str | None = None,
        county: str | None = None,
        data_source: str | None = None,
        email: str | None = None,
    ) -> PatientId:
        """Store a patient with the details that you give, without asking the Spine.

        A patient of the practice group with the same NHS number and date of birth is updated,
        else a new one is made: without `nhs_number` a second call may make a second patient.

        Args:
            dob: Date of birth.
            first_name: First name.
            last_name: Last name.
            mobile: Mobile number. Required in the one form that the reference shows; not confirmed for others.
            nhs_number: Ten digits with a right check digit; spaces and hyphens are taken out.
            ehr_partner_id: Id of the patient in the connected EHR.
            sex: Sex.
            title: Title, such as "Dr".
            landline: Landline number.
            address_line_1: First line of the address.
            address_line_2: Second line of the address.
            address_line_3: Third line of the address.
            country: Country.
            postcode: Postcode.
            county: County.
            data_source: Where the details come from; the values for this call are not documented.
            email: E-mail address.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/patients/registerpatient
        """
        ...

    @op.listing(
        "/v3/patients",
        id="listPatientsV3",
        needs=(("first_name",), ("last_name",), ("dob",), ("nhs_number",), ("ehr_partner_id",)),
    )
    def list(
        self,
        *,
        page_index: int | None = None,
        page_size: int | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        dob: date | None = None,
        nhs_number: NhsNumber | None = None,
        ehr_partner_id: str | None = None,
    ) -> Page[PatientV3]:
        """Search the practice group's patients. At least one filter must be given.

        Args:
            page_index: Which page, counted from zero here.
            page_size: Patients on a page. Default and maximum are not documented.
            first_name: First name.
            last_name: Last name.
            dob: Exact date of birth.
            nhs_number: Ten digits with a right check digit; spaces and hyphens are taken out.
            ehr_partner_id: Id of the patient in the connected EHR.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/patients/listpatientsv3
        """
        ...
