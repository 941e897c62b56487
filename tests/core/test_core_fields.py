"""Types of parameters and models: NULL, open enums, NHS numbers, and reprs that show no person."""

from __future__ import annotations

import copy
import inspect
import pickle
from datetime import UTC, date, datetime
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, get_type_hints

import attrs
import msgspec
import pytest
from core_support import CANARY, VALID_NHS_NUMBERS
from hypothesis import given
from hypothesis import strategies as st
from nhs_number.constants import REGION_SYNTHETIC
from nhs_number.validate import calculate_checksum, is_valid
from rich.pretty import pretty_repr

from hero_async import NULL, AsyncHero, OpenEnum, Page, Response, api
from hero_async.api.batch_messages import (
    BatchMessage,
    BatchMessageChannel,
    BatchMessageSent,
    BatchMessageStatus,
    BatchRecipientByNhsNumber,
)
from hero_async.api.messages import Message
from hero_async.api.patients import PatientSex, PatientV3
from hero_async.errors import ValidationIssue
from hero_async.fields import Answer, Null, is_shown, model, normalise_nhs_number


def models() -> list[type[Any]]:
    found: list[type[Any]] = []
    for module_info in iter_modules(api.__path__):
        module = import_module(f"{api.__name__}.{module_info.name}")
        found += [cls for _, cls in inspect.getmembers(module, attrs.has) if cls.__module__ == module.__name__]
    return sorted(set(found), key=lambda cls: cls.__name__)


def open_enums() -> list[type[OpenEnum]]:
    return sorted(OpenEnum.__subclasses__(), key=lambda cls: cls.__name__)


# NULL


def test_null_is_one_thing_and_goes_out_as_json_null() -> None:
    assert msgspec.json.encode({"dob": NULL}) == b'{"dob":null}'
    assert repr(NULL) == "NULL"
    assert pickle.loads(pickle.dumps(NULL)) is NULL  # noqa: S301  # our own bytes
    assert copy.deepcopy(NULL) is NULL
    assert Null(None) is NULL
    assert NULL is not None
    assert isinstance(NULL, Null)


# Open enums


class Colour(OpenEnum):
    DEEP_RED = "deep red"
    BLUE = "BLUE"


def test_a_documented_value_is_known() -> None:
    assert Colour("deep red") is Colour.DEEP_RED
    assert str("deep red") == Colour.DEEP_RED  # noqa: UP018  # a checker takes the two for different
    assert Colour.DEEP_RED.is_known
    assert {"deep red": 1}[Colour.DEEP_RED] == 1
    assert repr(Colour.DEEP_RED) == "<Colour.DEEP_RED>"
    assert str(Colour.DEEP_RED) == f"{Colour.DEEP_RED}" == "deep red"


@pytest.mark.parametrize("text", [CANARY, "", "DEEP_RED", "Blue", "blue", "name", "__class__", "é\u2028", "mro"])
def test_any_other_value_is_kept_and_not_known(text: str) -> None:
    value = Colour(text)
    assert type(value) is Colour
    assert value == text
    assert str(value) == f"{value}" == value.value == text
    assert not value.is_known
    assert repr(value) == "<Colour.***>"
    assert msgspec.json.decode(msgspec.json.encode(value)) == text


@given(st.text())
def test_any_text_is_a_value_equal_to_itself(text: str) -> None:
    value = Colour(text)
    assert value == text == Colour(text)
    assert hash(value) == hash(text)
    assert {value: 1}[text] == 1  # type: ignore[index]  # a member equals its text
    assert value.is_known is (text in ("deep red", "BLUE"))
    assert Colour(value) == value


@pytest.mark.parametrize("text", ["deep red", CANARY, "DEEP_RED"])
def test_a_value_travels(text: str) -> None:
    value = Colour(text)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        twin = pickle.loads(pickle.dumps(value, protocol))  # noqa: S301  # our own bytes
        assert (type(twin), twin, twin.is_known) == (Colour, text, value.is_known)
    assert copy.deepcopy(value) == copy.copy(value) == value


def test_unknown_values_are_not_added_to_the_enum() -> None:
    Colour("green")
    assert [member.value for member in Colour] == ["deep red", "BLUE"]
    assert "green" not in Colour.__members__


@pytest.mark.parametrize("value", [1, None, b"BLUE", ["BLUE"]])
def test_what_is_no_text_is_no_value(value: Any) -> None:
    with pytest.raises(ValueError):
        Colour(value)


@pytest.mark.parametrize("cls", open_enums(), ids=lambda cls: str(cls.__name__))
def test_the_enums_of_the_api_take_anything(cls: type[OpenEnum]) -> None:
    assert not cls(CANARY).is_known
    assert all(member.is_known for member in cls)
    assert CANARY not in repr(cls(CANARY))


# NHS numbers: judged by a package that is not ours


def judge(digits: str) -> bool:
    """Ten digits with the check digit of the package. Not its `is_valid`, which also asks a Scottish number to begin
    with a date, so that it refuses numbers that the check digit allows."""
    if len(digits) != 10 or not (digits.isascii() and digits.isdigit()):
        return False
    return calculate_checksum(digits[:-1]) == int(digits[-1])


@given(st.text("0123456789", min_size=10, max_size=10))
def test_ten_digits_are_judged_as_the_nhs_does(digits: str) -> None:
    assert _accepts(digits) is judge(digits)


@given(st.integers(0, 999_999_999))
def test_of_ten_check_digits_the_one_that_the_nhs_gives_is_right(nine: int) -> None:
    digits = f"{nine:09d}"
    accepted = [digit for digit in range(10) if _accepts(f"{digits}{digit}")]
    right = calculate_checksum(digits)
    assert accepted == ([right] if right is not None and right < 10 else [])


@pytest.mark.parametrize("text", VALID_NHS_NUMBERS)
def test_the_test_numbers_are_right_by_the_whole_check_of_the_package(text: str) -> None:
    assert is_valid(normalise_nhs_number(text), for_region=REGION_SYNTHETIC)


def _accepts(text: str) -> bool:
    try:
        normalise_nhs_number(text)
    except ValueError:
        return False
    return True


@given(
    st.sampled_from(["9990000018", "9990000026", "9990000034"]), st.text(" -", max_size=3), st.text(" -", max_size=3)
)
def test_spaces_and_hyphens_are_taken_out(digits: str, one: str, two: str) -> None:
    assert normalise_nhs_number(f"{one}{digits[:3]}{two}{digits[3:6]}{one}{digits[6:]}{two}") == digits


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "ten digits"),
        ("999000001", "ten digits"),
        ("99900000188", "ten digits"),
        ("999000001X", "ten digits"),
        ("999\t000\t0018", "ten digits"),
        ("999\u00a0000\u00a00018", "ten digits"),
        ("٩٩٩٠٠٠٠٠١٨", "ten digits"),
        ("９９９００００018", "ten digits"),
        ("+999000018", "ten digits"),
        ("9990000018\n", "ten digits"),
        ("9990000010", "right check digit"),
        ("9990000181", "right check digit"),
        ("1234567891", "right check digit"),
    ],
)
def test_what_is_no_nhs_number_is_refused_without_being_quoted(text: str, rule: str) -> None:
    with pytest.raises(ValueError, match=rule) as refused:
        normalise_nhs_number(text)
    assert not text or text not in str(refused.value)


@given(st.text(max_size=14))
def test_no_text_breaks_the_check(text: str) -> None:
    digits = text.replace(" ", "").replace("-", "")
    assert _accepts(text) is judge(digits)


# Models show no person


def taken(cls: Any) -> list[Any]:
    """The fields that are given; others the model makes by itself."""
    return [field for field in attrs.fields(cls) if field.init]


@pytest.mark.parametrize("cls", models(), ids=lambda cls: str(cls.__name__))
def test_a_model_shows_ids_enums_numbers_and_times_only(cls: type[Any]) -> None:
    hints = get_type_hints(cls, include_extras=True)
    for field in taken(cls):
        value = cls(**{other.name: CANARY if other.name == field.name else None for other in taken(cls)})
        told = CANARY in repr(value)
        assert told is is_shown(hints[field.name]), field.name
        if told:
            named_as_ids = field.name in ("id", "uid") or field.name.endswith(("_id", "_uid", "_at"))
            assert named_as_ids or _is_harmless(hints[field.name])
        elif value != cls(**{other.name: None for other in taken(cls)}):
            assert f"{field.name}=***" in repr(value)


def _is_harmless(hint: Any) -> bool:
    return (
        "bool" in str(hint)
        or "int" in str(hint)
        or "float" in str(hint)
        or "datetime" in str(hint)
        or any(isinstance(arm, type) and issubclass(arm, OpenEnum) for arm in (hint, *getattr(hint, "__args__", ())))
    )


@pytest.mark.parametrize("cls", models(), ids=lambda cls: str(cls.__name__))
def test_a_model_is_frozen_slotted_and_keyword_only(cls: type[Any]) -> None:
    value = cls(**{field.name: None for field in taken(cls)})
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, attrs.fields(cls)[0].name, CANARY)
    assert not hasattr(value, "__dict__")
    with pytest.raises(TypeError):
        cls(CANARY)
    assert value == pickle.loads(pickle.dumps(value))  # noqa: S301  # our own bytes
    assert cls.__doc__


def test_what_a_repr_looks_like() -> None:
    batch = BatchMessage(
        id="77",
        name=CANARY,
        status=BatchMessageStatus(CANARY),
        channel=BatchMessageChannel.SMS,
        content=CANARY,
        subject=None,
    )
    shown = "id='77', name=***, status=<BatchMessageStatus.***>, channel=<BatchMessageChannel.SMS>, content=***"
    assert repr(batch) == f"BatchMessage({shown})"
    patient = PatientV3(dob=date(1980, 1, 2), first_name=CANARY, sex=PatientSex.OTHER)
    assert repr(patient) == "PatientV3(dob=***, first_name=***, sex=***)"
    recipient = BatchRecipientByNhsNumber(nhs_number="9990000018", dob=NULL)
    assert repr(recipient) == "BatchRecipientByNhsNumber(nhs_number=***, dob=***)"
    at = datetime(2026, 3, 1, tzinfo=UTC)
    assert repr(Message(sent_at=at)) == f"Message(sent_at={at!r})"


@model
class Mixed:
    """A field that may be a time or a text, as the reference has some."""

    when: datetime | str | None = None
    which: str | int | None = None


def test_a_field_that_may_be_any_text_is_not_shown() -> None:
    assert repr(Mixed(when=CANARY, which=CANARY)) == "Mixed(when=***, which=***)"


# Answers whose fields are not documented


def test_an_answer_is_what_came_and_shows_none_of_it() -> None:
    answer = BatchMessageSent({"name": CANARY})
    assert answer.raw == {"name": CANARY}
    assert repr(answer) == str(answer) == "BatchMessageSent(raw=***)"
    assert answer == BatchMessageSent({"name": CANARY})
    assert answer != BatchMessageSent({})
    assert answer != Answer({"name": CANARY})
    assert pickle.loads(pickle.dumps(answer)) == answer  # noqa: S301  # our own bytes
    with pytest.raises(TypeError):
        hash(answer)


# Tools that look into classes by themselves, whatever the repr


@pytest.mark.parametrize("cls", models(), ids=lambda cls: str(cls.__name__))
def test_rich_shows_of_a_model_what_its_repr_shows(cls: type[Any]) -> None:
    hints = get_type_hints(cls, include_extras=True)
    for field in taken(cls):
        value = cls(**{other.name: CANARY if other.name == field.name else None for other in taken(cls)})
        assert CANARY not in pretty_repr(value) or is_shown(hints[field.name]), field.name


def test_rich_shows_nothing_of_what_holds_secrets_and_values() -> None:
    hero = AsyncHero(api_key=CANARY, practice_group_id="1", environment="staging", headers={"Authorization": CANARY})
    patient = PatientV3(dob=None, first_name=CANARY)
    response: Response[str] = Response(
        status=200,
        headers={"x": CANARY},
        body=CANARY.encode(),
        value=CANARY,
        attempts=1,
        call_id="1",
        request_id=None,
        elapsed=0.1,
    )
    things: list[Any] = [
        hero,
        hero.settings,
        hero.messages.send.build(patient_id="1", message_type="sms", message_string=CANARY),
        hero.patients.list(first_name=CANARY),
        Page(data=(patient,)),
        BatchMessageSent({"name": CANARY}),
        ValidationIssue(CANARY, CANARY, (CANARY,)),
        response,
    ]
    assert [thing for thing in things if CANARY in pretty_repr(thing)] == []
