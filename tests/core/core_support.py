"""What the tests of the core share: canaries, where they might leak, and arguments for any operation."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import attrs
import pytest

from hero_async import NULL, OPERATIONS, InvalidArgumentError
from hero_async.calls import AnyOperation
from hero_async.fields import Null, Rule, arms

CANARY = "zq7canary"
"""Text that must be found nowhere but where the caller put it."""

VALID_NHS_NUMBERS = ("999 000 0018", "999-000-0026", "9990000034")


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error, what it was raised from, and while what."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__]


def leaks(error: BaseException, *canaries: str, frames: bool = True) -> list[str]:
    """Where a value can be found in an error: its texts, its pickle, its causes, or the locals of the SDK's frames."""
    found: list[str] = []
    for one in chain(error):
        texts = {"str": str(one), "repr": repr(one), "args": repr(one.args), "dict": repr(_shown(one))}
        try:
            texts["pickle"] = pickle.dumps(one).decode("latin-1")
        except (pickle.PicklingError, TypeError, AttributeError) as unpicklable:
            texts["pickle"] = f"not picklable: {type(unpicklable).__name__}"
            found.append(texts["pickle"])
        summary = traceback.TracebackException.from_exception(one, capture_locals=True)
        for frame in summary.stack if frames else ():
            if "/hero_async/" in frame.filename or "/hero_sync/" in frame.filename:
                texts |= {f"{frame.name}:{name}": text for name, text in (frame.locals or {}).items()}
        found += [
            f"{type(one).__name__} {place}"
            for place, text in texts.items()
            if any(canary.lower() in text.lower() for canary in canaries)
        ]
    return found


def _shown(error: BaseException) -> dict[str, Any]:
    """All that an error carries, but for the body, which is documented as being there, in memory only."""
    return {name: value for name, value in vars(error).items() if name != "body"}


def sample(hint: Any) -> Any:
    """Some right value of a parameter's or a request model's hint."""
    one = next(arm for arm in arms(hint) if arm is not type(None))
    if get_origin(one) is Literal:
        return get_args(one)[0]
    if get_origin(one) is Annotated:
        plain, *marks = get_args(one)
        rules = [mark for mark in marks if isinstance(mark, Rule)]
        if not rules:
            return sample(plain)
        return next(text for text in ("text", "123", *VALID_NHS_NUMBERS) if all(rule.keep(text) for rule in rules))
    if get_origin(one) in (list, tuple, Sequence):
        return [sample(get_args(one)[0])]
    if get_origin(one) in (dict, Mapping):
        return {"key": sample(get_args(one)[1]) if get_args(one) else 1}
    if isinstance(one, type) and attrs.has(one):
        hints = get_type_hints(one, include_extras=True)
        return one(**{field.name: sample(hints[field.name]) for field in attrs.fields(one)})
    plain_samples: dict[Any, Any] = {
        str: "text",
        bool: True,
        int: 7,
        float: 1.5,
        date: date(1990, 2, 28),
        datetime: datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        Null: NULL,
        Any: {"key": [1, "two"]},
        object: 1,
    }
    return plain_samples[one]


def least(operation: AnyOperation) -> dict[str, Any]:
    """The fewest arguments that an operation takes."""
    group = operation.needs[0] if operation.needs else ()
    return {
        name: sample(parameter.hint)
        for name, parameter in operation.parameters.items()
        if parameter.required or name in group
    }


def most(operation: AnyOperation) -> dict[str, Any]:
    """Every argument that an operation takes."""
    return {name: sample(parameter.hint) for name, parameter in operation.parameters.items()}


def each_parameter(*places: str) -> list[tuple[AnyOperation, str]]:
    """Every parameter of every operation, or those that go to a place."""
    return [
        (operation, name)
        for operation in OPERATIONS
        for name, parameter in operation.parameters.items()
        if not places or parameter.place in places
    ]


def name_of(value: Any) -> str:
    """The id of a parametrised test."""
    return str(value.name) if isinstance(value, AnyOperation) else str(value)


class Poison:
    """A value that tells itself in every way a value can."""

    def __str__(self) -> str:
        return CANARY

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return CANARY


def refusal(operation: AnyOperation, arguments: dict[str, Any]) -> InvalidArgumentError:
    """How an operation refuses arguments."""
    with pytest.raises(InvalidArgumentError) as refused:
        operation.make((), arguments)
    assert refused.value.operation == operation.name
    assert refused.value.attempts == 0
    return refused.value
