"""A Django view, plain and blocking, that books through `hero_sync`. The whole project in one file.

python examples/django_view.py                # one request, by Django's test client, on a sandbox
python examples/django_view.py runserver 8000 # the same project, served; HERO_* variables say where Hero is
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from functools import cache

import django
from django.conf import settings as project
from django.core.management import execute_from_command_line
from django.http import HttpRequest, JsonResponse
from django.test import Client
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from somewhere import somewhere

from hero_async import BookingError, Delivery, HeroError
from hero_sync import Hero


@cache
def hero() -> Hero:
    """One client for the process, made at the first request: threads share it, and so may a forked worker."""
    return Hero.from_env()


@csrf_exempt  # an example without a login; yours has one
@require_POST
def book(request: HttpRequest) -> JsonResponse:
    """Book a time for a patient."""
    wish = json.loads(request.body)
    try:
        booking = hero().appointments.reserve_and_book(
            **wish | {"start_time": datetime.fromisoformat(wish["start_time"])}
        )
    except BookingError as error:
        state = "perhaps booked" if error.delivery is Delivery.UNKNOWN else "held, but not booked"
        return JsonResponse({"state": state, "appointment_id": error.appointment_id}, status=502)
    except HeroError as error:
        # The text of an error holds no value, so it may be shown and logged.
        return JsonResponse({"state": "not booked", "why": str(error)}, status=409)
    return JsonResponse({"state": "booked", "appointment_id": booking.id}, status=201)


urlpatterns = [path("appointments", book)]


def configure() -> None:
    """The project's settings."""
    project.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="of an example")
    django.setup()


def one_request() -> None:
    """Look for a free time and book it by the view."""
    slot = hero().slots.list().first().data[0]
    assert slot.start_time is not None  # noqa: S101  # the sandbox's slots have one
    wish = {
        "appointment_type_id": slot.appointment_type_id,
        "location_id": slot.location_id,
        "practitioner_id": slot.practitioner_id,
        "duration": 10,
        "start_time": slot.start_time.isoformat(),
        "patient_id": "100001",
    }
    for _ in range(2):  # the second time it is taken
        answer = Client().post("/appointments", json.dumps(wish), content_type="application/json")
        print(answer.status_code, answer.json()["state"])


if __name__ == "__main__":
    configure()
    if len(sys.argv) > 1:
        execute_from_command_line([sys.argv[0], *sys.argv[1:]])
    else:
        with somewhere() as (_, sandbox):
            if sandbox is not None:
                os.environ.update(sandbox.variables)
            one_request()
            hero().close()
