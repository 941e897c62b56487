"""Every model of the SDK, filled at random: whatever else an answer holds, it is read as it would be without."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hero_async import OPERATIONS
from hero_async.codec import converter, loads_for, read
from hero_async.fields import Answer, OpenEnum, arms
from hero_async.pages import Page

_TEXT = st.text(max_size=9)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=4,
)
_ZONED = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # zoned after
_SCALARS: Mapping[Any, st.SearchStrategy[Any]] = {
    Any: _JSON,
    str: _TEXT,
    bool: st.booleans(),
    int: st.integers(-(2**53), 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    datetime: _ZONED.map(datetime.isoformat),
    date: st.dates().map(date.isoformat) | _ZONED.map(datetime.isoformat),
}


def parts(hint: Any) -> tuple[Any, ...]:
    """What a hint is made of."""
    return get_args(hint)[:1] if get_origin(hint) is Annotated else get_args(hint)


def models_of(hint: Any) -> Iterator[Any]:
    """Every model that an answer of this type may hold."""
    if isinstance(hint, type) and attrs.has(hint):
        yield hint
        for inner in get_type_hints(hint, include_extras=True).values():
            yield from models_of(inner)
    for part in parts(hint):
        yield from models_of(part)


MODELS = sorted(
    {model for one in OPERATIONS for model in models_of(one.into) if model is not Page}, key=attrgetter("__name__")
)
"""All models of answers, by name."""


@cache
def value(hint: Any, *, strange: bool) -> st.SearchStrategy[Any]:
    """JSON of a type; strange: with fields that no model has, and values that no enum has."""
    if hint in _SCALARS:
        return _SCALARS[hint]
    origin = get_origin(hint)
    if origin is Annotated:
        return value(get_args(hint)[0], strange=strange)
    if origin is tuple:
        return st.lists(value(get_args(hint)[0], strange=strange), max_size=2)
    if origin is dict:
        return st.dictionaries(_TEXT, value(get_args(hint)[1], strange=strange), max_size=2)
    if isinstance(hint, type) and issubclass(hint, OpenEnum):
        known = st.sampled_from([member.value for member in hint])
        return known | _TEXT if strange else known
    if isinstance(hint, type) and issubclass(hint, Answer):
        return st.dictionaries(_TEXT, _JSON, max_size=3)
    if isinstance(hint, type) and attrs.has(hint):
        return filled(hint, strange=strange)
    return st.one_of([st.none() if arm is type(None) else value(arm, strange=strange) for arm in arms(hint)])


@st.composite
def filled(draw: st.DrawFn, model: Any, *, strange: bool) -> Any:
    """A JSON object of a model."""
    hints = get_type_hints(model, include_extras=True)
    made = {
        field.name: draw(value(hints[field.name], strange=strange))
        for field in attrs.fields(model)
        if field.default is attrs.NOTHING or draw(st.booleans())
    }
    if not strange:
        return made
    extra = draw(st.dictionaries(_TEXT.filter(lambda name: name not in hints), _JSON, max_size=3))
    return extra | made if draw(st.booleans()) else made | extra


def less(found: Any, hint: Any) -> Any:
    """JSON of a type without what its models do not know."""
    if isinstance(found, list):
        items = next((parts(arm)[0] for arm in arms(hint) if get_origin(arm) is tuple), Any)
        return [less(item, items) for item in found]
    if not isinstance(found, dict):
        return found
    for arm in arms(hint):
        plain = parts(arm)[0] if get_origin(arm) is Annotated else arm
        if isinstance(plain, type) and attrs.has(plain) and not issubclass(plain, Answer):
            hints = get_type_hints(plain, include_extras=True)
            return {name: less(item, hints[name]) for name, item in found.items() if name in hints}
    return found


def test_there_are_models_of_all_subjects():
    assert len(MODELS) > 45
    assert len({model.__name__ for model in MODELS}) == len(MODELS)


@pytest.mark.parametrize("model", MODELS, ids=attrgetter("__name__"))
def test_fields_that_no_one_knows_are_left_out(model):
    loads_for(model)

    @settings(max_examples=60, deadline=None, database=None)
    @given(filled(model, strange=True))
    def check(made: Any) -> None:
        body = json.dumps(made).encode()
        found = read(body, model)
        assert type(found) is model
        assert found == read(json.dumps(less(made, model)).encode(), model)
        assert converter().structure(json.loads(body), model) == found  # the tolerant path, too

    check()


@pytest.mark.parametrize("operation", OPERATIONS, ids=attrgetter("name"))
def test_every_answer_is_read_whatever_else_it_holds(operation):
    into = operation.into
    is_page = get_origin(into) is Page
    items = value(get_args(into)[0] if is_page else into, strange=True)
    if len(arms(into)) > 1:  # which of two models it is, is told by its fields: without any it is neither
        names = {field.name for arm in arms(into) for field in attrs.fields(arm)}
        items = items.filter(lambda made: bool(names & made.keys()))

    @settings(max_examples=25, deadline=None, database=None)
    @given(st.lists(items, max_size=3) if is_page else items, st.dictionaries(_TEXT, _JSON, max_size=3))
    def check(made: Any, extra: Any) -> None:
        body = {**extra, "data": made, "count": len(made)} if is_page else made
        found = read(json.dumps(body).encode(), into)
        assert isinstance(found, get_args(into) or into) if not is_page else len(found.data) == len(made)

    check()
