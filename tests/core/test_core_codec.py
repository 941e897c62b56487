"""Answers: two paths that agree, odd shapes that are read, and what cannot be read, told without values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal

import attrs
import msgspec
import pytest
from core_json import ANYTHING, TEXT, nearly, right
from core_support import CANARY, leaks
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hero_async import NULL, OPERATIONS, AsyncHero, Delivery, Page, ResponseDecodeError
from hero_async.api.batch_messages import BatchMessage, BatchMessageSent
from hero_async.api.messages import Message, SentMessage
from hero_async.api.patients import PatientId, PatientV3, PatientVerificationRequired
from hero_async.codec import converter, encode, loads_for, read
from hero_async.fields import Answer, OpenEnum, Ref, Time, arms, model
from hero_async.transport import Attempt, Reply

HINTS = sorted({operation.into for operation in OPERATIONS if operation.into is not None}, key=str)
EXAMPLES = max(10, 300 // len(HINTS))
"""For each type, so that all types together take the same time however many there are."""

every_answer = pytest.mark.parametrize("hint", HINTS, ids=lambda hint: str(getattr(hint, "__name__", hint)))


def fast(data: bytes, hint: Any) -> Any:
    """What msgspec alone reads, or `...` when it refuses."""
    loads_for(hint)
    try:
        return msgspec.json.Decoder(hint, dec_hook=_answer).decode(data)
    except (msgspec.MsgspecError, ValueError, TypeError):
        return ...


def _answer(cls: Any, value: Any) -> Any:
    assert issubclass(cls, Answer)
    return cls({} if value is None else value if isinstance(value, dict) else {"value": value})


def same(one: Any, other: Any) -> bool:
    """Equal in value and in type, all the way down."""
    if type(one) is not type(other):
        return False
    if attrs.has(type(one)):
        read = [field.name for field in attrs.fields(type(one)) if field.init]  # others the model makes by itself
        return all(same(getattr(one, name), getattr(other, name)) for name in read)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, datetime):
        return bool(one == other and one.utcoffset() == other.utcoffset())
    return bool(one == other)


# Two paths, one answer


@every_answer
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_both_paths_agree_on_whatever_the_fast_one_takes(hint: Any, data: st.DataObject) -> None:
    value = data.draw(nearly(hint))
    body = msgspec.json.encode(value)
    straight = next((found for arm in _straight(hint) if (found := fast(body, arm)) is not ...), ...)
    assume(straight is not ...)
    assert same(converter().structure(msgspec.json.decode(body), hint), straight)
    assert same(read(body, hint), straight)


def _straight(hint: Any) -> tuple[Any, ...]:
    """Of a union of models msgspec can try the first only."""
    choices = arms(hint)
    return (hint,) if len(choices) == 1 else choices[:1]


@every_answer
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_any_json_is_read_or_told(hint: Any, data: st.DataObject) -> None:
    _check_types(outcome(msgspec.json.encode(data.draw(nearly(hint) | ANYTHING)), hint))


def outcome(body: bytes, hint: Any) -> Any:
    """The value, or the error that tells why there is none."""
    try:
        return read(body, hint)
    except ResponseDecodeError as error:
        return error


def _check_types(value: Any) -> None:
    if isinstance(value, ResponseDecodeError):
        assert value.problems
        assert value.delivery is Delivery.YES
        assert all(problem.path.startswith("$") and problem.expected for problem in value.problems)
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            _check_types(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            _check_types(item)
    elif isinstance(value, datetime):
        assert value.tzinfo is not None
    else:
        assert value is None or isinstance(value, str | bool | int | float | date | dict | list | Answer)


@every_answer
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_fields_that_the_reference_does_not_know_change_nothing(hint: Any, data: st.DataObject) -> None:
    value = data.draw(right(hint).filter(lambda found: isinstance(found, dict)))
    plain = {key: of for key, of in value.items() if not key.startswith("x-")}
    extra = data.draw(st.dictionaries(TEXT.map("x-".__add__), ANYTHING, min_size=1, max_size=3))
    if any(isinstance(arm, type) and issubclass(arm, Answer) for arm in arms(hint)):
        assert read(msgspec.json.encode({**plain, **extra}), hint).raw.keys() == {**plain, **extra}.keys()
        return
    expected = outcome(msgspec.json.encode(plain), hint)
    assume(not isinstance(expected, ResponseDecodeError))  # an object without a field that a union knows
    assert same(read(msgspec.json.encode({**extra, **plain}), hint), expected)


# What the tolerant path takes


class Kind(OpenEnum):
    A = "a"
    B = "b"


@model
class Part:
    """A part."""

    id: Ref
    kind: Kind | None = None


@model
class Whole:
    """One of everything."""

    id: Ref
    name: str | None = None
    whole: int | None = None
    number: float | None = None
    flag: bool | None = None
    at: Time | None = None
    day: date | None = None
    kind: Kind | None = None
    part: Part | None = None
    parts: tuple[Part, ...] | None = None
    fixed: Literal["x", "y"] | None = None
    labels: Mapping[str, Part] | None = None


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("id", 7, "7"),
        ("id", 12345678901234567890123, "12345678901234567890123"),
        ("name", 1.5, "1.5"),
        ("name", "", ""),
        ("whole", "42", 42),
        ("whole", "-1", -1),
        ("whole", 3.0, 3),
        ("number", "1.25", 1.25),
        ("number", 3, 3.0),
        ("flag", "true", True),
        ("flag", "false", False),
        ("at", "2024-03-15T14:00:00Z", datetime(2024, 3, 15, 14, tzinfo=UTC)),
        ("at", "2024-03-15T14:00:00", datetime(2024, 3, 15, 14, tzinfo=UTC)),
        ("at", "2024-03-15 14:00", datetime(2024, 3, 15, 14, tzinfo=UTC)),
        ("at", "2024-03-15", datetime(2024, 3, 15, tzinfo=UTC)),
        ("at", "2024-07-15T14:00:00+01:00", datetime(2024, 7, 15, 13, tzinfo=UTC)),
        ("day", "1989-04-11", date(1989, 4, 11)),
        ("day", "1989-04-11T00:00:00.000Z", date(1989, 4, 11)),
        ("day", "1989-04-11T23:30:00", date(1989, 4, 11)),
        ("kind", "a", Kind.A),
        ("kind", "A", Kind("A")),
        ("kind", CANARY, Kind(CANARY)),
        ("part", {"id": 5, "kind": "zzz"}, Part(id="5", kind=Kind("zzz"))),
        ("part", None, None),
        ("parts", [], ()),
        ("parts", [{"id": 1}], (Part(id="1"),)),
        ("fixed", "x", "x"),
        ("labels", {"l": {"id": 1}}, {"l": Part(id="1")}),
    ],
)
def test_what_is_nearly_right_is_read(name: str, given: Any, value: Any) -> None:
    found = getattr(read(msgspec.json.encode({"id": "1", name: given}), Whole), name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("id", None, "text"),
        ("id", True, "text"),
        ("id", [CANARY], "text"),
        ("name", {CANARY: 1}, "text"),
        ("whole", 1.5, "whole number"),
        ("whole", CANARY, "whole number"),
        ("whole", True, "whole number"),
        ("whole", "9" * 30, "whole number"),
        ("number", CANARY, "number"),
        ("number", False, "number"),
        ("flag", 1, "true or false"),
        ("flag", CANARY, "true or false"),
        ("at", CANARY, "date-time, ISO 8601"),
        ("at", 1710511200, "date-time, ISO 8601"),
        ("at", "", "date-time, ISO 8601"),
        ("day", CANARY, "date, YYYY-MM-DD"),
        ("day", "1989-13-41", "date, YYYY-MM-DD"),
        ("kind", 5, "text"),
        ("part", CANARY, "object"),
        ("part", [CANARY], "object"),
        ("parts", CANARY, "list"),
        ("parts", {CANARY: 1}, "list"),
        ("fixed", CANARY, "one of 'x', 'y'"),
        ("fixed", [CANARY], "one of 'x', 'y'"),
    ],
)
def test_what_is_wrong_is_told_by_path_and_type(name: str, given: Any, expected: str) -> None:
    with pytest.raises(ResponseDecodeError) as refused:
        read(msgspec.json.encode({"id": "1", name: given}), Whole)
    assert [(one.path, one.expected) for one in refused.value.problems] == [(f"$.{name}", expected)]
    assert str(refused.value) == f"the answer cannot be read at $.{name} (expected {expected})"
    assert not leaks(refused.value, CANARY, frames=False)


def test_every_place_is_told_down_to_the_index() -> None:
    body = {"id": 1, "whole": CANARY, "parts": [{"id": "1"}, {"kind": "a"}, CANARY, {"id": [CANARY]}], "at": CANARY}
    with pytest.raises(ResponseDecodeError) as refused:
        read(msgspec.json.encode(body), Whole)
    assert {(one.path, one.expected) for one in refused.value.problems} == {
        ("$.whole", "whole number"),
        ("$.at", "date-time, ISO 8601"),
        ("$.parts[1].id", "a required field"),
        ("$.parts[2]", "object"),
        ("$.parts[3].id", "text"),
    }
    assert not leaks(refused.value, CANARY, frames=False)


def test_a_thousand_problems_make_a_short_text() -> None:
    with pytest.raises(ResponseDecodeError) as refused:
        read(msgspec.json.encode({"data": [CANARY] * 1000}), Page[Part])
    assert len(refused.value.problems) == 1000
    assert str(refused.value).endswith("$.data[4] (expected object) and 995 more")
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("hint", "body", "path"),
    [
        (dict[str, int], {CANARY: "x"}, "$[…]"),
        (dict[str, Part], {f"'] {CANARY}": {"id": None}}, "$[…]"),
        (dict[str, dict[str, int]], {"9990000018": {CANARY: "x"}}, "$[…]"),
        (Whole, {"id": "1", "labels": {CANARY: {"id": None}}}, "$.labels[…]"),
        (dict[int, int], {"9990000018": "x"}, "$[…]"),
    ],
)
def test_a_key_of_a_mapping_is_a_value_and_not_told(hint: Any, body: Any, path: str) -> None:
    with pytest.raises(ResponseDecodeError) as refused:
        read(msgspec.json.encode(body), hint)
    assert [one.path for one in refused.value.problems] == [path]
    assert not leaks(refused.value, CANARY, "9990000018", frames=False)


# Pages, and the two answers of register_pds

BATCH = {"id": "7", "name": "n", "status": "CREATED", "channel": "SMS", "content": "c"}


@pytest.mark.parametrize(
    ("body", "count", "of_all"),
    [
        ({"data": [BATCH, BATCH], "count": 2}, 2, 2.0),
        ({"data": [BATCH], "count": None}, 1, None),
        ({"data": [BATCH], "count": "many"}, 1, None),
        ({"data": [BATCH], "count": True}, 1, None),
        ({"data": [BATCH], "count": {"all": 5}}, 1, None),
        ({"data": [BATCH], "count": "5"}, 1, 5.0),
        ({"data": [{**BATCH, "id": 7}], "count": 1}, 1, 1.0),
        ({"data": None}, 0, None),
        ({"data": []}, 0, None),
        ({}, 0, None),
        ([], 0, None),
        ([BATCH, BATCH, BATCH], 3, None),
        (BATCH, 1, None),
        ({"data": [BATCH], "page_index": "first"}, 1, None),
        ({"data": [BATCH], "page_index": {"a": 1}, "next": CANARY}, 1, None),
    ],
)
def test_whatever_a_list_looks_like_it_is_a_page(body: Any, count: int, of_all: float | None) -> None:
    page = read(msgspec.json.encode(body), Page[BatchMessage])
    assert page.data == (BatchMessage(id="7", name="n", status="CREATED", channel="SMS", content="c"),) * count  # type: ignore[arg-type]  # an open enum equals its text
    if count and of_all is not None:
        assert page.count in (of_all, None)


def test_a_count_out_of_this_world_does_no_harm() -> None:
    body = msgspec.json.encode({"data": [BATCH]})[:-1] + b',"count":1' + b"0" * 400 + b"}"
    page = read(body, Page[BatchMessage])
    assert (len(page.data), page.count) == (1, None)


@pytest.mark.parametrize("body", [None, "text", 5, True, {"data": "text"}, {"data": {"id": 1}}, {"data": [None]}, [5]])
def test_what_is_no_list_is_told(body: Any) -> None:
    with pytest.raises(ResponseDecodeError):
        read(msgspec.json.encode(body), Page[BatchMessage])


REGISTERED = PatientId | PatientVerificationRequired


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ({"patient_id": "98765"}, PatientId(patient_id="98765")),
        ({"patient_id": 98765}, PatientId(patient_id="98765")),
        ({"patient_id": "98765", "login_url": None}, PatientId(patient_id="98765")),
        ({"message": "m", "login_url": "u"}, PatientVerificationRequired(message="m", login_url="u")),
        ({"login_url": "u"}, PatientVerificationRequired(login_url="u")),
        ({"patient_id": None, "login_url": "u"}, PatientVerificationRequired(login_url="u")),
    ],
)
def test_both_answers_of_register_pds(body: Any, value: Any) -> None:
    assert read(msgspec.json.encode(body), REGISTERED) == value


@pytest.mark.parametrize("body", [{}, [], None, {"id": CANARY}, {"patient_id": None}, {"patient_id": [CANARY]}, CANARY])
def test_an_answer_of_register_pds_that_is_neither(body: Any) -> None:
    with pytest.raises(ResponseDecodeError) as refused:
        read(msgspec.json.encode(body), REGISTERED)
    assert not leaks(refused.value, CANARY, frames=False)


@pytest.mark.parametrize(
    ("body", "raw"),
    [
        (b"", {}),
        (b" \n", {}),
        (b"null", {}),
        (b"{}", {}),
        (b'{"a":[1]}', {"a": [1]}),
        (b"[1]", {"value": [1]}),
        (b"5", {"value": 5}),
    ],
)
def test_an_answer_that_is_not_documented_is_kept_as_it_came(body: bytes, raw: Any) -> None:
    assert read(body, BatchMessageSent).raw == raw


# Bodies that are no answer at all

HOSTILE = {
    "empty": b"",
    "blank": b" \r\n",
    "html": f"<html><body>{CANARY}</body></html>".encode(),
    "cut": f'{{"id": "{CANARY}'.encode(),
    "two": f'{{"id": "1"}} {CANARY}'.encode(),
    "deep list": b"[" * 200_000,
    "deep object": b'{"id":' * 200_000,
    "deep in a field": b'{"id": "1", "patient": ' + b"[" * 200_000,
    "nan": b'{"id": NaN}',
    "infinity": b'{"id": -Infinity}',
    "huge float": b'{"id": 1e400}',
    "5000 digits": b'{"id": ' + b"7" * 5000 + b"}",
    "5000 digits in a number": b'{"count": ' + b"7" * 5000 + b', "data": 5}',
    "lone surrogate": f'{{"id": "{CANARY}\\ud800"}}'.encode(),
    "surrogate bytes": b'{"id": "\xed\xa0\x80"}',
    "latin-1": f'{{"id": "{CANARY}é"}}'.encode("latin-1"),
    "utf-16": f'{{"id": "{CANARY}"}}'.encode("utf-16"),
    "nul": b'{"id": "a\x00b"}',
    "single quotes": f"{{'id': '{CANARY}'}}".encode(),
    "comment": b'{"id": "1" /* */}',
    "trailing comma": b'{"id": "1",}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("hint", [SentMessage, Page[PatientV3], REGISTERED], ids=["model", "page", "union"])
def test_a_body_that_is_no_answer(hint: Any, body: bytes) -> None:
    with pytest.raises(ResponseDecodeError) as refused:
        read(body, hint)
    assert refused.value.delivery is Delivery.YES
    assert refused.value.body == body
    assert refused.value.__context__ is refused.value.__cause__ is None
    assert not leaks(refused.value, CANARY, "77777", frames=False)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize("name", ["deep list", "deep object", "deep in a field"])
def test_a_body_that_is_too_deep_says_so(name: str) -> None:
    error = outcome(HOSTILE[name], Message)
    assert str(error) == "the answer cannot be read at $ (expected JSON of sensible depth)"


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "1", "x": ' + b"7" * 5000 + b"}",
        b'{"id": "1", "x": 1e400}',
        b'{"id": "1", "x": ' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"id": "1", "id": "1"}',
        b'  {"id": "1"}  ',
        b'{"id": "1", "": "", "\\u0000": 0}',
    ],
)
def test_a_strange_body_that_is_an_answer(body: bytes) -> None:
    assert read(body, Message) == Message(id="1")


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    for hint in (Message, Page[BatchMessage], REGISTERED, BatchMessageSent, dict, list):
        found = outcome(body, hint)
        assert not isinstance(found, ResponseDecodeError) or found.problems


# What a caller asks `hero.request` for


@pytest.mark.parametrize(
    ("hint", "body", "value"),
    [
        (dict, b'{"a": 1}', {"a": 1}),
        (list, b"[1]", [1]),
        (None, b"anything", None),
        (type(None), b"", None),
        (Any, b"[5]", [5]),
        (list[Part], b'[{"id": 1}]', [Part(id="1")]),
        (dict[str, int], b'{"a": 1}', {"a": 1}),
        (str, b'"a"', "a"),
    ],
)
def test_any_type_can_be_asked_for(hint: Any, body: bytes, value: Any) -> None:
    assert read(body, hint) == value


@pytest.mark.parametrize(("hint", "body"), [(dict, b"[1]"), (list, b"{}"), (dict, b""), (int, b'"zq7canary"')])
def test_another_type_than_asked_for_is_told(hint: Any, body: bytes) -> None:
    with pytest.raises(ResponseDecodeError) as refused:
        read(body, hint)
    assert refused.value.problems[0].path == "$"
    assert not leaks(refused.value, CANARY, frames=False)


# Out


@given(ANYTHING)
def test_what_is_encoded_is_json(value: Any) -> None:
    assert json.loads(encode(value)) == value


def test_null_is_encoded_as_null() -> None:
    assert encode({"a": NULL, "b": [NULL]}) == b'{"a":null,"b":[null]}'


# Through a client: no frame of the SDK holds the body


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["html", "cut", "lone surrogate", "5000 digits"])
async def test_a_client_tells_what_cannot_be_read_and_shows_none_of_it(name: str) -> None:
    async def transport(attempt: Attempt) -> Reply:
        await attempt.leave()
        attempt.status = 200
        return Reply(200, {"x-request-id": "req-1"}, HOSTILE[name])

    async with AsyncHero(api_key="key", practice_group_id="1", environment="staging", transport=transport) as hero:
        with pytest.raises(ResponseDecodeError) as refused:
            await hero.messages.send(patient_id="1", message_type="sms", message_string=CANARY)
    error = refused.value
    assert (error.operation, error.attempts, error.request_id, error.delivery) == (
        "messages.send",
        1,
        "req-1",
        Delivery.YES,
    )
    assert error.body == HOSTILE[name]
    assert not leaks(error, CANARY, "77777")
