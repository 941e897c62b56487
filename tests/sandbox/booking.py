"""Calls that slots and appointments are tested by."""

from __future__ import annotations

from datetime import datetime
from typing import Any

GP, CALL, VIDEO, NURSE, FLU = "1301", "1302", "1303", "1304", "1305"
DOCTOR, CLINIC = "1201", "1204"
SURGERY, BRANCH = "1101", "1102"


async def slots(raw, **filters) -> list[dict[str, Any]]:
    answer = await raw("GET", "/v1/slots", params=filters)
    assert answer.status == 200
    return answer.json["data"]


def time_of(slot: dict[str, Any]) -> dict[str, Any]:
    """A reservation of a slot."""
    minutes = (moment(slot["finish_time"]) - moment(slot["start_time"])).total_seconds() / 60
    names = ("practitioner_id", "appointment_type_id", "location_id", "start_time")
    return {name: slot[name] for name in names} | {"duration": minutes}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def reserve(raw, slot, **changes):
    return await raw("POST", "/v1/appointments", json=time_of(slot) | changes)


async def act(raw, verb, which, what="", **body):
    path = f"/v1/appointments/{which}{what and '/' + what}"
    return await (raw(verb, path, json=body) if what in ("cancel", "reschedule") or body else raw(verb, path))


async def booked(raw, slot) -> str:
    which = (await reserve(raw, slot)).json["id"]
    assert (await act(raw, "PATCH", which, "book")).status == 200
    return which


async def shown(raw, which) -> dict[str, Any]:
    answer = await act(raw, "GET", which)
    assert answer.status == 200
    return answer.json


async def first(raw, **filters) -> dict[str, Any]:
    """A slot some days ahead, by default one that is gone when it is taken once."""
    return (await slots(raw, **{"practitioner_id": DOCTOR, "start_date": "2026-01-08"} | filters))[0]


MORNING = {
    "practitioner_id": DOCTOR,
    "appointment_type_id": GP,
    "location_id": SURGERY,
    "start_time": "2026-01-06T09:30:00Z",
    "duration": 10,
}
"""A time that is free: the next morning's."""
