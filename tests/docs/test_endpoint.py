"""The endpoint of docs/services.md, called as a server calls it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from hero_async import AsyncHero
from hero_async.sandbox import Reset, Sandbox, Status

PAGE = (Path(__file__).parents[2] / "docs" / "services.md").read_text("utf-8")
pytestmark = pytest.mark.anyio


@pytest.fixture
async def app(hero_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """The page's application, started."""
    monkeypatch.setenv("HERO_API_KEY", hero_sandbox.api_key)
    monkeypatch.setenv("HERO_PRACTICE_GROUP_ID", hero_sandbox.practice_group_ids[0])
    monkeypatch.setenv("HERO_BASE_URL", hero_sandbox.url)
    scope: dict[str, Any] = {"__name__": "app"}
    code = PAGE.partition("```python\n")[2].partition("```")[0]
    exec(compile(code, "services.md", "exec", dont_inherit=True), scope)  # noqa: S102  # our own page
    async with living(scope["app"]) as started:
        yield started


@asynccontextmanager
async def living(app: Any) -> AsyncIterator[Any]:
    state: dict[str, Any] = {}
    life = ApplicationCommunicator(app, {"type": "lifespan", "asgi": {"version": "3.0"}, "state": state})
    await life.send_input({"type": "lifespan.startup"})
    assert (await life.receive_output())["type"] == "lifespan.startup.complete"
    yield app
    await life.send_input({"type": "lifespan.shutdown"})
    assert (await life.receive_output())["type"] == "lifespan.shutdown.complete"
    await life.wait()


async def post(app: Any, wish: dict[str, Any]) -> tuple[int, Any]:
    headers = [(b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/appointments",
        "headers": headers,
        "query_string": b"",
        "http_version": "1.1",
    }
    asked = ApplicationCommunicator(app, scope)
    await asked.send_input({"type": "http.request", "body": json.dumps(wish).encode()})
    start = await asked.receive_output()
    body = await asked.receive_output()
    await asked.wait()
    return start["status"], json.loads(body["body"])


@pytest.fixture
async def wish(hero: AsyncHero, hero_sandbox: Sandbox) -> dict[str, Any]:
    """A time that is free."""
    tomorrow = hero_sandbox.clock.now().date() + timedelta(days=7)
    slot = (await hero.slots.list(start_date=tomorrow)).data[0]
    assert slot.start_time
    assert slot.finish_time
    return {
        "patient_id": hero_sandbox.patients[0].patient_id,
        "practitioner_id": slot.practitioner_id,
        "location_id": slot.location_id,
        "appointment_type_id": slot.appointment_type_id,
        "start_time": slot.start_time.isoformat(),
        "minutes": (slot.finish_time - slot.start_time).seconds // 60,
    }


async def test_it_books(app: Any, wish: dict[str, Any], hero_sandbox: Sandbox) -> None:
    status, said = await post(app, wish)
    assert status == 201
    assert hero_sandbox.ledger.changed("appointments.book") == (said["appointment_id"],)


async def test_a_time_that_is_taken_is_a_409(app: Any, wish: dict[str, Any]) -> None:
    await post(app, wish)
    assert (await post(app, wish))[0] == 409


async def test_a_reservation_in_doubt_says_so(app: Any, wish: dict[str, Any], hero_sandbox: Sandbox) -> None:
    hero_sandbox.faults.add("appointments.create", Reset(after_processing=True))
    status, said = await post(app, wish)
    assert (status, said["detail"]) == (502, "the time may be reserved: look before you try again")


async def test_a_booking_that_is_refused_names_what_is_held(
    app: Any, wish: dict[str, Any], hero_sandbox: Sandbox
) -> None:
    hero_sandbox.faults.add("appointments.book", Status(409))
    status, said = await post(app, wish)
    [held] = hero_sandbox.ledger.changed("appointments.create")
    assert (status, said["detail"]) == (502, {"appointment_id": held, "state": "held, but not booked"})


async def test_a_wish_without_a_time_zone_is_refused_before_anything_is_sent(
    app: Any, wish: dict[str, Any], hero_sandbox: Sandbox
) -> None:
    before = len(hero_sandbox.ledger.requests)
    assert (await post(app, {**wish, "start_time": "2026-03-02T09:00:00"}))[0] == 422
    assert len(hero_sandbox.ledger.requests) == before
