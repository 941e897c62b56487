"""JSON that a server might answer: right for a type, nearly right, or anything."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import attrs
from hypothesis import strategies as st

from hero_async.fields import Answer, OpenEnum, arms
from hero_async.pages import Page

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=1)), timezone(timedelta(hours=-11, minutes=-30))])
MOMENTS = st.builds(
    lambda moment, form: form(moment),
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=ZONES),  # noqa: DTZ001  # hypothesis adds the zone
    st.sampled_from(
        [
            datetime.isoformat,
            lambda moment: moment.isoformat(timespec="milliseconds"),
            lambda moment: moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z",
            lambda moment: moment.replace(microsecond=0).isoformat(sep=" "),
            lambda moment: moment.replace(tzinfo=None).isoformat(),
            lambda moment: moment.date().isoformat(),
        ]
    ),
)
NEARLY: st.SearchStrategy[Any] = st.sampled_from(
    ["", "1", "1.0", "true", "null", 0, 1, 1.0, -1, 1.5, 10**20, True, False, None, [], {}, [[]], {"data": []}]
)
ODD: st.SearchStrategy[Any] = NEARLY | MOMENTS | ANYTHING


def right(hint: Any) -> st.SearchStrategy[Any]:
    """JSON that fits a type."""
    return st.one_of([_right(arm) for arm in arms(hint)])


def _right(hint: Any) -> st.SearchStrategy[Any]:
    if get_origin(hint) is Annotated:
        return right(get_args(hint)[0])
    if get_origin(hint) is Page:
        items = st.lists(right(get_args(hint)[0]), max_size=3)
        return _object({"data": items}, {"count": st.none() | st.integers(0, 9) | st.floats(0, 9)})
    if hint is Any:
        return ANYTHING
    if get_origin(hint) is dict:
        return st.dictionaries(TEXT, right(get_args(hint)[1]), max_size=2)
    if get_origin(hint) in (list, tuple):
        return st.lists(right(get_args(hint)[0]), max_size=3)
    if isinstance(hint, type) and issubclass(hint, OpenEnum):
        return st.sampled_from([member.value for member in hint]) | TEXT
    if isinstance(hint, type) and issubclass(hint, Answer):
        return ANYTHING
    if isinstance(hint, type) and attrs.has(hint):
        hints = get_type_hints(hint, include_extras=True)
        named = {field.name: right(hints[field.name]) for field in attrs.fields(hint) if field.init}
        must = {field.name for field in attrs.fields(hint) if field.default is attrs.NOTHING}
        return _object(
            {name: of for name, of in named.items() if name in must},
            {name: of for name, of in named.items() if name not in must},
        )
    if hint is Any:
        return ANYTHING
    if get_origin(hint) is dict:
        return st.dictionaries(TEXT, right(get_args(hint)[1]), max_size=3)
    plain: dict[Any, st.SearchStrategy[Any]] = {
        type(None): st.none(),
        str: TEXT,
        bool: st.booleans(),
        int: st.integers(-(2**70), 2**70),
        float: NUMBERS,
        datetime: MOMENTS,
        date: st.dates().map(date.isoformat),
    }
    return plain[hint]


def _object(
    must: dict[str, st.SearchStrategy[Any]], may: dict[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[dict[str, Any]]:
    extra = st.dictionaries(TEXT.map("x-".__add__), ANYTHING, max_size=1)
    return st.builds(lambda named, more: {**more, **named}, st.fixed_dictionaries(must, optional=may), extra)


@st.composite
def nearly(draw: st.DrawFn, hint: Any) -> Any:
    """JSON that fits a type, but for at most one place."""
    value = draw(right(hint))
    place: Any = value
    while isinstance(place, dict | list) and place:
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        inner = place[key]
        if isinstance(inner, dict | list) and inner and draw(st.booleans()):
            place = inner
            continue
        if draw(st.booleans()):
            place[key] = draw(ODD)
        elif isinstance(place, dict) and draw(st.booleans()):
            del place[key]
        return value
    return value if draw(st.booleans()) else draw(ODD)
