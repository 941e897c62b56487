"""From a signed body to a typed event, and from there to the thing."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any, get_args

import pytest

from hero_async import WebhookVerificationError, webhooks
from hero_async.webhooks import Event, EventName, EventType, UnknownEvent, Verifier, sign
from hero_async.webhooks.events import EVENTS

pytestmark = pytest.mark.usefixtures("now")
Make = Callable[..., bytes]

DOCUMENTED = {
    "appointment.confirmed": webhooks.AppointmentConfirmedEvent,
    "appointment.rescheduled": webhooks.AppointmentRescheduledEvent,
    "appointment.cancelled": webhooks.AppointmentCancelledEvent,
    "prescription.issued": webhooks.PrescriptionIssuedEvent,
    "patient.medical-record-updated": webhooks.PatientMedicalRecordUpdatedEvent,
    "patient.added-to-sequence": webhooks.PatientAddedToSequenceEvent,
    "write-to-record.succeeded": webhooks.WriteToRecordSucceededEvent,
    "write-to-record.failed": webhooks.WriteToRecordFailedEvent,
    "form-submission.created": webhooks.FormSubmissionCreatedEvent,
}


@pytest.fixture
def read(verifier: Verifier, key: str) -> Callable[[bytes], Event]:
    return lambda raw: verifier.verify(sign(key, raw), raw)


Read = Callable[[bytes], Event]


@pytest.mark.parametrize(("name", "kind"), DOCUMENTED.items())
def test_each_documented_event_has_its_type(name: str, kind: type[Event], read: Read, body: Make) -> None:
    event = read(body(name, object="Thing"))
    assert type(event) is kind
    assert (event.event, event.id, event.practice_group_id, event.object) == (name, "4711", "42", "Thing")
    assert event.event.is_known
    assert kind(id="4711", practice_group_id="42", object="Thing") == event  # one can make them in a test


def test_types_names_and_the_table_are_the_same_nine() -> None:
    assert set(get_args(EventName)) == {known.value for known in EventType} == set(EVENTS) == set(DOCUMENTED)


def test_an_unknown_event_comes_through(read: Read, body: Make) -> None:
    event = read(body("patient.teleported", object="Patient", reason="x"))
    assert type(event) is UnknownEvent
    assert not event.event.is_known
    assert event.event == "patient.teleported"
    assert event.raw["reason"] == "x"
    assert (event.id, event.practice_group_id) == ("4711", "42")
    assert "teleported" not in repr(event)


def test_fields_that_the_reference_does_not_show_are_kept_in_raw(read: Read, body: Make) -> None:
    event = read(body("write-to-record.failed", failure_reason={"code": 7}, object=None))
    assert type(event) is webhooks.WriteToRecordFailedEvent
    assert event.raw["failure_reason"] == {"code": 7}
    assert event.object is None


def test_the_guides_name_of_the_type_is_read_too(read: Read, body: Make) -> None:
    raw = json.loads(body())
    raw["event_type"] = raw.pop("event")
    assert type(read(json.dumps(raw).encode())) is webhooks.AppointmentConfirmedEvent
    raw["event"] = {"an": "object"}
    assert type(read(json.dumps(raw).encode())) is webhooks.AppointmentConfirmedEvent
    raw["event"] = "appointment.cancelled"
    assert type(read(json.dumps(raw).encode())) is webhooks.AppointmentCancelledEvent


def test_numbers_are_read_where_ids_are_meant(read: Read, body: Make) -> None:
    event = read(body(id=4711, practice_group_id=42))
    assert (event.id, event.practice_group_id) == ("4711", "42")


@pytest.mark.parametrize("wrong", [None, "", 1.5, True, {}, [], "\n", "ü", "x" * 257])
@pytest.mark.parametrize("field", ["id", "practice_group_id"])
def test_without_its_envelope_a_known_event_is_generic(field: str, wrong: Any, read: Read, body: Make) -> None:
    event = read(body(**{field: wrong}))
    assert type(event) is UnknownEvent
    assert event.event is EventType.APPOINTMENT_CONFIRMED
    assert getattr(event, field) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"", b" ", b"null", b"[]", b'"text"', b"7", b"{}", b"{", b'{"event":null}', b'{"event":""}', b'{"event":7.5}',
        b'{"event":"a","event":"b"}',
        b'{"event":"a","id":"1","\\u0069d":"2"}',
        b'{"event":"a","x":{},"x":{}}', b'{ "event":"a","x":[1, 2] , "x":[1,2]}', b'{"event":"a","\\u0065vent":"b"}',
        b'{"event":"a", "":1,"":1}', b'{"event":"a","n":NaN}', b'{"event":"a","n":-Infinity}', b'{"event":"a","n":01}',
        b'{"event":"a","id":' + b"9" * 5000 + b"}", b'{"event":"a","n":"\\ud800"}', b'{"event":"a","n":{"x":tru}}',
        b'{"event":"a","n":"\xff"}', b'{"event":"a","n":["\xed\xa0\x80"]}', b'{"event":"a","n":[1,]}',
        b'\xef\xbb\xbf{"event":"a"}', b'{"event":"\xff"}', b'{"event":"a"}x', '{"event":"a"}'.encode("utf-16"),
        b'{"event":"a","deep":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"event":"a","id":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=lambda raw: raw[:40].decode("ascii", "replace"),
)  # fmt: skip
def test_what_is_signed_but_no_event_is_refused(raw: bytes, verifier: Verifier, key: str) -> None:
    with pytest.raises(WebhookVerificationError) as failure:
        verifier.verify(sign(key, raw), raw)
    assert failure.value.reason == "body_format"
    assert failure.value.__context__ is None


@pytest.mark.parametrize(
    "raw",
    [
        b'{"event":"a","deep":' + b"[" * 63 + b"]" * 63 + b"}",
        b'{"event":"a","wide":[' + b"[]," * 10_000 + b"{}]}",
        b'{"event":"a","text":"' + b"[{" * 10_000 + b'"}',
        b' \n{"event" : "a" }\t',
        b'{"\\u0065vent":"a", "a b":1, "ab":2}',
        '{"event":"a","\u00e9\u00e9":{"x":[]}}'.encode(),
    ],
    ids=["deepest", "wide", "brackets in text", "spaces", "odd keys", "not ascii"],
)
def test_what_only_looks_odd_is_read(raw: bytes, read: Read) -> None:
    event = read(raw)
    assert event.event == "a"
    assert event.raw == json.loads(raw)
    assert event.raw is event.raw  # read once


@pytest.mark.parametrize(
    "inside",
    [
        b'{"er":[{"x":1,"x":1}]}',
        b"9" * 5000,
        b"[" * 64 + b"]" * 64,
        b'{"x":' * 70 + b"1" + b"}" * 70,
    ],
    ids=["a key twice", "a number without end", "deep lists", "deep objects"],
)
def test_what_is_odd_further_in_is_refused_when_it_is_asked_for(inside: bytes, read: Read, body: Make) -> None:
    event = read(body()[:-1] + b',"more":' + inside + b"}")
    assert event == webhooks.AppointmentConfirmedEvent(id="4711", practice_group_id="42")
    for _ in range(2):
        with pytest.raises(WebhookVerificationError) as failure:
            event.raw["event"]
        assert failure.value.reason == "body_format"
        assert failure.value.__context__ is None
    assert pickle.loads(pickle.dumps(event)) == event  # noqa: S301  # our own
    assert "more" not in repr(event)


def test_events_pickle_compare_and_hash(read: Read, body: Make) -> None:
    event = read(body())
    assert pickle.loads(pickle.dumps(event)) == event  # noqa: S301  # our own
    assert hash(event) == hash(read(body()))
    assert event != read(body(id="4712"))
    assert event != read(body("appointment.cancelled"))
