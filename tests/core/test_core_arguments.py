"""What a caller may give to any operation: right values go where they belong, wrong ones are refused unseen."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any, get_origin
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from core_contract import closed_set
from core_support import CANARY, Poison, each_parameter, leaks, least, most, name_of, refusal

from hero_async import NULL, OPERATIONS, AsyncHero, InvalidArgumentError
from hero_async.api.messages import Messages
from hero_async.calls import AnyOperation
from hero_async.fields import Rule, arms

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
every_parameter = pytest.mark.parametrize(("operation", "name"), each_parameter(), ids=name_of)
every_typed_parameter = pytest.mark.parametrize(
    ("operation", "name"),
    [
        (operation, name)
        for operation, name in each_parameter()
        if not {dict, Mapping, Any, object} & {get_origin(arm) or arm for arm in arms(operation.parameters[name].hint)}
    ],
    ids=name_of,
)


HUGE = pytest.param(10**5000, id="huge")  # Python itself refuses to write it down


def kinds(hint: Any) -> set[Any]:
    """The plain types that a hint takes."""
    return {getattr(arm, "__origin__", arm) for arm in arms(hint)} - {type(None)}


# Whatever the operation


@every_operation
def test_the_least_and_the_most_arguments_make_a_call(operation: AnyOperation) -> None:
    for arguments in (least(operation), most(operation)):
        call = operation.make((), arguments)
        assert call.operation is operation
        assert call.target.startswith("/v")
        assert "{" not in call.target
        assert repr(call) == f"Call({operation.name!r})"


@every_operation
def test_every_argument_goes_to_its_place_under_its_wire_name(operation: AnyOperation) -> None:
    call = operation.make((), most(operation))
    sent = {
        "query": {name for name, _ in parse_qsl(urlsplit(call.target).query, keep_blank_values=True)},
        "body": set(msgspec.json.decode(call.body)) if call.body else set(),
    }
    for place, names in sent.items():
        assert names == {one.wire for one in operation.parameters.values() if one.place == place}


@every_operation
def test_none_leaves_an_argument_out(operation: AnyOperation) -> None:
    arguments = least(operation)
    nothing = dict.fromkeys(operation.parameters.keys() - arguments.keys())
    bare, with_nothing = operation.make((), arguments), operation.make((), arguments | nothing)
    assert (bare.target, bare.body) == (with_nothing.target, with_nothing.body)


@every_operation
def test_a_missing_argument_is_a_type_error_that_names_it(operation: AnyOperation) -> None:
    for name in [name for name, parameter in operation.parameters.items() if parameter.required]:
        rest = dict.fromkeys((other for other in least(operation) if other != name), CANARY)
        with pytest.raises(
            TypeError, match=rf"^{operation.name}\(\) missing a required argument: '{name}'$"
        ) as refused:
            operation.make((), rest)
        assert not leaks(refused.value, CANARY)


@every_operation
def test_an_unknown_argument_is_a_type_error_without_its_value(operation: AnyOperation) -> None:
    with pytest.raises(TypeError, match=r"got an unexpected keyword argument 'colour'$") as refused:
        operation.make((), {**least(operation), "colour": CANARY})
    assert str(refused.value).startswith(f"{operation.name}() ")
    assert not leaks(refused.value, CANARY)


@every_operation
def test_too_many_positional_arguments_are_a_type_error_without_values(operation: AnyOperation) -> None:
    with pytest.raises(TypeError, match="too many positional arguments") as refused:
        operation.make((CANARY,) * 40, {})
    assert not leaks(refused.value, CANARY)


@every_typed_parameter
def test_what_nothing_takes_is_refused_by_name_and_never_shown(operation: AnyOperation, name: str) -> None:
    error = refusal(operation, {**most(operation), name: Poison()})
    assert str(error).startswith(f"{name}: must be ")
    assert not leaks(error, CANARY)


@every_typed_parameter
@pytest.mark.parametrize(
    "value",
    [CANARY.encode(), [[CANARY]], {CANARY: CANARY}, {CANARY}, (CANARY, [Poison()]), 5j, lambda: CANARY, Poison],
    ids=["bytes", "list", "dict", "set", "tuple", "complex", "function", "class"],
)
def test_wrong_types_are_refused_by_name_and_never_shown(operation: AnyOperation, name: str, value: Any) -> None:
    error = refusal(operation, {**most(operation), name: value})
    assert re.match(rf"{name}(\[\d+\][.\w]*)?: must be ", str(error))
    assert not leaks(error, CANARY)


@every_parameter
def test_the_required_cannot_be_none(operation: AnyOperation, name: str) -> None:
    arguments = {**most(operation), name: None}
    if operation.parameters[name].required:
        assert str(refusal(operation, arguments)).startswith(f"{name}: is required [")
    elif operation.needs and all(name in group for group in operation.needs):
        assert str(refusal(operation, arguments)).startswith("needs ")
    else:
        assert name in operation.make((), arguments).arguments


def _of(*wanted: Any) -> list[tuple[AnyOperation, str]]:
    return [(one, name) for one, name in each_parameter() if kinds(one.parameters[name].hint) <= set(wanted)]


@pytest.mark.parametrize(("operation", "name"), _of(str), ids=name_of)
@pytest.mark.parametrize("value", [7, 1.5, True, date(1990, 2, 28), "\ud800", f"{CANARY}\udfff", NULL])
def test_text_is_text_that_utf8_can_hold(operation: AnyOperation, name: str, value: Any) -> None:
    error = refusal(operation, {**most(operation), name: value})
    assert str(error).startswith(f"{name}: must be text")
    assert not leaks(error, CANARY)


def _with_rules() -> list[tuple[AnyOperation, str, str]]:
    return [
        (operation, name, mark.words)
        for operation, name in each_parameter()
        for arm in arms(operation.parameters[name].hint)
        for mark in getattr(arm, "__metadata__", ())
        if isinstance(mark, Rule)
    ]


@pytest.mark.parametrize(("operation", "name", "words"), _with_rules(), ids=name_of)
def test_text_with_a_rule_is_not_empty(operation: AnyOperation, name: str, words: str) -> None:
    assert str(refusal(operation, {**most(operation), name: ""})).startswith(
        (f"{name}: {words} [", f"{name}: {words}, or ")
    )


@pytest.mark.parametrize(
    ("operation", "name"),
    [(one, name) for one, name in each_parameter() if closed_set(one.parameters[name].hint)],
    ids=name_of,
)
@pytest.mark.parametrize("value", [CANARY, "", " sms", "SmS", 0, True])
def test_a_closed_set_is_closed_and_told(operation: AnyOperation, name: str, value: Any) -> None:
    is_list = isinstance(most(operation)[name], list)
    error = refusal(operation, {**most(operation), name: [value] if is_list else value})
    choices = closed_set(operation.parameters[name].hint) or set()
    assert str(error).startswith(f"{name}[0]: must be one of " if is_list else f"{name}: must be one of ")
    assert all(repr(choice) in str(error) for choice in choices)
    assert not leaks(error, CANARY)


@pytest.mark.parametrize(("operation", "name"), _of(int), ids=name_of)
@pytest.mark.parametrize("value", [True, 1.0, "1", 10**30, -(2**63) - 1, HUGE, math.nan])
def test_a_whole_number_is_one_of_64_bits(operation: AnyOperation, name: str, value: Any) -> None:
    assert str(refusal(operation, {**most(operation), name: value})).startswith(f"{name}: must be a whole number (int)")


@pytest.mark.parametrize(("operation", "name"), _of(float), ids=name_of)
@pytest.mark.parametrize("value", [True, "1", math.nan, math.inf, -math.inf, HUGE])
def test_a_number_is_finite(operation: AnyOperation, name: str, value: Any) -> None:
    assert str(refusal(operation, {**most(operation), name: value})).startswith(f"{name}: must be a ")


@pytest.mark.parametrize(("operation", "name"), _of(bool), ids=name_of)
@pytest.mark.parametrize("value", [0, 1, "true", "", 1.0])
def test_a_flag_is_true_or_false(operation: AnyOperation, name: str, value: Any) -> None:
    error = refusal(operation, {**most(operation), name: value})
    assert str(error).startswith(f"{name}: must be True or False [")


class Nowhere(tzinfo):
    """A zone that does not know."""

    def utcoffset(self, when: datetime | None) -> None:
        return None

    dst = tzname = utcoffset


@pytest.mark.parametrize(
    ("operation", "name"),
    [(one, name) for one, name in each_parameter() if datetime in kinds(one.parameters[name].hint)],
    ids=name_of,
)
@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (datetime(2026, 3, 1, 9, 30), "must be an aware datetime"),  # noqa: DTZ001  # that is what is tried
        (datetime(2026, 3, 1, 9, 30, tzinfo=Nowhere()), "must be an aware datetime"),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), "must be a datetime that UTC can hold"),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))), "must be a datetime that UTC can hold"),
        (date(2026, 3, 1), "must be a datetime"),
        (1772357400, "must be a datetime"),
    ],
    ids=["naive", "unknown zone", "too early", "too late", "date", "number"],
)
def test_a_moment_is_aware(operation: AnyOperation, name: str, value: Any, rule: str) -> None:
    assert str(refusal(operation, {**most(operation), name: value})).startswith(f"{name}: {rule}")


@pytest.mark.parametrize(
    ("operation", "name"),
    [(one, name) for one, name in each_parameter() if date in kinds(one.parameters[name].hint)],
    ids=name_of,
)
@pytest.mark.parametrize("value", [datetime(1990, 2, 28, tzinfo=UTC), "1990-02-28", 19900228, (1990, 2, 28)])
def test_a_day_is_a_date(operation: AnyOperation, name: str, value: Any) -> None:
    if isinstance(value, str) and str in kinds(operation.parameters[name].hint):
        sent = operation.make((), {**most(operation), name: value})  # a day whose format is not documented
        assert value in sent.target + (sent.body or b"").decode()
        return
    error = refusal(operation, {**most(operation), name: value})
    assert str(error).startswith(f"{name}: must be a date (datetime.date)")
    assert "1990" not in str(error)


# The same refusals where a client is at hand


@pytest.mark.parametrize("how", ["__call__", "raw", "build"])
@pytest.mark.parametrize(
    "arguments",
    [
        {"patient_id": CANARY, "message_type": "sms", "message_string": CANARY},
        {"patient_id": "1", "message_type": CANARY, "message_string": CANARY},
        {"patient_id": "1", "message_string": CANARY},
        {"patient_id": "1", "message_type": "sms", "message_string": CANARY, "colour": CANARY},
    ],
)
def test_no_local_of_the_sdk_holds_what_was_refused(how: str, arguments: dict[str, Any]) -> None:
    hero = AsyncHero(api_key="key", practice_group_id="1", environment="staging")
    with pytest.raises((InvalidArgumentError, TypeError)) as refused:
        getattr(hero.messages.send, how)(**arguments)
    assert not leaks(refused.value, CANARY)


@pytest.mark.parametrize("how", ["__call__", "build"])
def test_no_local_of_the_class_holds_what_was_refused(how: str) -> None:
    with pytest.raises((InvalidArgumentError, TypeError)) as refused:
        getattr(Messages.send, how)(patient_id=CANARY, message_type="sms", message_string=CANARY)
    assert not leaks(refused.value, CANARY)
    if how == "__call__":
        assert str(refused.value) == "messages.send() needs a client: hero.messages.send(…)"
