"""Calls that the SDK does not know: what `hero.request` builds, and what it refuses to build."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import UUID

import msgspec
import pytest
from core_support import CANARY, Poison, leaks
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from hero_async import NULL, AsyncHero, InvalidArgumentError
from hero_async.api.patients import PatientId
from hero_async.calls import Call
from hero_async.requests import build_request
from hero_async.transport import Attempt, Reply


def build(verb: str, path: str, **options: Any) -> Call[Any]:
    whole: dict[str, Any] = {"query": None, "json": None, "idempotent": None, "into": dict, **options}
    return build_request(verb, path, **whole)


def refusal(verb: str, path: str, **options: Any) -> InvalidArgumentError:
    with pytest.raises(InvalidArgumentError) as refused:
        build(verb, path, **options)
    assert refused.value.operation == "request"
    assert not leaks(refused.value, CANARY)
    return refused.value


# The verb


@pytest.mark.parametrize("verb", ["GET", "get", "Post", "PUT", "PATCH", "DELETE", "HEAD"])
def test_the_verbs_of_http(verb: str) -> None:
    call = build(verb, "/v1/x")
    assert call.operation.verb == verb.upper()
    assert call.operation.idempotent is (verb.upper() in ("GET", "HEAD"))


def test_the_caller_knows_what_may_be_repeated() -> None:
    assert build("POST", "/v1/x", idempotent=True).operation.idempotent
    assert not build("GET", "/v1/x", idempotent=False).operation.idempotent


@pytest.mark.parametrize("verb", ["", "CONNECT", "TRACE", "GET /", "GET\r\nX-Evil: 1", "ＧＥＴ", 5, None, Poison()])
def test_another_verb(verb: Any) -> None:
    assert str(refusal(verb, "/v1/x")).startswith("verb: must be one of GET, POST, PUT, PATCH, DELETE, HEAD")


# The path


@pytest.mark.parametrize(
    "path",
    [
        "/v1/../admin",
        "/..",
        "/v1/..",
        "/v1/.",
        "/./v1",
        "/v1/%2e%2e/admin",
        "/v1/%2E%2e",
        "/v1/.%2e/admin",
        "/v1/a%2f..%2fadmin",
        "/v1/a%5C..%5Cadmin",
        "/v1/..%2fadmin",
    ],
)
def test_a_path_that_climbs(path: str) -> None:
    assert str(refusal("GET", path)).startswith("path: must not hold '.' or '..' segments")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "v1/x",
        "//evil.example/v1",
        "/v1//x",
        "/v1/x//",
        "/v1/x?a=1",
        "/v1/x?",
        "/v1/x#a",
        "https://evil.example/v1",
        "https:/evil.example",
        "http://localhost/v1",
        "\\\\evil.example",
        "/\\evil.example",
        "/v1\\..\\admin",
        "/v1/x y",
        " /v1",
        "/v1\n",
        "/v1\r\nHost: evil.example",
        "/v1\x00",
        "/v1/é",
        "/v1/%",
        "/v1/%2",
        "/v1/%zz",
        "/v1/{id}",
        "/v1/<a>",
        '/v1/"a"',
        "/v1/\ud800",
        5,
        None,
        b"/v1",
    ],
)
def test_what_is_no_path(path: Any) -> None:
    error = str(refusal("GET", path))
    assert error.startswith(
        "path: must start with '/', be percent-encoded, and hold no query, fragment or empty segment"
    )


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/x/", "/v1/a%20b", "/v1/a%2Fb", "/v1/%252e%252e", "/v1/..a", "/v1/a..b", "/v1/@a:80;b=1"]
)
def test_a_good_path_is_sent_as_it_is(path: str) -> None:
    assert build("GET", path).target == path


@given(st.text("/.%2eEfF5cC?#@:\\ a\n", max_size=16).map("/v1/".__add__) | st.text(max_size=30))
def test_no_path_leads_elsewhere(path: str) -> None:
    try:
        target = build("GET", path).target
    except InvalidArgumentError:
        return
    assert target == path
    assert not urlsplit(f"https://hero.example{target}").netloc.removeprefix("hero.example")
    assert urlsplit(target)[:2] == ("", "")
    assert URL(f"https://hero.example{target}", encoded=True).raw_path == target
    pieces = unquote(target).replace("\\", "/").split("/")
    assert "." not in pieces
    assert ".." not in pieces


def test_a_path_with_values_is_told_to_no_one() -> None:
    call = build("GET", f"/v1/patients/{CANARY}")
    assert CANARY not in f"{call!r} {call.operation!r} {call.operation.name} {call.operation.path}"


# The query


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        (None, []),
        ({}, []),
        ({"a": None}, []),
        ({"a": True, "b": False}, [("a", "true"), ("b", "false")]),
        ({"a": 1, "b": 1.5, "c": Decimal("1.50")}, [("a", "1"), ("b", "1.5"), ("c", "1.50")]),
        ({"a": date(2026, 3, 1)}, [("a", "2026-03-01")]),
        ({"a": datetime(2026, 3, 1, 9, tzinfo=UTC)}, [("a", "2026-03-01T09:00:00Z")]),
        ({"a": UUID(int=7)}, [("a", "00000000-0000-0000-0000-000000000007")]),
        ({"a": ["x", "y"], "b": (1, True)}, [("a", "x"), ("a", "y"), ("b", "1"), ("b", "true")]),
        ({"a": []}, []),
        ({"a[]": "x"}, [("a[]", "x")]),
        ({"a b&c=d#": "e f&g=h#%+é"}, [("a b&c=d#", "e f&g=h#%+é")]),
        ({"a": ""}, [("a", "")]),
    ],
)
def test_a_query(query: Any, pairs: list[tuple[str, str]]) -> None:
    parts = urlsplit(build("GET", "/v1/x", query=query).target)
    assert parse_qsl(parts.query, keep_blank_values=True) == pairs
    assert (parts.path, parts.fragment) == ("/v1/x", "")


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ({"a": NULL}, "a value must be text, a number, True, False, a date or an aware datetime"),
        ({"a": {CANARY: 1}}, "a value must be text"),
        ({"a": {CANARY}}, "a value must be text"),
        ({"a": CANARY.encode()}, "a value must be text"),
        ({"a": Poison()}, "a value must be text"),
        ({"a": [None]}, "a value must be text"),
        ({"a": [[CANARY]]}, "a value must be text"),
        ({"a": math.nan}, "must be a finite number"),
        ({"a": math.inf}, "must be a finite number"),
        ({"a": 10**30}, "must be a whole number (int) of at most 64 bits"),
        ({"a": datetime(2026, 3, 1, 9)}, "must be an aware datetime"),  # noqa: DTZ001  # that is what is tried
        ({"a": f"{CANARY}\ud800"}, "must be text that UTF-8 can hold"),
        ({f"{CANARY}\ud800": "a"}, "must be text that UTF-8 can hold"),
        ({5: "a"}, "must be text"),
        ([("a", CANARY)], "must be a mapping"),
        (CANARY, "must be a mapping"),
    ],
    ids=str,
)
def test_a_query_that_has_no_form(query: Any, rule: str) -> None:
    assert str(refusal("GET", "/v1/x", query=query)).startswith(f"query: {rule}")


# The body


@pytest.mark.parametrize(
    ("json", "body"),
    [
        (None, None),
        (NULL, b"null"),
        ({}, b"{}"),
        ([], b"[]"),
        ("", b'""'),
        (0, b"0"),
        (False, b"false"),
        ({"a": [1, None, {"b": "é"}]}, '{"a":[1,null,{"b":"é"}]}'.encode()),
        ({"a": NULL}, b'{"a":null}'),
        ({"a": date(2026, 3, 1)}, b'{"a":"2026-03-01"}'),
        ([datetime(2026, 3, 1, 9, 30, tzinfo=UTC)], b'["2026-03-01T09:30:00Z"]'),
        ({"a": datetime(2026, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=1)))}, b'{"a":"2026-03-01T08:30:00Z"}'),
        (PatientId(patient_id="7"), b'{"patient_id":"7"}'),
    ],
)
def test_a_body(json: Any, body: bytes | None) -> None:
    assert build("POST", "/v1/x", json=json).body == body


@pytest.mark.parametrize("shape", [lambda time: time, lambda time: {"a": [time], "b": CANARY}], ids=["bare", "inside"])
def test_a_body_with_a_naive_time_is_refused(shape: Callable[[datetime], Any]) -> None:
    naive = datetime(2026, 3, 1, 9, 30)  # noqa: DTZ001  # that is the point
    said = str(refusal("POST", "/v1/x", json=shape(naive)))
    assert said.startswith("json: must be an aware datetime")


def endless() -> list[Any]:
    ring: list[Any] = [CANARY]
    ring.append(ring)
    return ring


@pytest.mark.parametrize(
    "json",
    [
        Poison(),
        {"a": Poison(), "b": CANARY},
        endless(),
        {"a": math.nan, "b": CANARY},
        [math.inf],
        {"a": f"{CANARY}\ud800"},
        {(1, 2): CANARY},
        lambda: CANARY,
        {"a": 5j},
    ],
    ids=["object", "inside", "endless", "nan", "infinity", "surrogate", "key", "function", "complex"],
)
def test_a_body_that_json_does_not_know(json: Any) -> None:
    assert str(refusal("POST", "/v1/x", json=json)).startswith("json: must be made of what JSON knows")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)


@given(JSON.filter(lambda value: value is not None))
def test_any_json_goes_out_as_it_is(json: Any) -> None:
    try:
        body = build("POST", "/v1/x", json=json).body
    except InvalidArgumentError:
        assert "\\ud" in ascii(json)  # a lone surrogate
        return
    assert msgspec.json.decode(body or b"") == json


# Through a client


@pytest.mark.anyio
async def test_a_request_is_signed_sent_and_read_as_any_call() -> None:
    seen: list[Attempt] = []

    async def transport(attempt: Attempt) -> Reply:
        await attempt.leave()
        seen.append(attempt)
        attempt.status = 200
        return Reply(200, {}, b'{"patient_id": 7}')

    async with AsyncHero(api_key="key", practice_group_id="42", environment="staging", transport=transport) as hero:
        plain: dict[str, Any] = await hero.request("get", "/v1/any", query={"a": [1, 2]})
        patient = await hero.request("POST", "/v1/any", json={"b": 1}, into=PatientId)
    assert plain == {"patient_id": 7}
    assert patient == PatientId(patient_id="7")
    assert [(one.verb, one.target, one.body) for one in seen] == [
        ("GET", "/v1/any?a=1&a=2", None),
        ("POST", "/v1/any", b'{"b":1}'),
    ]
    assert all(one.headers["x-api-key"] == "key" and one.headers["x-practice-group-id"] == "42" for one in seen)
    assert [one.headers.get("Content-Type") for one in seen] == [None, "application/json"]
