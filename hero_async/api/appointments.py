"""Appointments: a time is reserved first, then booked."""

from __future__ import annotations

import re
from datetime import datetime

from hero_async import operations as op
from hero_async.delivery import Delivery
from hero_async.errors import BookingError, HeroError
from hero_async.fields import Answer, Id, NonEmpty, Null, Ref, Time, model
from hero_async.operations import Resource
from hero_async.resources import Async, Mode


@model
class AppointmentReservation:
    """A time that is held for a patient until it is booked or the hold runs out."""

    id: Ref
    """Id of the appointment, for `appointments.book`."""

    reserved_until: Time | None
    """When the hold ends. Read this: the length of a hold is not documented."""


@model
class Appointment:
    """An appointment, reserved or booked. No state is among the fields that the reference shows:
    look at `booking_confirmed_at`."""

    id: Ref
    """Id of the appointment, digits."""

    practitioner_id: Ref
    """Id of the practitioner, digits."""

    location_id: Ref
    """Id of the location, digits."""

    appointment_type_id: Ref
    """Id of the appointment type, digits."""

    start_time: Time | None
    """When it starts."""

    patient_id: Ref | None = None
    """Hero id of the patient, digits."""

    duration: float | None = None
    """How long it is: in minutes, going by a guide."""

    video: bool | None = None
    """Whether it is by video."""

    in_person: bool | None = None
    """Whether it is in person."""

    telephone: bool | None = None
    """Whether it is by telephone."""

    video_url: str | None = None
    """Where the video call is. Not confirmed whether it is always sent."""

    link_id: Ref | None = None
    """Id of the link by which it was made."""

    reserved_until: Time | None = None
    """When the hold ends, for an appointment that is not booked."""

    booking_confirmed_at: Time | None = None
    """When it was booked; None while it is only reserved."""

    can_be_cancelled: bool | None = None
    """Whether it can be cancelled."""

    can_be_rescheduled: bool | None = None
    """Whether it can be moved."""

    cancellation_policy_hours: float | None = None
    """Hours of the cancellation policy: most likely, how long before its start it can be cancelled."""

    suppress_mail: bool | None = None
    """Whether the patient gets no e-mail about it."""


class AppointmentEdited(Answer):
    """The answer to changing an appointment. Its body is not shown in the reference: read `raw`, perhaps empty."""

    __slots__ = ()


class AppointmentBooked(Answer):
    """The answer to booking an appointment. Its body is not shown in the reference: read `raw`, perhaps empty."""

    __slots__ = ()


class AppointmentCancelled(Answer):
    """The answer to cancelling an appointment. Its body is not shown in the reference: read `raw`, perhaps empty."""

    __slots__ = ()


class AppointmentRescheduled(Answer):
    """The answer to moving an appointment. Its body is not shown in the reference: read `raw`, perhaps empty."""

    __slots__ = ()


class AppointmentStatus(Answer):
    """The state of an appointment. Neither its fields nor its values are shown in the reference: read `raw`."""

    __slots__ = ()


@model
class Booking:
    """An appointment that was reserved and booked."""

    reservation: AppointmentReservation
    """What was reserved."""

    answer: AppointmentBooked
    """What the booking answered; empty if the answer was lost, but the appointment is known to be booked."""

    @property
    def id(self) -> str:
        """Id of the appointment."""
        return self.reservation.id


_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _held(held: AppointmentReservation, failure: HeroError) -> BookingError:
    """What is held until when, in words. An id of another form than ids have is not quoted."""
    what = "perhaps booked" if failure.delivery is Delivery.UNKNOWN else "not booked"
    name = held.id if _PLAIN_ID.fullmatch(held.id) else "(see appointment_id)"
    until = held.reserved_until.isoformat() if held.reserved_until else "a time that the server did not tell"
    why = str(failure.args[0]) if failure.args else type(failure).__name__
    return BookingError(
        f"reserved, but {what}: appointment {name} is held until {until}; {why}",
        appointment_id=held.id,
        reserved_until=held.reserved_until,
        operation=failure.operation,
        attempts=failure.attempts,
        call_id=failure.call_id,
        request_id=failure.request_id,
        delivery=failure.delivery,
    )


class Appointments(Resource[Mode]):
    """Appointments: `slots.list` finds a time, `create` reserves it, `book` confirms it."""

    @op.post("/v1/appointments", id="createAppointment")
    def create(
        self,
        *,
        appointment_type_id: NonEmpty,
        location_id: NonEmpty,
        practitioner_id: NonEmpty,
        duration: float,
        start_time: datetime | Null,
        patient_id: NonEmpty | None = None,
        billpayer_id: NonEmpty | None = None,
        reason: str | None = None,
        suppress_mail: bool | None = None,
        suppress_availability_check: bool | None = None,
    ) -> AppointmentReservation:
        """Reserve a time for a patient. It is let go by itself unless `book` confirms it in time.

        Args:
            appointment_type_id: Id of the appointment type; very likely digits, as are the other ids.
            location_id: Id of the location.
            practitioner_id: Id of the practitioner.
            duration: How long it is: in minutes, going by a guide.
            start_time: When it starts, an aware datetime. NULL is allowed by its type; what it does is not documented.
            patient_id: Hero id of the patient.
            billpayer_id: Who pays; whose id it is is not documented.
            reason: Why the patient comes.
            suppress_mail: Whether the patient gets no e-mail about it.
            suppress_availability_check: Reserve without a look whether the time is free.

        Raises:
            NotFoundError: Something that an id names does not exist; which is not documented.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/booking/createappointment
        """
        ...

    @op.get("/v1/appointments/{id}", id="getAppointment")
    def get(self, id: str) -> Appointment:
        """Get one appointment, reserved or booked.

        Args:
            id: Id of the appointment.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/booking/getappointment
        """
        ...

    @op.put("/v1/appointments/{id}", id="editAppointment")
    def edit(
        self,
        id: str,
        *,
        start_time: datetime | Null,
        duration: float,
        practitioner_id: Id,
        suppress_availability_check: bool | None = None,
        suppress_mail: bool | None = None,
    ) -> AppointmentEdited:
        """Change an appointment that is only reserved. One that is booked is moved by `reschedule`.

        A PUT, yet not repeated by itself when its answer is lost: it can mail the patient.

        Args:
            id: Id of the appointment.
            start_time: When it starts, an aware datetime. NULL is allowed by its type; what it does is not documented.
            duration: How long it is: in minutes, going by a guide.
            practitioner_id: Id of the practitioner, digits.
            suppress_availability_check: Change it without a look whether the time is free.
            suppress_mail: Whether the patient gets no e-mail about it.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/booking/getappointmentstatus
        """
        ...

    @op.patch("/v1/appointments/{id}/book", id="bookAppointment", evidence="inferred")
    def book(self, id: str) -> AppointmentBooked:
        """Confirm a reserved appointment. Method and path are inferred from `cancel` and `reschedule`.

        After a lost answer, `get` tells by `booking_confirmed_at`.

        Args:
            id: Id of the appointment, as `create` gives it.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/booking/bookappointment
        """
        ...

    @op.patch("/v1/appointments/{id}/cancel", id="cancelAppointment", evidence="sampled")
    def cancel(
        self,
        id: str,
        *,
        suppress_mail: bool | None = None,
        suppress_cancellation_policy: bool | None = None,
    ) -> AppointmentCancelled:
        """Cancel an appointment.

        Args:
            id: Id of the appointment.
            suppress_mail: Whether the patient gets no e-mail about it. The server's default is not documented.
            suppress_cancellation_policy: Cancel it although the practice's policy says that it is too late.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/booking/rescheduleappointment
        """
        ...

    @op.patch("/v1/appointments/{id}/reschedule", id="rescheduleAppointment", evidence="sampled")
    def reschedule(
        self,
        id: str,
        *,
        practitioner_id: NonEmpty | None = None,
        duration: float | None = None,
        start_time: datetime | None = None,
        suppress_mail: bool | None = None,
        suppress_availability_check: bool | None = None,
    ) -> AppointmentRescheduled:
        """Move an appointment to another time, length or practitioner. Which fields it needs is not documented.

        Args:
            id: Id of the appointment.
            practitioner_id: Id of the practitioner.
            duration: How long it is: in minutes, going by a guide.
            start_time: When it starts, an aware datetime.
            suppress_mail: Whether the patient gets no e-mail about it.
            suppress_availability_check: Move it without a look whether the time is free.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/booking/rescheduleappointment
        """
        ...

    @op.get("/v1/appointments/{id}/status", id="getAppointmentStatus", evidence="inferred")
    def status(self, id: str) -> AppointmentStatus:
        """Read the state of an appointment. Only the path was seen; method and answer are not confirmed.

        Args:
            id: Id of the appointment.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/booking/getappointmentstatus
        """
        ...

    @op.flow
    async def reserve_and_book(
        self: Appointments[Async],
        *,
        appointment_type_id: NonEmpty,
        location_id: NonEmpty,
        practitioner_id: NonEmpty,
        duration: float,
        start_time: datetime,
        patient_id: NonEmpty | None = None,
        billpayer_id: NonEmpty | None = None,
        reason: str | None = None,
        suppress_mail: bool | None = None,
        suppress_availability_check: bool | None = None,
    ) -> Booking:
        """Reserve a time and book it.

        When it is unknown whether the booking was processed, the appointment is looked at once: if it says that it
        is booked, that is the answer.

        Args:
            appointment_type_id: Id of the appointment type.
            location_id: Id of the location.
            practitioner_id: Id of the practitioner.
            duration: How long it is: in minutes, going by a guide.
            start_time: When it starts, an aware datetime.
            patient_id: Hero id of the patient.
            billpayer_id: Who pays; whose id it is is not documented.
            reason: Why the patient comes.
            suppress_mail: Whether the patient gets no e-mail about it.
            suppress_availability_check: Reserve without a look whether the time is free.

        Raises:
            BookingError: The time is reserved, but the booking failed: it says which appointment is held until when,
                and by `.delivery` whether it may be booked all the same. An error of the reservation comes out as it
                is: then nothing is held, unless its `.delivery` says otherwise.
        """
        try:
            call = Appointments.create.build(
                appointment_type_id=appointment_type_id,
                location_id=location_id,
                practitioner_id=practitioner_id,
                duration=duration,
                start_time=start_time,
                patient_id=patient_id,
                billpayer_id=billpayer_id,
                reason=reason,
                suppress_mail=suppress_mail,
                suppress_availability_check=suppress_availability_check,
            )
        finally:  # a traceback that shows locals must not show them
            del appointment_type_id, location_id, practitioner_id, duration, start_time, patient_id, billpayer_id
            del reason
        held = await self.create(**call.arguments)
        try:
            return Booking(reservation=held, answer=await self.book(held.id))
        except HeroError as error:
            failure = error
        if failure.delivery is Delivery.UNKNOWN and await self._is_booked(held.id):
            return Booking(reservation=held, answer=AppointmentBooked({}))
        if failure.delivery is Delivery.YES:  # a 2xx whose body is lost, and nothing is known of that body
            return Booking(reservation=held, answer=AppointmentBooked({}))
        raise _held(held, failure) from failure

    async def _is_booked(self: Appointments[Async], id: str) -> bool:
        """Whether the appointment says that it is booked; False also when it cannot be looked at."""
        try:
            return (await self.get(id)).booking_confirmed_at is not None
        except HeroError:
            return False
