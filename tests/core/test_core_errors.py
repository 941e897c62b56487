"""Errors: the documented tree, what they carry through a pickle, and what they never show."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from core_support import CANARY, leaks
from hypothesis import given
from hypothesis import strategies as st

from hero_async import AsyncHero, BadRequestError, Delivery, HeroError, errors
from hero_async.delivery import of_loss, of_status
from hero_async.errors import Problem, ValidationIssue, class_for
from hero_async.transport import Attempt, Reply

CONTEXT: dict[str, Any] = {
    "operation": "messages.send",
    "attempts": 3,
    "call_id": "ab12-7",
    "request_id": "req-1",
    "delivery": Delivery.UNKNOWN,
}
OWN: Mapping[str, dict[str, Any]] = {
    "APIConnectionError": {"phase": "wait"},
    "APITimeoutError": {"phase": "body"},
    "APIStatusError": {"status": 418},
    "BadRequestError": {"status": 400, "places": ("recipients[3].dob",)},
    "RateLimitError": {"status": 429, "retry_after": 2.5},
    "ResponseDecodeError": {"problems": (Problem("$.data[0].id", "text"),)},
    "ResponseTooLargeError": {"limit": 1024},
}
BODY = f'{{"error": true, "message": [{{"code": "c", "expected": "{CANARY}", "path": ["dob"]}}]}}'.encode()


def every() -> list[type[HeroError]]:
    found: list[type[HeroError]] = []
    waiting: list[type[HeroError]] = [HeroError]
    while waiting:
        cls = waiting.pop()
        found.append(cls)
        waiting += [sub for sub in cls.__subclasses__() if sub.__module__ == "hero_async.errors"]
    return sorted(found, key=lambda cls: cls.__name__)


def make(cls: type[HeroError]) -> HeroError:
    own = dict(OWN.get(cls.__name__, {"status": 404} if issubclass(cls, errors.APIStatusError) else {}))
    if hasattr(cls, "body"):
        own["body"] = BODY
    return cls("what happened", **own, **CONTEXT)


def test_the_tree_is_the_one_that_is_drawn() -> None:
    drawn: list[tuple[str, str]] = []
    parents: list[str] = []
    for line in inspect.cleandoc(errors.__doc__ or "").splitlines():
        found = re.match(r"^((?:    )?)((?:│   |    )*)(├── |└── )?([A-Z]\w+)(?:\s|$)", line)
        if found and (found[3] or found[4] == "HeroError"):
            depth = len(found[2]) // 4 + 1 if found[3] else 0
            parents[depth:] = [found[4]]
            drawn.append((found[4], parents[depth - 1] if depth else "Exception"))
    real = [(cls.__name__, cls.__bases__[0].__name__) for cls in every()]
    assert sorted(drawn) == sorted(real)
    assert len(drawn) == 18


def test_every_error_is_public() -> None:
    import hero_async

    assert {cls.__name__ for cls in every()} <= set(hero_async.__all__)


def test_a_bad_argument_is_also_a_value_error() -> None:
    assert issubclass(errors.InvalidArgumentError, ValueError)


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (100, "APIStatusError"),
        (301, "APIStatusError"),
        (307, "APIStatusError"),
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (402, "APIStatusError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (408, "APIStatusError"),
        (409, "ConflictError"),
        (413, "APIStatusError"),
        (418, "APIStatusError"),
        (422, "UnprocessableEntityError"),
        (429, "RateLimitError"),
        (499, "APIStatusError"),
        (500, "InternalServerError"),
        (502, "InternalServerError"),
        (599, "InternalServerError"),
        (999, "InternalServerError"),
    ],
)
def test_the_class_of_a_status(status: int, name: str) -> None:
    assert class_for(status).__name__ == name


# Delivery


@pytest.mark.parametrize(
    ("delivery", "statuses"),
    [
        (Delivery.YES, [200, 201, 202, 204, 206, 299]),
        (Delivery.NO, [400, 401, 403, 404, 405, 407, 409, 410, 413, 422, 429, 431, 451, 499]),
        (Delivery.UNKNOWN, [100, 103, 300, 301, 302, 304, 307, 399, 408, 500, 501, 502, 503, 504, 520, 599, 700]),
    ],
)
def test_a_status_line_decides_even_when_the_body_is_lost(delivery: Delivery, statuses: list[int]) -> None:
    assert {of_status(status) for status in statuses} == {delivery}
    assert {of_loss(left=True, status=status) for status in statuses} == {delivery}


def test_without_a_status_line_it_depends_on_whether_it_left() -> None:
    assert of_loss(left=True, status=None) is Delivery.UNKNOWN
    assert of_loss(left=False, status=None) is Delivery.NO


# What an error carries


@pytest.mark.parametrize("cls", every(), ids=lambda cls: str(cls.__name__))
@pytest.mark.parametrize(
    "through",
    [copy.copy, copy.deepcopy, *(lambda e, p=p: pickle.loads(pickle.dumps(e, p)) for p in range(6))],  # noqa: S301  # our own bytes
    ids=["copy", "deepcopy", *(f"pickle{p}" for p in range(6))],
)
def test_an_error_travels_with_all_its_fields_but_the_body(cls: type[HeroError], through: Any) -> None:
    error = make(cls)
    error.add_note("a note")
    twin = through(error)
    assert type(twin) is cls
    assert twin.args == ("what happened",)
    expected = {name: value for name, value in vars(error).items() if name != "body"}
    assert {name: value for name, value in vars(twin).items() if name != "body"} == expected
    assert set(CONTEXT) <= set(expected)
    assert (str(twin), repr(twin)) == (str(error), repr(error))
    if hasattr(cls, "body"):
        assert vars(error)["body"] == BODY
        assert getattr(twin, "body", None) == b""


@pytest.mark.parametrize("cls", every(), ids=lambda cls: str(cls.__name__))
def test_no_text_or_pickle_of_an_error_holds_the_body(cls: type[HeroError]) -> None:
    error = make(cls)
    assert not leaks(error, CANARY)
    assert CANARY not in f"{error} {error!r} {error!s}"


def test_the_text_tells_operation_attempts_delivery_and_call() -> None:
    error = errors.APIConnectionError("the connection was lost", **CONTEXT)
    assert str(error) == "the connection was lost [messages.send, 3 attempts, processed: unknown, call ab12-7]"
    assert repr(error) == f"APIConnectionError({str(error)!r})"
    assert str(errors.ConfigurationError("api_key: is missing")) == "api_key: is missing"
    once = errors.NotFoundError("the server answered 404", operation="messages.get", attempts=1)
    assert str(once) == "the server answered 404 [messages.get, 1 attempt, processed: no]"


def test_an_error_that_nothing_was_sent_for_says_no() -> None:
    assert errors.InvalidArgumentError("id: must not be empty").delivery is Delivery.NO
    assert errors.ConfigurationError("…").delivery is Delivery.NO


# What a 400 says


def bad_request(body: bytes) -> BadRequestError:
    return BadRequestError("the server answered 400", status=400, body=body)


def test_issues_are_read_from_the_documented_shape() -> None:
    body = {
        "error": True,
        "statusCode": 400,
        "message": [
            {"code": "invalid_type", "expected": "string", "path": ["recipients", 3, "nhs_number"]},
            {"code": "too_small", "expected": "1", "path": []},
        ],
    }
    assert bad_request(msgspec.json.encode(body)).issues == (
        ValidationIssue("invalid_type", "string", ("recipients", 3, "nhs_number")),
        ValidationIssue("too_small", "1", ()),
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"message": "text"}',
        b'{"message": null}',
        b'{"message": [1, null, "x", []]}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"message": ' + b"1" * 5000 + b"}",
        b'{"message": NaN}',
    ],
)
def test_another_shape_has_no_issues(body: bytes) -> None:
    assert bad_request(body).issues == ()


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.fixed_dictionaries({}, optional={"code": ODD, "expected": ODD, "path": ODD}) | ODD, max_size=4))
def test_issues_of_any_json_are_texts_and_indexes(message: list[Any]) -> None:
    for issue in bad_request(msgspec.json.encode({"message": message})).issues:
        assert isinstance(issue.code, str)
        assert isinstance(issue.expected, str)
        assert all(isinstance(step, str) or (type(step) is int and 0 <= step < 100_000) for step in issue.path)
        assert repr(issue) == "ValidationIssue(***)"


async def answer_400(message: list[Any], **arguments: Any) -> BadRequestError:
    async def transport(attempt: Attempt) -> Reply:
        await attempt.leave()
        attempt.status = 400
        return Reply(400, {}, msgspec.json.encode({"error": True, "statusCode": 400, "message": message}))

    async with AsyncHero(
        api_key="key", practice_group_id="1", environment="staging", transport=transport, retries=0
    ) as hero:
        with pytest.raises(BadRequestError) as refused:
            await hero.messages.send(patient_id="1", message_type="sms", message_string=CANARY)
    return refused.value


@pytest.mark.anyio
async def test_a_400_names_the_arguments_of_the_operation_and_nothing_else() -> None:
    error = await answer_400(
        [
            {"code": "c", "expected": CANARY, "path": ["patient_id"]},
            {"code": "c", "expected": "e", "path": [CANARY, 3, "message_string"]},
            {"code": "c", "expected": "e", "path": ["patient_id", 9990000018]},
            {"code": "c", "expected": "e", "path": ["patient_id", -1, True, 1.5, None, {"a": CANARY}]},
            {"code": "c", "expected": "e", "path": f"patient_id {CANARY}"},
            {"code": CANARY, "expected": "e", "path": ["patient_id"]},
        ]
    )
    assert error.places == ("patient_id", "?[3].message_string", "patient_id.?", "patient_id.?.?.?.?.?")
    assert not leaks(error, CANARY, "9990000018")
    assert str(error).startswith("the server answered 400: patient_id, ?[3].message_string, ")
    assert error.issues[2].path == ("patient_id", "9990000018")
    assert error.delivery is Delivery.NO


@pytest.mark.anyio
async def test_a_400_of_endless_findings_stays_short() -> None:
    error = await answer_400([{"path": ["patient_id", number]} for number in range(10_000)])
    assert len(error.places) == 20
    assert len(str(error)) < 1000
