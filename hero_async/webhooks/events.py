"""The events that Hero tells of, as types.

    Event
    ├── AppointmentEvent
    │   ├── AppointmentConfirmedEvent          appointment.confirmed
    │   ├── AppointmentRescheduledEvent        appointment.rescheduled
    │   └── AppointmentCancelledEvent          appointment.cancelled
    ├── PatientEvent
    │   ├── PatientMedicalRecordUpdatedEvent   patient.medical-record-updated
    │   └── PatientAddedToSequenceEvent        patient.added-to-sequence
    ├── PrescriptionIssuedEvent                prescription.issued
    ├── WriteToRecordEvent
    │   ├── WriteToRecordSucceededEvent        write-to-record.succeeded
    │   └── WriteToRecordFailedEvent           write-to-record.failed
    ├── FormSubmissionCreatedEvent             form-submission.created
    └── UnknownEvent                           anything else

A delivery is thin: it says what happened to which thing, and `fetch` gets the thing. Deliveries may come late, twice
or out of order (not documented), so act on what `fetch` answers rather than on the order of events.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, overload

import attrs

from hero_async.errors import WebhookVerificationError
from hero_async.fields import OpenEnum, Ref, model
from hero_async.webhooks.strict import read_object

if TYPE_CHECKING:
    from hero_async.api.appointments import Appointment
    from hero_async.api.form_responses import FormResponse
    from hero_async.api.patients import PatientV2
    from hero_async.client import AsyncHero
    from hero_sync.client import Hero

EventName = Literal[
    "appointment.confirmed",
    "appointment.rescheduled",
    "appointment.cancelled",
    "prescription.issued",
    "patient.medical-record-updated",
    "patient.added-to-sequence",
    "write-to-record.succeeded",
    "write-to-record.failed",
    "form-submission.created",
]
"""The event types that the reference names."""


class EventType(OpenEnum):
    """What happened."""

    APPOINTMENT_CONFIRMED = "appointment.confirmed"
    APPOINTMENT_RESCHEDULED = "appointment.rescheduled"
    APPOINTMENT_CANCELLED = "appointment.cancelled"
    PRESCRIPTION_ISSUED = "prescription.issued"
    PATIENT_MEDICAL_RECORD_UPDATED = "patient.medical-record-updated"
    PATIENT_ADDED_TO_SEQUENCE = "patient.added-to-sequence"
    WRITE_TO_RECORD_SUCCEEDED = "write-to-record.succeeded"
    WRITE_TO_RECORD_FAILED = "write-to-record.failed"
    FORM_SUBMISSION_CREATED = "form-submission.created"


@model
class Proof:
    """How a delivery was proved to come from Hero."""

    key: Ref
    """Which of the verifier's keys signed it: its name, or its place, "0" for the first."""

    signed_at: datetime
    """The delivery's timestamp, UTC."""

    fingerprint: Ref
    """A hash of the signature: the same for the same body signed at the same time, and for no other delivery."""


@model
class Event:
    """Something that happened at a practice."""

    id: Ref | None
    """Id of the thing that it happened to."""

    practice_group_id: Ref | None
    """The practice."""

    object: Ref | None = None
    """The kind of thing, such as "Appointment"."""

    event: EventType
    """What happened."""

    _raw: Mapping[str, Any] | bytes = attrs.field(factory=dict[str, Any], eq=False, alias="raw")

    proof: Proof | None = attrs.field(default=None, eq=False)
    """How it was proved; None for an event that you made yourself."""

    @property
    def raw(self) -> Mapping[str, Any]:
        """The JSON object as it came, fields that the reference does not show included. Read at the first asking.

        Raises:
            WebhookVerificationError: Somewhere inside it a key is there twice, or it is nested over 64 deep.
        """
        if isinstance(self._raw, bytes):
            found = read_object(self._raw)
            if found is None:
                words = "webhook refused: the body repeats a key, or is nested over 64 deep"
                raise WebhookVerificationError(words, reason="body_format")
            object.__setattr__(self, "_raw", found)
            return found
        return self._raw


@model
class AppointmentEvent(Event):
    """Something happened to an appointment."""

    id: Ref
    """Id of the appointment."""

    practice_group_id: Ref
    """The practice."""

    object: Ref | None = "Appointment"
    """The kind of thing."""

    @overload
    def fetch(self, hero: AsyncHero) -> Coroutine[Any, Any, Appointment]: ...
    @overload
    def fetch(self, hero: Hero) -> Appointment: ...
    def fetch(self, hero: AsyncHero | Hero) -> Any:
        """The appointment as it is now, asked for in the name of the event's practice."""
        return _at(hero, self.practice_group_id).appointments.get(self.id)


@model
class AppointmentConfirmedEvent(AppointmentEvent):
    """An appointment was confirmed."""

    event: EventType = EventType.APPOINTMENT_CONFIRMED
    """What happened."""


@model
class AppointmentRescheduledEvent(AppointmentEvent):
    """An appointment was moved."""

    event: EventType = EventType.APPOINTMENT_RESCHEDULED
    """What happened."""


@model
class AppointmentCancelledEvent(AppointmentEvent):
    """An appointment was cancelled."""

    event: EventType = EventType.APPOINTMENT_CANCELLED
    """What happened."""


@model
class PatientEvent(Event):
    """Something happened to a patient. Not confirmed: that `id` is the patient's; the reference is cut there."""

    id: Ref
    """Id of the patient, going by the event's name."""

    practice_group_id: Ref
    """The practice."""

    @overload
    def fetch(self, hero: AsyncHero) -> Coroutine[Any, Any, PatientV2]: ...
    @overload
    def fetch(self, hero: Hero) -> PatientV2: ...
    def fetch(self, hero: AsyncHero | Hero) -> Any:
        """The patient as they are now, asked for in the name of the event's practice."""
        return _at(hero, self.practice_group_id).patients.get(self.id)


@model
class PatientMedicalRecordUpdatedEvent(PatientEvent):
    """A patient's medical record changed."""

    event: EventType = EventType.PATIENT_MEDICAL_RECORD_UPDATED
    """What happened."""


@model
class PatientAddedToSequenceEvent(PatientEvent):
    """A patient was added to a sequence."""

    event: EventType = EventType.PATIENT_ADDED_TO_SEQUENCE
    """What happened."""


@model
class PrescriptionIssuedEvent(Event):
    """A prescription was issued. The reference shows no operation that gets one."""

    id: Ref
    """Id of the prescription."""

    practice_group_id: Ref
    """The practice."""

    object: Ref | None = "Prescription"
    """The kind of thing."""

    event: EventType = EventType.PRESCRIPTION_ISSUED
    """What happened."""


@model
class WriteToRecordEvent(Event):
    """The outcome of writing to a patient's record. Nothing of the body is confirmed.

    What `id` names (a message, an appointment, …) is not documented, so there is no `fetch`. For a message,
    `hero.messages.get` tells the outcome in `write_to_record`.
    """

    id: Ref
    """Id of what was to be written; of which kind is not confirmed."""

    practice_group_id: Ref
    """The practice."""


@model
class WriteToRecordSucceededEvent(WriteToRecordEvent):
    """Writing to the patient's record succeeded."""

    event: EventType = EventType.WRITE_TO_RECORD_SUCCEEDED
    """What happened."""


@model
class WriteToRecordFailedEvent(WriteToRecordEvent):
    """Writing to the patient's record failed. Whether the body tells why is not confirmed: look into `raw`."""

    event: EventType = EventType.WRITE_TO_RECORD_FAILED
    """What happened."""


@model
class FormSubmissionCreatedEvent(Event):
    """A form was submitted. Not confirmed: that one can subscribe to it."""

    id: Ref
    """Id of the submission."""

    practice_group_id: Ref
    """The practice."""

    object: Ref | None = "FormSubmission"
    """The kind of thing."""

    event: EventType = EventType.FORM_SUBMISSION_CREATED
    """What happened."""

    @overload
    def fetch(self, hero: AsyncHero) -> Coroutine[Any, Any, FormResponse]: ...
    @overload
    def fetch(self, hero: Hero) -> FormResponse: ...
    def fetch(self, hero: AsyncHero | Hero) -> Any:
        """The form response, asked for in the name of the event's practice.

        Not confirmed: that the id of a submission is the id of its response.
        """
        return _at(hero, self.practice_group_id).form_responses.get(self.id)


@model
class UnknownEvent(Event):
    """An event of a type that the SDK does not know, or without the documented fields: see `event` and `raw`."""

    id: Ref | None = None
    """Id of the thing that it happened to, if the body has one."""

    practice_group_id: Ref | None = None
    """The practice, if the body has one."""


EVENTS: Final[Mapping[str, type[Event]]] = {
    "appointment.confirmed": AppointmentConfirmedEvent,
    "appointment.rescheduled": AppointmentRescheduledEvent,
    "appointment.cancelled": AppointmentCancelledEvent,
    "prescription.issued": PrescriptionIssuedEvent,
    "patient.medical-record-updated": PatientMedicalRecordUpdatedEvent,
    "patient.added-to-sequence": PatientAddedToSequenceEvent,
    "write-to-record.succeeded": WriteToRecordSucceededEvent,
    "write-to-record.failed": WriteToRecordFailedEvent,
    "form-submission.created": FormSubmissionCreatedEvent,
}
"""The type of each event that the reference names."""


def _at(hero: Any, practice_group_id: str) -> Any:
    """The client, acting for the practice that the event is of."""
    if hero.settings.practice_group_id == practice_group_id:
        return hero
    return hero.with_options(practice_group_id=practice_group_id)
