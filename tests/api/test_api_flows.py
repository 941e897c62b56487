"""Flows, on a scripted server and a clock of their own, in both worlds."""

from __future__ import annotations

import inspect
import math
import pickle
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from api_scripted import LOST, NEVER_LEFT, WORLDS, Script, async_world

from hero_async import (
    APIConnectionError,
    APITimeoutError,
    BookingError,
    ConflictError,
    Delivery,
    HeroError,
    InternalServerError,
    InvalidArgumentError,
    NotFoundError,
)
from hero_async.api.batch_messages import BatchMessages, BatchMessageStatus
from hero_async.api.patients import FoundPatient, PatientVerificationRequired
from hero_async.clock import VirtualClock, use

both = pytest.mark.parametrize("world", WORLDS)


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    virtual = VirtualClock()
    with use(virtual):
        yield virtual


def batch(status: str) -> tuple[int, dict[str, str]]:
    return 200, {"id": "7", "name": "flu", "status": status, "channel": "SMS", "content": "text"}


CREATED, PENDING, SENDING, COMPLETED = map(batch, ("CREATED", "PENDING", "SENDING", "COMPLETED"))


class TestWait:
    @both
    def test_a_completed_batch_is_not_waited_for(self, world, clock):
        script = Script(COMPLETED)
        found = world(script, lambda hero: hero.batch_messages.wait("7"))
        assert found.status is BatchMessageStatus.COMPLETED
        assert script.lines == ["GET /v1/batch_message/7"]
        assert clock.slept == []

    @both
    def test_it_looks_until_the_batch_is_completed(self, world, clock):
        script = Script(CREATED, PENDING, SENDING, COMPLETED)
        found = world(script, lambda hero: hero.batch_messages.wait("7", poll=10))
        assert found.status == "COMPLETED"
        assert len(script.seen) == 4
        assert len(clock.slept) == 3
        assert all(5 <= pause <= 15 for pause in clock.slept)

    def test_pauses_differ(self, clock):
        async_world(Script(*[SENDING] * 20, COMPLETED), lambda hero: hero.batch_messages.wait("7"))
        assert len(set(clock.slept)) == 20

    @both
    def test_after_the_deadline_it_tells_the_last_state(self, world, clock):
        script = Script(CREATED, SENDING)
        with pytest.raises(APITimeoutError) as late:
            world(script, lambda hero: hero.batch_messages.wait("7", timeout=60, poll=10))
        assert clock.monotonic() == 60
        assert late.value.delivery is Delivery.UNKNOWN
        assert late.value.phase == "poll"
        assert late.value.attempts == len(script.seen)
        assert str(late.value).startswith(
            "not COMPLETED within 60 s; when last seen, it was SENDING [batch_messages.wait"
        )

    def test_the_last_look_is_at_the_deadline(self, clock):
        found = async_world(
            Script(SENDING, COMPLETED), lambda hero: hero.batch_messages.wait("7", timeout=0.5, poll=1000)
        )
        assert found.status == "COMPLETED"
        assert clock.slept == [0.5]

    def test_a_state_that_no_one_knows_is_waited_on_and_not_quoted(self, clock):
        with pytest.raises(APITimeoutError) as late:
            async_world(Script(batch("Mrs Smith")), lambda hero: hero.batch_messages.wait("7", timeout=20))
        assert "Smith" not in str(late.value)
        assert "does not list" in str(late.value)

    @both
    @pytest.mark.parametrize("passing", [LOST, NEVER_LEFT, (500, {}), (503, {}), (429, {})])
    def test_what_can_pass_is_looked_over(self, world, passing, clock):
        script = Script(SENDING, passing, COMPLETED)
        found = world(script, lambda hero: hero.batch_messages.wait("7"), retries=0)
        assert found.status == "COMPLETED"

    def test_a_server_that_stays_down_is_waited_for_no_longer_than_the_deadline(self, clock):
        with pytest.raises(APITimeoutError):
            async_world(Script(SENDING, LOST), lambda hero: hero.batch_messages.wait("7", timeout=60), retries=0)
        assert clock.monotonic() == 60

    @both
    def test_the_first_look_must_succeed(self, world, clock):
        with pytest.raises(APIConnectionError):
            world(Script(LOST), lambda hero: hero.batch_messages.wait("7"), retries=0)
        assert clock.slept == []

    @both
    def test_a_batch_that_is_gone_ends_the_wait(self, world, clock):
        with pytest.raises(NotFoundError):
            world(Script(SENDING, (404, {})), lambda hero: hero.batch_messages.wait("7"))

    @both
    @pytest.mark.parametrize(
        "options",
        [
            *({"timeout": value} for value in (0, -1, math.nan, "2", True, None)),
            *({"poll": value} for value in (0, -1, math.nan, "2", True, None, math.inf)),
        ],
        ids=str,
    )
    def test_times_that_make_no_sense_are_refused(self, world, options, clock):
        script = Script(COMPLETED)
        [name] = options
        with pytest.raises(InvalidArgumentError, match=f"{name}: must be a number, more than zero"):
            world(script, lambda hero: hero.batch_messages.wait("7", **options))
        assert script.seen == []

    def test_it_can_wait_for_ever(self, clock):
        script = Script(*[SENDING] * 1000, COMPLETED)
        async_world(script, lambda hero: hero.batch_messages.wait("7", timeout=math.inf, poll=60))
        assert clock.monotonic() > 20_000

    def test_its_signature_is_for_users(self):
        async def look(hero: Any) -> inspect.Signature:
            return inspect.signature(hero.batch_messages.wait)

        signature = async_world(Script(COMPLETED), look)
        assert list(signature.parameters) == ["id", "timeout", "poll"]
        assert "COMPLETED" in BatchMessages.wait.__doc__


UNTIL = "2026-03-15T09:45:00Z"
HELD = (200, {"id": "77", "reserved_until": UNTIL})
TIME: dict[str, Any] = {
    "appointment_type_id": "1",
    "location_id": "5",
    "practitioner_id": "15",
    "duration": 10,
    "start_time": datetime(2026, 3, 16, 9, 30, tzinfo=UTC),
    "patient_id": "156",
    "reason": "a private matter",
}


def appointment(confirmed: str | None) -> tuple[int, dict[str, Any]]:
    return 200, {
        "id": "77",
        "practitioner_id": "15",
        "location_id": "5",
        "appointment_type_id": "1",
        "start_time": "2026-03-16T09:30:00Z",
        "booking_confirmed_at": confirmed,
    }


def reserve_and_book(hero: Any) -> Any:
    return hero.appointments.reserve_and_book(**TIME)


class TestReserveAndBook:
    @both
    def test_it_reserves_then_books(self, world):
        script = Script(HELD, (200, {"status": "confirmed"}))
        booking = world(script, reserve_and_book)
        assert script.lines == ["POST /v1/appointments", "PATCH /v1/appointments/77/book"]
        assert script.seen[0].body == TIME | {"start_time": "2026-03-16T09:30:00Z"}
        assert script.seen[1].body is None
        assert booking.id == "77"
        assert booking.reservation.reserved_until == datetime(2026, 3, 15, 9, 45, tzinfo=UTC)
        assert booking.answer.raw == {"status": "confirmed"}

    @both
    def test_a_reservation_that_fails_books_nothing(self, world):
        script = Script((409, {}))
        with pytest.raises(ConflictError) as refused:
            world(script, reserve_and_book)
        assert refused.value.operation == "appointments.create"
        assert script.lines == ["POST /v1/appointments"]

    @both
    def test_a_booking_that_is_refused_tells_what_is_held(self, world):
        script = Script(HELD, (409, {"message": "a private matter"}))
        with pytest.raises(BookingError) as failed:
            world(script, reserve_and_book)
        error = failed.value
        assert error.delivery is Delivery.NO
        assert error.appointment_id == "77"
        assert error.reserved_until == datetime(2026, 3, 15, 9, 45, tzinfo=UTC)
        assert_nothing_in_frames(failed.tb, "a private matter")
        assert str(error).startswith(
            "reserved, but not booked: appointment 77 is held until 2026-03-15T09:45:00+00:00; the server answered 409"
        )
        assert error.operation == "appointments.book"
        assert isinstance(error.__cause__, ConflictError)
        assert len(script.seen) == 2

    @both
    @pytest.mark.parametrize("loss", [LOST, (500, {})])
    def test_after_a_lost_answer_the_appointment_is_asked(self, world, loss):
        script = Script(HELD, loss, appointment("2026-03-15T09:41:00Z"))
        booking = world(script, reserve_and_book)
        assert booking.id == "77"
        assert booking.answer.raw == {}
        assert script.lines[2:] == ["GET /v1/appointments/77"]

    @both
    @pytest.mark.parametrize("look", [appointment(None), (404, {}), LOST], ids=["not yet", "gone", "lost"])
    def test_what_stays_unknown_is_told_to_be(self, world, look):
        script = Script(HELD, LOST, look)
        with pytest.raises(BookingError) as failed:
            world(script, reserve_and_book, retries=0)
        assert failed.value.delivery is Delivery.UNKNOWN
        assert "perhaps booked: appointment 77 is held until 2026-03-15T09:45:00+00:00" in str(failed.value)

    def test_a_booking_that_never_left_is_not_looked_for(self):
        script = Script(HELD, NEVER_LEFT)
        with pytest.raises(BookingError) as failed:
            async_world(script, reserve_and_book, retries=0)
        assert failed.value.delivery is Delivery.NO
        assert len(script.seen) == 1

    @both
    def test_a_2xx_is_a_booking_whatever_its_body(self, world):
        booking = world(Script(HELD, (200, b"<html>")), reserve_and_book)
        assert booking.answer.raw == {}

    def test_a_hold_whose_end_is_not_told(self):
        with pytest.raises(BookingError, match="until a time that the server did not tell") as failed:
            async_world(Script((200, {"id": "77", "reserved_until": None}), (404, {})), reserve_and_book)
        assert failed.value.reserved_until is None

    def test_an_id_of_another_form_is_not_quoted(self):
        script = Script((200, {"id": "Mrs Smith", "reserved_until": None}), (404, {}))
        with pytest.raises(BookingError) as failed:
            async_world(script, reserve_and_book)
        assert "Smith" not in str(failed.value)
        assert failed.value.appointment_id == "Mrs Smith"

    def test_the_error_survives_a_pickle_without_values(self):
        with pytest.raises(BookingError) as failed:
            async_world(Script(HELD, (409, {"message": "a private matter"})), reserve_and_book)
        stored = pickle.dumps(failed.value)
        again = pickle.loads(stored)  # noqa: S301  # its own
        assert (str(again), again.appointment_id) == (str(failed.value), "77")
        assert (again.reserved_until, again.delivery) == (failed.value.reserved_until, Delivery.NO)
        assert b"private" not in stored

    @both
    def test_bad_input_reserves_nothing(self, world):
        script = Script(HELD)
        with pytest.raises(InvalidArgumentError, match="start_time: must be an aware datetime"):
            world(
                script,
                lambda hero: hero.appointments.reserve_and_book(
                    **TIME | {"start_time": datetime(2026, 3, 16, 9, 30)}  # noqa: DTZ001  # that is the point
                ),
            )
        assert script.seen == []


KNOWN = (200, {"patient_id": "98765"})
VERIFY = (200, {"message": "Please verify", "login_url": "https://patient.herohealth.net/verify/abc123"})
PERSON: dict[str, Any] = {
    "dob": date(1990, 12, 31),
    "first_name": "Ann",
    "last_name": "Example",
    "mobile": "07700 900001",
    "email": "ann@example.org",
}
NHS_NUMBER = "999 000 0018"


class TestFindOrRegister:
    @both
    def test_a_person_whom_the_spine_knows_is_found(self, world):
        script = Script(KNOWN)
        found = world(script, lambda hero: hero.patients.find_or_register(nhs_number=NHS_NUMBER, **PERSON))
        assert found == FoundPatient(patient_id="98765", was_registered=False)
        [seen] = script.seen
        assert seen.target == "/v1/patients/register_pds"
        assert seen.body == {"nhs_number": "9990000018", "dob": "1990-12-31"}

    def test_without_an_nhs_number_the_name_is_traced(self):
        script = Script(KNOWN)
        async_world(script, lambda hero: hero.patients.find_or_register(postcode="SW1A 1AA", **PERSON))
        [seen] = script.seen
        assert seen.body == {
            "forename": "Ann",
            "surname": "Example",
            "dob": "1990-12-31",
            "postcode": "SW1A 1AA",
        }

    @both
    def test_a_person_whom_it_does_not_know_is_registered(self, world):
        script = Script((404, {}), KNOWN)
        found = world(script, lambda hero: hero.patients.find_or_register(nhs_number=NHS_NUMBER, title="Dr", **PERSON))
        assert found == FoundPatient(patient_id="98765", was_registered=True)
        assert script.lines == ["POST /v1/patients/register_pds", "POST /v1/patients/register"]
        assert script.seen[1].body == {
            "dob": "1990-12-31",
            "first_name": "Ann",
            "last_name": "Example",
            "mobile": "07700 900001",
            "email": "ann@example.org",
            "nhs_number": "9990000018",
            "title": "Dr",
        }

    @both
    def test_who_must_be_verified_is_not_registered(self, world):
        script = Script(VERIFY)
        found = world(script, lambda hero: hero.patients.find_or_register(nhs_number=NHS_NUMBER, **PERSON))
        assert isinstance(found, PatientVerificationRequired)
        assert len(script.seen) == 1

    @both
    @pytest.mark.parametrize("failure", [(500, {}), (401, {}), (400, {}), LOST])
    def test_another_error_registers_nothing(self, world, failure):
        script = Script(failure)
        with pytest.raises(HeroError):
            world(script, lambda hero: hero.patients.find_or_register(nhs_number=NHS_NUMBER, **PERSON), retries=0)
        assert {seen.target for seen in script.seen} == {"/v1/patients/register_pds"}

    def test_a_registration_that_fails_tells_so_alone(self):
        script = Script((404, {}), (500, {}))
        with pytest.raises(InternalServerError) as failed:
            async_world(script, lambda hero: hero.patients.find_or_register(nhs_number=NHS_NUMBER, **PERSON))
        assert failed.value.operation == "patients.register"
        assert failed.value.delivery is Delivery.UNKNOWN
        assert failed.value.__context__ is None
        assert script.lines.count("POST /v1/patients/register") == 1

    @both
    @pytest.mark.parametrize(
        "changes, words",
        [
            ({}, "needs nhs_number; or postcode"),
            ({"nhs_number": NHS_NUMBER, "title": "Wizard"}, "title: must be one of"),
            ({"nhs_number": "999 000 0019"}, "nhs_number: must be an NHS number"),
            ({"nhs_number": NHS_NUMBER, "mobile": ""}, "mobile: must not be empty"),
        ],
    )
    def test_bad_input_is_refused_before_anything_is_sent(self, world, changes, words):
        script = Script(KNOWN)
        with pytest.raises(InvalidArgumentError, match=words):
            world(script, lambda hero: hero.patients.find_or_register(**PERSON | changes))
        assert script.seen == []

    @both
    @pytest.mark.parametrize("answers", [[(500, {})], [(404, {}), (500, {})]])
    def test_no_frame_of_the_sdk_holds_the_person(self, world, answers):
        with pytest.raises(InternalServerError) as failed:
            world(
                Script(*answers),
                lambda hero: hero.patients.find_or_register(nhs_number=NHS_NUMBER, **PERSON),
                retries=0,
            )
        assert_nothing_in_frames(failed.tb, "Example", "0018")

    @both
    def test_no_frame_of_the_sdk_holds_what_was_refused(self, world):
        with pytest.raises(InvalidArgumentError) as refused:
            world(
                Script(KNOWN),
                lambda hero: hero.patients.find_or_register(nhs_number=NHS_NUMBER, **PERSON | {"mobile": ""}),
            )
        assert_nothing_in_frames(refused.tb, "Example", "0018")


def assert_nothing_in_frames(trace: Any, *values: str) -> None:
    looked_at = 0
    while trace is not None:
        frame = trace.tb_frame
        if "/hero_async/" in frame.f_code.co_filename or "/hero_sync/" in frame.f_code.co_filename:
            looked_at += 1
            for local in frame.f_locals.values():
                assert not any(value in repr(local) for value in values), frame.f_code
        trace = trace.tb_next
    assert looked_at
