"""A service that books appointments, and texts the patient once Hero confirms one. FastAPI, asyncio.

    pip install hero-health fastapi uvicorn
    uvicorn fastapi_booking:app --app-dir examples

    curl 'localhost:8000/slots?day=2026-03-02'
    curl localhost:8000/bookings --json '{"patient_id": "100001", "slot_id": "…"}'

It is told by the webhook of "appointment.confirmed" at /webhooks/hero. Settings are the SDK's HERO_* variables, and
HERO_SIGNING_KEY; DATA_DIR is where it notes what was done. Put it behind your own login: whoever reaches /bookings
books.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.concurrency import run_in_threadpool
from once import Once
from pydantic import BaseModel
from starlette.routing import Route

from hero_async import APIStatusError, AsyncHero, Delivery, HeroError, InvalidArgumentError, NotFoundError
from hero_async.webhooks import AppointmentConfirmedEvent, Events, Receiver, SQLiteReplayStore, Verifier

data = Path(os.environ.get("DATA_DIR", "."))
texts = Once(data / "texts.db")
hero = AsyncHero.from_env()
events = Events()
receiver = Receiver(Verifier(os.environ["HERO_SIGNING_KEY"]), events, replay=SQLiteReplayStore(data / "deliveries.db"))


@asynccontextmanager
async def life(app: FastAPI) -> AsyncIterator[None]:
    async with hero:  # one client for the service: its connections are shared
        yield


app = FastAPI(lifespan=life)
app.router.routes.append(Route("/webhooks/hero", receiver.asgi))


class Wanted(BaseModel):
    patient_id: str
    slot_id: str


@app.get("/slots")
async def slots(day: date) -> list[dict[str, Any]]:
    return [{"id": slot.id, "at": slot.start_time} async for slot in hero.slots.list(start_date=day, end_date=day)]


@app.post("/bookings", status_code=201)
async def book(wanted: Wanted) -> dict[str, str]:
    try:
        slot = await hero.slots.get(wanted.slot_id)
    except (NotFoundError, InvalidArgumentError):
        raise HTTPException(409, "that time is gone") from None
    except HeroError:
        raise HTTPException(503, "it was not booked: try again") from None
    if not (
        slot.start_time and slot.finish_time and slot.appointment_type_id and slot.location_id and slot.practitioner_id
    ):
        raise HTTPException(502, "Hero told too little of that time")
    try:
        booking = await hero.appointments.reserve_and_book(
            patient_id=wanted.patient_id,
            appointment_type_id=slot.appointment_type_id,
            location_id=slot.location_id,
            practitioner_id=slot.practitioner_id,
            start_time=slot.start_time,
            duration=(slot.finish_time - slot.start_time).total_seconds() / 60,
        )
    except HeroError as error:
        if error.delivery is Delivery.UNKNOWN:
            raise HTTPException(502, "it may have been booked: look before you try again") from None
        if isinstance(error, APIStatusError) and error.status in (400, 404, 409):
            raise HTTPException(409, "that time is gone, or there is no such patient") from None
        raise HTTPException(503, "it was not booked: try again") from None
    return {"appointment_id": booking.id}


@events.on("appointment.confirmed")
async def confirmed(event: AppointmentConfirmedEvent) -> None:
    """Runs once for each delivery; but Hero may tell an event again under a new signature, so it looks for itself."""
    appointment = await event.fetch(hero)
    if appointment.patient_id is None or appointment.start_time is None:
        return
    name = f"{event.practice_group_id} {event.id}"
    if not await run_in_threadpool(texts.begin, name):
        return
    try:
        await hero.with_options(practice_group_id=event.practice_group_id).messages.send(
            patient_id=appointment.patient_id,
            message_type="sms",
            message_string=f"Your appointment is booked for {appointment.start_time:%d %B, %H:%M} UTC.",
        )
    except HeroError as error:
        if error.delivery is Delivery.NO:
            await run_in_threadpool(texts.forget, name)  # nothing was sent: the next delivery may try again
        raise  # answered 500: Hero is told that it was not handled
