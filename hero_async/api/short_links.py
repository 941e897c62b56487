"""Short links of all kinds."""

from __future__ import annotations

from hero_async import operations as op
from hero_async.fields import Answer
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode


class ShortLink(Answer):
    """A short link. Its fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class ShortLinks(Resource[Mode]):
    """Short links of all kinds: bookings, forms and so on."""

    @op.listing("/v1/short_links", id="listShortLinks", evidence="sampled")
    def list(
        self,
        *,
        page_index: int | None = None,
        page_size: int | None = None,
        order_by: str | None = None,
        order_descending: bool | None = None,
        type: str | None = None,
        status: str | None = None,
        exclude_patient_specific_links: bool | None = None,
    ) -> Page[ShortLink]:
        """List the short links of the practice group. All parameters are known from a sample only.

        Args:
            page_index: Which page. Left out, the iteration finds out how the server counts.
            page_size: Links on a page. Default and maximum are not documented.
            order_by: What to sort by. Only "expiry_date" is shown; other values are not documented.
            order_descending: Whether the last comes first.
            type: Kind of link. Only "booking" is shown; other values are not documented.
            status: State. Only "expired" is shown; other values are not documented.
            exclude_patient_specific_links: Only generic links.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/shortlinks
        """
        ...
