"""From an event to the thing that it is about, in both worlds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hero_async import AsyncHero, webhooks
from hero_async.transport import Attempt, Reply
from hero_async.webhooks import Event
from hero_sync import Hero

APPOINTMENT = {
    "id": "7",
    "practitioner_id": "1",
    "location_id": "2",
    "appointment_type_id": "3",
    "start_time": "2026-01-05T09:00:00Z",
}
PATIENT = {"dob": None, "identifiers": [], "ehr_registered": None, "hero_id": "7"}
CASES: list[tuple[type[Event], str, Any]] = [
    (webhooks.AppointmentConfirmedEvent, "/v1/appointments/7", APPOINTMENT),
    (webhooks.AppointmentRescheduledEvent, "/v1/appointments/7", APPOINTMENT),
    (webhooks.AppointmentCancelledEvent, "/v1/appointments/7", APPOINTMENT),
    (webhooks.PatientMedicalRecordUpdatedEvent, "/v2/patients/7", PATIENT),
    (webhooks.PatientAddedToSequenceEvent, "/v2/patients/7", PATIENT),
    (webhooks.FormSubmissionCreatedEvent, "/v1/form_response/7", {"id": 7}),
]


class Server:
    """Answers every request alike, and notes who asked for what."""

    def __init__(self, answer: Any) -> None:
        self.answer = json.dumps(answer).encode()
        self.asked: list[tuple[str, str, str]] = []

    async def __call__(self, attempt: Attempt) -> Reply:
        await attempt.leave()
        attempt.status = 200
        practice = {name.lower(): value for name, value in attempt.headers.items()}["x-practice-group-id"]
        self.asked.append((attempt.verb, attempt.target, practice))
        return Reply(200, {}, self.answer)


@pytest.mark.anyio
@pytest.mark.parametrize("practice", ["42", "43"])
@pytest.mark.parametrize(("kind", "target", "answer"), CASES, ids=[case[0].__name__ for case in CASES])
async def test_the_thing_is_asked_for_in_the_name_of_the_events_practice(
    kind: type[Event], target: str, answer: Any, practice: str
) -> None:
    made: Any = kind
    event = made(id="7", practice_group_id=practice)
    server = Server(answer)
    settings: Any = {"api_key": "k", "practice_group_id": "42", "base_url": "https://hero.test", "transport": server}
    async with AsyncHero(**settings) as hero:
        found = await event.fetch(hero)
        assert hero.settings.practice_group_id == "42"
    assert str(found.hero_id if answer is PATIENT else found.id) == "7"
    with Hero(**settings) as blocking:
        assert event.fetch(blocking) == found
    assert server.asked == [("GET", target, practice)] * 2


@pytest.mark.parametrize(
    "kind",
    [
        webhooks.PrescriptionIssuedEvent,
        webhooks.WriteToRecordSucceededEvent,
        webhooks.WriteToRecordFailedEvent,
        webhooks.UnknownEvent,
    ],
)
def test_what_no_operation_is_known_for_has_no_fetch(kind: type[Event]) -> None:
    assert not hasattr(kind, "fetch")
