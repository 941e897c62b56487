"""`hero status`, `reconcile`, `results` and `purge`: an outbox, without calling anyone."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.text import Text

from hero_async.bulk import OutboxError, SQLiteOutbox, State
from hero_async.bulk.outbox import Binding, Record
from hero_async.bulk.results import write_results
from hero_async.bulk.source import CsvSource
from hero_async.cli import output
from hero_async.cli.failures import Exit, UsageError
from hero_async.cli.loop import run
from hero_async.cli.options import COMMON, Common
from hero_async.cli.sending import check_target, status_json, status_table


def status(outbox: Path, /, *, json: bool = False, common: Common = COMMON) -> int:
    """Show where a campaign stands, also while it runs.

    Args:
        outbox: The outbox.
        json: Answer one line of JSON.
        common: Options of every command.
    """
    journal = SQLiteOutbox(outbox)

    async def look() -> int:
        binding = await _binding(journal)
        found = await journal.status()
        if json:
            output.answer_json(status_json(found, str(outbox)) | _about(binding))
        else:
            for name, value in _about(binding).items():
                output.answer(f"{name.replace('_', ' ')}: {value}")
            output.stdout().print(status_table(found))
            if found.reasons:
                output.answer(f"reasons: {output.listed(found.reasons)}")
            if found.running:
                output.answer("a process is sending from it")
            if not found.filled:
                output.answer("its first pass did not end: run its campaign again; nothing was sent")
        is_clean = found.complete and not found.states[State.REJECTED] and not found.states[State.UNKNOWN]
        return Exit.OK if is_clean else Exit.SOME

    return run(look)


async def _binding(journal: SQLiteOutbox) -> Binding:
    binding = await journal.binding()
    if binding is None:
        raise OutboxError(f"{journal.label}: there is no such outbox")
    return binding


def _about(binding: Binding) -> dict[str, Any]:
    return {
        "channel": binding.channel,
        "route": binding.route,
        "practice_group": binding.practice,
        "origin": binding.origin,
        "input": binding.input_path,
    }


def reconcile(
    outbox: Path,
    /,
    *,
    mark: Literal["sent", "unsent"] | None = None,
    rows: str | None = None,
    all: bool = False,
    json: bool = False,
    common: Common = COMMON,
) -> int:
    """List the rows whose outcome is unknown; or settle them, once you have looked in Hero.

    Whether such a message was accepted cannot be asked of the API. A row that is marked unsent is sent by the next
    run: mark it so only if you know.

    Args:
        outbox: The outbox.
        mark: What a person found out: "sent" or "unsent".
        rows: Which rows, by line: 3,7 or 3-7.
        all: All rows that are unknown.
        json: Answer one line of JSON.
        common: Options of every command.
    """
    if mark is None and (rows is not None or all):
        raise UsageError("--mark: is needed with --rows or --all: sent or unsent")
    if mark is not None and (rows is None) != all:
        raise UsageError("--rows: say which rows by --rows, or --all, and by one of them only")
    journal = SQLiteOutbox(outbox)
    if mark is None:
        return run(lambda: _list_unknown(journal, json=json))
    lines = None if rows is None else read_lines(rows)

    async def settle() -> int:
        async with journal.hold() as hold:
            return await hold.mark(lines, mark)

    number = run(settle)
    if json:
        output.answer_json({"outbox": str(outbox), "marked": number, "as": mark})
    else:
        output.answer(f"{output.count(number, 'row')} marked {mark}")
        if mark == "unsent" and number:
            output.say(f"to send them:      hero resume {shlex.quote(str(outbox))}")
    return Exit.OK


async def _list_unknown(journal: SQLiteOutbox, *, json: bool) -> int:
    found = await journal.status()
    if found.states[State.SENDING] and not found.running:
        async with journal.hold():  # a run was cut off: taking hold makes what was under way unknown
            pass
        found = await journal.status()
    unknown = [record async for record in journal.records([State.UNKNOWN])]
    if found.states[State.SENDING] and not found.running:
        output.say(
            f"{output.count(found.states[State.SENDING], 'row')} more in batches that were cut off: the next run asks"
            " Hero what became of them"
        )
    if json:
        output.answer_json({"outbox": journal.label, "unknown": [_unknown_json(record) for record in unknown]})
    elif not unknown:
        output.answer("no row is unknown")
    else:
        _show_unknown(unknown, shlex.quote(journal.label))
    return Exit.SOME if unknown else Exit.OK


def _unknown_json(record: Record) -> dict[str, Any]:
    return {"line": record.line, "reference": record.reference, "reason": record.reason, "since": record.at}


def _show_unknown(unknown: list[Record], quoted: str) -> None:
    has_references = any(record.reference for record in unknown)
    columns = ["line", "since", "reason", *(["reference"] if has_references else [])]
    rows: list[list[str | Text]] = []
    for record in unknown:
        row: list[str | Text] = [str(record.line), f"{record.at.astimezone():%Y-%m-%d %H:%M:%S}", record.reason or ""]
        rows.append([*row, record.reference or ""] if has_references else row)
    output.stdout().print(output.table(columns, rows, numbers=(0,)))
    output.say("look each of them up in Hero, then say what you found:")
    output.say(f"  hero reconcile {quoted} --mark sent --rows LINES")
    output.say(f"  hero reconcile {quoted} --mark unsent --rows LINES")


_LINES = re.compile(r"([0-9]{1,12})(?:-([0-9]{1,12}))?")
_MOST_LINES = 1_000_000


def read_lines(text: str) -> list[int]:
    """The lines that a text such as "3,7,10-12" names.

    Raises:
        UsageError: It is not of that form.
    """
    lines: list[int] = []
    for part in text.split(","):
        found = _LINES.fullmatch(part.strip())
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= first <= last or last - first >= _MOST_LINES:
            raise UsageError("--rows: must be line numbers, such as 3,7 or 3-7")
        lines.extend(range(first, last + 1))
    return sorted(set(lines))


def results(
    outbox: Path,
    /,
    *,
    out: Annotated[Path | None, Parameter(name=("--out", "-o"))] = None,
    input: Path | None = None,
    without_input: bool = False,
    json: bool = False,
    common: Common = COMMON,
) -> int:
    """Write what became of each row, as CSV: the input's columns, then state, reason, message_id and batch_id.

    Args:
        outbox: The outbox.
        out: The file to write. Default: stdout.
        input: Where the CSV file of the recipients is now, if it was moved.
        without_input: Do not look at the recipients: line and reference stand in for their columns.
        json: With --out, answer one line of JSON: how many rows were written, and where.
        common: Options of every command.
    """

    if json and out is None:
        raise UsageError("--json: needs --out, because the rows themselves go to stdout")

    async def write() -> int:
        journal = SQLiteOutbox(outbox)
        source = None
        if not without_input:
            binding = await _binding(journal)
            known = input or (None if binding.input_path is None else Path(binding.input_path))
            if known is not None and (input is not None or known.exists()):
                source = CsvSource(known)
            elif known is not None:
                output.say(f"{known.name} is gone, so results are by line; --input says where it is", style="yellow")
            if source is not None and known is not None:
                check_target("--out", out, known)
        return await write_results(journal, source, sys.stdout if out is None else out)

    number = run(write)
    if json:
        output.answer_json({"outbox": str(outbox), "rows": number, "results": str(out)})
    elif out is not None:
        output.say(f"{output.count(number, 'row')} written to {out}")
    return Exit.OK


def purge(outbox: Path, /, *, yes: bool = False, json: bool = False, common: Common = COMMON) -> int:
    """Delete an outbox and its key. What it knew is gone: the same campaign would write to everyone again.

    Args:
        outbox: The outbox.
        yes: Do not ask.
        json: Answer one line of JSON.
        common: Options of every command.
    """
    journal = SQLiteOutbox(outbox)

    async def delete() -> None:
        found = await journal.status()
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError("--yes: is needed where nobody can be asked")
            output.say(f"{outbox}: knows of {found.states[State.SENT]:,} messages sent, and of")
            output.say(f"{found.states[State.UNKNOWN]:,} unknown. Without it they may be sent again.")
            sys.stderr.write("type purge to delete it: ")
            sys.stderr.flush()
            if sys.stdin.readline().strip() != "purge":
                raise UsageError("not confirmed: nothing was deleted")
        await journal.purge()

    run(delete)
    if json:
        output.answer_json({"outbox": str(outbox), "deleted": True})
    else:
        output.answer(f"{outbox.name}: deleted")
    return Exit.OK
