"""Who is billed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from hero_async import operations as op
from hero_async.fields import Hidden, NonEmpty, Ref, model
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode


@model
class CardSource:
    """A card that a customer pays with. Known from a sample: which fields are needed is not documented."""

    id: Ref | None = None
    """Id of the card."""

    type: str | None = None
    """Kind of source. Only "card" is shown; there is at least one more kind, whose fields are not shown."""

    fingerprint: str | None = None
    """Tells whether two cards are the same."""

    brand: str | None = None
    """Brand."""

    last4: str | None = None
    """Last four digits of the number."""

    exp_month: Annotated[int, Hidden()] | None = None
    """Month of expiry."""

    exp_year: Annotated[int, Hidden()] | None = None
    """Year of expiry."""


@model
class Customer:
    """Who is billed."""

    id: Ref
    """Id of the customer."""

    name: str
    """Name."""

    email: str | None = None
    """E-mail address."""

    phone: str | None = None
    """Phone number."""

    sources: tuple[CardSource, ...] | None = None
    """What the customer pays with. Of a source that is no card, only the fields of the same names are kept."""


class Customers(Resource[Mode]):
    """Who is billed: the practice group's Stripe customers."""

    @op.listing("/v1/invoicing/customers", id="listCustomers")
    def list(self, *, query: str) -> Page[Customer]:
        """Find customers by a text. No paging is shown: one page.

        Args:
            query: The text. Where it is looked for is not documented.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/invoicing/listcoupons
        """
        ...

    @op.post("/v1/invoicing/customers", id="createCustomer")
    def create(
        self,
        *,
        name: str,
        email: str | None = None,
        phone: str | None = None,
        sources: Sequence[CardSource | Mapping[str, Any]] | None = None,
    ) -> Customer:
        """Add a Stripe customer.

        Args:
            name: Name.
            email: E-mail address.
            phone: Phone number.
            sources: What the customer pays with: cards, or mappings for the kind that the reference does not show.

        Raises:
            NotFoundError: Named by the reference; what was not found is not documented.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/invoicing/getdefaultcustomer
        """
        ...

    @op.get("/v1/invoicing/customers/default", id="getDefaultCustomer", evidence="sampled")
    def default(self, *, patient_id: NonEmpty | None = None) -> Customer:
        """Get the customer who is billed for a patient by default.

        Args:
            patient_id: Hero id of the patient. Whether it may be left out is not documented.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/invoicing/getdefaultcustomer
        """
        ...
