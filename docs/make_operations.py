"""Makes docs/operations.md from `OPERATIONS`: `python docs/make_operations.py`, or `nox -s docs`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, get_args, get_origin

from hero_async import OPERATIONS
from hero_async.calls import AnyOperation
from hero_async.fields import arms
from hero_async.operations import Flow, Listing
from hero_async.pages import Page

PAGE = Path(__file__).with_name("operations.md")

MARKS = {"documented": "●", "sampled": "◐", "inferred": "○"}

HEAD = f"""# Operations

Made from `hero_async.OPERATIONS` by `docs/make_operations.py`; not to be edited by hand.

All {len(OPERATIONS)} operations of the API, as they stand on `AsyncHero` and on `hero_sync.Hero`. Each name leads to
its page of the reference.

- **Evidence**: how well the public reference shows an operation.
  {MARKS["documented"]} documented: its fields were seen.
  {MARKS["sampled"]} sampled: its path was seen, its fields in a sample or in part.
  {MARKS["inferred"]} inferred: method, path or fields are deduced from its neighbours and not confirmed.
- **Answers**: the model that comes back. *raw* marks one whose fields the reference does not show: read `.raw`. A list
  is given as pages: `async for`, `await` for the first page, `.pages()`, `.collect()`; blocking: `for`, `.first()`.
  *one page* marks a list without paging parameters.
- **Repeats**: whether the SDK may send it again when it is not known if the first was processed. What is not safe to
  repeat is never repeated then, whatever `retries` says.
"""


def page() -> str:
    """The whole page."""
    subjects = groupby(OPERATIONS, key=lambda operation: operation.name.partition(".")[0])
    return "\n".join([HEAD, *(line for name, group in subjects for line in _subject(name, list(group)))])


def _subject(name: str, operations: list[AnyOperation]) -> Iterator[str]:
    function = operations[0].function
    resource: Any = getattr(sys.modules[function.__module__], function.__qualname__.partition(".")[0])
    yield f"## {name}\n\n{_first(resource)}\n"
    yield "| Operation | What it does | Call | Answers | Repeats | Evidence |"
    yield "| --- | --- | --- | --- | --- | :---: |"
    yield from map(_row, operations)
    yield ""
    for flow in [member for member in vars(resource).values() if isinstance(member, Flow)]:
        yield f"Flow, made of operations: `{name}.{flow.function.__name__}`. {_first(flow.function)}\n"


def _row(operation: AnyOperation) -> str:
    cells = (
        f"[`{operation.name}`]({_reference(operation)})",
        _first(operation.function),
        f"`{operation.verb} {operation.path}`",
        _answers(operation),
        "yes" if operation.idempotent else "no",
        MARKS[operation.evidence],
    )
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _answers(operation: AnyOperation) -> str:
    hint = get_args(operation.into)[0] if get_origin(operation.into) is Page else operation.into
    names = " or ".join(f"`{arm.__name__}`" for arm in arms(hint))
    notes = ["raw"] if any(hasattr(arm, "raw") for arm in arms(hint)) else []
    if isinstance(operation, Listing):
        names = f"list of {names}"
        notes += [] if operation.is_paged else ["one page"]
    return f"{names}, *{', '.join(notes)}*" if notes else names


def _first(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def _reference(operation: AnyOperation) -> str:
    return (inspect.getdoc(operation.function) or "").rpartition("Reference: ")[2].strip()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
