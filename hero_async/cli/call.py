"""`hero call`: any operation of the API, JSON out."""

from __future__ import annotations

import difflib
import inspect
import re
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import attrs
import msgspec
from cyclopts import App, Parameter

from hero_async import OPERATIONS
from hero_async.calls import AnyOperation, Call
from hero_async.cli import output
from hero_async.cli.failures import Exit, UsageError
from hero_async.cli.loop import run
from hero_async.cli.options import CONNECTION, Connection
from hero_async.cli.values import BadValue, describe, read_value, takes_flag
from hero_async.client import AsyncHero
from hero_async.operations import Listing
from hero_async.pages import Page, Pager

_HELP = ("--help", "-h")

app: App = App(
    name="call",
    help_format="markdown",
    help_flags=(),  # --help after an operation shows that operation
    usage="Usage: hero call OPERATION [--NAME VALUE …] [OPTIONS]",
    default_parameter=Parameter(negative=(), show_default=False),
)


@app.default
def call(
    operation: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    /,
    *arguments: Annotated[str, Parameter(allow_leading_hyphen=True)],
    all: bool = False,
    list: bool = False,
    json: bool = False,
    connection: Connection = CONNECTION,
) -> int:
    """Call any operation of the API. The answer is printed as it came.

    Args:
        operation: Which one, such as messages.get.
        arguments: Its arguments, such as --id 77. JSON for what is nested, or @FILE to read JSON from a file; true
            and false; dates as YYYY-MM-DD, times with a time zone; null where the API takes null.
        all: Of a list operation, every item of every page, each as a line of JSON. Default: the first page.
        list: Show the operations. With one named: its arguments.
        json: With --list, answer one line of JSON.
        connection: Whom to call.
    """
    words = [word for word in arguments if word not in _HELP]
    asks_help = len(words) < len(arguments) or operation in _HELP
    if operation is None or operation in _HELP:
        if list:
            _show_operations(json=json)
        else:
            app.help_print([], console=output.stdout())
        return Exit.OK if list or asks_help else Exit.USAGE
    found: AnyOperation = _find(operation)
    if asks_help or list:
        _show_operation(found)
        return Exit.OK
    if all and not _lists(found):
        raise UsageError(f"--all: is for operations that list; {found.name} does not")
    made = found.make((), _read(found, words))

    async def go() -> None:
        async with connection.client() as hero:
            await (_all(hero, made) if all else _once(hero, made))

    run(go)
    return Exit.OK


def _lists(operation: AnyOperation) -> bool:
    return isinstance(operation, Listing)


async def _once(hero: AsyncHero, made: Call[Any]) -> None:
    body = (await hero.execute_raw(made)).body
    if body.strip():
        output.answer_bytes(msgspec.json.format(body, indent=2) if sys.stdout.isatty() else body)


async def _all(hero: AsyncHero, made: Call[Any]) -> None:
    """Items as they come; models would leave out what the SDK does not know."""
    operation = made.operation
    assert isinstance(operation, Listing)  # noqa: S101  # checked by the caller

    async def fetch(index: int | None) -> Page[Any]:
        page: Page[Any] = await hero.execute(attrs.evolve(operation.page(made, index), into=Page[Any]))
        return page

    pager = Pager(fetch, made.arguments.get("page_index"), paged=operation.is_paged)
    try:
        while (page := await pager.advance()) is not None:
            for item in page:
                output.answer_json(item)
    finally:
        await pager.close()


def _find(name: str) -> AnyOperation:
    wanted = name.replace("-", "_")
    known = {operation.name: operation for operation in OPERATIONS}
    if wanted in known:
        return known[wanted]
    near = difflib.get_close_matches(wanted, known, n=1)
    raise UsageError(
        f"OPERATION: there is no operation {name!r}",
        hint=f"did you mean {near[0]}?" if near else "'hero call --list' shows them",
    )


def _read(operation: AnyOperation, words: Sequence[str]) -> dict[str, Any]:
    """The arguments of an operation, by name.

    Raises:
        UsageError: One is unknown, missing, or breaks the rule of its type. No value is quoted.
    """
    given: dict[str, list[str]] = {}
    for name, text in _pairs(operation, words):
        given.setdefault(name, []).append(text)
    values: dict[str, Any] = {}
    for name, texts in given.items():
        rule = None
        try:
            values[name] = read_value(texts, operation.parameters[name].hint)
        except BadValue as bad:
            rule = str(bad)
        if rule is not None:
            raise UsageError(f"{_option(name)}: {rule}")
    for name, parameter in operation.parameters.items():
        if parameter.required and name not in values:
            raise UsageError(f"{_option(name)}: is missing", hint=f"'hero call {operation.name} --help'")
    return values


def _pairs(operation: AnyOperation, words: Sequence[str]) -> Iterator[tuple[str, str]]:
    waiting = deque(words)
    while waiting:
        word = waiting.popleft()
        if not word.startswith("--"):
            raise UsageError(
                f"arguments of {operation.name} are given by name, such as --name VALUE",
                hint="a value with spaces needs quotes around it",
            )
        option, equals, text = word[2:].partition("=")
        name = option.replace("-", "_")
        if name not in operation.parameters:
            near = difflib.get_close_matches(name, operation.parameters, n=1)
            raise UsageError(
                f"--{option}: {operation.name} has no such argument",
                hint=f"did you mean {_option(near[0])}?" if near else f"'hero call {operation.name} --help'",
            )
        if not equals:
            text = _next(waiting, _option(name), operation.parameters[name].hint)
        yield name, text


def _next(waiting: deque[str], option: str, hint: Any) -> str:
    """The value of an option that stands apart from it."""
    if takes_flag(hint) and (not waiting or waiting[0].startswith("--")):
        return "true"
    if not waiting:
        raise UsageError(f"{option}: needs a value")
    return waiting.popleft()


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _show_operations(*, json: bool) -> None:
    if json:
        output.answer_json(
            [
                {
                    "name": operation.name,
                    "verb": operation.verb,
                    "path": operation.path,
                    "idempotent": operation.idempotent,
                    "evidence": operation.evidence,
                    "arguments": [*operation.parameters],
                }
                for operation in OPERATIONS
            ]
        )
        return
    rows = [(operation.name, _first_line(operation)) for operation in OPERATIONS]
    output.stdout().print(output.table(("operation", "what it does"), rows))


def _first_line(operation: AnyOperation) -> str:
    return (inspect.getdoc(operation.function) or "").partition("\n")[0]


_ARGUMENT = re.compile(r"^    (\w+): (.*(?:\n {5,}.*)*)", re.MULTILINE)
_SECTION = re.compile(r"\n(?:Args|Returns|Raises|Reference):")


def _show_operation(operation: AnyOperation) -> None:
    doc = inspect.getdoc(operation.function) or ""
    words = {name: " ".join(text.split()) for name, text in _ARGUMENT.findall(doc.partition("Args:\n")[2])}
    console = output.stdout()
    output.answer(f"hero call {operation.name} [--NAME VALUE …]\n")
    for paragraph in _SECTION.split(doc)[0].strip().split("\n\n"):
        console.print(" ".join(paragraph.split()) + "\n")
    rows = [
        (
            _option(name) + (" *" if parameter.required else ""),
            f"{describe(parameter.hint)}: {words[name]}" if name in words else describe(parameter.hint),
        )
        for name, parameter in operation.parameters.items()
    ]
    if rows:
        console.print(output.table(("argument (* needed)", "takes"), rows))
    output.answer(f"{operation.verb} {operation.path}, {operation.evidence} by the reference")
