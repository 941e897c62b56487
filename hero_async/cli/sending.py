"""What `send`, `resume` and `demo` have in common: run a campaign, show it, and say how it ended."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import attrs
from rich.text import Text

from hero_async.bulk import BadRow, Campaign, CampaignError, Preflight, State, Status
from hero_async.cli import output
from hero_async.cli.failures import Exit, UsageError
from hero_async.cli.loop import Stops
from hero_async.cli.options import Connection
from hero_async.cli.progress import shown
from hero_async.client import AsyncHero

_MOST_DRAFTS = 3
_MOST_BAD_ROWS = 20
"""Bad rows that are named on the screen; the results name all."""


@attrs.frozen
class Ending:
    """How a run ended."""

    status: Status
    interrupted: bool
    """Ctrl-C or SIGTERM ended it, and something is left to do."""

    failure: CampaignError | None = None
    """What stopped it, if something did."""

    as_asked: bool = True
    """Whether every row that the run was to take up is settled."""

    @property
    def code(self) -> Exit:
        """What the command ends with, unless `failure` says otherwise."""
        if self.interrupted:
            return Exit.INTERRUPTED
        states = self.status.states
        is_clean = not states[State.REJECTED] and not states[State.UNKNOWN] and self.as_asked
        return Exit.OK if is_clean else Exit.SOME


async def carry_out(campaign: Campaign, hero: AsyncHero, *, limit: int | None = None) -> Ending:
    """Run a campaign, and show how it is doing.

    The first Ctrl-C or SIGTERM lets what is under way end and sends nothing new; the second stops at once.
    """
    failure: CampaignError | None = None
    with anyio.CancelScope() as scope, Stops(lambda: _drain(campaign), scope.cancel) as stops:
        try:
            async with shown(campaign.progress), aclosing(campaign.run(hero)) as outcomes:
                async for _ in outcomes:
                    pass
        except CampaignError as error:
            failure = error
    status = await campaign.status()
    progress = campaign.progress
    wanted = progress.settled + progress.ready + progress.sending
    asked = wanted if limit is None else min(limit, wanted)
    return Ending(
        status,
        interrupted=stops.count > 0 and not status.complete,
        failure=failure,
        as_asked=progress.settled >= asked,
    )


def _drain(campaign: Campaign) -> None:
    output.say("stopping: what is under way is finished first (again: stop at once)")
    campaign.drain()


def check_target(option: str, target: Path | None, recipients: Path) -> None:
    """Refuse a place for results before anything is sent.

    Raises:
        UsageError: It is the file of the recipients, or lies in no folder.
    """
    if target is None:
        return
    if not target.parent.is_dir() or target.is_dir():
        raise UsageError(f"{option}: must be a file in a folder that is there")
    if target.exists() and recipients.exists() and target.samefile(recipients):
        raise UsageError(f"{option}: is the file of the recipients; give another one")


def tell_bad_rows(found: Preflight, *, name: str) -> None:
    """The rows that will not be sent, by line, on stderr."""
    if found.resumed or not found.bad_rows:
        return
    output.say(f"{name}: {output.count(found.bad_rows, 'row')} of {found.rows:,} will not be sent:", style="yellow")
    for bad in found.bad[:_MOST_BAD_ROWS]:
        output.say(f"  {bad}")
    more = found.bad_rows - min(len(found.bad), _MOST_BAD_ROWS)
    if more:
        output.say(f"  and {more:,} more; in all: {output.listed(found.rules)}")


def bad_row_json(bad: BadRow) -> dict[str, Any]:
    """A bad row for programs."""
    return {"line": bad.line, "reason": bad.reason, "first_line": bad.first_line, "words": str(bad)}


_STYLES = {State.SENT: "green", State.REJECTED: "yellow", State.UNKNOWN: "red"}


def status_table(status: Status) -> Any:
    """Rows by state, with their reasons."""
    rows: list[Sequence[str | Text]] = []
    for state in (State.SENT, State.REJECTED, State.UNKNOWN, State.SENDING, State.READY):
        number = status.states[state]
        if number or state not in (State.SENDING, State.READY):
            style = _STYLES.get(state, "") if number else "dim"
            rows.append((Text(state.value, style=style), Text(f"{number:,}", style=style), _MEANING[state]))
    rows.append((Text("rows", style="bold"), Text(f"{status.rows:,}", style="bold"), ""))
    return output.table(("state", "rows", ""), rows, numbers=(1,))


_MEANING: Mapping[State, str] = {
    State.SENT: "accepted by Hero",
    State.REJECTED: "will not be sent",
    State.UNKNOWN: "may or may not have been sent; never sent again by itself",
    State.SENDING: "under way, or cut off",
    State.READY: "to be sent",
}


def status_json(status: Status, outbox: str) -> dict[str, Any]:
    """A status for programs."""
    return {
        "outbox": outbox,
        "rows": status.rows,
        **{state.value: status.states[state] for state in State},
        "reasons": dict(status.reasons),
        "drafts": list(status.drafts),
        "filled": status.filled,
        "running": status.running,
        "complete": status.complete,
    }


def tell_ending(
    ending: Ending, *, outbox: str, again: str, results: Path | None, json: bool, bad: Sequence[BadRow] = ()
) -> None:
    """Say how a run ended, on stdout.

    Args:
        ending: How.
        outbox: The outbox's path.
        again: The command that resumes it.
        results: Where the results were written.
        json: For programs.
        bad: Bad rows that the run found, for programs.
    """
    status = ending.status
    if json:
        failure = ending.failure
        output.answer_json(
            status_json(status, outbox)
            | {
                "interrupted": ending.interrupted,
                "stopped": None if failure is None else getattr(failure, "reason", type(failure).__name__),
                "results": None if results is None else str(results),
                "resume": None if status.complete else again,
                "bad_rows": [bad_row_json(one) for one in bad],
            }
        )
    else:
        output.stdout().print(status_table(status))
        if status.reasons:
            output.answer(f"reasons: {output.listed(status.reasons)}")
    _tell_drafts(status)
    for words in _next_steps(status, outbox=outbox, again=again, results=results):
        output.say(words)


def _tell_drafts(status: Status) -> None:
    """Batches that may lie about in Hero: only a person can delete them there."""
    if not status.drafts:
        return
    number = output.count(len(status.drafts), "batch", "batches")
    names = ", ".join(status.drafts[:_MOST_DRAFTS]) + (", …" if len(status.drafts) > _MOST_DRAFTS else "")
    output.say(f"left behind in Hero, maybe: {number} created and never to be sent: {names}", style="yellow")


def _next_steps(status: Status, *, outbox: str, again: str, results: Path | None) -> list[str]:
    quoted = shlex.quote(outbox)
    steps: list[str] = []
    if results is not None:
        steps.append(f"results: {results}")
    elif status.states[State.REJECTED] or status.states[State.UNKNOWN]:
        steps.append(f"row by row:        hero results {quoted}")
    if status.states[State.UNKNOWN] or status.states[State.SENDING]:
        steps.append(f"what is unknown:   hero reconcile {quoted}")
    if not status.complete:
        steps.append(f"to resume it:      {again}")
    return steps


def resume_line(outbox: str, connection: Connection, **more: object) -> str:
    """The command that goes on with a campaign, for a shell."""
    given: dict[str, object] = {
        "--practice-group": connection.practice_group,
        "--environment": connection.environment,
        "--base-url": connection.base_url,
        "--api-key-file": connection.api_key_file,
        "--timeout": connection.timeout,
        "--profile": connection.profile,
        **{f"--{name.replace('_', '-')}": value for name, value in more.items()},
    }
    words = ["hero", "resume", outbox]
    for name, value in given.items():
        if value is not None:
            words += [name, f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join(words)
