"""Patients of the practice group."""

from __future__ import annotations

from datetime import date
from typing import Literal

from hero_async import operations as op
from hero_async.api._patients import FoundPatient as FoundPatient
from hero_async.api._patients import Patient as Patient
from hero_async.api._patients import PatientAttachment as PatientAttachment
from hero_async.api._patients import PatientDataSource as PatientDataSource
from hero_async.api._patients import PatientEhrConnected as PatientEhrConnected
from hero_async.api._patients import PatientId as PatientId
from hero_async.api._patients import PatientIdentifier as PatientIdentifier
from hero_async.api._patients import PatientItem as PatientItem
from hero_async.api._patients import PatientMerged as PatientMerged
from hero_async.api._patients import PatientPaymentMethod as PatientPaymentMethod
from hero_async.api._patients import PatientSex as PatientSex
from hero_async.api._patients import PatientStatus as PatientStatus
from hero_async.api._patients import PatientTitleInput as PatientTitleInput
from hero_async.api._patients import PatientV2 as PatientV2
from hero_async.api._patients import PatientV3 as PatientV3
from hero_async.api._patients import PatientVerificationRequired as PatientVerificationRequired
from hero_async.api._patients import PreviewPatientMerge as PreviewPatientMerge
from hero_async.api._patients import Sex as Sex
from hero_async.api._shared import PatientTitle as PatientTitle
from hero_async.errors import InvalidArgumentError, NotFoundError
from hero_async.fields import Id, NhsNumber, NonEmpty, Null
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Async, Mode


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
        ehr_partner_id: NonEmpty | None = None,
        sex: Sex | None = None,
        title: PatientTitleInput | None = None,
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
        ehr_partner_id: NonEmpty | None = None,
    ) -> Page[PatientV3]:
        """Search the practice group's patients. At least one filter must be given.

        The reference shows no Hero id among an item's fields; `list_v2` has it.

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

    @op.listing("/v2/patients", id="listPatientsV2", evidence="sampled")
    def list_v2(self, *, field: str | None = None, search: str | None = None) -> Page[PatientV2]:
        """Search one named field of the patients for a text. No paging is shown: one page.

        That an item is a `PatientV2` is not confirmed: the sample shows objects without their fields.

        Args:
            field: Which field. Only "ehr_partner_id" is shown; other values, and whether it may be left out, are not.
            search: The text. How it is matched, and whether it may be left out, is not documented.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/patients/listpatientsv3
        """
        ...

    @op.listing("/v1/patients", id="listPatients", evidence="sampled")
    def list_v1(self, *, field: str | None = None, search: str | None = None) -> Page[PatientItem]:
        """Search one named field of the patients for a text, first version. No paging is shown: one page.

        Args:
            field: Which field. Only "emis_id" is shown; other values, and whether it may be left out, are not.
            search: The text. How it is matched, and whether it may be left out, is not documented.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/patients/listpatients
        """
        ...

    @op.get("/v2/patients/{id}", id="getPatientByIdV2")
    def get(self, id: str, *, data_source: Literal["hero", "ehr"] | None = None) -> PatientV2:
        """Get one patient, from Hero or from the EHR.

        Args:
            id: Hero id of the patient. Whether it is another id for `data_source="ehr"` is not documented.
            data_source: Where to read. The server's default is not documented.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/patients/getpatientbyidv2
        """
        ...

    @op.get("/v1/patients/{id}", id="getPatientById")
    def get_v1(self, id: str) -> Patient:
        """Get one patient that Hero holds, in the first version's shape.

        Args:
            id: Hero id of the patient.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/patients
        """
        ...

    @op.listing("/v1/patients/{id}/attachments", id="listPatientAttachments", evidence="sampled")
    def attachments(self, id: str) -> Page[PatientAttachment]:
        """List the files that the EHR holds for a patient. No paging is shown: one page.

        The id of one of them is the `ehr_file_id` of `attachment_links.create`.

        Args:
            id: Hero id of the patient.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/patients
        """
        ...

    @op.listing("/v1/patients/{id}/ehr/candidates", id="listPatientEhrCandidates")
    def ehr_candidates(self, id: str) -> Page[PatientV2]:
        """List the records of the connected EHR that may be this patient. No paging is shown: one page.

        Args:
            id: Hero id of the patient.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/patients
        """
        ...

    @op.post("/v1/patients/{id}/ehr/connect", id="connectPatientEhr", evidence="sampled")
    def connect_ehr(self, id: str, *, ehr_partner_id: NonEmpty | None = None) -> PatientEhrConnected:
        """Tie a patient to one record of the connected EHR.

        Args:
            id: Hero id of the patient.
            ehr_partner_id: Id of the record in the EHR. Whether it may be left out is not documented.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/patients/connectpatientehr
        """
        ...

    @op.post("/v1/patients/{id}/merge/preview", id="previewPatientMerge", idempotent=True, evidence="sampled")
    def preview_merge(self, id: str, *, patient_id: NonEmpty | None = None) -> PreviewPatientMerge:
        """See what merging two patients would give, and get the token for `merge`. Changes nothing.

        Args:
            id: Hero id of the one patient.
            patient_id: Hero id of the other, digits. Whether it may be left out is not documented.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/patients/previewpatientmerge
        """
        ...

    @op.post("/v1/patients/{id}/merge", id="mergePatient")
    def merge(self, id: str, *, merge_token: str, patient_id: Id) -> PatientMerged:
        """Merge two patients. Which of the two ids lives on is not documented, nor whether it can be undone.

        Args:
            id: Hero id of the one patient.
            merge_token: The token of `preview_merge`. How long it holds is not documented.
            patient_id: Hero id of the other, digits.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/patients
        """
        ...

    @op.listing("/v1/patients/{id}/payment_methods", id="listPatientPaymentMethods", evidence="sampled")
    def payment_methods(self, id: str) -> Page[PatientPaymentMethod]:
        """List the payment methods of a patient. No paging is shown: one page.

        Args:
            id: Hero id of the patient.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/patients/listpatientpaymentmethods
        """
        ...

    @op.flow
    async def find_or_register(
        self: Patients[Async],
        *,
        dob: date,
        first_name: NonEmpty,
        last_name: NonEmpty,
        mobile: NonEmpty,
        nhs_number: NhsNumber | None = None,
        postcode: str | None = None,
        ehr_partner_id: NonEmpty | None = None,
        sex: Sex | None = None,
        title: PatientTitleInput | None = None,
        landline: str | None = None,
        address_line_1: str | None = None,
        address_line_2: str | None = None,
        address_line_3: str | None = None,
        country: str | None = None,
        county: str | None = None,
        data_source: str | None = None,
        email: str | None = None,
    ) -> FoundPatient | PatientVerificationRequired:
        """Get a Hero id: from the Spine, and where that knows no such person, by storing your details.

        Calls `register_pds`, by NHS number if you give one, else by name, date of birth and postcode; after its
        NotFoundError, and no other error, `register`. All arguments are checked before anything is sent.

        Args:
            dob: Date of birth.
            first_name: First name.
            last_name: Last name.
            mobile: Mobile number.
            nhs_number: Ten digits with a right check digit. Needed, unless `postcode` is given.
            postcode: Postcode.
            ehr_partner_id: Id of the patient in the connected EHR, for `register`.
            sex: Sex.
            title: Title, such as "Dr".
            landline: Landline number.
            address_line_1: First line of the address.
            address_line_2: Second line of the address.
            address_line_3: Third line of the address.
            country: Country.
            county: County.
            data_source: Where the details come from; the values are not documented.
            email: E-mail address.

        Returns:
            The id, and by `was_registered` which way it went; or a `PatientVerificationRequired`, when the Spine
            wants the person to prove who they are first: then nothing was registered.
        """
        try:
            if nhs_number is not None:
                trace = Patients.register_pds.build(nhs_number=nhs_number, dob=dob)
            elif postcode is not None:
                trace = Patients.register_pds.build(forename=first_name, surname=last_name, dob=dob, postcode=postcode)
            else:
                raise InvalidArgumentError("needs nhs_number; or postcode", operation="patients.find_or_register")
            details = Patients.register.build(
                dob=dob,
                first_name=first_name,
                last_name=last_name,
                mobile=mobile,
                nhs_number=nhs_number,
                ehr_partner_id=ehr_partner_id,
                sex=sex,
                title=title,
                landline=landline,
                address_line_1=address_line_1,
                address_line_2=address_line_2,
                address_line_3=address_line_3,
                country=country,
                postcode=postcode,
                county=county,
                data_source=data_source,
                email=email,
            )
        finally:  # a traceback that shows locals must not show them
            del dob, first_name, last_name, mobile, nhs_number, ehr_partner_id, sex, title, landline, email
            del address_line_1, address_line_2, address_line_3, country, postcode, county, data_source
        try:
            found = await self.register_pds(**trace.arguments)
        except NotFoundError:
            pass
        else:
            if isinstance(found, PatientId):
                return FoundPatient(patient_id=found.patient_id, was_registered=False)
            return found
        registered = await self.register(**details.arguments)
        return FoundPatient(patient_id=registered.patient_id, was_registered=True)
