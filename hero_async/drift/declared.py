"""The SDK's side: the hints of operations and models, as shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache, partial
from typing import Annotated, Any, Literal, cast, get_args, get_origin, get_type_hints

import attrs

from hero_async.arguments import wire_name
from hero_async.drift.forms import ANYTHING, Field, Form, Shape
from hero_async.fields import Answer, Id, NhsNumber, Null, OpenEnum, arms

_SCALARS: Mapping[Any, str] = {
    Id: "digits",
    NhsNumber: "NHS number",
    str: "text",
    bool: "bool",
    int: "int",
    float: "number",
    datetime: "moment",
    date: "date",
}


@cache
def shape(hint: Any, *, sent: bool) -> Shape:
    """What a parameter or a field of the SDK holds.

    Args:
        hint: Its type.
        sent: Whether it is sent: None leaves out then, and NULL is null. In an answer None is null.
    """
    found = _arms(hint)
    return Shape(
        tuple(_form(arm, sent) for arm in found if arm not in (Null, type(None))),
        nullable=(Null if sent else type(None)) in found,
    )


def _arms(hint: Any) -> list[Any]:
    """The members of a hint. A union under a mark, such as `Annotated[int | None, Query("n")]`, is taken apart."""
    if get_origin(hint) is Annotated and hint not in _SCALARS:
        return _arms(get_args(hint)[0])
    members = arms(hint)
    return [hint] if len(members) == 1 else [one for member in members for one in _arms(member)]


def _form(hint: Any, sent: bool) -> Form:
    if hint in _SCALARS:
        return Form(_SCALARS[hint])
    origin = get_origin(hint)
    if origin is Literal:
        return Form("choice", frozenset(map(str, get_args(hint))))
    if origin in (tuple, list, Sequence):
        return Form("list", make_items=partial(shape, get_args(hint)[0], sent=sent))
    if origin in (dict, Mapping) and get_args(hint)[1] is Any:
        return Form("object")
    if origin in (dict, Mapping):
        return Form("mapping", make_items=partial(shape, get_args(hint)[1], sent=sent))
    if isinstance(hint, type) and issubclass(hint, OpenEnum):
        return Form("choice", frozenset(member.value for member in hint))
    if isinstance(hint, type) and attrs.has(hint) and not issubclass(hint, Answer):
        return Form("object", fields=_fields(hint, sent))
    return Form(ANYTHING)  # an `Answer` keeps what comes


def _fields(model: Any, sent: bool) -> Mapping[str, Field]:
    hints = get_type_hints(model, include_extras=True)
    return {
        wire_name(field.name, hints[field.name]): Field(
            field.default is attrs.NOTHING, partial(shape, hints[field.name], sent=sent)
        )
        for field in cast("tuple[attrs.Attribute[Any], ...]", attrs.fields(model))
        if field.init  # the others are a model's own
    }
