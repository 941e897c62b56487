"""Results as CSV: the input's columns and what became of each row, in the order of the input."""

from __future__ import annotations

import csv
import os
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, Final, TextIO

from hero_async.bulk.errors import InputChangedError, OutboxError
from hero_async.bulk.outbox import Outbox, Record
from hero_async.bulk.rows import plain_name
from hero_async.bulk.source import Reading, Source, close_reading
from hero_async.bulk.thread import OneThread

NEW_COLUMNS: Final = ("state", "reason", "message_id", "batch_id")
"""What is added. `batch_id` is empty for messages that were sent one by one, `message_id` where a batch showed none."""

_AT_ONCE: Final = 1000
_FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")  # the last four are their full-width twins


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: with an apostrophe in front, if need be."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def new_columns(columns: Sequence[str]) -> list[str]:
    """The names of the added columns: prefixed where the input has one of that name."""
    taken = {plain_name(column) for column in columns}
    names: list[str] = []
    for name in NEW_COLUMNS:
        while name in taken:
            name = f"hero_{name}"
        names.append(name)
        taken.add(name)
    return names


async def write_results(outbox: Outbox, source: Source | None, destination: Path | TextIO) -> int:
    """Write the results of an outbox. Gives the number of rows.

    Args:
        outbox: The journal; a run may have hold of it.
        source: The input, for its columns; None: lines and references instead.
        destination: A file, replaced once all is written; or a stream.

    Raises:
        InputChangedError: The input is not the one that the outbox was filled from.
        OutboxError: The outbox is not there, not filled, or the file cannot be written.
    """
    thread = OneThread("hero-results")
    try:
        await _check(outbox, source, thread)
        if isinstance(destination, Path):
            return await _write_file(outbox, source, destination, thread)
        return await _write(outbox, source, destination, thread)
    finally:
        thread.close()


async def _check(outbox: Outbox, source: Source | None, thread: OneThread) -> None:
    binding = await outbox.binding()
    if binding is None:
        raise OutboxError(f"{outbox.label}: there is no such outbox")
    if not binding.input_sha256:
        raise OutboxError(f"{outbox.label}: its first pass did not end, so there are no results; run it again")
    if source is not None:
        binding.check_input(await thread.run(source.sha256), source.path)


async def _write_file(outbox: Outbox, source: Source | None, path: Path, thread: OneThread) -> int:
    part = path.with_name(path.name + ".part")
    why = ""
    try:
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            count = await _write(outbox, source, stream, thread)
        part.replace(path)
    except OSError as error:
        why, count = error.strerror or type(error).__name__, 0
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    if why:
        raise OutboxError(f"{path.name}: cannot be written: {why}")
    return count


async def _write(outbox: Outbox, source: Source | None, stream: TextIO, thread: OneThread) -> int:
    writer = csv.writer(stream)
    count = 0
    reading: Reading | None = None
    if source is not None:
        reading = await thread.acquire(source.open, close_reading)
    try:
        columns = ("line", "reference") if reading is None else reading.columns
        await thread.run(writer.writerow, [harmless(name) for name in (*columns, *new_columns(columns))])
        rows = None if reading is None else iter(reading)
        async for part in _parts(outbox):
            lines = [[str(record.line), record.reference or ""] for record in part]
            if rows is not None:
                found = await thread.run(_take, rows, len(part))
                if [line for line, _ in found] != [record.line for record in part]:
                    raise InputChangedError("the recipients changed while the results were written")
                lines = [_fit(cells, len(columns)) for _, cells in found]
            await thread.run(writer.writerows, [_joined(*pair) for pair in zip(lines, part, strict=True)])
            count += len(part)
    finally:
        if reading is not None:
            reading.close()
    return count


def _take(rows: Iterator[tuple[int, Sequence[str]]], count: int) -> list[tuple[int, Sequence[str]]]:
    return list(islice(rows, count))


async def _parts(outbox: Outbox) -> AsyncGenerator[list[Record]]:
    part: list[Record] = []
    async for record in outbox.records():
        part.append(record)
        if len(part) == _AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _fit(cells: Sequence[str], width: int) -> list[str]:
    """A bad row may have too few or too many cells; the new columns stand in their place all the same."""
    return [*cells[:width], *[""] * (width - len(cells))]


def _joined(cells: Sequence[str], record: Record) -> list[Any]:
    added = (record.state.value, record.reason or "", record.message_id or "", record.batch_id or "")
    return [harmless(cell) for cell in (*cells, *added)]
