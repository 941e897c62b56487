"""`hero sandbox`: a Hero on this machine."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import anyio

from hero_async.cli import output
from hero_async.cli.failures import Exit
from hero_async.cli.loop import Stops, run
from hero_async.cli.options import COMMON, Common
from hero_async.sandbox import Sandbox, SyntheticPatient, serve
from hero_async.settings import as_rate_limit

COLUMNS = ("nhs_number", "dob", "first_name", "last_name")
"""Columns of a file of synthetic patients."""


def sandbox(
    *,
    port: int = 8080,
    patients: int = 1000,
    rate_limit: str | None = None,
    seed: int = 0,
    recipients: Path | None = None,
    webhook: str | None = None,
    json: bool = False,
    common: Common = COMMON,
) -> int:
    """Serve a Hero with synthetic patients on this machine until Ctrl-C. Never for data of real patients.

    Args:
        port: Where it listens; 0 for any free port.
        patients: How many synthetic patients it knows.
        rate_limit: How fast a practice may call, such as "20/s". Default: no limit.
        seed: The same seed makes the same patients.
        recipients: Write its patients to this CSV file, for 'hero send'.
        webhook: An http address on this machine that is told, signed, of what happens. The key: HERO_SIGNING_KEY, or
            the one that is shown.
        json: Tell address, key and practice groups as a line of JSON, and at the end what the ledger counted.
        common: Options of every command.
    """
    limit = as_rate_limit(rate_limit)
    made = Sandbox(
        port=port,
        patients=patients,
        seed=seed,
        rate_limit=None if limit is None else limit.rate,
        webhook=webhook,
        signing_key=os.environ.get("HERO_SIGNING_KEY") or "sandbox-signing-key",
    )
    if recipients is not None:
        write_csv(recipients, COLUMNS, (row_of(patient) for patient in made.patients))
    run(lambda: _serve(made, _announce_json if json else partial(_announce, tells=webhook is not None)))
    summary = made.ledger.summary()
    if json:
        output.answer_json(summary)
        return Exit.OK
    output.say(
        f"sandbox: {output.count(summary['requests'], 'request')}, "
        f"{output.count(summary['messages'], 'message')} accepted, "
        f"{output.count(summary['doubled'], 'patient')} with more than one"
    )
    if webhook is not None:
        told = made.webhooks.sent
        output.say(
            f"webhooks: {output.count(len(told), 'event')} told, {sum(one.is_handled for one in told):,} answered 2xx"
        )
    return Exit.OK


async def _serve(made: Sandbox, announce: Callable[[Sandbox], None]) -> None:
    with anyio.CancelScope() as scope, Stops(scope.cancel, scope.cancel):
        await serve(made, announce)


def _announce_json(running: Sandbox) -> None:
    output.answer_json(
        {
            "api_key": running.api_key,
            "practice_group_ids": running.practice_group_ids,
            "base_url": running.url,
            "patients": len(running.patients),
        }
    )


def _announce(running: Sandbox, *, tells: bool) -> None:
    """What a shell needs to use it, on stdout; the rest is for people."""
    for name, value in (
        ("HERO_API_KEY", running.api_key),
        ("HERO_PRACTICE_GROUP_ID", running.practice_group_ids[0]),
        ("HERO_BASE_URL", running.url),
    ):
        output.answer(f"export {name}={value}")
    if tells and not os.environ.get("HERO_SIGNING_KEY"):
        output.answer(f"export HERO_SIGNING_KEY={running.signing_key}")
    for rival in ("HERO_ENVIRONMENT", "HERO_API_KEY_FILE"):
        if os.environ.get(rival):
            output.answer(f"unset {rival}")
    output.say(f"sandbox: {output.count(len(running.patients), 'patient')}, until Ctrl-C")


def row_of(patient: SyntheticPatient) -> Sequence[str]:
    """A patient as a row of `COLUMNS`."""
    return (patient.nhs_number or "", patient.dob.isoformat(), patient.first_name, patient.last_name)


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a CSV file that only its owner can read."""
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline=""
    ) as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
