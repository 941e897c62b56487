"""Where right values go: the path, the query and the body, encoded so that nothing leads elsewhere."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import pytest
from core_support import CANARY, VALID_NHS_NUMBERS, Poison, each_parameter, leaks, least, name_of, refusal, sample
from hypothesis import given, settings
from hypothesis import strategies as st
from soak import at_length, times
from yarl import URL

from hero_async import NULL, InvalidArgumentError
from hero_async import operations as op
from hero_async.api.batch_messages import BatchMessages, BatchRecipientByNhsNumber
from hero_async.api.messages import Messages, SentMessage
from hero_async.calls import AnyOperation, Call
from hero_async.fields import Body, NhsNumber, Null, OpenEnum, Query, model
from hero_async.operations import Resource
from hero_async.resources import Mode

# The path


def _ids() -> list[tuple[AnyOperation, str]]:
    return each_parameter("path")


@pytest.mark.parametrize(("operation", "name"), _ids(), ids=name_of)
@at_length
@settings(max_examples=times(60, 100_000 // len(_ids()) + 1), deadline=None)
@given(text=st.text(max_size=260) | st.text("./\\%?#&;:@ 2eEfF\x00\n", max_size=12))
def test_no_id_leads_to_another_route(operation: AnyOperation, name: str, text: str) -> None:
    try:
        call = operation.make((), {**least(operation), name: text})
    except InvalidArgumentError:
        return
    assert urlsplit(call.target)[3:] == ("", "")
    path = call.target.partition("?")[0]
    template = operation.path.split("/")
    parts = path.split("/")
    assert len(parts) == len(template)
    assert [unquote(part) for part in parts] == [
        text if of == f"{{{name}}}" else str(sample(str)) if of.startswith("{") else of for of in template
    ]
    assert URL("https://hero.example/prefix").with_path(f"/prefix{path}", encoded=True).raw_path == f"/prefix{path}"
    assert not {".", ".."} & set(unquote(path).replace("\\", "/").split("/"))


@pytest.mark.parametrize(("operation", "name"), _ids(), ids=name_of)
@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "..",
        "a/..",
        "../b",
        "a/./b",
        "a\\..\\b",
        "a\x00",
        "a\r\nX-Api-Key: b",
        "a\x85",
        "a\x7f",
        "\ud800",
        "9" * 257,
    ],
)
def test_an_id_that_could_lead_elsewhere(operation: AnyOperation, name: str, value: str) -> None:
    error = refusal(operation, {**least(operation), name: value})
    assert str(error).startswith(f"{name}: must be ")
    assert len(value) < 3 or value not in str(error)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("7", "7"),
        ("a b", "a%20b"),
        ("a/b", "a%2Fb"),
        ("a?b=c&d#e", "a%3Fb%3Dc%26d%23e"),
        ("%2e%2e", "%252e%252e"),
        ("..a", "..a"),
        ("...", "..."),
        ("é", "%C3%A9"),
        ("𝄞", "%F0%9D%84%9E"),
        ("{id}", "%7Bid%7D"),
        ("9" * 256, "9" * 256),
    ],
)
def test_an_id_is_encoded_whole(value: str, encoded: str) -> None:
    assert Messages.get.build(id=value).target == f"/v1/messages/{encoded}"


# The query and the body: an operation that has everything


@model
class Address:
    """A nested model of a request."""

    postcode: str
    line_1: Annotated[str | None, Body("line-1")] = None
    number: NhsNumber | None = None


class Level(str, enum.Enum):  # noqa: UP042  # an enum whose str() is not its value, as callers have
    HIGH = "high"


class Tone(OpenEnum):
    """An enum of the SDK."""

    LOUD = "loud"


class Things(Resource[Mode]):
    """A subject made for this test."""

    @op.get("/v1/things/{id}/parts/{part}", id="listThings")
    def find(
        self,
        id: str,
        part: str,
        *,
        status: Annotated[Sequence[Literal["new", "old"]] | None, Query("status[]")] = None,
        flag: bool | None = None,
        number: float | None = None,
        day: date | None = None,
        at: datetime | None = None,
        level: Literal["high", "low"] | None = None,
        name: str | None = None,
    ) -> SentMessage:
        """Find."""
        raise NotImplementedError

    @op.delete("/v1/things/{id}", id="deleteThing")
    def delete(self, id: str, *, reason: str, force: Annotated[bool | None, Body("force")] = None) -> None:
        """Delete."""
        raise NotImplementedError

    @op.post("/v1/things", id="createThing", needs=(("name",), ("level", "at")))
    def create(
        self,
        *,
        name: str | None = None,
        level: Literal["high", "low"] | None = None,
        at: datetime | str | None = None,
        dry_run: Annotated[bool | None, Query("dryRun")] = None,
        tags: Sequence[str] | None = None,
        address: Address | Null | None = None,
        homes: Sequence[Address] | None = None,
        extra: dict[str, Any] | None = None,
        cleared: str | Null | None = None,
    ) -> SentMessage:
        """Create."""
        raise NotImplementedError


def query(call: Call[Any]) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(call.target).query, keep_blank_values=True, strict_parsing=True)


def body(call: Call[Any]) -> Any:
    return msgspec.json.decode(call.body or b"")


@pytest.mark.parametrize(
    ("arguments", "pairs"),
    [
        ({"status": ["new", "old"]}, [("status[]", "new"), ("status[]", "old")]),
        ({"status": ("old",)}, [("status[]", "old")]),
        ({"flag": True}, [("flag", "true")]),
        ({"flag": False}, [("flag", "false")]),
        ({"number": 0.1}, [("number", "0.1")]),
        ({"number": 3}, [("number", "3")]),
        ({"day": date(2026, 3, 1)}, [("day", "2026-03-01")]),
        ({"at": datetime(2026, 3, 1, 9, 30, tzinfo=UTC)}, [("at", "2026-03-01T09:30:00Z")]),
        ({"at": datetime(2026, 7, 1, 9, tzinfo=timezone(timedelta(hours=1)))}, [("at", "2026-07-01T08:00:00Z")]),
        ({"at": datetime(2026, 7, 1, 9, 0, 0, 5, tzinfo=UTC)}, [("at", "2026-07-01T09:00:00.000005Z")]),
        ({"level": Level.HIGH}, [("level", "high")]),
        ({"name": Level.HIGH}, [("name", "high")]),
        ({"name": Tone("unheard of")}, [("name", "unheard of")]),
        ({"name": "a b&c=d+e%26é\n"}, [("name", "a b&c=d+e%26é\n")]),
        ({"name": ""}, [("name", "")]),
        ({"level": "low", "flag": True}, [("level", "low"), ("flag", "true")]),
    ],
)
def test_the_query_is_encoded(arguments: dict[str, Any], pairs: list[tuple[str, str]]) -> None:
    call = Things.find.build("1", "2", **arguments)
    assert sorted(query(call)) == sorted(pairs)
    assert call.target.isascii()
    assert call.body is None


def test_an_empty_list_in_a_query_is_nothing() -> None:
    assert Things.find.build("1", "2", status=[]).target == "/v1/things/1/parts/2"


@given(st.text(), st.lists(st.sampled_from(["new", "old"])))
def test_any_text_in_a_query_comes_back_as_it_was(text: str, status: Any) -> None:
    try:
        call = Things.find.build("1", "2", name=text, status=status)
    except InvalidArgumentError:
        assert any("\ud800" <= character <= "\udfff" for character in text)
        return
    assert sorted(query(call) if "?" in call.target else []) == sorted(
        [("status[]", one) for one in status] + [("name", text)]
    )
    assert "#" not in call.target


def test_two_ids_stand_where_they_belong_even_when_one_looks_like_the_other() -> None:
    assert Things.find.build("{part}", "{id}").target == "/v1/things/%7Bpart%7D/parts/%7Bid%7D"
    assert Things.find.build(part="p", id="i").target == "/v1/things/i/parts/p"


def test_delete_sends_a_query_unless_told_otherwise() -> None:
    call = Things.delete.build("1", reason="old", force=True)
    assert query(call) == [("reason", "old")]
    assert body(call) == {"force": True}


def test_a_post_sends_a_body_unless_told_otherwise() -> None:
    call = Things.create.build(name="n", dry_run=False, tags=["a"], extra={"a": [1, None]}, cleared=NULL)
    assert query(call) == [("dryRun", "false")]
    assert body(call) == {"name": "n", "tags": ["a"], "extra": {"a": [1, None]}, "cleared": None}


def test_no_argument_no_body() -> None:
    assert Things.delete.build("1", reason="x").body is None


def test_one_group_of_arguments_must_be_whole() -> None:
    assert str(refusal(Things.create, {"tags": []})) == "needs name; or level and at [things.create]"
    assert str(refusal(Things.create, {"level": "high", "name": None})).startswith("needs name; or level and at")
    assert body(Things.create.build(level="high", at="noon")) == {"level": "high", "at": "noon"}


def test_a_nested_model_is_checked_and_named_to_the_place() -> None:
    homes = [Address(postcode="AB1 2CD", line_1="1"), Address(postcode="AB1", number=VALID_NHS_NUMBERS[0])]
    assert body(Things.create.build(name="n", homes=homes, address=NULL)) == {
        "name": "n",
        "homes": [{"postcode": "AB1 2CD", "line-1": "1"}, {"postcode": "AB1", "number": "9990000018"}],
        "address": None,
    }
    wrong = [*homes, Address(postcode="AB1", number=CANARY)]
    error = refusal(Things.create, {"name": "n", "homes": wrong})
    assert str(error).startswith("homes[2].number: must be an NHS number")
    assert not leaks(error, CANARY)
    bare: Any = None
    error = refusal(Things.create, {"name": "n", "homes": [Address(postcode=bare)]})
    assert str(error).startswith("homes[0].postcode: is required")
    error = refusal(Things.create, {"name": "n", "homes": [{"postcode": CANARY}]})
    assert str(error).startswith("homes[0]: must be a Address")
    assert not leaks(error, CANARY)
    error = refusal(Things.create, {"name": "n", "address": Address(postcode=Poison())})  # type: ignore[arg-type]  # that is what is tried
    assert ".postcode: must be text" in str(error)
    assert not leaks(error, CANARY)


def test_the_names_of_an_operation_hold_those_of_its_models() -> None:
    assert Things.create.wire_names >= {"dryRun", "homes", "address", "postcode", "line-1", "number"}


@pytest.mark.parametrize("place", range(5))
def test_a_bad_recipient_is_named_by_its_place(place: int) -> None:
    numbers = ["943 476 5918" if number == place else VALID_NHS_NUMBERS[0] for number in range(5)]
    recipients = [BatchRecipientByNhsNumber(nhs_number=number, dob=NULL) for number in numbers]
    arguments = {"name": "n", "channel": "SMS", "content": "c", "recipients": recipients}
    error = refusal(BatchMessages.create, arguments)
    assert str(error).startswith(f"recipients[{place}].nhs_number: must be an NHS number")
    assert not leaks(error, "943 476 5918", "9434765918")
