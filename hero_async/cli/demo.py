"""`hero demo`: a campaign end to end on this machine, with faults, down to the last row."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import attrs
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.text import Text

from hero_async.bulk import Campaign, State
from hero_async.bulk.rows import RULES
from hero_async.cli import output
from hero_async.cli.demo_data import COLUMNS, FAULTS_IN_WORDS, Material, make
from hero_async.cli.failures import Exit
from hero_async.cli.loop import run
from hero_async.cli.options import COMMON, Common
from hero_async.cli.sandbox import write_csv
from hero_async.cli.sending import Ending, carry_out, status_table, tell_bad_rows
from hero_async.client import AsyncHero
from hero_async.sandbox import Sandbox
from hero_async.settings import Settings

_TEXT = "Dear {first_name}, your flu jab is due. Please call the surgery to book it."
_FILE = "patients.csv"
_OUTBOX = "patients.outbox"
_RATE = "400/s"


def demo(
    *,
    patients: Annotated[int, Parameter(validator=Number(gte=100, lte=20_000))] = 1000,
    json: bool = False,
    common: Common = COMMON,
) -> int:
    """See a campaign end to end on this machine: bad rows, faults, unknown outcomes, and how they are settled.

    No key is needed and nothing leaves the machine. Ends with 0 if every row is accounted for.

    Args:
        patients: How many synthetic patients to write to. Default 1000.
        json: Answer the books as one line of JSON; the story goes to stderr.
        common: Options of every command.
    """
    with TemporaryDirectory(prefix="hero-demo-") as folder, redirect_stdout(sys.stderr) if json else nullcontext():
        code, books = run(lambda: _play(Path(folder), make(patients)))
    if json and books is not None:
        output.answer_json({**attrs.asdict(books), "balance": books.balance})
    return code


async def _play(folder: Path, material: Material) -> tuple[int, _Books | None]:
    async with material.sandbox as sandbox:
        write_csv(folder / _FILE, COLUMNS, material.rows)
        _introduce(sandbox, len(material.rows))
        given = {"api_key": sandbox.api_key, "practice_group_id": "1", "base_url": sandbox.url, "rate_limit": _RATE}
        settings = Settings.resolve(given, environ={"HERO_PROFILE_FILE": os.devnull})  # nothing of the user's own
        async with AsyncHero.from_settings(settings) as hero:
            campaign = Campaign(folder / _FILE, text=_TEXT, channel="sms", outbox=folder / _OUTBOX)
            tell_bad_rows(await campaign.prepare(hero.settings), name=_FILE)
            ending = await carry_out(campaign, hero)
            if ending.interrupted:
                return Exit.INTERRUPTED, None
            output.stdout().print(status_table(ending.status))
            unknown = await _settle_unknown(campaign, material)
            _command(f"hero resume {_OUTBOX}")
            rest = await Campaign.open(folder / _OUTBOX)
            ending = await carry_out(rest, hero)
            if ending.interrupted:
                return Exit.INTERRUPTED, None
            return await _account(rest, ending, material, unknown)


def _introduce(sandbox: Sandbox, rows: int) -> None:
    _head("A Hero of our own, with faults")
    _text(f"A sandbox with {len(sandbox.patients):,} synthetic patients runs at {sandbox.url}.")
    _text(f"On its way it will answer with: {FAULTS_IN_WORDS}.")
    _head(f"{rows:,} rows, some of them bad")
    _command(f"hero send {_FILE} --outbox {_OUTBOX} --rate {_RATE} --channel sms --text {shlex.quote(_TEXT)}")


async def _settle_unknown(campaign: Campaign, material: Material) -> list[int]:
    """Ask the ledger, as a person would look in Hero, and mark each unknown row. Gives their lines."""
    lines = [outcome.line async for outcome in campaign.outcomes([State.UNKNOWN])]
    reached = {message.patient_id for message in material.sandbox.ledger.messages}
    sent = [line for line in lines if material.patient_at[line] in reached]
    unsent = [line for line in lines if line not in set(sent)]
    _head(f"{output.count(len(lines), 'row')} that nobody can be sure of")
    _text(
        "Their answers were lost: sent again, some patients would get it twice; forgotten, some never. So they "
        "wait for a person who looks in Hero. Here the sandbox's ledger knows:"
    )
    _command(f"hero reconcile {_OUTBOX}")
    _text(f"unknown: lines {_numbers(lines)}")
    for word, chosen in (("sent", sent), ("unsent", unsent)):
        if chosen:
            _command(f"hero reconcile {_OUTBOX} --mark {word} --rows {_numbers(chosen)}")
            await campaign.reconcile("sent" if word == "sent" else "unsent", lines=chosen)
    return lines


@attrs.frozen
class _Books:
    """What must agree in the end."""

    rows: int
    sent: int
    rejected: int
    unknown: int
    in_ledger: int
    doubled: int
    same_people: bool
    """Whether those who were sent to are those whom the ledger has, one by one."""

    @property
    def balance(self) -> bool:
        whole = self.sent + self.rejected + self.unknown == self.rows
        return whole and self.sent == self.in_ledger and not self.doubled and self.same_people


async def _account(
    campaign: Campaign, ending: Ending, material: Material, unknown: Collection[int]
) -> tuple[int, _Books]:
    states = ending.status.states
    ledger = material.sandbox.ledger
    ours = [material.patient_at[outcome.line] async for outcome in campaign.outcomes([State.SENT])]
    books = _Books(
        rows=ending.status.rows,
        sent=states[State.SENT],
        rejected=states[State.REJECTED],
        unknown=states[State.UNKNOWN],
        in_ledger=len(ledger.messages),
        doubled=sum(map(len, ledger.doubled().values())),
        same_people=sorted(ours) == sorted(message.patient_id for message in ledger.messages),
    )
    _head("The books")
    reasons: dict[str, list[int]] = {}
    async for outcome in campaign.outcomes([State.REJECTED]):
        reasons.setdefault(outcome.reason or "", []).append(outcome.line)
    rows: list[Sequence[str | Text]] = [
        ("rows in the file", f"{books.rows:,}", ""),
        (Text("sent", style="green"), f"{books.sent:,}", f"the ledger has {books.in_ledger:,}, {_twice(books)}"),
        (Text("rejected", style="yellow"), f"{books.rejected:,}", ""),
        *((f"  {reason}", f"{len(lines):,}", _reason(reason, lines)) for reason, lines in sorted(reasons.items())),
        (Text("unknown", style="red"), f"{books.unknown:,}", f"{len(unknown):,} were, and are settled now"),
    ]
    output.stdout().print(output.table(("", "rows", ""), rows, numbers=(1,)))
    if books.balance and ending.failure is None:
        output.answer("Every row is accounted for, and nobody was written to twice.")
        return Exit.OK, books
    output.fail("the books do not balance: this is a fault of the SDK")
    return Exit.SOME, books


def _twice(books: _Books) -> str:
    return f"{output.count(books.doubled, 'patient')} twice" if books.doubled else "nobody twice"


_WORDS = {
    "no_patient_found": "PDS knows nobody like that",
    "verification_required": "the person must prove who they are first",
}


def _reason(reason: str, lines: Sequence[int]) -> str:
    rule = reason.partition(":")[0]
    words = _WORDS.get(rule) or RULES.get(rule, rule).rpartition(": ")[2]
    return f"line{'s' * (len(lines) > 1)} {_numbers(lines)}: {words}"


def _numbers(lines: Iterable[int]) -> str:
    return ",".join(map(str, lines))


def _head(words: str) -> None:
    output.stdout().print(f"\n{words}", style="bold")


def _text(words: str) -> None:
    output.stdout().print(words)


def _command(words: str) -> None:
    output.stdout().print(f"$ {words}", style="cyan")
