"""Forms that a practice asks its patients to fill in."""

from __future__ import annotations

from typing import Literal

from hero_async import operations as op
from hero_async.fields import OpenEnum, Ref, model
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode

FormTypeChoice = Literal["questionnaire", "response", "appointment", "care_navigation"]


class FormType(OpenEnum):
    """What a form is for."""

    QUESTIONNAIRE = "questionnaire"
    RESPONSE = "response"
    APPOINTMENT = "appointment"
    CARE_NAVIGATION = "care_navigation"


@model
class FormSummary:
    """A form of the list."""

    id: Ref
    """Id of the form."""

    title: str
    """Its title."""

    description: str
    """What it is about."""

    patient_title: str | None
    """Its title, as patients see it."""

    patient_description: str | None
    """What it is about, as patients see it."""

    reply_form: bool
    """Whether it is for replies."""

    form_type: FormType
    """What it is for."""

    snomed_code: str | None
    """SNOMED code of the EHR entry."""


@model
class FormField:
    """A question of a form. The reference is cut after `name`: type and choices are not confirmed."""

    form_question_id: Ref
    """Id of the question."""

    name: str
    """The question."""


@model
class Form:
    """A form with its questions. Fields after `fields` are not confirmed."""

    id: Ref
    """Id of the form."""

    form_type: FormType
    """What it is for."""

    title: str
    """Its title."""

    description: str
    """What it is about."""

    patient_title: str | None
    """Its title, as patients see it."""

    patient_description: str | None
    """What it is about, as patients see it."""

    snomed_code: str | None
    """SNOMED code of the EHR entry."""

    fields: tuple[FormField, ...]
    """Its questions."""


class Forms(Resource[Mode]):
    """Forms that the practice group asks its patients to fill in."""

    @op.listing("/v1/forms", id="listForms")
    def list(
        self,
        *,
        search: str | None = None,
        reply_form: bool | None = None,
        form_type: FormTypeChoice | None = None,
    ) -> Page[FormSummary]:
        """List the forms. The reference shows no paging: one page holds them all.

        Args:
            search: Only forms with this text. Where it is looked for is not documented.
            reply_form: Only those that are, or are not, for replies.
            form_type: Only those for this.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/form
        """
        ...

    @op.get("/v1/forms/{id}", id="getForm", evidence="sampled")
    def get(self, id: str) -> Form:
        """Get one form with its questions.

        Args:
            id: Id of the form.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/form
        """
        ...
