"""One hook a parameter: checks what a caller gave and makes it what goes on the wire.

cattrs' dispatch finds the hook for each hint, nested models included. A hook that refuses raises `Refused`
with the rule in words; no hook ever quotes the value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Mapping as MappingABC
from collections.abc import Sequence as SequenceABC
from datetime import UTC, date, datetime
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, Literal, cast, get_args, get_origin, get_type_hints

import attrs
from cattrs import Converter

from hero_async.fields import NULL, Body, Null, Query, Rule, arms

Check = Callable[[Any], Any]


class Refused(Exception):
    """A value breaks a rule."""

    def __init__(self, rule: str, where: str = "") -> None:
        super().__init__(rule)
        self.rule = rule
        self.where = where


def _flag(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise Refused("must be True or False")


def _whole(value: Any) -> int:
    if type(value) is int and value.bit_length() < 64:
        return value
    raise Refused("must be a whole number (int) of at most 64 bits")


def _text(value: Any) -> str:
    if type(value) is str:
        text = value
    elif isinstance(value, str):  # a str enum, or a subclass: its text
        text = str(value.value) if isinstance(value, Enum) else str.__str__(value)
    else:
        raise Refused("must be text (str)")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Refused("must be text that UTF-8 can hold (no lone surrogates)") from None
    return text


def _number(value: Any) -> float:
    if type(value) is int:
        return _whole(value)
    if type(value) is float and math.isfinite(value):
        return value
    raise Refused("must be a finite number")


def _moment(value: Any) -> str:
    if not isinstance(value, datetime):
        raise Refused("must be a datetime")
    if value.tzinfo is None or value.utcoffset() is None:
        raise Refused("must be an aware datetime: give it a time zone")
    try:
        text = value.astimezone(UTC).isoformat()
    except OverflowError:
        raise Refused("must be a datetime that UTC can hold") from None
    return text.removesuffix("+00:00") + "Z"


def _day(value: Any) -> str:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise Refused("must be a date (datetime.date)")
    return value.isoformat()


def _null(value: Any) -> None:
    if value is not NULL:
        raise Refused("must be NULL")
    return


def _anything(value: Any) -> Any:
    return value


def _literal(hint: Any, _: Converter) -> Check:
    allowed = {choice: choice for choice in get_args(hint)}
    words = "must be one of " + ", ".join(repr(choice) for choice in get_args(hint))

    def check(value: Any) -> Any:
        try:
            if value in allowed:
                return allowed[value]  # not what was given: an enum of the caller's has another text
        except TypeError:
            pass
        raise Refused(words)

    return check


def _annotated(hint: Any, converter: Converter) -> Check:
    plain, *marks = get_args(hint)
    check = converter.get_unstructure_hook(plain)
    for rule in (mark for mark in marks if isinstance(mark, Rule)):
        check = _ruled(check, rule)
    return check


def _ruled(check: Check, rule: Rule) -> Check:
    keep, words = rule.keep, rule.words
    of_text = check is _text

    def ruled(value: Any) -> Any:
        plain = of_text and type(value) is str and value.isascii()  # nearly always: worth not asking `check`
        kept = keep(value if plain else check(value))
        if kept is None:
            raise Refused(words)
        return kept

    return ruled


def _union(hint: Any, converter: Converter) -> Check:
    checks = [converter.get_unstructure_hook(arm) for arm in arms(hint) if arm is not type(None)]
    if len(checks) == 1:
        return checks[0]

    def check(value: Any) -> Any:
        rules: list[str] = []
        for one in checks:
            try:
                return one(value)
            except Refused as refused:
                rules.append(refused.where + ": " + refused.rule if refused.where else refused.rule)
        raise Refused(", or ".join(dict.fromkeys(rules)))

    return check


def _sequence(hint: Any, converter: Converter) -> Check:
    item = converter.get_unstructure_hook(get_args(hint)[0])

    def check(value: Any) -> list[Any]:
        if isinstance(value, str | bytes) or not isinstance(value, SequenceABC):
            raise Refused("must be a list or tuple")
        out: list[Any] = []
        for index, element in enumerate(cast("SequenceABC[Any]", value)):
            try:
                out.append(item(element))
            except Refused as refused:
                raise Refused(refused.rule, f"[{index}]{refused.where}") from None
        return out

    return check


def _mapping(hint: Any, converter: Converter) -> Check:
    of = converter.get_unstructure_hook(get_args(hint)[1]) if get_args(hint) else _anything

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, MappingABC):
            raise Refused("must be a mapping")
        return {_text(key): of(element) for key, element in cast("MappingABC[Any, Any]", value).items()}

    return check


def wire_name(name: str, hint: Any) -> str:
    """The name of a field or parameter on the wire: its own, or what `Query` or `Body` says."""
    for mark in get_args(hint)[1:] if get_origin(hint) is Annotated else ():
        if isinstance(mark, Query | Body):
            return mark.name
    return name


def _nested(cls: Any, converter: Converter) -> Check:
    hints = get_type_hints(cls, include_extras=True)
    fields = [
        (
            field.name,
            wire_name(field.name, hints[field.name]),
            converter.get_unstructure_hook(hints[field.name]),
            field.default is attrs.NOTHING,
        )
        for field in attrs.fields(cls)
    ]

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, cls):
            raise Refused(f"must be a {cls.__name__}")
        out: dict[str, Any] = {}
        for name, wire, of, required in fields:
            element = getattr(value, name)
            if element is None:
                if required:
                    raise Refused("is required", f".{name}")
                continue
            try:
                out[wire] = of(element)
            except Refused as refused:
                raise Refused(refused.rule, f".{name}{refused.where}") from None
        return out

    return check


@lru_cache(maxsize=1)
def _converter() -> Converter:
    converter = Converter()
    factories: list[tuple[Callable[[Any], bool], Callable[[Any, Converter], Check]]] = [
        (lambda t: t is Any or t is object, lambda t, c: _anything),
        (lambda t: t is Null, lambda t, c: _null),
        (lambda t: get_origin(t) is Literal, _literal),
        (lambda t: get_origin(t) in (Mapping, MappingABC, dict), _mapping),
        (lambda t: get_origin(t) in (Sequence, SequenceABC, list, tuple), _sequence),
        (lambda t: isinstance(t, type) and attrs.has(t), _nested),
        (lambda t: len(arms(t)) > 1, _union),
        (lambda t: get_origin(t) is Annotated, _annotated),
    ]
    plain: list[tuple[Any, Check]] = [
        (str, _text),
        (bool, _flag),
        (int, _whole),
        (float, _number),
        (date, _day),
        (datetime, _moment),
    ]
    for kind, check in plain:
        converter.register_unstructure_hook(kind, check)
    for predicate, factory in factories:
        converter.register_unstructure_hook_factory(predicate)(factory)
    return converter


def check_for(hint: Any) -> Check:
    """The hook for a hint, `None` left aside: leaving out is decided before a hook is asked."""
    return _converter().get_unstructure_hook(hint)
