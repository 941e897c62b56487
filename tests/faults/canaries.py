"""A canary in every field: of the arguments of an operation, and of an answer that it can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin

import attrs

from hero_async.arguments import wire_name
from hero_async.calls import AnyOperation
from hero_async.fields import Answer, Id, NhsNumber, Null, arms, is_shown

WORD = "canary"
DIGITS = "7700770077"
NHS = "9990000018"
BORN = date(1931, 7, 19)
MOMENT = datetime(1931, 7, 19, 3, 33, tzinfo=UTC)
KEY = "canarykey-5d41402a"
TOKEN = "canarytoken"  # an answer holds it

SHOWN_NOWHERE = [WORD, NHS, BORN.isoformat(), "1931, 7, 19", DIGITS]
"""In no error, log, span or command."""

HIDDEN_IN_REPRS = [WORD, NHS]
"""A repr of a model may show ids, numbers, moments and flags; no text, and no day of birth."""


def value(hint: Any) -> Any:
    """A canary of this type."""
    if hint == NhsNumber:
        return NHS
    if hint == Id:
        return DIGITS
    origin = get_origin(hint)
    if origin is Annotated:
        return value(get_args(hint)[0])
    if origin is Literal:
        return get_args(hint)[0]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {f"{WORD}key": value(get_args(hint)[1])}
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return [value(get_args(hint)[0])] * 2
    if isinstance(hint, type) and issubclass(hint, Enum) and hint is not Null:
        return f"{WORD}enum"
    if isinstance(hint, type) and attrs.has(hint):
        fields = attrs.fields(attrs.resolve_types(hint, include_extras=True))
        return hint(**{field.name: value(field.type) for field in fields})
    choices = [arm for arm in arms(hint) if arm not in (type(None), Null)]
    if len(choices) > 1 or (choices and choices[0] is not hint):
        return value(choices[0])
    plain = {str: f"{WORD}text", bool: True, int: int(DIGITS), float: float(DIGITS), date: BORN, datetime: MOMENT}
    return plain.get(hint, {f"{WORD}any": [f"{WORD}item"]})


def arguments(operation: AnyOperation) -> dict[str, Any]:
    """All arguments of an operation. The number of a page is no secret: a repr of the page tells it."""
    return {name: 3 if name == "page_index" else value(of.hint) for name, of in operation.parameters.items()}


def answer(hint: Any) -> Any:
    """JSON that can be read into this type."""
    origin = get_origin(hint)
    if origin is Annotated:
        plain = get_args(hint)[0]
        return DIGITS if plain is str and is_shown(hint) else answer(plain)
    if hint is date or hint is datetime:
        return MOMENT.isoformat()
    if isinstance(hint, type) and issubclass(hint, Answer):
        return {f"{WORD}any": TOKEN}
    plain = origin if isinstance(origin, type) and attrs.has(origin) else hint
    if isinstance(plain, type) and attrs.has(plain):
        items = get_args(hint)
        resolved = attrs.fields(attrs.resolve_types(plain, include_extras=True))
        return {
            wire_name(field.name, field.type): [answer(items[0])] * 2
            if items and field.name == "data"
            else answer(field.type)
            for field in resolved
            if field.init
        }
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {f"{WORD}key": answer(get_args(hint)[1])}
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return [answer(get_args(hint)[0])] * 2
    choices = [arm for arm in arms(hint) if arm is not type(None)]
    if len(choices) > 1 or (choices and choices[0] is not hint):
        return answer(choices[0])
    return value(hint)


def broken(made: Any) -> Any:
    """The same answer with each text, number and flag in the shape of something else."""
    if isinstance(made, dict):
        return {name: broken(one) for name, one in made.items()}
    if isinstance(made, list):
        return [broken(one) for one in made]
    return {f"{WORD}wrong": [made]}
