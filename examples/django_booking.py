"""A service that books appointments, and texts the patient once Hero confirms one. Django, blocking.

    pip install hero-health django gunicorn
    gunicorn django_booking:application --chdir examples --threads 8

    curl 'localhost:8000/slots?day=2026-03-02'
    curl localhost:8000/bookings --json '{"patient_id": "100001", "slot_id": "…"}'

It is told by the webhook of "appointment.confirmed" at /webhooks/hero. Settings are the SDK's HERO_* variables, and
HERO_SIGNING_KEY; DATA_DIR is where it notes what was done. Put it behind your own login: whoever reaches /bookings
books.
Everything is in one file, to be read; in a project of yours the views and the handler go where yours are.
"""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from once import Once

from hero_async import APIStatusError, Delivery, HeroError, InvalidArgumentError, NotFoundError
from hero_async.webhooks import AppointmentConfirmedEvent, Events, Receiver, SQLiteReplayStore, Verifier
from hero_sync import Hero

data = Path(os.environ.get("DATA_DIR", "."))
texts = Once(data / "texts.db")
hero = Hero.from_env()  # one for the process: safe to share between threads, and made anew by itself in a forked worker
events = Events()
receiver = Receiver(Verifier(os.environ["HERO_SIGNING_KEY"]), events, replay=SQLiteReplayStore(data / "deliveries.db"))


@require_GET
def slots(request: HttpRequest) -> JsonResponse:
    try:
        day = date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        return refuse(422, "day: must be YYYY-MM-DD")
    found = [{"id": slot.id, "at": slot.start_time} for slot in hero.slots.list(start_date=day, end_date=day)]
    return JsonResponse(found, safe=False)


@csrf_exempt
@require_POST
def book(request: HttpRequest) -> JsonResponse:
    try:
        wanted = json.loads(request.body)
        patient_id, slot_id = str(wanted["patient_id"]), str(wanted["slot_id"])
    except (ValueError, KeyError, TypeError):
        return refuse(422, "patient_id and slot_id are needed")
    try:
        slot = hero.slots.get(slot_id)
    except (NotFoundError, InvalidArgumentError):
        return refuse(409, "that time is gone")
    except HeroError:
        return refuse(503, "it was not booked: try again")
    if not (
        slot.start_time and slot.finish_time and slot.appointment_type_id and slot.location_id and slot.practitioner_id
    ):
        return refuse(502, "Hero told too little of that time")
    try:
        booking = hero.appointments.reserve_and_book(
            patient_id=patient_id,
            appointment_type_id=slot.appointment_type_id,
            location_id=slot.location_id,
            practitioner_id=slot.practitioner_id,
            start_time=slot.start_time,
            duration=(slot.finish_time - slot.start_time).total_seconds() / 60,
        )
    except HeroError as error:
        if error.delivery is Delivery.UNKNOWN:
            return refuse(502, "it may have been booked: look before you try again")
        if isinstance(error, APIStatusError) and error.status in (400, 404, 409):
            return refuse(409, "that time is gone, or there is no such patient")
        return refuse(503, "it was not booked: try again")
    return JsonResponse({"appointment_id": booking.id}, status=201)


def refuse(status: int, why: str) -> JsonResponse:
    return JsonResponse({"detail": why}, status=status)


@events.on("appointment.confirmed")
def confirmed(event: AppointmentConfirmedEvent) -> None:
    """Runs once for each delivery; but Hero may tell an event again under a new signature, so it looks for itself."""
    appointment = event.fetch(hero)
    if appointment.patient_id is None or appointment.start_time is None:
        return
    name = f"{event.practice_group_id} {event.id}"
    if not texts.begin(name):
        return
    try:
        hero.with_options(practice_group_id=event.practice_group_id).messages.send(
            patient_id=appointment.patient_id,
            message_type="sms",
            message_string=f"Your appointment is booked for {appointment.start_time:%d %B, %H:%M} UTC.",
        )
    except HeroError as error:
        if error.delivery is Delivery.NO:
            texts.forget(name)  # nothing was sent: the next delivery may try again
        raise  # answered 500: Hero is told that it was not handled


urlpatterns = [path("slots", slots), path("bookings", book), path("webhooks/hero", receiver.django)]

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["localhost", "127.0.0.1"], MIDDLEWARE=[], LOGGING_CONFIG=None)
django.setup()
application = get_wsgi_application()
