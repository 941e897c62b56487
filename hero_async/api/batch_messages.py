"""The same text to many patients."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import date
from typing import Literal, cast

from hero_async import clock
from hero_async import operations as op
from hero_async.delivery import Delivery
from hero_async.errors import (
    APIConnectionError,
    APITimeoutError,
    InternalServerError,
    InvalidArgumentError,
    RateLimitError,
)
from hero_async.fields import Answer, NhsNumber, Null, OpenEnum, Ref, model
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Async, Mode

BatchChannel = Literal["SMS", "EMAIL", "NHS_APP"]


class BatchMessageChannel(OpenEnum):
    """How a batch goes out."""

    SMS = "SMS"
    EMAIL = "EMAIL"
    NHS_APP = "NHS_APP"


class BatchMessageStatus(OpenEnum):
    """How far a batch is."""

    CREATED = "CREATED"
    PENDING = "PENDING"
    SENDING = "SENDING"
    COMPLETED = "COMPLETED"


@model
class BatchRecipientByNhsNumber:
    """Who gets a batch: NHS number and date of birth."""

    nhs_number: NhsNumber
    """Ten digits; spaces and hyphens are taken out before it is sent."""

    dob: date | Null
    """Date of birth, or NULL."""


@model
class BatchMessage:
    """A batch."""

    id: Ref
    """Id of the batch."""

    name: str
    """The name that it was given."""

    status: BatchMessageStatus
    """How far it is."""

    channel: BatchMessageChannel
    """How it goes out."""

    content: str
    """The text."""

    subject: str | None = None
    """The subject, for e-mail."""


class BatchMessageRecipient(Answer):
    """A recipient of a batch. Its fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class BatchMessageSend(Answer):
    """One send of a batch. Its fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class BatchMessageSent(Answer):
    """The answer to sending a batch. Its body is not shown in the reference: read `raw`, which may be empty."""

    __slots__ = ()


def _check_seconds(name: str, value: object, *, finite: bool = False) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and cast("float", value) > 0) or (finite and value == math.inf):
        rule = "must be a number, more than zero" + (" and finite" if finite else "")
        raise InvalidArgumentError(f"{name}: {rule}", operation="batch_messages.wait")


class BatchMessages(Resource[Mode]):
    """The same text to many patients: create a batch, then send it."""

    @op.post("/v1/batch_message", id="createBatchMessage")
    def create(
        self,
        *,
        name: str,
        channel: BatchChannel,
        content: str,
        recipients: Sequence[BatchRecipientByNhsNumber],
        subject: str | None = None,
    ) -> BatchMessage:
        """Create a batch. Nothing goes out before `send`.

        Args:
            name: A name for people to find it by. Whether it must be unique is not documented.
            channel: How it goes out.
            content: The text, the same for all.
            recipients: Who gets it. The most that a batch may hold is not documented.
            subject: The subject; needed for EMAIL.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/messages/listsentmessages
        """
        ...

    @op.get("/v1/batch_message/{id}", id="getBatchMessage", evidence="sampled")
    def get(self, id: str) -> BatchMessage:
        """Get one batch.

        Args:
            id: Id of the batch.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/messages/listbatchmessages
        """
        ...

    @op.listing("/v1/batch_message", id="listBatchMessages", evidence="sampled")
    def list(
        self,
        *,
        page_size: int | None = None,
        page_index: int | None = None,
        status: Literal["CREATED", "ENRICHMENT_ERROR", "ENRICHED", "INVALID_PAYLOAD", "QUEUED"] | None = None,
    ) -> Page[BatchMessage]:
        """List batches.

        The reference shows one batch as the answer where a list is meant; both are read.

        Args:
            page_size: Batches on a page. Default and maximum are not documented.
            page_index: Which page. Left out, the iteration finds out how the server counts.
            status: As documented; the values do not match `BatchMessageStatus` and may be a slip in the reference.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/messages/listbatchmessages
        """
        ...

    @op.patch("/v1/batch_message/{id}/send", id="sendBatchMessage", evidence="sampled")
    def send(self, id: str) -> BatchMessageSent:
        """Start sending a batch. What a second send does is not documented: look at the status first.

        Args:
            id: Id of the batch.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/messages/listbatchmessages
        """
        ...

    @op.listing("/v1/batch_message/{id}/recipients", id="listBatchMessageRecipients", evidence="sampled")
    def recipients(
        self,
        id: str,
        *,
        page_size: int | None = None,
        page_index: int | None = None,
        status: str | None = None,
    ) -> Page[BatchMessageRecipient]:
        """List the recipients of a batch.

        Args:
            id: Id of the batch.
            page_size: Recipients on a page. Default and maximum are not documented.
            page_index: Which page. Left out, the iteration finds out how the server counts.
            status: Only "CREATED" is shown in the reference; other values are not documented.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/messages/listbatchmessages
        """
        ...

    @op.listing("/v1/batch_message/{id}/messages", id="listBatchMessageSends", evidence="sampled")
    def messages(
        self,
        id: str,
        *,
        page_size: int | None = None,
        page_index: int | None = None,
        status: Literal["CREATED", "QUEUED", "SENT", "ERROR", "SUCCESS"] | None = None,
    ) -> Page[BatchMessageSend]:
        """List the single sends of a batch.

        Args:
            id: Id of the batch.
            page_size: Sends on a page. Default and maximum are not documented.
            page_index: Which page. Left out, the iteration finds out how the server counts.
            status: State of the sends to list.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/messages/listbatchmessagesends
        """
        ...

    @op.flow
    async def wait(self: BatchMessages[Async], id: str, *, timeout: float = 600.0, poll: float = 5.0) -> BatchMessage:
        """Wait until a batch is COMPLETED. A batch that was not sent never is.

        An error of the first look comes out as it is. Later a lost answer, a 5xx or a 429 only makes it look again.

        Args:
            id: Id of the batch.
            timeout: Seconds to wait at most; `math.inf` for no limit. A look that is under way then is finished.
            poll: Seconds between two looks, on average: each pause is drawn between half and one and a half of it.

        Returns:
            The batch, COMPLETED.

        Raises:
            APITimeoutError: It is not COMPLETED in time, or in a state that the reference does not list. Its
                `.delivery` is UNKNOWN: the batch may yet be sent.
        """
        _check_seconds("timeout", timeout)
        _check_seconds("poll", poll, finite=True)
        until = clock.monotonic() + timeout
        batch = await self.get(id)
        looks = 1
        while batch.status != BatchMessageStatus.COMPLETED:
            left = until - clock.monotonic()
            if left <= 0:
                state = batch.status.value if batch.status.is_known else "in a state that the reference does not list"
                raise APITimeoutError(
                    f"not COMPLETED within {timeout:g} s; when last seen, it was {state}",
                    phase="poll",
                    operation="batch_messages.wait",
                    attempts=looks,
                    delivery=Delivery.UNKNOWN,
                )
            await clock.sleep(min(left, poll * random.uniform(0.5, 1.5)))
            looks += 1
            try:
                batch = await self.get(id)
            except (APIConnectionError, InternalServerError, RateLimitError):
                continue  # reading changes nothing, and what failed may pass: look again until time is over
        return batch
