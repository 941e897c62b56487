"""Who prescribes."""

from __future__ import annotations

from hero_async import operations as op
from hero_async.api._shared import Pharmacy as Pharmacy
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode


class Prescribers(Resource[Mode]):
    """Who prescribes."""

    @op.listing("/v1/prescriber/{id}/pharmacies", id="listPrescriberPharmacies")
    def pharmacies(self, id: str) -> Page[Pharmacy]:
        """List the pharmacies of a prescriber. No paging is shown: one page.

        Args:
            id: Id of the prescriber.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/prescription/createpharmacy
        """
        ...
