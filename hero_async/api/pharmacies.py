"""Pharmacies."""

from __future__ import annotations

from hero_async import operations as op
from hero_async.api._shared import Pharmacy as Pharmacy
from hero_async.fields import Id
from hero_async.operations import Resource
from hero_async.resources import Mode


class Pharmacies(Resource[Mode]):
    """Pharmacies. `prescribers.pharmacies` lists those of a prescriber."""

    @op.post("/v1/pharmacies", id="createPharmacy")
    def create(self, *, name: str, email: str, mobile: str, prescriber_id: Id) -> Pharmacy:
        """Store a pharmacy for a prescriber.

        Args:
            name: Name.
            email: E-mail address.
            mobile: Mobile number.
            prescriber_id: Id of the prescriber, digits.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/prescription/createpharmacy
        """
        ...
