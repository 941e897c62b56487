"""Which functions hear of which event."""

from __future__ import annotations

import functools
import subprocess
import sys
from typing import Any

import pytest

from hero_async import InvalidArgumentError
from hero_async.webhooks import (
    AppointmentCancelledEvent,
    AppointmentConfirmedEvent,
    AppointmentEvent,
    Event,
    Events,
    EventType,
    UnknownEvent,
)

CONFIRMED = AppointmentConfirmedEvent(id="1", practice_group_id="2")
CANCELLED = AppointmentCancelledEvent(id="1", practice_group_id="2")
UNKNOWN = UnknownEvent(event=EventType("message.sent"))


def names(events: Events, event: Event) -> list[str]:
    return [handler.name.rpartition(".")[2] for handler in events.matching(event)]


def test_an_event_goes_to_its_type_its_class_and_to_all_in_order_of_registration() -> None:
    events = Events()

    @events.on(Event)
    def everything(event: Event) -> None: ...

    @events.on("appointment.confirmed")
    def confirmed(event: AppointmentConfirmedEvent) -> None: ...

    @events.on(AppointmentEvent)
    async def appointments(event: AppointmentEvent) -> None: ...

    @events.on(UnknownEvent)
    def unknown(event: UnknownEvent) -> None: ...

    assert names(events, CONFIRMED) == ["everything", "confirmed", "appointments"]
    assert names(events, CANCELLED) == ["everything", "appointments"]
    assert names(events, UNKNOWN) == ["everything", "unknown"]
    assert [handler.is_async for handler in events.matching(CANCELLED)] == [False, True]
    assert confirmed.__name__ == "confirmed"  # the function is given back as it was


def test_a_function_of_several_types_hears_of_each_event_once() -> None:
    events = Events()

    @events.on("appointment.cancelled")
    @events.on("appointment.confirmed")
    @events.on(AppointmentEvent)
    def moved(event: Any) -> None: ...

    assert names(events, CONFIRMED) == ["moved"]
    assert names(events, UNKNOWN) == []


@pytest.mark.parametrize("kind", ["appointment.confrmed", "message.sent", "", None, 7, str, CONFIRMED])
def test_an_event_that_does_not_exist_is_refused_at_registration(kind: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"appointment\.confirmed.*UnknownEvent"):
        Events().on(kind)


def test_what_cannot_be_called_is_refused() -> None:
    nothing: Any = None
    with pytest.raises(InvalidArgumentError):
        Events().on(Event)(nothing)


class PlainCallable:
    def __call__(self, event: Event) -> None: ...


class AsyncCallable:
    async def __call__(self, event: Event) -> None: ...


async def partial_target(extra: int, event: Event) -> None: ...


def test_names_are_stable_and_never_shared() -> None:
    events = Events()

    def make() -> Any:
        def handler(event: Event) -> None: ...

        return handler

    for function in (make(), make(), PlainCallable(), AsyncCallable(), functools.partial(partial_target, 7)):
        events.on(Event)(function)
    found = events.matching(CONFIRMED)
    local = f"{__name__}.test_names_are_stable_and_never_shared.<locals>.make.<locals>.handler"
    assert [handler.name for handler in found] == [
        local,
        f"{local}#2",
        f"{__name__}.PlainCallable",
        f"{__name__}.AsyncCallable",
        f"{__name__}.partial_target",
    ]
    assert [handler.is_async for handler in found] == [False, False, False, True, True]


def test_importing_webhooks_loads_no_framework() -> None:
    code = "import sys, hero_async.webhooks, hero_async.elements; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    assert not loaded & {
        "aiohttp",
        "anyio",
        "asyncio",
        "django",
        "fastapi",
        "flask",
        "hero_sync",
        "starlette",
        "werkzeug",
    }
