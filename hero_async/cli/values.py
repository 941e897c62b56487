"""From the text of an argument to the value that an operation takes, by the parameter's hint.

No error quotes the text: it may be a patient's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args, get_origin

import attrs
import msgspec
from cattrs import Converter, transform_error
from cattrs.cols import list_structure_factory

from hero_async.fields import NULL, Null, arms


class BadValue(Exception):
    """The text does not fit. Says the rule, never the text."""


_ORDER: tuple[Any, ...] = (Null, bool, int, float, datetime, date)
"""Of the kinds that a parameter takes, the first that fits is meant; text comes last."""


def read_value(texts: Sequence[str], hint: Any) -> Any:
    """The value of one argument.

    Args:
        texts: What was given: several texts where the argument was given several times.
        hint: The type that the operation declares.

    Raises:
        BadValue: It does not fit.
    """
    plain = _plain_arms(hint)
    item = next((get_args(arm)[0] for arm in plain if _is_list(arm)), None)
    is_json = len(texts) == 1 and texts[0].lstrip()[:1] in ("[", "{", "@")
    if item is not None and not is_json and not any(_is_nested(arm) for arm in _plain_arms(item)):
        return [_read_scalar(text, _plain_arms(item)) for text in texts]
    if len(texts) > 1:
        raise BadValue("is given more than once")
    if any(_is_nested(arm) for arm in plain) and (is_json or all(_is_nested(arm) for arm in plain)):
        return _read_json(texts[0], hint)
    return _read_scalar(texts[0], plain)


def takes_flag(hint: Any) -> bool:
    """Whether the argument may stand alone, without a value."""
    return bool in _plain_arms(hint)


def describe(hint: Any) -> str:
    """What an argument takes, in a few words."""
    words = dict.fromkeys(_word(arm) for arm in _plain_arms(hint))
    return " or ".join(words)


def _plain_arms(hint: Any) -> list[Any]:
    """The kinds that a hint allows, `None` and annotations left out."""
    if get_origin(hint) is Annotated:
        return _plain_arms(get_args(hint)[0])
    found: list[Any] = []
    for arm in arms(hint):
        if arm is type(None):
            continue
        found.extend(_plain_arms(arm) if get_origin(arm) is Annotated else [arm])
    return found


def _is_list(kind: Any) -> bool:
    return get_origin(kind) in (Sequence, list, tuple)


def _is_nested(kind: Any) -> bool:
    """Whether it is written as JSON."""
    return _is_list(kind) or get_origin(kind) in (Mapping, dict) or attrs.has(cast("type[Any]", kind)) or kind is Any


def _word(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "|".join(map(str, get_args(kind)))
    if _is_list(kind) and not any(_is_nested(arm) for arm in _plain_arms(get_args(kind)[0])):
        return f"{describe(get_args(kind)[0])}, may be repeated"
    if _is_nested(kind):
        return "JSON"
    return {
        str: "text",
        bool: "true|false",
        int: "whole number",
        float: "number",
        date: "YYYY-MM-DD",
        datetime: "date-time with time zone",
        Null: "null",
    }.get(kind, "text")


def _read_scalar(text: str, kinds: Sequence[Any]) -> Any:
    for kind in _ORDER:
        if kind in kinds:
            try:
                return _SCALARS[kind](text)
            except ValueError:
                continue
    if any(kind not in _ORDER and not _is_nested(kind) for kind in kinds):
        return text  # text and fixed choices: the operation's own check knows their rules
    raise BadValue(f"must be {' or '.join(dict.fromkeys(_word(kind) for kind in kinds))}")


def _null(text: str) -> Null:
    if text != "null":
        raise ValueError
    return NULL


def _bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError
    return text.lower() == "true"


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise BadValue("must have a time zone, such as 2026-03-01T09:00:00Z")
    return moment


_SCALARS: Mapping[Any, Callable[[str], Any]] = {
    Null: _null,
    bool: _bool,
    int: int,
    float: float,
    datetime: _moment,
    date: date.fromisoformat,
}


def _read_json(text: str, hint: Any) -> Any:
    data = text.encode("utf-8", "surrogateescape")
    if text.startswith("@"):
        try:
            data = sys.stdin.buffer.read() if text == "@-" else Path(text[1:]).read_bytes()
        except OSError as error:
            why = error.strerror
        else:
            why = None
        if why is not None:
            raise BadValue(f"the file cannot be read: {why}")
    try:
        parsed = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        parsed = _UNREADABLE
    if parsed is _UNREADABLE:
        raise BadValue("must be JSON; @FILE reads a file")
    problems: list[str] = []
    try:
        return _converter().structure(parsed, hint)
    except Exception as error:  # noqa: BLE001  # whatever cattrs raises: told by path, never by value
        problems = transform_error(error, "$", _told)
    raise BadValue("; ".join(problem.replace(" @ ", " at ") for problem in problems[:3]))


_UNREADABLE = object()


def _told(error: BaseException, kind: type | None) -> str:
    if isinstance(error, BadValue):
        return str(error)
    if isinstance(error, KeyError):
        return "a field is missing"
    if type(error).__name__ == "ForbiddenExtraKeysError":
        return "has a field that is not known"
    return f"must be {_word(kind)}" if kind in _SCALARS or kind is str else "has another form"


def _only(kind: type) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise BadValue(f"must be {_word(kind)}")
        return value

    return structure


def _from_text(kind: Any) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _: Any) -> Any:
        try:
            return _SCALARS[kind](value)
        except (ValueError, TypeError):
            pass
        raise BadValue(f"must be {_word(kind)}")

    return structure


def _null_of_json(value: Any, _: Any) -> Null:
    if value is not None:
        raise BadValue("must be null")
    return NULL


def _union(hint: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _: Any) -> Any:
        if value is None and type(None) in arms(hint):
            return None
        for arm in arms(hint):
            if arm is not type(None):
                try:
                    return converter.structure(value, arm)
                except Exception:  # noqa: BLE001, S112  # one arm refuses: the next may fit
                    continue
        raise BadValue(f"must be {describe(hint)}")

    return structure


def _is_array(value: object) -> bool:
    return isinstance(value, list)


def _list(hint: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    plain: Any = list[get_args(hint)[0]]  # type: ignore[misc]  # a type made at run time
    structure = list_structure_factory(plain, converter)

    def checked(value: Any, _: Any) -> list[Any]:
        if not _is_array(value):  # a text would be taken for the list of its letters
            raise BadValue("must be a list")
        items: list[Any] = structure(value, plain)
        return items

    return checked


@lru_cache(maxsize=1)
def _converter() -> Converter:
    """JSON to the models of requests: strict, and a name that no model has is refused."""
    made = Converter(forbid_extra_keys=True)
    for kind in (str, bool, int, float):
        made.register_structure_hook(kind, _only(kind))
    for moment in (date, datetime):
        made.register_structure_hook(moment, _from_text(moment))
    made.register_structure_hook(Null, _null_of_json)
    made.register_structure_hook_factory(_is_list)(_list)
    made.register_structure_hook_factory(lambda hint: len(arms(hint)) > 1)(_union)
    return made
