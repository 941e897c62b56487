"""Types of signatures and models, taken apart; and arguments made for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, get_args, get_origin

import attrs

from hero_async.fields import NULL, Answer, Id, Null, Rule, arms
from hero_async.pages import Page

PATIENT_NHS_NUMBER = "9990000018"


def marks(hint: Any) -> tuple[Any, ...]:
    return get_args(hint)[1:] if get_origin(hint) is Annotated else ()


def plain(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def choices(hint: Any) -> tuple[list[Any], bool]:
    """The arms of a hint without None, and whether None is one. `Query` and the like are taken off."""
    if get_origin(hint) is Annotated and len(arms(plain(hint))) > 1:
        hint = plain(hint)
    found = arms(hint)
    return [arm for arm in found if arm is not type(None)], type(None) in found


def is_model(hint: Any) -> bool:
    return isinstance(hint, type) and attrs.has(hint)


def is_answer(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Answer)


def is_page(hint: Any) -> bool:
    return get_origin(hint) is Page


def rule_words(hint: Any) -> str:
    return " ".join(mark.words for mark in marks(hint) if isinstance(mark, Rule))


def from_json(hint: Any, value: Any) -> Any:
    """What a caller would write for a JSON value of a request."""
    found, _ = choices(hint)
    if value is None:
        return NULL if Null in found else None
    for arm in found:
        kind = plain(arm)
        if kind is date:
            return date.fromisoformat(value)
        if kind is datetime:
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if get_origin(kind) is Sequence and isinstance(value, list):
            return [from_json(get_args(kind)[0], item) for item in value]
        if is_model(kind) and isinstance(value, dict):
            hints = {field.name: field.type for field in attrs.fields(attrs.resolve_types(kind, include_extras=True))}
            return kind(**{name: from_json(hints[name], item) for name, item in value.items()})
    return value


def argument(hint: Any) -> Any:
    """A value that the checks let through."""
    found, _ = choices(hint)
    arm = next((one for one in found if one is not Null), Null)
    kind = plain(arm)
    if kind is Null:
        return NULL
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if arm == Id:
        return "15"
    if "NHS number" in rule_words(arm):
        return PATIENT_NHS_NUMBER
    if get_origin(kind) is not None and issubclass(get_origin(kind), Mapping):
        return {"x-name": "text"}
    if get_origin(kind) is not None and issubclass(get_origin(kind), Sequence):
        return [argument(get_args(kind)[0])]
    if is_model(kind):
        fields = attrs.fields(attrs.resolve_types(kind, include_extras=True))
        return kind(**{field.name: argument(field.type) for field in fields})
    made = {
        str: "text",
        int: 3,
        float: 1.5,
        bool: True,
        date: date(1990, 12, 31),
        datetime: datetime(2026, 3, 15, 9, 30, tzinfo=UTC),
    }
    return made[kind]


def arguments(operation: Any, *, full: bool) -> dict[str, Any]:
    """Arguments for an operation: all, or the fewest that it takes."""
    needed = set(operation.needs[0]) if operation.needs else set()
    return {
        name: argument(parameter.hint)
        for name, parameter in operation.parameters.items()
        if full or parameter.required or name in needed
    }
