"""Where a practice sees its patients."""

from __future__ import annotations

from collections.abc import Sequence

from hero_async import operations as op
from hero_async.fields import Answer, NonEmpty
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode


class Location(Answer):
    """A location. Its fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class Locations(Resource[Mode]):
    """Where the practice group sees its patients."""

    @op.listing("/v1/locations", id="listLocations", evidence="sampled")
    def list(
        self,
        *,
        appointment_type_ids: Sequence[NonEmpty] | None = None,
        has_availability: bool | None = None,
    ) -> Page[Location]:
        """List the locations that are set up for online booking. No paging is shown: one page.

        Args:
            appointment_type_ids: Only those with these kinds of appointment. Several are sent by repeating the key:
                not confirmed.
            has_availability: Whether they must have free slots.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/practice-group/listpracticegroupelements
        """
        ...
