"""Consultants of HCA."""

from __future__ import annotations

from collections.abc import Sequence

from hero_async import operations as op
from hero_async.fields import Answer
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode


class HcaConsultant(Answer):
    """A consultant. The fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class HcaConsultants(Resource[Mode]):
    """Consultants of HCA."""

    @op.listing("/v1/booking-hca/consultants", id="searchHcaConsultants", evidence="sampled")
    def search(self, *, search: str | None = None, fields: Sequence[str] | None = None) -> Page[HcaConsultant]:
        """Find consultants by a text. No paging is shown: one page. The form of the answer is not confirmed.

        Args:
            search: The text. Whether it may be left out is not documented.
            fields: Names such as "first_name" and "last_name", by repeating the key: to search in, or to answer
                with, which is not documented.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/booking-hca/searchhcaconsultants
        """
        ...

    @op.get("/v1/booking-hca/consultants/{gmc_number}", id="getHcaConsultant", evidence="inferred")
    def get(self, gmc_number: str) -> HcaConsultant:
        """Get one consultant. Only the path was seen: method and answer are not confirmed.

        Args:
            gmc_number: The consultant's number with the General Medical Council.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/booking-hca
        """
        ...
