"""Answers of the sandbox with fields and values that no one knows, drawn at random, are always read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from operator import attrgetter
from typing import Any, get_args

import attrs
import contract_judge as judge
import pytest
from contract_draws import fewest
from contract_scene import NARROWER, Scene
from hypothesis import given, settings
from hypothesis import strategies as st

from hero_async import OPERATIONS
from hero_async.codec import read
from hero_async.fields import Answer, OpenEnum
from hero_async.pages import Page
from hero_async.sandbox import Quirks

each = pytest.mark.parametrize("operation", OPERATIONS, ids=attrgetter("name"))

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9)
)
_EXTRA = st.dictionaries(
    st.text(max_size=9).filter(lambda name: name not in judge.property_names()),
    st.recursive(
        _SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    ),
    max_size=3,
)


@cache
def enumerated() -> frozenset[str]:
    """The fields that any schema of the contract enumerates."""

    def found(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            for name, schema in node.get("properties", {}).items():
                if _is_enumerated(schema):
                    yield name
            for part in node.values():
                yield from found(part)

    return frozenset(found(judge.contract()["components"]["schemas"]))


def _is_enumerated(schema: dict[str, Any]) -> bool:
    if "$ref" in schema:
        return _is_enumerated(judge.contract()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return "enum" in schema or any(_is_enumerated(form) for form in schema.get("anyOf", ()))


@st.composite
def stranger(draw: st.DrawFn, value: Any) -> Any:
    """The same answer, with more fields in every object and other texts where the contract enumerates them."""
    if isinstance(value, list):
        return [draw(stranger(item)) for item in value]
    if not isinstance(value, dict):
        return value
    known = {
        name: draw(st.text(max_size=12)) if name in enumerated() and isinstance(item, str) else draw(stranger(item))
        for name, item in value.items()
    }
    extra = draw(_EXTRA)
    return extra | known if draw(st.booleans()) else known | extra


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """One answer of the sandbox to each operation, as JSON; None for an empty body."""
    found: dict[str, Any] = {}
    with Scene() as scene:
        for operation in OPERATIONS:
            response = scene.call(operation.name, scene.real(operation, fewest(operation, NARROWER)))
            found[operation.name] = json.loads(response.body) if response.body else None
    return found


@each
def test_an_answer_with_strange_fields_and_values_is_read(operation, answers):
    @settings(max_examples=20, deadline=None, database=None)
    @given(stranger(_short(answers[operation.name])))
    def check(strange: Any) -> None:
        body = json.dumps(strange).encode() if strange is not None else b""
        value = read(body, operation.into)
        assert _count(value) == _count(read(json.dumps(_short(answers[operation.name])).encode(), operation.into))

    check()


def _short(answer: Any) -> Any:
    """A list of many is long to draw, and its items are alike."""
    if isinstance(answer, dict) and isinstance(answer.get("data"), list):
        return answer | {"data": answer["data"][:2]}
    return answer


def _count(value: Any) -> int:
    return len(value) if isinstance(value, Page) else 1


@each
def test_an_answer_is_read_into_what_is_declared(operation, answers):
    value = read(json.dumps(answers[operation.name]).encode(), operation.into)
    items = value.data if isinstance(value, Page) else (value,)
    hint = get_args(operation.into)[0] if isinstance(value, Page) else operation.into
    for item in items:
        assert type(item) in (get_args(hint) or (hint,))
        for found in _enums(item):
            assert found.is_known


def _enums(value: Any) -> Iterator[OpenEnum]:
    if isinstance(value, OpenEnum):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _enums(item)
    elif attrs.has(type(value)) and not isinstance(value, Answer):
        for field in attrs.fields(type(value)):
            yield from _enums(getattr(value, field.name))


def test_most_answers_have_something_in_them(answers):
    empty = {name for name, answer in answers.items() if answer is None or answer == {"data": [], "count": 0}}
    assert empty <= {
        "customers.list",
        "patients.list",
        "patients.list_v1",
        "patients.list_v2",
        "patients.payment_methods",
        "prescribers.pharmacies",
        "batch_messages.messages",
        "webhooks.list",
    }
    assert {"status", "priority", "title", "sex", "form_type", "data_source"} <= enumerated()


def test_the_quirks_of_the_sandbox_reach_every_operation():
    with Scene() as scene:
        for operation in OPERATIONS:
            made = scene.real(operation, fewest(operation, NARROWER))
            scene.sandbox.quirks = Quirks(extra_fields=True, unknown_values=True)
            response = scene.call(operation.name, made)
            scene.sandbox.quirks = Quirks()
            assert b"sandbox_extra" in response.body, operation.name
