"""Where the command writes: results to stdout, progress and errors to stderr.

Colours are rich's: only on a terminal, and never with NO_COLOR.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text


def stdout() -> Console:
    """For results that people read."""
    return Console(highlight=False, markup=False, emoji=False)


_live: Console | None = None


def stderr() -> Console:
    """For progress, warnings and errors; while a live display is up, the console that makes room for a line."""
    return _live or Console(stderr=True, highlight=False, markup=False, emoji=False)


@contextmanager
def live(console: Console) -> Generator[None]:
    """Let all lines for stderr go through the console of a live display while the block runs."""
    global _live
    before, _live = _live, console
    try:
        yield
    finally:
        _live = before


def say(text: str, *, style: str | None = None) -> None:
    """One line for people, on stderr."""
    stderr().print(text, style=style, soft_wrap=True)


def answer(text: str) -> None:
    """One line of the result, on stdout."""
    stdout().print(text, soft_wrap=True)


def answer_json(value: Any) -> None:
    """The result for programs: one line of JSON on stdout."""
    answer_bytes(msgspec.json.encode(value))


def answer_bytes(data: bytes) -> None:
    """Bytes as they are and a line end, on stdout."""
    sys.stdout.write(data.decode("utf-8", "replace") + "\n")
    sys.stdout.flush()


def fail(message: str, hint: str | None = None) -> None:
    """The one line that says what went wrong."""
    line = Text("error: ", style="bold red")
    line.append(" ".join(message.split()), style="default")
    if hint:
        line.append(f" (hint: {' '.join(hint.split())})", style="default")
    stderr().print(line, soft_wrap=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[str | Text]], *, numbers: Sequence[int] = ()) -> Table:
    """A table that fits into 80 columns: a cell that is too long goes on in the next line.

    Args:
        columns: The heads.
        rows: The cells.
        numbers: Which columns hold numbers.
    """
    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, column in enumerate(columns):
        if place in numbers:
            made.add_column(column, justify="right", no_wrap=True)
        elif place == 0:
            made.add_column(column, no_wrap=True)
        else:
            made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    return made


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: "1 row", "1,000 rows"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(counts: Mapping[str, int]) -> str:
    """Counts as a phrase: "3 no_answer, 1 http_500"."""
    return ", ".join(f"{number:,} {name}" for name, number in counts.items())
