"""Links to forms."""

from __future__ import annotations

from datetime import date

from hero_async import operations as op
from hero_async.fields import Answer, NonEmpty
from hero_async.operations import Resource
from hero_async.resources import Mode


class FormLinkCreated(Answer):
    """The answer to making a form link. Its fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class FormLinks(Resource[Mode]):
    """Links by which patients fill in a form."""

    @op.post("/v1/form_links", id="createFormLink", evidence="inferred")
    def create(
        self,
        *,
        form_id: NonEmpty,
        patient_id: NonEmpty | None = None,
        expiry_date: date | None = None,
        maximum_use_count: int | None = None,
    ) -> FormLinkCreated:
        """Make a link to a form. Path and fields are inferred from booking links: not confirmed.

        Args:
            form_id: Id of the form, of `forms.list`.
            patient_id: Hero id of the patient.
            expiry_date: Until when it works.
            maximum_use_count: How often it can be used.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/links/createformlink
        """
        ...
