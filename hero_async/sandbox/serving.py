"""What a subject module sees: the request, the state, and how to answer or refuse.

    @serves("notes.create", rules.record({"text": rules.text(least=1)}))
    def create(call: Call) -> object:
        ...

A handler is a plain function, so that it is never interrupted: what it does is done at one moment. It returns
what JSON is made of, or raises `RefusalError`. What it changed it notes in the ledger: `note(call, what, id)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from importlib import import_module
from typing import Any

import attrs
import msgspec

from hero_async.hiding import hidden
from hero_async.sandbox import subjects
from hero_async.sandbox.ledger import Change
from hero_async.sandbox.practice import Practice
from hero_async.sandbox.quirks import Quirks
from hero_async.sandbox.rules import Issue, Rule, is_array, is_object, issue
from hero_async.sandbox.state import State

EMPTY = object()
"""What a handler returns to answer 200 without a body."""


@hidden
@attrs.frozen(kw_only=True, repr=False)
class Call:
    """One request, signed and checked."""

    state: State
    quirks: Quirks
    practice_group_id: str
    now: datetime
    path: Mapping[str, str]
    """The template's values, decoded."""

    query: Mapping[str, str]
    """The first value of each query parameter."""

    queries: Mapping[str, Sequence[str]]
    """All values of each query parameter."""

    body: dict[str, Any]
    """The JSON body; empty without one."""

    @property
    def practice(self) -> Practice:
        """What the practice group has from the start."""
        return self.state.practice(self.practice_group_id)

    def several(self, name: str) -> Sequence[str]:
        """All values of a query parameter; none when it was left out."""
        return self.queries.get(name, ())


Handler = Callable[[Call], object]


class RefusalError(Exception):
    """An answer that is not 200."""

    def __init__(self, status: int, message: str | Sequence[Issue], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.message = message
        self.headers: Mapping[str, str] = headers or {}


@attrs.frozen
class Served:
    """A handler and the rules its input must keep."""

    handler: Handler
    rule: Rule | None
    """For the query of a GET or DELETE, for the body of the others; None: there is nothing to check."""

    status: int
    """The status of a good answer."""


HANDLERS: dict[str, Served] = {}


def serves(operation: str, rule: Rule | None = None, *, status: int = 200) -> Callable[[Handler], Handler]:
    """Answer an operation, named as in `hero_async.OPERATIONS`.

    Args:
        operation: Its name.
        rule: What its input must keep: `rules.query(…)` for a GET or DELETE, else a rule for the body.
        status: The status of a good answer.
    """

    def register(handler: Handler) -> Handler:
        if operation in HANDLERS:
            raise RuntimeError(f"{operation} has two handlers")
        HANDLERS[operation] = Served(handler, rule, status)
        return handler

    return register


def served_by(operation: str) -> Served | None:
    """The handler of an operation, whose subject's module is read when it is first asked for; None: there is none."""
    if operation not in HANDLERS:
        subject = f"{subjects.__name__}.{operation.partition('.')[0]}"
        try:
            import_module(subject)
        except ModuleNotFoundError as error:
            if error.name != subject:
                raise
    return HANDLERS.get(operation)


def error_body(status: int, message: str | Sequence[Issue]) -> dict[str, Any]:
    """A 400's body as documented; for other statuses, of which none is, the same with a text."""
    return {"error": True, "statusCode": status, "message": message}


def missing(thing: str) -> RefusalError:
    """The refusal of an id that the practice group does not have, to be raised."""
    return RefusalError(404, f"No {thing} found")


def wrong(expected: str, *path: str | int, code: str = "custom") -> RefusalError:
    """A 400 with one finding, to be raised."""
    return RefusalError(400, [issue(code, expected, path)])


def note(call: Call, what: str, id: str) -> None:
    """Note in the ledger that something was changed; `what` is named as an operation."""
    change = Change(what=what, practice_group_id=call.practice_group_id, id=id, at=call.now)
    call.state.ledger.accept(change)


def unshown(call: Call, small: Mapping[str, object]) -> object:
    """An answer whose body the reference does not show: a small object or nothing, as the quirks say."""
    return EMPTY if call.quirks.unshown == "empty" else small


def everything(items: Iterable[Any], show: Callable[[Any], object]) -> dict[str, Any]:
    """The answer of a list without paging parameters: one page."""
    shown = [show(item) for item in items]
    return {"data": shown, "count": len(shown)}


def page(call: Call, items: Sequence[Any], show: Callable[[Any], object]) -> dict[str, Any]:
    """The items that the query asks for, as the quirks say, each as `show` makes it."""
    quirks = call.quirks
    shown = items
    if quirks.pages != "none":
        size = int(call.query.get("page_size", 0)) or quirks.default_page_size
        index = int(call.query.get("page_index", 0))
        if quirks.pages == "from_one":
            index = max(index - 1, 0)
        shown = items[index * size : (index + 1) * size]
    return {
        "data": [show(item) for item in shown],
        "count": len(items) if quirks.count == "total" else len(shown),
    }


_ENUMERATED = frozenset(
    (
        "assignee_type",
        "channel",
        "data_source",
        "form_type",
        "label",
        "priority",
        "role",
        "sector",
        "sex",
        "source",
        "status",
        "title",
        "type",
    )
)


def _is_enumerated(name: str, value: Mapping[str, Any]) -> bool:
    # A form's title is its own, and what identifies a patient is named by an enum.
    return (name in _ENUMERATED and not (name == "title" and "form_type" in value)) or (
        name == "name" and "role" in value
    )


def _strange(value: Any, quirks: Quirks) -> Any:
    if is_array(value):
        return [_strange(item, quirks) for item in value]
    if not is_object(value):
        return value
    made = {
        name: "sandbox_unknown"
        if quirks.unknown_values and isinstance(item, str) and _is_enumerated(name, value)
        else _strange(item, quirks)
        for name, item in value.items()
    }
    if quirks.extra_fields:
        made["sandbox_extra"] = {"nested": [1, "two", None]}
    return made


_encode = msgspec.json.Encoder().encode


def encode(value: object, quirks: Quirks) -> bytes:
    """The answer's body; times as ISO 8601 in UTC."""
    if value is EMPTY:
        return b""
    if quirks.extra_fields or quirks.unknown_values:
        value = _strange(value, quirks)
    return _encode(value)
