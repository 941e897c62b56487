"""Links by which patients book a time themselves."""

from __future__ import annotations

from datetime import date
from typing import Any

from hero_async import operations as op
from hero_async.fields import Answer, NonEmpty, Ref, Time, model
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode


@model
class BookingLinkMeta:
    """What a booking link offers."""

    appointment_type_id: tuple[Any, ...] | None = None
    """Ids of the appointment types. Whether text or numbers is not documented."""

    location_id: tuple[Any, ...] | None = None
    """Ids of the locations. Whether text or numbers is not documented."""

    practitioner_id: tuple[Any, ...] | None = None
    """Ids of the practitioners. Whether text or numbers is not documented."""

    from_date: str | None = None
    """Only slots after this date: text, its format is not documented."""

    to_date: str | None = None
    """Only slots before this date: text, its format is not documented."""


@model
class BookingLink:
    """A booking link. The reference shows a sample only: any field may be missing."""

    id: Ref | None = None
    """Id of the link."""

    practice_group_id: Ref | None = None
    """Id of the practice group."""

    short_link: str | None = None
    """The address to give to the patient."""

    active: bool | None = None
    """Whether it works."""

    expiry_date: Time | None = None
    """Until when it works. A moment here, where `create` takes a date."""

    maximum_uses: int | None = None
    """How often it can be used; `maximum_use_count` of `create`."""

    number_of_uses: int | None = None
    """How often it was used."""

    open_count: int | None = None
    """How often it was opened."""

    unlimited_use: bool | None = None
    """Whether it can be used as often as one likes."""

    meta: BookingLinkMeta | None = None
    """What it offers."""

    created_at: str | None = None
    """When it was made: text, its format is not documented."""

    link_name: str | None = None
    """Its name."""

    patient_id: Ref | None = None
    """Hero id of the patient whom it is for."""


class BookingLinkItem(Answer):
    """A booking link of the list. Its fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class BookingLinkCreated(Answer):
    """The answer to making a booking link. Its fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class BookingLinkUpdated(Answer):
    """The answer to changing a booking link. Its fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class BookingLinks(Resource[Mode]):
    """Links by which patients book a time themselves."""

    @op.post("/v1/booking_links", id="createBookingLink", evidence="inferred")
    def create(
        self,
        *,
        appointment_type_id: NonEmpty | None = None,
        location_id: NonEmpty | None = None,
        patient_id: NonEmpty | None = None,
        practitioner_id: NonEmpty | None = None,
        from_date: date | None = None,
        to_date: date | None = None,
        expiry_date: date | None = None,
        maximum_use_count: int | None = None,
    ) -> BookingLinkCreated:
        """Make a booking link. Fields are from a guide; which of them are needed is not confirmed.

        With a patient, the patient proves who they are by date of birth. Without one the link is generic: patients
        sign in by the practice's login. Newer pages say that a link belongs to a patient, and then are cut.

        Args:
            appointment_type_id: Id of the appointment type.
            location_id: Id of the location.
            patient_id: Hero id of the patient; without it the link is generic.
            practitioner_id: Id of the practitioner; without it any.
            from_date: Offer only slots after this date.
            to_date: Offer only slots before this date.
            expiry_date: Until when it works.
            maximum_use_count: How often it can be used; `maximum_uses` of a `BookingLink`.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/links/createbookinglink
        """
        ...

    @op.get("/v1/booking_links/{id}", id="getBookingLink", evidence="sampled")
    def get(self, id: str) -> BookingLink:
        """Get one booking link: how often it was used, and what it offers.

        Args:
            id: Id of the link.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/booking/countslots
        """
        ...

    @op.listing("/v2/bookinglinks", id="listBookingLinks", evidence="sampled")
    def list(self) -> Page[BookingLinkItem]:
        """List the booking links. Filters and paging are not shown in the reference: one page.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/booking/listbookinglinks
        """
        ...

    @op.patch("/v1/booking_links/{id}", id="updateBookingLink", evidence="sampled")
    def update(
        self,
        id: str,
        *,
        appointment_type_id: NonEmpty | None = None,
        location_id: NonEmpty | None = None,
        practitioner_id: NonEmpty | None = None,
        from_date: date | None = None,
        to_date: date | None = None,
    ) -> BookingLinkUpdated:
        """Change what a booking link offers. The sample is cut: there may be more fields.

        Args:
            id: Id of the link.
            appointment_type_id: Id of the appointment type.
            location_id: Id of the location.
            practitioner_id: Id of the practitioner.
            from_date: Offer only slots after this date. The reference shows the text of this field, not its name.
            to_date: Offer only slots before this date. The reference shows the text of this field, not its name.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/links/createformlink
        """
        ...
