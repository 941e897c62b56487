"""Arguments and answers for any operation, made from its hints: new operations are tried without a word here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs

from hero_async.arguments import Refused, check_for
from hero_async.calls import AnyOperation
from hero_async.fields import Answer, OpenEnum, arms
from hero_async.pages import Page

_SCALARS: dict[Any, list[Any]] = {
    str: ["1", "9990000018", "2026-01-05", "text of a test", "https://example.com/x", "AB1 2CD"],
    bool: [True],
    int: [1],
    float: [1.5],
    date: [date(1990, 1, 2)],
    datetime: [datetime(2026, 1, 5, 9, tzinfo=UTC)],
}


def candidates(hint: Any) -> Iterator[Any]:
    """Values that may fit a parameter."""
    origin = get_origin(hint)
    if origin is Annotated:
        yield from candidates(get_args(hint)[0])
    elif origin is Literal:
        yield from get_args(hint)
    elif len(arms(hint)) > 1:
        for arm in arms(hint):
            yield from candidates(arm)
    elif origin in (Sequence, list, tuple):
        yield [argument(get_args(hint)[0])]
    elif origin in (Mapping, dict) or hint is Any:
        yield {"a": 1}
    elif isinstance(hint, type) and attrs.has(hint):
        hints = get_type_hints(hint, include_extras=True)
        yield hint(**{field.name: argument(hints[field.name]) for field in attrs.fields(hint)})
    elif hint is not type(None):
        yield from _SCALARS.get(hint, ())


def argument(hint: Any) -> Any:
    """A value that the parameter takes."""
    check = check_for(hint)
    for value in candidates(hint):
        try:
            check(value)
        except Refused:
            continue
        return value
    raise AssertionError(f"no example fits {hint}: add one")


def arguments(operation: AnyOperation) -> dict[str, Any]:
    """Every argument of the operation."""
    return {name: argument(parameter.hint) for name, parameter in operation.parameters.items()}


def answer_of(hint: Any) -> Any:
    """JSON that the type can be read from."""
    origin = get_origin(hint)
    if origin is Annotated:
        return answer_of(get_args(hint)[0])
    if origin is Literal:
        return get_args(hint)[0]
    if origin is Page:
        return {"data": [answer_of(get_args(hint)[0])], "count": 1}
    if origin in (Sequence, list, tuple):
        return [answer_of(get_args(hint)[0])]
    if origin in (Mapping, dict) or hint in (dict, Any):
        return {"a": 1}
    if origin is Union or len(arms(hint)) > 1:
        return answer_of(next(arm for arm in arms(hint) if arm is not type(None)))
    if isinstance(hint, type):
        return _answer_of_class(hint)
    raise AssertionError(f"no answer for {hint}: add one")


def _answer_of_class(cls: Any) -> Any:
    if attrs.has(cls):
        hints = get_type_hints(cls, include_extras=True)
        return {field.name: answer_of(hints[field.name]) for field in attrs.fields(cls)}
    if issubclass(cls, Answer):
        return {"a": 1}
    if issubclass(cls, OpenEnum):
        return next(iter(cls)).value
    plain: dict[Any, Any] = {
        str: "text of an answer",
        bool: True,
        int: 7,
        float: 7.5,
        date: "1990-01-02",
        datetime: "2026-01-05T09:00:00Z",
        type(None): None,
    }
    return plain[cls]


def body_of(operation: AnyOperation) -> bytes:
    """An answer to the operation."""
    return json.dumps(answer_of(operation.into)).encode()
