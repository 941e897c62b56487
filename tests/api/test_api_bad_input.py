"""Bad input and bad answers, in both worlds: nothing is sent, and nothing is quoted."""

from __future__ import annotations

import json
from datetime import datetime
from operator import attrgetter
from typing import Any, get_args

import pytest
from api_hints import arguments, choices, is_answer, is_page, plain
from api_reference import documented, sample
from api_scripted import WORLDS, Script, World

from hero_async import OPERATIONS, Delivery, InvalidArgumentError, ResponseDecodeError
from hero_async.calls import AnyOperation

each = pytest.mark.parametrize("operation", OPERATIONS, ids=attrgetter("name"))
both = pytest.mark.parametrize("world", WORLDS)

CANARY = "canary"


class Canary:
    """Fits no parameter."""

    def __repr__(self) -> str:
        return CANARY


def refusal(world: World, operation: AnyOperation, given: dict[str, Any], kind: type[Exception]) -> Exception:
    """How a call is refused; nothing has been sent."""
    script = Script((200, {}))
    with pytest.raises(kind) as refused:
        world(script, lambda hero: attrgetter(operation.name)(hero)(**given))
    assert script.seen == []
    assert CANARY not in str(refused.value)
    return refused.value


@both
@each
def test_nothing_is_sent_when_an_argument_is_bad(operation, world):
    good = arguments(operation, full=True)
    for name in operation.parameters:
        wrong = refusal(world, operation, good | {name: Canary()}, InvalidArgumentError)
        assert str(wrong).startswith(f"{operation.name}: {name}") or f"{name}: " in str(wrong)
        assert wrong.delivery is Delivery.NO
        if operation.parameters[name].required:
            refusal(world, operation, {one: good[one] for one in good if one != name}, TypeError)
            refusal(world, operation, good | {name: None}, InvalidArgumentError)
    assert "brand_new" in str(refusal(world, operation, good | {"brand_new": Canary()}, TypeError))


@both
@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.in_path], ids=attrgetter("name"))
@pytest.mark.parametrize("bad", ["", ".", "..", f"../{CANARY}", f"{CANARY}/..", f"..\\{CANARY}", f"{CANARY}\n"])
def test_an_id_that_leads_elsewhere_is_not_sent(operation, world, bad):
    [name] = operation.in_path
    given = arguments(operation, full=False) | {name: bad}
    assert f"{name}: must be 1 to 256 characters" in str(refusal(world, operation, given, InvalidArgumentError))


TIMES = [
    (operation, name)
    for operation in OPERATIONS
    for name, parameter in operation.parameters.items()
    if datetime in map(plain, choices(parameter.hint)[0])
]


@both
@pytest.mark.parametrize("operation, name", TIMES, ids=lambda of: getattr(of, "name", of))
def test_a_naive_time_is_not_sent(operation, name, world):
    naive = datetime(2026, 3, 15, 9, 30)  # noqa: DTZ001  # that is the point
    given = arguments(operation, full=False) | {name: naive}
    assert f"{name}: must be an aware datetime" in str(refusal(world, operation, given, InvalidArgumentError))


def test_there_are_times_to_try():
    assert len(TIMES) >= 5


CLOSED = [
    (operation, name)
    for operation in OPERATIONS
    for name, parameter in operation.parameters.items()
    if "Literal" in str(parameter.hint) and "Sequence" not in str(parameter.hint)
]


@both
@pytest.mark.parametrize("operation, name", CLOSED, ids=lambda of: getattr(of, "name", of))
def test_a_value_outside_a_closed_set_is_not_sent(operation, name, world):
    given = arguments(operation, full=False) | {name: CANARY}
    assert f"{name}: must be one of " in str(refusal(world, operation, given, InvalidArgumentError))


def test_there_are_closed_sets_to_try():
    assert len(CLOSED) >= 15


def item(operation: AnyOperation) -> Any:
    return get_args(operation.into)[0] if is_page(operation.into) else operation.into


READ = [one for one in OPERATIONS if not is_answer(item(one)) and item(one) is not type(None)]
"""Operations whose answer has a form: what has none is read whatever it is."""


@both
@pytest.mark.parametrize("operation", READ, ids=attrgetter("name"))
def test_an_answer_that_cannot_be_read_tells_where_and_that_it_was_processed(operation, world):
    given = arguments(operation, full=False)
    for body in (f'"{CANARY}"', "5", f"{{{CANARY}", "", "[[1]]"):
        script = Script((200, body.encode()))
        with pytest.raises(ResponseDecodeError) as raised:
            world(script, lambda hero: attrgetter(operation.name)(hero)(**given))
        assert raised.value.delivery is Delivery.YES
        assert raised.value.operation == operation.name
        assert all(problem.path.startswith("$") and problem.expected for problem in raised.value.problems)
        assert CANARY not in f"{raised.value} {raised.value!r} {raised.value.problems}"
        assert len(script.seen) == 1


@both
@pytest.mark.parametrize("operation", READ, ids=attrgetter("name"))
def test_a_field_that_cannot_be_read_is_named(operation, world):
    whole = sample(documented()[operation.name].answer, full=True)
    holder = whole["data"][0] if is_page(operation.into) and "data" in whole else whole
    for name in holder:
        kept, holder[name] = holder[name], {CANARY: [CANARY]}
        script = Script((200, json.loads(json.dumps(whole))))
        holder[name] = kept
        try:
            world(script, lambda hero: attrgetter(operation.name)(hero)(**arguments(operation, full=False)))
        except ResponseDecodeError as error:
            told = error
        else:
            continue  # a field that takes any JSON
        assert any(f".{name}" in problem.path for problem in told.problems)
        assert told.delivery is Delivery.YES
        assert CANARY not in f"{told} {told!r} {told.problems}"
