"""One message to one patient."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from hero_async import operations as op
from hero_async.api._shared import Title
from hero_async.fields import Id, NonEmpty, Ref, Time, model
from hero_async.operations import Resource
from hero_async.resources import Mode

MessageType = Literal["hero", "sms", "email", "nhs_app"]


@model
class SentMessage:
    """A message that Hero accepted. Accepted is not delivered: see `messages.get`."""

    message_id: Ref
    """Id for `messages.get`."""

    content: str
    """The text, as Hero keeps it."""

    created_at: str
    """When Hero accepted it: text, its format is not documented."""

    snomed_code: str | None = None
    """SNOMED code of the EHR entry. Not confirmed whether it is always sent."""

    write_to_record: bool | None = None
    """Whether it is to be filed to the EHR. Not confirmed whether it is always sent."""

    auth_token: str | None = None
    """A token; what it opens is not documented. A secret."""

    confirm_write_to_record_url: str | None = None
    """Where an admin of the practice approves the filing."""

    submitted_by: str | None = None
    """Who sent it. Not confirmed whether it is always sent."""

    send_at: Time | None = None
    """When it will be sent, for a scheduled message."""


@model
class MessagePatient:
    """The patient of a message."""

    id: Ref | None = None
    """Hero id."""

    title: Title | None = None
    """Title, such as "Dr"."""

    first_name: str | None = None
    """First name."""

    last_name: str | None = None
    """Last name."""


@model
class WriteToRecord:
    """How the filing of a message to the EHR went."""

    write_to_record_at: Time | None = None
    """When it was filed."""

    status: str | None = None
    """State of the filing; the values are not documented."""

    failure_reason: str | None = None
    """Why it failed."""

    snomed_code: str | None = None
    """SNOMED code of the entry."""


@model
class MessageShortLink:
    """The short link that a message carried."""

    id: Ref | None = None
    """Id of the link."""

    type: str | None = None
    """Kind of link; the values are not documented."""

    name: str | None = None
    """Its name."""

    status: str | None = None
    """Its state; the values are not documented."""


@model
class MessageCampaign:
    """The campaign that a message belongs to."""

    id: Ref | None = None
    """Id of the campaign."""

    name: str | None = None
    """Its name."""


@model
class MessageAdmin:
    """The admin who sent a message. Fields after the id are not shown in the reference."""

    id: Ref | None = None
    """Id of the admin."""


@model
class Message:
    """A message, its delivery and its filing. The reference shows a sample only: any field may be missing."""

    id: Ref | None = None
    """Id of the message."""

    patient: MessagePatient | None = None
    """Who it is for."""

    write_to_record: WriteToRecord | None = None
    """How the filing to the EHR went."""

    short_link: MessageShortLink | None = None
    """The short link that it carried."""

    campaign: MessageCampaign | None = None
    """The campaign that it belongs to."""

    created_at: Time | None = None
    """When it was made."""

    sent_at: Time | None = None
    """When it was sent."""

    scheduled_at: Time | None = None
    """When it is to be sent."""

    status: str | None = None
    """Delivery state. The sample shows "delivered"; the other values are not documented."""

    sent_by_admin: MessageAdmin | None = None
    """The admin who sent it."""


class Messages(Resource[Mode]):
    """One message to one patient."""

    @op.post("/v1/messages/send", id="sendMessage")
    def send(
        self,
        *,
        patient_id: Id,
        message_type: MessageType,
        message_string: NonEmpty,
        recipient_contact_detail: str | None = None,
        fallback_contact_detail: str | None = None,
        fallback_message_type: Literal["sms", "email"] | None = None,
        write_to_record: bool | None = None,
        encrypted: bool | str | None = None,
        snomed_code: str | None = None,
        snomed_term: str | None = None,
        auto_write_to_record: bool | None = None,
        task_id: NonEmpty | None = None,
        attachment_uuid: NonEmpty | None = None,
        short_link_id: NonEmpty | None = None,
        assignee_id: float | None = None,
        assignee_type: str | None = None,
        send_at: datetime | str | None = None,
    ) -> SentMessage:
        """Send one message to a patient.

        There is no idempotency key: a call whose answer was lost is never repeated, its error says
        `delivery` UNKNOWN, and whether it was sent cannot be looked up.

        Args:
            patient_id: Hero id of the patient, digits; `patients.register_pds` gives it.
            message_type: "sms", "email" or "nhs_app"; "hero" only keeps a record and sends nothing.
            message_string: The text, at least one character.
            recipient_contact_detail: Phone number or e-mail address. Default: the patient's own in Hero.
            fallback_contact_detail: Phone number or e-mail address of the fallback.
            fallback_message_type: Channel of the fallback. When it fires is not documented.
            write_to_record: File the message to the EHR once an admin approves. Default of the server: False.
            encrypted: Whether to encrypt the message. Default of the server: False.
            snomed_code: SNOMED code of the EHR entry. The server has a default.
            snomed_term: SNOMED term of the EHR entry. The server has a default.
            auto_write_to_record: File without approval, if the key may. Default of the server: False.
            task_id: A task to tie the message to.
            attachment_uuid: An attachment, as `attachment_links.create` gives it.
            short_link_id: A short link to add.
            assignee_id: Admin or admin team to assign the message to; a number here.
            assignee_type: "Admin" or "AdminTeam".
            send_at: When to send it: an aware datetime, or text as it is. Limits are not documented.

        Returns:
            What Hero accepted. Accepted is not delivered.

        Raises:
            PermissionDeniedError: The key may not do this. An older page lists a 403, named "unauthorised".

        Reference: https://developer.herohealth.net/apis/public-api/openapi/messages/sendmessage
        """
        ...

    @op.get("/v1/messages/{id}", id="getMessage", evidence="sampled")
    def get(self, id: str) -> Message:
        """Get one message with its delivery status and EHR filing.

        Args:
            id: Id of the message, as `messages.send` gives it.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/messages/getmessage
        """
        ...
