"""One key, one event, one clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hero_async import clock
from hero_async.webhooks import Verifier

KEY = "a signing key of nobody"


@pytest.fixture
def key() -> str:
    return KEY


@pytest.fixture
def body() -> Callable[..., bytes]:
    """The raw body of an event; fields can be changed, or left out with None."""

    def make(event: str = "appointment.confirmed", **changes: Any) -> bytes:
        fields = {"object": "Appointment", "id": "4711", "practice_group_id": "42", "event": event} | changes
        return json.dumps({k: v for k, v in fields.items() if v is not None}, separators=(",", ":")).encode()

    return make


@pytest.fixture
def verifier() -> Verifier:
    return Verifier(KEY)


@pytest.fixture
def now() -> Iterator[clock.VirtualClock]:
    """Time that stands still on 5 January 2026, 09:00 UTC."""
    with clock.use(clock.VirtualClock()) as virtual:
        assert isinstance(virtual, clock.VirtualClock)
        yield virtual
