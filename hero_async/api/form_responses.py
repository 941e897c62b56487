"""What patients sent in by a form."""

from __future__ import annotations

from hero_async import operations as op
from hero_async.fields import Time, model
from hero_async.operations import Resource
from hero_async.resources import Mode


@model
class FormResponse:
    """That a patient filled in a form. Its ids are numbers, where the rest of the API has text.

    The reference shows a sample only, without the answers: any field may be missing.
    """

    id: int | None = None
    """Id of the response."""

    form_id: int | None = None
    """Id of the form."""

    client_id: int | None = None
    """Id of the "client", which may be the patient: not confirmed."""

    appointment_id: int | None = None
    """Id of the appointment that it belongs to."""

    invoice_id: int | None = None
    """Id of the invoice that it belongs to."""

    practice_group_id: int | None = None
    """Id of the practice group."""

    created_at: Time | None = None
    """When it was sent in."""

    updated_at: str | None = None
    """When it was last changed: text, its format is not documented."""

    hidden: bool | None = None
    """Whether it is hidden."""

    emis_file_record_at: str | None = None
    """When it was filed to EMIS: text, its format is not documented."""

    short_link_id: int | None = None
    """Id of the short link by which it came."""

    admin_id: int | None = None
    """Id of the admin; which part that admin has is not documented."""

    write_to_record_error: str | None = None
    """Why filing to the EHR failed."""


class FormResponses(Resource[Mode]):
    """What patients sent in by a form."""

    @op.get("/v1/form_response/{id}", id="getFormResponse", evidence="sampled")
    def get(self, id: str) -> FormResponse:
        """Get one form response, without the answers.

        Args:
            id: Id of the response.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/form-response
        """
        ...
