"""Whatever a file holds, there is a report or one clear refusal; and what is said to be read is read."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import date, datetime
from functools import cache
from random import Random
from typing import Any

import pytest
import yaml
from drift_support import contract
from hypothesis import given, settings
from hypothesis import strategies as st

from hero_async.codec import read
from hero_async.drift import NotOpenAPI, Report, compare, parse
from hero_async.drift.comparing import _Values
from hero_async.drift.declared import shape
from hero_async.drift.described import Description
from hero_async.errors import ResponseDecodeError
from hero_async.fields import OpenEnum, model

PATHS = ("/v1/messages/send", "/v1/batch_message", "/v1/patients/register_pds", "/v3/patients", "/v1/episodes/{id}")

_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.dates()
    | st.sampled_from(
        ("object", "array", "string", "null", "#", "#/paths", "#/components/schemas/PatientV3", "x.yaml#/a")
    )
)
_WORDS = st.sampled_from(
    (
        "type",
        "properties",
        "items",
        "anyOf",
        "oneOf",
        "allOf",
        "$ref",
        "enum",
        "const",
        "required",
        "nullable",
        "schema",
    )
)
_NODES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS | st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)


@cache
def _small() -> Any:
    """The contract with some of its paths: quick to compare."""
    whole = contract()
    return whole | {"paths": {path: node for path, node in whole["paths"].items() if path in PATHS}}


def mangled(document: Any, random: Random, node: Any) -> None:
    """Put another node somewhere, take one out, or let one hold what it is part of."""
    above: Any = document
    while True:
        keys = list(above) if isinstance(above, dict) else list(range(len(above)))
        key = random.choice(keys)
        below = above[key]
        if not isinstance(below, dict | list) or not below or random.random() < 0.1:
            break
        above = below
    match random.randrange(4):
        case 0:
            del above[key]
        case 1:
            above[key] = above
        case 2 if isinstance(above, dict):
            above[random.choice(("anyOf", "$ref", "type", "get", "schema", "new"))] = node
        case _:
            above[key] = node


def tried(given: Any) -> Report | None:
    """The report, or None for one refusal; anything else comes out."""
    try:
        return compare(parse(given) if isinstance(given, bytes) else given)
    except NotOpenAPI:
        return None


@settings(max_examples=150, deadline=None, database=None)
@given(st.lists(_NODES, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_mangled_contract_gives_a_report_or_one_refusal(nodes: list[Any], random: Random) -> None:
    document = deepcopy(_small())
    for node in nodes:
        mangled(document, random, node)
    report = tried(document)
    if report is not None:
        for one in (*report.differences, *report.known):
            assert f"{one.where}{one.says}".isprintable()


@settings(max_examples=200, deadline=None, database=None)
@given(_NODES.map(lambda node: yaml.safe_dump(node).encode()) | st.text().map(str.encode) | st.binary())
def test_any_bytes_give_a_report_or_one_refusal(data: bytes) -> None:
    tried(data)


@settings(max_examples=50, deadline=None, database=None)
@given(_NODES)
def test_any_paths_give_a_report(node: Any) -> None:
    assert compare({"openapi": "3.0.0", "paths": {PATHS[0]: {"post": node}, PATHS[1]: node, "/new": node}})


@pytest.mark.parametrize(
    "text, words",
    [
        ("[" * 100_000, "nested too deeply"),
        ("- " * 5_000 + "x", "nested too deeply"),
        ("a: [", "line 2"),
        ("a: 1\nb: [\n", "line 3"),
        ("---\na: 1\n---\nb: 2", "neither"),
        ("a: \x00", "neither"),
        ("a: !!python/object/apply:os.system [x]", "tags"),
        ("a: !!timestamp x", "tags"),
        ("a: !!int x", "tags"),
        ("a: 2026-13-45", "tags"),
        ("? [a]\n: b", "tags"),
        ("", "holds no mapping"),
    ],
    ids=[
        "deep list",
        "deep YAML",
        "open list",
        "third line",
        "two documents",
        "NUL",
        "unsafe",
        "bad moment",
        "bad number",
        "bad day",
        "key",
        "empty",
    ],
)
def test_what_is_no_yaml_is_refused(text: str, words: str) -> None:
    with pytest.raises(NotOpenAPI, match=words):
        compare(parse(text.encode()))


def test_other_encodings_are_read() -> None:
    document = {"openapi": "3.1.0", "paths": {"/ü": {"get": {}}}}
    said = compare(document).differences
    text = json.dumps(document, ensure_ascii=False)
    assert [compare(parse(text.encode(name))).differences for name in ("utf-8", "utf-8-sig", "utf-16")] == [said] * 3


def test_aliases_that_would_grow_without_end_do_not() -> None:
    lines = ["a0: &a0 {type: string}"]
    lines += [f"a{n}: &a{n} {{anyOf: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 30)]
    lines += [f"b{n}: &b{n} [{', '.join([f'*b{n - 1}' if n else 'x'] * 10)}]" for n in range(30)]
    document = parse("\n".join(lines).encode())
    operation = {
        "operationId": document["b29"],
        "parameters": [{"name": document["b29"], "in": "query", "schema": document["a29"]}],
        "responses": {"200": {"content": {"application/json": {"schema": document["a29"]}}}},
    }
    report = compare({"openapi": "3.1.0", "paths": {"/v1/messages/{id}": {"get": operation}}})
    assert any(one.says == "is text, the SDK has object" for one in report.differences)


def test_a_long_chain_of_references_is_refused_or_read() -> None:
    chain = {f"s{n}": {"$ref": f"#/components/schemas/s{n + 1}"} for n in range(20_000)}
    schema = {"$ref": "#/components/schemas/s0"}
    responses = {"200": {"content": {"application/json": {"schema": schema}}}}
    document = {
        "openapi": "3.1.0",
        "paths": {"/v1/messages/{id}": {"get": {"responses": responses}}},
        "components": {"schemas": chain},
    }
    with pytest.raises(NotOpenAPI, match="nested too deeply"):
        compare(document)


class Colour(OpenEnum):
    RED = "red"


@model
class Thing:
    id: str


SAMPLES: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "text": ({"type": "string"}, ["", "some text", "7"]),
    "date": ({"type": "string", "format": "date"}, ["2026-03-01"]),
    "moment": ({"type": "string", "format": "date-time"}, ["2026-03-01T09:00:00Z", "2026-03-01T09:00:00.5+01:00"]),
    "choice": ({"enum": ["red", "green"]}, ["red", "green"]),
    "int": ({"type": "integer"}, [0, -5, 10**12]),
    "number": ({"type": "number"}, [0, 1.5, -2e9]),
    "bool": ({"type": "boolean"}, [True, False]),
    "list": ({"type": "array", "items": {}}, [[], ["a"], [1]]),
    "object": (
        {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
        [{"id": "5"}, {"id": "5", "new": 1}],
    ),
    "mapping": ({"type": "object", "additionalProperties": {"type": "string"}}, [{}, {"a": "b"}]),
    "null": ({"type": "null"}, [None]),
}
HINTS = [str, Colour, int, float, bool, date, datetime, Thing, dict[str, str], tuple[str, ...], str | None, Any]


VAGUE = {
    (tuple[str, ...], "list"): "items of no shown type",
    (Thing, "mapping"): "what keys it has is not shown",
    (dict[str, str], "object"): "its fields may all be text",
}
CASES = [(hint, kind) for hint in HINTS for kind in SAMPLES if (hint, kind) not in VAGUE]


@pytest.mark.parametrize("hint, kind", CASES, ids=str)
def test_what_is_said_to_be_read_is_read(hint: Any, kind: str) -> None:
    """The verdict on an answer against the codec itself: it breaks if, and only if, a value cannot be read."""
    schema, values = SAMPLES[kind]
    theirs = Description({"openapi": "3.1.0", "paths": {}}).shape(schema)
    breaks = any(one.breaks for one in _Values("answer").compare(shape(hint, sent=False), theirs))
    unreadable = 0
    for value in values:
        try:
            read(json.dumps({"value": value}).encode(), _holder(hint))
        except ResponseDecodeError:
            unreadable += 1
    assert breaks is (unreadable > 0)


@cache
def _holder(hint: Any) -> Any:
    class Holder:
        __annotations__ = {"value": hint}

    return model(Holder)
