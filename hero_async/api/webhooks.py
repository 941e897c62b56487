"""Which events Hero tells to which address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from hero_async import operations as op
from hero_async.fields import Answer, NonEmpty, Ref, model
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode

WebhookEventType = Literal[
    "appointment.confirmed",
    "appointment.cancelled",
    "appointment.rescheduled",
    "prescription.issued",
    "patient.medical-record-updated",
    "patient.added-to-sequence",
    "write-to-record.succeeded",
    "write-to-record.failed",
]


@model
class Webhook:
    """A subscription to one type of event."""

    id: Ref
    """Id of the subscription."""

    event_type: str
    """Which events."""

    url: str
    """Where they are sent."""

    created_at: str
    """When it was made: text, its format is not documented."""

    updated_at: str
    """When it was last changed: text, its format is not documented."""

    signing_key: str | None = None
    """The key that deliveries are signed with: the server gives it back. A secret."""

    headers: dict[str, str] | None = None
    """Headers of each delivery: not confirmed. They may hold secrets."""


class WebhookItem(Answer):
    """A subscription of the list. Its fields are not shown in the reference, likely a `Webhook`'s: read `raw`.

    It may hold the signing key.
    """

    __slots__ = ()


class WebhookDeleted(Answer):
    """The answer to deleting a subscription. Its body is not shown in the reference: read `raw`, perhaps empty."""

    __slots__ = ()


class Webhooks(Resource[Mode]):
    """Which events Hero tells to which address. `hero_async.webhooks` verifies what then comes."""

    @op.post("/v1/webhooks", id="createWebhook")
    def create(
        self,
        *,
        event_type: WebhookEventType,
        url: NonEmpty,
        description: str | None = None,
        signing_key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Webhook:
        """Subscribe an address to one type of event. Hero POSTs to it each time that it happens.

        Args:
            event_type: Which events. The last two are only in the newest copy of the reference.
            url: Where to send them. Whether it must be https is not documented.
            description: A text for people. The answer does not show it.
            signing_key: A secret of your own: deliveries are then signed by HMAC-SHA256. Its limits are not documented.
            headers: Headers to add to each delivery: not confirmed.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/webhooks/deletewebhook
        """
        ...

    @op.listing("/v1/webhooks", id="listWebhooks", evidence="sampled")
    def list(self, *, event_type: str | None = None) -> Page[WebhookItem]:
        """List the subscriptions of the practice group. No paging is shown: one page.

        Args:
            event_type: Only those to these events; likely as for `create`.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/webhooks/deletewebhook
        """
        ...

    @op.delete("/v1/webhooks/{id}", id="deleteWebhook", idempotent=True, evidence="inferred")
    def delete(self, id: str) -> WebhookDeleted:
        """End a subscription. Method and path are inferred: not confirmed.

        Args:
            id: Id of the subscription.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/webhooks/deletewebhook
        """
        ...
