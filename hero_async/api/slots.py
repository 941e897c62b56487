"""Times that can be booked."""

from __future__ import annotations

from datetime import date, datetime

from hero_async import operations as op
from hero_async.fields import Answer, NonEmpty, Ref, Time, model
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode


@model
class Slot:
    """A time that can be booked. The reference shows a sample only: any field may be missing."""

    id: Ref | None = None
    """Id of the slot."""

    practitioner_id: Ref | None = None
    """Id of the practitioner."""

    appointment_type_id: Ref | None = None
    """Id of the appointment type."""

    location_id: Ref | None = None
    """Id of the location."""

    start_time: Time | None = None
    """When it starts."""

    finish_time: Time | None = None
    """When it ends."""


@model
class SlotAvailability:
    """Whether a time is free."""

    available: bool | None = None
    """Whether it is. Not confirmed whether it is always sent."""


class SlotCount(Answer):
    """How many slots there are. The form of the answer is not shown in the reference: read `raw`."""

    __slots__ = ()


class Slots(Resource[Mode]):
    """Times that can be booked. The next step is `appointments.create`."""

    @op.listing("/v1/slots", id="listSlots", evidence="inferred")
    def list(
        self,
        *,
        location_id: NonEmpty | None = None,
        practitioner_id: NonEmpty | None = None,
        appointment_type_id: NonEmpty | None = None,
        start_date: date | str | None = None,
        end_date: date | str | None = None,
    ) -> Page[Slot]:
        """List the free slots of the practice group.

        The server gives them page by page, but by which parameters is not documented: what comes is its first page.
        Narrow the window with `start_date` and `end_date`. Path, filters and the form of the answer are inferred.

        Args:
            location_id: Id of a location. Several may be allowed; how is not documented.
            practitioner_id: Id of a practitioner.
            appointment_type_id: Id of an appointment type.
            start_date: First day of the window, sent as YYYY-MM-DD; or text as it is: the format is not documented.
            end_date: Last day of the window, likewise. Not confirmed whether that day is part of it.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/booking/listslots
        """
        ...

    @op.get("/v1/slots/{id}", id="getSlot", evidence="sampled")
    def get(self, id: str) -> Slot:
        """Get one slot.

        Args:
            id: Id of the slot.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/booking/getslot
        """
        ...

    @op.get("/v1/slots/count", id="countSlots", evidence="sampled")
    def count(
        self,
        *,
        appointment_type_id: NonEmpty | None = None,
        location_id: NonEmpty | None = None,
        practitioner_id: NonEmpty | None = None,
        start_date: date | str | None = None,
        end_date: date | str | None = None,
    ) -> SlotCount:
        """Count the free slots. Which filters are needed is not documented.

        Args:
            appointment_type_id: Id of an appointment type.
            location_id: Id of a location.
            practitioner_id: Id of a practitioner.
            start_date: First day of the window, sent as YYYY-MM-DD; or text as it is: the format is not documented.
            end_date: Last day of the window, likewise. Not confirmed whether that day is part of it.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/booking/countslots
        """
        ...

    @op.post("/v1/slots/availability", id="checkSlotAvailability", idempotent=True, evidence="sampled")
    def check_availability(
        self,
        *,
        practitioner_id: NonEmpty | None = None,
        appointment_type_id: NonEmpty | None = None,
        location_id: NonEmpty | None = None,
        start_time: datetime | None = None,
        duration: float | None = None,
    ) -> SlotAvailability:
        """Ask whether a time is free. Which fields are needed is not documented.

        Args:
            practitioner_id: Id of the practitioner.
            appointment_type_id: Id of the appointment type.
            location_id: Id of the location.
            start_time: When it starts, an aware datetime.
            duration: How long it is: in minutes, going by a guide.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/booking/listappointments
        """
        ...
