"""Coupons for invoices."""

from __future__ import annotations

from typing import Any

from hero_async import operations as op
from hero_async.fields import Ref, model
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode


@model
class Coupon:
    """A Stripe coupon."""

    id: Ref
    """Id of the coupon, for the `coupons` of an invoice."""

    name: str
    """Its name."""

    applies_to: dict[str, Any] | None = None
    """What it can be used for. The fields are not shown in the reference."""

    amount_off: float | None = None
    """What it takes off. Neither currency nor unit (pounds or pence) is documented."""

    percent_off: float | None = None
    """What it takes off, in per cent."""


class Coupons(Resource[Mode]):
    """Coupons for invoices."""

    @op.listing("/v1/invoicing/coupons", id="listCoupons")
    def list(self) -> Page[Coupon]:
        """List the practice group's Stripe coupons. No paging is shown: one page.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/invoicing/listcoupons
        """
        ...
