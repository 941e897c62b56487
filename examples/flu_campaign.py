"""A flu campaign: text everyone in a CSV file, be interrupted, go on, and nobody is texted twice.

python examples/flu_campaign.py
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from somewhere import somewhere

from hero_async import AsyncHero, Settings
from hero_async.bulk import Campaign, State
from hero_async.sandbox import Reset, Sandbox, SyntheticPatient

TEXT = "Dear {first_name}, your flu jab is due. Please call the surgery to book it."


def write(path: Path, patients: Iterable[SyntheticPatient]) -> None:
    """A file as a practice would export it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["nhs_number", "dob", "first_name"])
        writer.writerows((one.nhs_number, one.dob.isoformat(), one.first_name) for one in patients)


async def send(settings: Settings, recipients: Path, *, limit: int | None = None) -> Campaign:
    """Send, or go on where an earlier run ended: the outbox beside the file remembers."""
    campaign = Campaign(recipients, text=TEXT, channel="sms", limit=limit)
    async with AsyncHero.from_settings(settings) as hero:
        async for outcome in campaign.run(hero):
            if outcome.state is State.UNKNOWN:
                print(f"line {outcome.line}: nobody knows whether it was sent: {outcome.reason}")
    status = await campaign.status()
    print(", ".join(f"{status.states[state]} {state.value}" for state in State if status.states[state]))
    return campaign


async def main(settings: Settings, sandbox: Sandbox, folder: Path) -> None:
    """The campaign, in two runs; one answer is lost on the way."""
    recipients = folder / "patients.csv"
    write(recipients, sandbox.patients)
    sandbox.faults.add("messages.send", Reset(after_processing=True), after=10)
    await send(settings, recipients, limit=20)  # as if the process had been stopped here
    campaign = await send(settings, recipients)

    # A person looks in Hero what became of the one in doubt. Here the ledger knows: it was sent.
    unknown = [outcome.line async for outcome in campaign.outcomes([State.UNKNOWN])]
    await campaign.reconcile("sent", lines=unknown)
    await campaign.results(folder / "results.csv")
    print("accepted:", len(sandbox.ledger.messages), "more than once:", len(sandbox.ledger.doubled()))


if __name__ == "__main__":
    with somewhere() as (settings, sandbox), TemporaryDirectory() as folder:
        if sandbox is None:
            raise SystemExit("this one needs the sandbox: it loses an answer on purpose")
        asyncio.run(main(settings, sandbox, Path(folder)))
