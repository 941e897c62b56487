"""What a type checker knows of handlers and of what `fetch` gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PAGE = """
from typing import assert_type

from hero_async import AsyncHero
from hero_async.api.appointments import Appointment
from hero_async.api.form_responses import FormResponse
from hero_async.api.patients import PatientV2
from hero_async.webhooks import *
from hero_sync import Hero

events = Events()

@events.on("appointment.confirmed")
async def one(event: AppointmentConfirmedEvent) -> int:
    assert_type(event.id, str)
    assert_type(await event.fetch(AsyncHero()), Appointment)
    assert_type(event.fetch(Hero()), Appointment)
    return 1

@events.on(UnknownEvent)
def two(event: UnknownEvent) -> None:
    assert_type(event.id, str | None)

@events.on(PatientEvent)
async def three(event: PatientEvent) -> None:
    assert_type(await event.fetch(AsyncHero()), PatientV2)
    assert_type(event.fetch(Hero()), PatientV2)

@events.on("form-submission.created")
async def four(event: FormSubmissionCreatedEvent) -> None:
    assert_type(await event.fetch(AsyncHero()), FormResponse)
    assert_type(event.fetch(Hero()), FormResponse)

@events.on("form-submission.created")
def wide(event: Event) -> None: ...

@events.on("appointment.cancelled")  # error: the other event
def wrong(event: AppointmentConfirmedEvent) -> None: ...

events.on("appointment.confrmed")  # error: no such event
AppointmentConfirmedEvent(id="1")  # error: the practice is missing
def none(event: WriteToRecordFailedEvent, issued: PrescriptionIssuedEvent) -> None:
    event.fetch(Hero())  # error: what id names is not known
    issued.fetch(Hero())  # error: there is no operation
"""


def test_type_checkers_know_which_event_a_handler_gets_and_what_fetch_gives(tmp_path: Path) -> None:
    page = tmp_path / "page.py"
    page.write_text(PAGE)
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--cache-dir", str(tmp_path), str(page)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    expected = {number for number, line in enumerate(PAGE.splitlines(), start=1) if "# error" in line}
    told = {
        int(line.split(":")[1]) for line in run.stdout.splitlines() if line.startswith(str(page)) and "error:" in line
    }
    assert told == expected, run.stdout
