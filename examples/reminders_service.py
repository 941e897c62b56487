"""A service that reminds patients of tomorrow's appointments, once each, whatever happens in between.

python examples/reminders_service.py

The API lists no appointments, so a service keeps those that it booked. Before the first byte of a message leaves, the
guard writes "sending" to its database: a row that is still "sending" after a crash is in doubt, for a person to settle.
"""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta

from somewhere import somewhere

from hero_async import AsyncHero, Delivery, HeroError, Settings

SCHEMA = (
    "CREATE TABLE reminder (appointment_id TEXT PRIMARY KEY, patient_id TEXT, start TEXT, state TEXT DEFAULT 'due')"
)


class Reminders:
    """Appointments and what became of their reminders."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute(SCHEMA)

    def add(self, appointment_id: str, patient_id: str, start: datetime) -> None:
        """An appointment was booked."""
        row = (appointment_id, patient_id, start.isoformat())
        self._db.execute("INSERT INTO reminder (appointment_id, patient_id, start) VALUES (?, ?, ?)", row)

    def due(self, before: datetime) -> list[tuple[str, str, datetime]]:
        """Who has not been reminded yet."""
        rows = self._db.execute(
            "SELECT appointment_id, patient_id, start FROM reminder WHERE state = 'due' AND start < ?",
            (before.isoformat(),),
        )
        return [(appointment, patient, datetime.fromisoformat(start)) for appointment, patient, start in rows]

    def mark(self, appointment_id: str, state: str) -> None:
        """What became of one."""
        self._db.execute("UPDATE reminder SET state = ? WHERE appointment_id = ?", (state, appointment_id))

    def counts(self) -> dict[str, int]:
        """How many are in each state."""
        return dict(self._db.execute("SELECT state, count(*) FROM reminder GROUP BY state").fetchall())


async def remind(hero: AsyncHero, reminders: Reminders, appointment_id: str, patient_id: str, start: datetime) -> None:
    """Send one reminder; on failure leave it due only if it was certainly not processed."""

    async def intent() -> None:
        reminders.mark(appointment_id, "sending")

    call = hero.messages.send.build(
        patient_id=patient_id, message_type="sms", message_string=f"Your appointment is on {start:%A at %H:%M}"
    )
    try:
        await hero.execute(call, guard=intent)
    except HeroError as error:
        states = {Delivery.NO: "due", Delivery.YES: "sent", Delivery.UNKNOWN: "unknown"}
        reminders.mark(appointment_id, states[error.delivery])
    else:
        reminders.mark(appointment_id, "sent")


async def turn(hero: AsyncHero, reminders: Reminders, now: datetime) -> None:
    """One turn of the service: all that is due until this time tomorrow."""
    async with asyncio.TaskGroup() as group:
        for one in reminders.due(now + timedelta(days=1)):
            group.create_task(remind(hero, reminders, *one))


async def main(settings: Settings) -> None:
    """Book some appointments, then run two turns, as a timer would."""
    now = datetime.now(UTC)
    reminders = Reminders(":memory:")
    async with AsyncHero.from_settings(settings) as hero:
        for number, patient_id in enumerate(("100001", "100002", "100003")):
            reminders.add(f"appointment-{number}", patient_id, now + timedelta(hours=20 + number))
        reminders.add("appointment-9", "100009", now + timedelta(days=9))
        await turn(hero, reminders, now)
        await turn(hero, reminders, now)  # finds nothing that is due
    print(reminders.counts())


if __name__ == "__main__":
    with somewhere() as (settings, sandbox):
        asyncio.run(main(settings))
        if sandbox is not None:
            print("accepted:", len(sandbox.ledger.messages), "more than once:", len(sandbox.ledger.doubled()))
