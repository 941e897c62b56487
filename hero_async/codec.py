"""Bytes to attrs and back: cattrs' msgspec converter, with its loads hook made faster.

msgspec decodes straight into the attrs class. Where it refuses, cattrs structures the parsed JSON tolerantly: a
number where text was meant, a date where a date-time was, a naive time (read as UTC), a list or one object where
a page was meant. Where that fails too, `ResponseDecodeError` lists every path with the expected type, no value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from typing import Annotated, Any, Literal, cast, get_args, get_origin, get_type_hints

import attrs
import msgspec
from cattrs import Converter, transform_error
from cattrs.cols import list_structure_factory
from cattrs.preconf.msgspec import MsgspecJsonConverter, configure_converter

from hero_async.delivery import Delivery
from hero_async.errors import Problem, ResponseDecodeError, ValidationIssue
from hero_async.fields import Answer, OpenEnum, arms
from hero_async.pages import Page

Loads = Callable[[bytes], Any]

encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode
"""JSON of what the argument checks gave out."""

_parse: Callable[[bytes], Any] = msgspec.json.Decoder().decode


class Unreadable(Exception):
    """A value that even the tolerant path cannot read; says what was expected, never the value."""

    def __init__(self, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected


class AnswerConverter(MsgspecJsonConverter):
    """cattrs' msgspec converter, decoding straight into attrs where msgspec can."""

    def get_loads_hook(self, cl: Any) -> Loads:
        """The fast hook of a type, which falls back on structuring.

        Not for callers that must not see values: its errors hold them. Use `read`.
        """
        fast = self._decoder(cl)
        slow = self.get_structure_hook(cl)

        def loads(data: bytes) -> Any:
            if fast is not None:
                try:
                    return fast(data)
                except (msgspec.MsgspecError, ValueError, RecursionError):
                    pass
            return slow(_parse(data) if data.strip() else None, cl)

        return loads

    @staticmethod
    def _decoder(cl: Any) -> Loads | None:
        choices = arms(cl)
        if len(choices) > 1 and all(attrs.has(arm) for arm in choices):
            cl = choices[0]  # of a union, the first arm that fits is the answer: try it straight
        try:
            return msgspec.json.Decoder(cl, dec_hook=_decode_answer).decode
        except TypeError:
            return None


def _decode_answer(cl: Any, value: Any) -> Any:
    if isinstance(cl, type) and issubclass(cl, Answer):
        return _answer(value, cl)
    raise NotImplementedError


def _answer(value: Any, cl: Any) -> Any:
    if value is None:
        return cl({})
    return cl(value if isinstance(value, dict) else {"value": value})


def _to_text(value: Any, _: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise Unreadable("text")


def _to_int(value: Any, _: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value):
        return int(value)
    raise Unreadable("whole number")


def _to_float(value: Any, _: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}(\.[0-9]{1,19})?", value):
        return float(value)
    raise Unreadable("number")


def _to_bool(value: Any, _: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise Unreadable("true or false")


def _to_moment(value: Any, _: Any) -> datetime:
    if isinstance(value, str):
        try:
            moment = msgspec.convert(value, datetime)
        except msgspec.ValidationError:
            try:
                moment = datetime.fromisoformat(value)
            except ValueError:
                raise Unreadable("date-time, ISO 8601") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    raise Unreadable("date-time, ISO 8601")


def _to_day(value: Any, _: Any) -> date:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            try:
                return datetime.fromisoformat(value).date()
            except ValueError:
                pass
    raise Unreadable("date, YYYY-MM-DD")


def _to_enum(value: Any, cl: Any) -> Any:
    if isinstance(value, str):
        return cl(value)
    raise Unreadable("text")


def _literal_hook(hint: Any, _: Converter) -> Callable[[Any, Any], Any]:
    allowed = get_args(hint)

    def structure(value: Any, _: Any) -> Any:
        if value not in allowed:
            raise Unreadable("one of " + ", ".join(map(repr, allowed)))
        return value

    return structure


def _union_hook(hint: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    choices = arms(hint)
    hooks = [(arm, converter.get_structure_hook(arm)) for arm in choices if arm is not type(None)]

    def structure(value: Any, _: Any) -> Any:
        if value is None and type(None) in choices:
            return None
        if len(hooks) == 1:
            return hooks[0][1](value, hooks[0][0])
        refusal: Exception | None = None
        for arm, hook in hooks:
            of_model = attrs.has(arm)
            if of_model and not (isinstance(value, dict) and _fits(cast("dict[str, Any]", value), arm)):
                continue
            try:
                return hook(value, arm)
            except Exception as error:  # noqa: BLE001  # any refusal of one arm: the next may fit
                refusal = refusal or (error if of_model else None)
        if refusal is not None:
            raise refusal
        raise Unreadable(" or ".join(_name(arm) for arm, _hook in hooks))

    return structure


def _fits(value: dict[str, Any], arm: Any) -> bool:
    """Of a union of models the first fits whose required fields are there, and at least one field it knows."""
    fields = attrs.fields(arm)
    required = {field.name for field in fields if field.default is attrs.NOTHING}
    return required <= value.keys() and any(field.name in value for field in fields)


def _page_hook(hint: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    structure_page = converter.gen_structure_attrs_fromdict(hint)

    def structure(value: Any, cl: Any) -> Any:
        if isinstance(value, list):  # a bare list
            page: dict[str, Any] = {"data": value}
        elif not isinstance(value, dict):
            raise Unreadable("object with data")
        elif "data" in value:
            given = cast("dict[str, Any]", value)
            page = {"data": [], **{key: of for key, of in given.items() if of is not None}}
            for name, hook in (("count", _to_float), ("page_index", _to_int)):
                try:
                    hook(page.get(name, 0), None)
                except (Unreadable, OverflowError):
                    del page[name]  # never trusted, so it may be anything
        else:  # one object where a page was meant
            page = {"data": [value] if value else []}
        return structure_page(page, cl)

    return structure


def _mapping_first(hint: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    """cattrs' own hook of an attrs class, after a look that there is an object: its error would hold the value."""
    structure = converter.gen_structure_attrs_fromdict(hint)

    def checked(value: Any, cl: Any) -> Any:
        if not isinstance(value, Mapping):
            raise Unreadable("object")
        return structure(cast("Mapping[str, Any]", value), cl)

    return checked


def _list_hook(hint: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    plain: Any = list[get_args(hint)[0]]  # type: ignore[misc]  # a type made at run time
    structure = list_structure_factory(plain, converter)
    is_tuple = get_origin(hint) is tuple

    def checked(value: Any, cl: Any) -> Any:
        if not isinstance(value, list):
            raise Unreadable("list")
        items: list[Any] = structure(cast("list[Any]", value), cl)
        return tuple(items) if is_tuple else items

    return checked


def _annotated_hook(hint: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    plain = get_args(hint)[0]
    hook = converter.get_structure_hook(plain)
    return lambda value, _: hook(value, plain)


def _origin(hint: Any) -> Any:
    origin: Any = get_origin(hint)
    return hint if origin is None else origin


def _is_list(hint: Any) -> bool:
    origin = get_origin(hint)
    return origin in (list, Sequence) or (origin is tuple and get_args(hint)[1:] == (...,))


@lru_cache(maxsize=1)
def converter() -> AnswerConverter:
    """The one converter of answers."""
    made = AnswerConverter(detailed_validation=True)
    configure_converter(made)
    scalars: list[tuple[Any, Callable[[Any, Any], Any]]] = [
        (str, _to_text),
        (int, _to_int),
        (float, _to_float),
        (bool, _to_bool),
        (datetime, _to_moment),
        (date, _to_day),
    ]
    for kind, hook in scalars:
        made.register_structure_hook(kind, hook)
    made.register_structure_hook(OpenEnum, _to_enum)
    made.register_structure_hook(Answer, _answer)
    factories: list[tuple[Callable[[Any], bool], Callable[[Any, Converter], Callable[[Any, Any], Any]]]] = [
        (lambda t: attrs.has(_origin(t)), _mapping_first),
        (_is_list, _list_hook),
        (lambda t: _origin(t) is Page, _page_hook),
        (lambda t: _origin(t) is Literal, _literal_hook),
        (lambda t: len(arms(t)) > 1, _union_hook),
        (lambda t: _origin(t) is Annotated, _annotated_hook),
    ]
    for predicate, factory in factories:
        made.register_structure_hook_factory(predicate)(factory)
    return made


@cache
def loads_for(hint: Any) -> Loads:
    """The decoder of a return type. Its errors hold values: use `read`."""
    if hint is None or hint is type(None):
        return lambda data: None
    if hint in (dict, list) or hint is Any:
        plain = dict[str, Any] if hint is dict else hint
        return msgspec.json.Decoder(plain).decode
    _resolve(hint)
    return converter().get_loads_hook(hint)


def _resolve(hint: Any) -> None:
    """Read the text annotations of the models in a hint once, so that msgspec and cattrs see types."""
    for arm in (hint, *arms(hint), *get_args(hint)):
        cls = get_origin(arm) or arm
        if isinstance(cls, type) and attrs.has(cls):
            for nested in get_type_hints(cls, include_extras=True).values():
                for part in (nested, *arms(nested), *(a for arm_ in arms(nested) for a in get_args(arm_))):
                    if isinstance(part, type) and attrs.has(part) and part is not cls:
                        _resolve(part)
            attrs.resolve_types(cls, include_extras=True)


def read(data: bytes, hint: Any) -> Any:
    """The value of a 2xx body.

    Raises:
        ResponseDecodeError: It cannot be read. Raised without a cause, because causes hold values.
    """
    loads = loads_for(hint)
    problems: tuple[Problem, ...]
    try:
        return loads(data)
    except RecursionError:
        problems = (Problem("$", "JSON of sensible depth"),)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        problems = (_plain_problem(error, data, hint),)
    except Exception as error:  # noqa: BLE001  # whatever structuring raised: told by path, never by value
        problems = _problems(error)
    raise ResponseDecodeError(_words(problems), problems=problems, delivery=Delivery.YES, body=data)


def _plain_problem(error: Exception, data: bytes, hint: Any) -> Problem:
    if isinstance(error, msgspec.ValidationError):
        return Problem("$", _name(hint))
    return Problem("$", "JSON" if data.strip() else f"{_name(hint)}, not an empty body")


def _words(problems: tuple[Problem, ...]) -> str:
    named = ", ".join(f"{problem.path} (expected {problem.expected})" for problem in problems[:5])
    more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
    return f"the answer cannot be read at {named}{more}"


_MARK = "\x1f"
_PATH = re.compile(r"\$(?:\.[A-Za-z_]\w*|\[[0-9]{1,6}\])*")


def _problems(error: Exception) -> tuple[Problem, ...]:
    """cattrs tells "message @ path"; the message is ours, up to the mark."""
    try:
        lines = transform_error(error, "$", _told)
    except Exception:  # noqa: BLE001  # not an error of structuring: there is no path to tell
        return (Problem("$", "readable JSON"),)
    parts = [line.partition(_MARK) for line in lines]
    return tuple(Problem(_safe_path(path.removeprefix(" @ ") or "$"), expected) for expected, _, path in parts)


def _safe_path(path: str) -> str:
    """Field names and indexes only: a key of a mapping may be a value."""
    found = _PATH.match(path)
    safe = found[0] if found else "$"
    return safe if safe == path else f"{safe}[…]"


def _told(error: BaseException, kind: type | None) -> str:
    if isinstance(error, Unreadable):
        return error.expected + _MARK
    if isinstance(error, KeyError):
        return "a required field" + _MARK
    return (_name(kind) if kind is not None else "another form") + _MARK


def _name(hint: Any) -> str:
    return getattr(hint, "__name__", None) or str(hint).rpartition(".")[2]


def read_issues(body: bytes) -> tuple[ValidationIssue, ...]:
    """The findings of a 400 body of the documented shape; empty for any other body."""
    try:
        parsed: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ()
    found: Any = parsed.get("message")
    items = cast("list[Any]", found) if isinstance(found, list) else []
    issues = [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]
    return tuple(
        ValidationIssue(
            code=str(issue.get("code", "")), expected=str(issue.get("expected", "")), path=_steps(issue.get("path"))
        )
        for issue in issues
    )


_MOST_INDEX = 100_000
"""A number over this is no index: a server may put a value into a path."""


def _steps(path: Any) -> tuple[str | int, ...]:
    steps = cast("list[Any]", path) if isinstance(path, list) else []
    return tuple(step if type(step) is int and 0 <= step < _MOST_INDEX else str(step) for step in steps)
