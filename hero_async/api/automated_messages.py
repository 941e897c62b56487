"""Messages that Hero sends by itself."""

from __future__ import annotations

from typing import Annotated

from hero_async import operations as op
from hero_async.fields import Answer, NonEmpty, Query
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode


class AutomatedMessage(Answer):
    """An automated message. Its fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class AutomatedMessages(Resource[Mode]):
    """Messages that Hero sends by itself."""

    @op.listing("/v2/automated_messages", id="listAutomatedMessages", evidence="sampled")
    def list(
        self,
        *,
        page_index: int | None = None,
        page_size: int | None = None,
        order_by: Annotated[str | None, Query("orderBy")] = None,
        order_descending: bool | None = None,
        recipient_id: NonEmpty | None = None,
        status: str | None = None,
        notification_type: str | None = None,
    ) -> Page[AutomatedMessage]:
        """List the automated messages. All parameters are known from a sample only.

        Args:
            page_index: Which page. Left out, the iteration finds out how the server counts.
            page_size: Messages on a page. Default and maximum are not documented.
            order_by: What to sort by. Only "createdAt" is shown; other values are not documented.
            order_descending: Whether the last comes first.
            recipient_id: Only those to this recipient; whose id it is is not documented.
            status: State. Only "INVALIDATED" is shown; other values are not documented.
            notification_type: Kind; the values are not documented.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/booking/listbookinglinks
        """
        ...

    @op.get("/v2/automated_messages/{id}", id="getAutomatedMessage", evidence="sampled")
    def get(self, id: str) -> AutomatedMessage:
        """Get one automated message.

        Args:
            id: Id of the message.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/messages/getautomatedmessage
        """
        ...
