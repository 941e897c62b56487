"""Patients' memberships of schemes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from hero_async import operations as op
from hero_async.fields import Answer, NonEmpty, Query
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode


class Subscription(Answer):
    """A subscription. Its fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class Subscriptions(Resource[Mode]):
    """Patients' memberships of schemes. Webhook subscriptions are at `webhooks`."""

    @op.listing("/v1/subscriptions", id="listSubscriptions", evidence="sampled")
    def list(
        self,
        *,
        patient_id: NonEmpty | None = None,
        page_index: int | None = None,
        page_size: int | None = None,
        order_by: Annotated[Sequence[str] | None, Query("order_by[]")] = None,
        order_descending: Annotated[Sequence[str] | None, Query("order_descending[]")] = None,
        scheme_id: NonEmpty | None = None,
        scheme_name: str | None = None,
        status: str | None = None,
    ) -> Page[Subscription]:
        """List the subscriptions. All is known from a sample: whether `patient_id` may be left out is not documented.

        Args:
            patient_id: Hero id of the patient.
            page_index: Which page. Left out, the iteration finds out how the server counts.
            page_size: Subscriptions on a page. Default and maximum are not documented.
            order_by: What to sort by. Only "created_at" is shown; other values are not documented.
            order_descending: One text for each of `order_by`; the accepted values are not documented.
            scheme_id: Only those of this scheme.
            scheme_name: Only those of the scheme of this name.
            status: State. Only "cancelled" is shown; other values are not documented.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/subscriptions
        """
        ...
