"""Webhooks: prove that a delivery comes from Hero, read it, and handle it once.

from hero_async.webhooks import Events, Receiver, Verifier

See docs/webhooks.md.
"""

from hero_async.webhooks.events import (
    AppointmentCancelledEvent,
    AppointmentConfirmedEvent,
    AppointmentEvent,
    AppointmentRescheduledEvent,
    Event,
    EventName,
    EventType,
    FormSubmissionCreatedEvent,
    PatientAddedToSequenceEvent,
    PatientEvent,
    PatientMedicalRecordUpdatedEvent,
    PrescriptionIssuedEvent,
    Proof,
    UnknownEvent,
    WriteToRecordEvent,
    WriteToRecordFailedEvent,
    WriteToRecordSucceededEvent,
)
from hero_async.webhooks.receiver import INLINE, Answer, OnLoop, Receiver
from hero_async.webhooks.replay import Claim, MemoryReplayStore, ReplayStore
from hero_async.webhooks.router import Events
from hero_async.webhooks.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from hero_async.webhooks.sqlite import SQLiteReplayStore
from hero_async.webhooks.verify import Verifier

__all__ = [
    "INLINE",
    "SIGNATURE_HEADER",
    "TIMESTAMP_HEADER",
    "Answer",
    "AppointmentCancelledEvent",
    "AppointmentConfirmedEvent",
    "AppointmentEvent",
    "AppointmentRescheduledEvent",
    "Claim",
    "Event",
    "EventName",
    "EventType",
    "Events",
    "FormSubmissionCreatedEvent",
    "MemoryReplayStore",
    "OnLoop",
    "PatientAddedToSequenceEvent",
    "PatientEvent",
    "PatientMedicalRecordUpdatedEvent",
    "PrescriptionIssuedEvent",
    "Proof",
    "Receiver",
    "ReplayStore",
    "SQLiteReplayStore",
    "UnknownEvent",
    "Verifier",
    "WriteToRecordEvent",
    "WriteToRecordFailedEvent",
    "WriteToRecordSucceededEvent",
    "sign",
]
