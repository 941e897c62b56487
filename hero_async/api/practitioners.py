"""Who sees the patients."""

from __future__ import annotations

from collections.abc import Sequence

from hero_async import operations as op
from hero_async.fields import Answer, NonEmpty
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode


class Practitioner(Answer):
    """A practitioner. The fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class Practitioners(Resource[Mode]):
    """Who sees the practice group's patients."""

    @op.listing("/v1/practitioners", id="listPractitioners", evidence="sampled")
    def list(
        self,
        *,
        location_ids: Sequence[NonEmpty] | None = None,
        appointment_type_ids: Sequence[NonEmpty] | None = None,
        has_availability: bool | None = None,
    ) -> Page[Practitioner]:
        """List the practitioners. No paging is shown: one page. The form of the answer is not confirmed.

        Args:
            location_ids: Only those of these locations. Several are sent by repeating the key: not confirmed.
            appointment_type_ids: Only those with these kinds of appointment. Several are sent likewise.
            has_availability: Whether they must have free slots.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/practice-group/getpractitioner
        """
        ...

    @op.get("/v1/practitioners/{id}", id="getPractitioner", evidence="sampled")
    def get(self, id: str) -> Practitioner:
        """Get one practitioner.

        Args:
            id: Id of the practitioner; elsewhere in the API such ids are digits.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/practice-group/getpractitioner
        """
        ...
