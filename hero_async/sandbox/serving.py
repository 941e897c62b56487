"""What a subject module sees: the request, the state, and how to answer or refuse.

    @serves("notes.create", rules.record({"text": rules.text(least=1)}))
    def create(call: Call) -> object:
        ...

A handler is a plain function, so that it is never interrupted: what it does is done at one moment. It returns
what JSON is made of, or raises `RefusalError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import msgspec

from hero_async.sandbox.quirks import Quirks
from hero_async.sandbox.rules import Issue, Rule, is_array, is_object
from hero_async.sandbox.state import State

EMPTY = object()
"""What a handler returns to answer 200 without a body."""


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

    body: dict[str, Any]
    """The JSON body; empty without one."""


Handler = Callable[[Call], object]


class RefusalError(Exception):
    """An answer that is not 200."""

    def __init__(self, status: int, message: str | Sequence[Issue], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.message = message
        self.headers = headers or {}


@attrs.frozen
class Served:
    """A handler and the rules its input must keep."""

    handler: Handler
    rule: Rule | None
    """For the query of a GET or DELETE, for the body of the others; None: there is nothing to check."""


HANDLERS: dict[str, Served] = {}


def serves(operation: str, rule: Rule | None = None) -> Callable[[Handler], Handler]:
    """Answer an operation, named as in `hero_async.OPERATIONS`."""

    def register(handler: Handler) -> Handler:
        if operation in HANDLERS:
            raise RuntimeError(f"{operation} has two handlers")
        HANDLERS[operation] = Served(handler, rule)
        return handler

    return register


def error_body(status: int, message: str | Sequence[Issue]) -> dict[str, Any]:
    """A 400's body as documented; for other statuses, of which none is, the same with a text."""
    return {"error": True, "statusCode": status, "message": message}


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


_ENUMERATED = frozenset({"status", "channel", "title", "sex"})


def _strange(value: Any, quirks: Quirks) -> Any:
    if is_array(value):
        return [_strange(item, quirks) for item in value]
    if not is_object(value):
        return value
    made = {
        name: "sandbox_unknown"
        if quirks.unknown_values and name in _ENUMERATED and isinstance(item, str)
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
