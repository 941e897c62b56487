"""Arguments drawn at random, of every kind that a signature lets through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Annotated, Any, Literal, get_args, get_origin

import attrs
from contract_judge import contract
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hero_async.calls import AnyOperation, Parameter
from hero_async.fields import NULL, Id, NhsNumber, NonEmpty, Null, Rule, arms
from hero_async.sandbox.synthetic import check_digit

_ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def _spaced(number: str) -> st.SearchStrategy[str]:
    return st.sampled_from(
        (number, f"{number[:3]} {number[3:6]} {number[6:]}", f"{number[:3]}-{number[3:6]}-{number[6:]}")
    )


_NHS_NUMBERS = (
    st.integers(0, 999_999)
    .map(lambda rest: f"999{rest:06d}")
    .filter(lambda nine: check_digit(nine) is not None)
    .map(lambda nine: f"{nine}{check_digit(nine)}")
    .flatmap(_spaced)
)

_SEGMENTS = frozenset(segment for path in contract()["paths"] for segment in path.split("/"))
PATH_VALUES = (
    st.from_regex(r"[0-9]{1,12}", fullmatch=True)
    | st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)
).filter(lambda text: text not in (".", "..") and text not in _SEGMENTS)
"""What may stand in a path. A value that is a segment of another path would name another operation."""

_PLAIN: Mapping[Any, st.SearchStrategy[Any]] = {
    Id: st.from_regex(r"[0-9]{1,18}", fullmatch=True),
    NonEmpty: st.text(min_size=1),
    NhsNumber: _NHS_NUMBERS,
    Null: st.just(NULL),
    Any: _JSON,
    str: st.text(),
    bool: st.booleans(),
    int: st.integers(-(2**63) + 1, 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
    date: st.dates(),
    datetime: st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=_ZONES),  # noqa: DTZ001  # zoned after
}


def value(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a hint, None left aside."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin = get_origin(hint)
    if origin is Annotated:
        plain, *marks = get_args(hint)
        if any(isinstance(mark, Rule) for mark in marks):
            raise TypeError(f"no strategy keeps the rule of {hint}")
        return value(plain)
    if origin is Literal:
        return st.sampled_from(get_args(hint))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return st.dictionaries(st.text(), value(get_args(hint)[1]), max_size=3)
    if isinstance(origin, type) and issubclass(origin, Sequence):
        items = st.lists(value(get_args(hint)[0]), max_size=3)
        return items | items.map(tuple)
    if isinstance(hint, type) and attrs.has(hint):
        fields = attrs.fields(attrs.resolve_types(hint, include_extras=True))
        return st.fixed_dictionaries(
            {field.name: value(field.type) for field in fields if field.default is attrs.NOTHING},
            optional={field.name: value(field.type) for field in fields if field.default is not attrs.NOTHING},
        ).map(lambda made: hint(**made))
    choices = [arm for arm in arms(hint) if arm is not type(None)]
    if len(choices) == 1 and choices[0] is hint:
        raise TypeError(f"no strategy for {hint}")
    return st.one_of([value(arm) for arm in choices])


def parameter(of: Parameter) -> st.SearchStrategy[Any]:
    """Values of a parameter."""
    return PATH_VALUES if of.place == "path" else value(of.hint)


@st.composite
def arguments(
    draw: st.DrawFn, operation: AnyOperation, narrower: Mapping[str, st.SearchStrategy[Any]] | None = None
) -> dict[str, Any]:
    """Arguments that an operation takes; `narrower` has strategies of parameters that are to be drawn from less."""
    known = narrower or {}
    needed = draw(st.sampled_from(operation.needs)) if operation.needs else ()
    return {
        name: draw(known[name] if name in known else parameter(of))
        for name, of in operation.parameters.items()
        if of.required or name in needed or draw(st.booleans())
    }


def fewest(operation: AnyOperation, narrower: Mapping[str, st.SearchStrategy[Any]] | None = None) -> dict[str, Any]:
    """The simplest arguments that an operation takes: hypothesis draws them first."""
    drawn: list[dict[str, Any]] = []

    @settings(max_examples=1, phases=[Phase.generate], deadline=None, database=None)
    @given(arguments(operation, narrower))
    def keep(found: dict[str, Any]) -> None:
        drawn.append(found)

    keep()
    return drawn[0]
