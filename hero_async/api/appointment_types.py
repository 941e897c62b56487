"""What kinds of appointment a practice offers."""

from __future__ import annotations

from collections.abc import Sequence

from hero_async import operations as op
from hero_async.fields import NonEmpty, OpenEnum, Ref, Time, model
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode


class AppointmentTypeAssigneeType(OpenEnum):
    """What an appointment type is assigned to."""

    ADMIN = "Admin"
    ADMIN_TEAM = "AdminTeam"


class AppointmentTypeSector(OpenEnum):
    """The sector that an appointment belongs to."""

    NHS = "nhs"
    PAID = "paid"


@model
class AppointmentType:
    """A kind of appointment."""

    id: Ref
    """Id of the appointment type."""

    name: str
    """Its name."""

    partner_slot_name: str
    """Its name with the partner, such as the EHR."""

    next_available_at: Time | None
    """When the next one is free."""

    slot_count: int
    """How many slots there are. Over which time is not documented."""

    price: float
    """What it costs. Neither currency nor unit (pounds or pence) is documented."""

    assignee_id: Ref | None
    """Id of the admin or admin team that it is assigned to, digits."""

    assignee_type: AppointmentTypeAssigneeType | None
    """What it is assigned to."""

    duration: float
    """How long it is: in minutes, going by a guide."""

    use_partner_bookable_slots: bool
    """Whether the partner's bookable slots are used."""

    form_id: Ref | None
    """Id of the form that goes with it."""

    practitioner_type: str
    """What kind of practitioner gives it, such as "GP". The reference shows ten values, and probably is cut there."""

    sector: AppointmentTypeSector | None = None
    """Its sector."""

    video: bool | None = None
    """Whether it may be by video."""

    in_person: bool | None = None
    """Whether it may be in person."""

    telephone: bool | None = None
    """Whether it may be by telephone."""

    admin_booking_invoice_required: bool | None = None
    """Whether a booking by an admin needs an invoice."""


class AppointmentTypes(Resource[Mode]):
    """What kinds of appointment the practice group offers."""

    @op.listing("/v1/appointment_types", id="listAppointmentTypes")
    def list(
        self,
        *,
        location_ids: Sequence[NonEmpty] | None = None,
        has_availability: bool | None = None,
    ) -> Page[AppointmentType]:
        """List the kinds of appointment. No paging is shown: one page.

        Args:
            location_ids: Only those of these locations. Several are sent by repeating the key: not confirmed.
            has_availability: Whether they must have free slots.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/practice-group/getconfiguration
        """
        ...
