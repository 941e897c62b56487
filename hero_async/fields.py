"""Types shared by all operations: what a parameter may hold, what a model shows of itself.

`None` leaves a field out of a request; `NULL` sends JSON null, where the API documents null.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    TypeVar,
    Union,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import attrs
import msgspec

T = TypeVar("T")


class Null(Enum):
    """The type of `NULL`."""

    NULL = None

    def __repr__(self) -> str:
        return "NULL"


NULL: Final = Null.NULL
"""JSON null in a request: clears the field on the server. `None` leaves the field out instead."""


class OpenEnum(str, Enum):  # noqa: UP042  # StrEnum takes no unknown members
    """An enum of an answer: it knows the documented values and keeps any other.

    A member equals its text. A value that the reference does not list is kept, and `is_known` is False.
    """

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Whether the reference lists this value."""
        return self._value_ in type(self)._value2member_map_

    def __repr__(self) -> str:
        return f"<{type(self).__name__}.{self._name_ if self.is_known else '***'}>"

    def __reduce_ex__(self, protocol: object) -> tuple[type[OpenEnum], tuple[str]]:
        return type(self), (self._value_,)  # by value: some Pythons would look for a member of this name

    __str__ = str.__str__
    __hash__ = str.__hash__


@attrs.frozen(repr=False)
class Rule:
    """A rule that a request's text must keep. It is told to the caller in words; the value never is."""

    words: str
    """What the value must be, to follow the argument's name: "must be …"."""

    keep: Callable[[str], str | None]
    """Gives the text to send, or None when the rule is broken."""

    def __repr__(self) -> str:
        return f"'{self.words}'"


@attrs.frozen
class Query:
    """Sends a parameter in the query, under this name. Use with `Annotated`."""

    name: str


@attrs.frozen
class Body:
    """Sends a parameter in the JSON body, under this name. Use with `Annotated`."""

    name: str


class _Shown:
    """Marks a text field that may stand in a repr: an identifier that says nothing of a person."""

    def __repr__(self) -> str:
        return "'id'"


@attrs.frozen
class Hidden:
    """Keeps a field of a model out of its repr, though its type could stand there. Use with `Annotated`."""


def _matching(pattern: str) -> Callable[[str], str | None]:
    match = re.compile(pattern).fullmatch
    return lambda text: text if match(text) else None


def normalise_nhs_number(text: str) -> str:
    """Ten digits without spaces or hyphens.

    Raises:
        ValueError: It is not ten digits, or its check digit (modulus 11) is wrong. The value is not quoted.
    """
    digits = text.replace(" ", "").replace("-", "")
    if len(digits) != 10 or not (digits.isascii() and digits.isdigit()):
        raise ValueError("must be an NHS number: ten digits")
    total = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False))
    if -total % 11 != int(digits[9]):
        raise ValueError("must be an NHS number with a right check digit")
    return digits


def _nhs_number(text: str) -> str | None:
    try:
        return normalise_nhs_number(text)
    except ValueError:
        return None


Id = Annotated[str, _Shown(), Rule("must be an id: digits only", _matching(r"[0-9]+"))]
"""An id of the API: text of digits."""

Ref = Annotated[str, _Shown()]
"""An id of the API whose form is not documented."""

NonEmpty = Annotated[str, Rule("must not be empty", lambda text: text or None)]
"""Text of at least one character."""

NhsNumber = Annotated[str, Rule("must be an NHS number: ten digits, right check digit", _nhs_number)]
"""An NHS number. Spaces and hyphens are taken out before it is sent; the check digit must be right."""

Time = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment, aware. A naive time is refused in a request."""

PrivateTime = Annotated[datetime, msgspec.Meta(tz=True), Hidden()]
"""A moment that tells of a person, such as a death: aware, and not shown in a repr."""

Day = date
"""A calendar day, sent as `YYYY-MM-DD`. An answer may hold a date-time instead: its date is taken."""


def arms(hint: Any) -> tuple[Any, ...]:
    """The members of a union, or the hint alone."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def is_shown(hint: Any) -> bool:
    """Whether a field of this type may stand in a repr: none of what it may hold says anything of a person."""
    return all(_is_shown_arm(arm) for arm in arms(hint) if arm is not type(None))


def _is_shown_arm(arm: Any) -> bool:
    marks = get_args(arm)[1:] if get_origin(arm) is Annotated else ()
    plain = get_args(arm)[0] if marks else arm
    if any(isinstance(mark, Hidden) for mark in marks):
        return False
    if any(isinstance(mark, _Shown) for mark in marks) or plain in (bool, int, float, datetime):
        return True
    return isinstance(plain, type) and issubclass(plain, OpenEnum)


@cache
def _shown_fields(cls: Any) -> frozenset[str]:
    hints = get_type_hints(cls, include_extras=True)
    return frozenset(name for name, hint in hints.items() if is_shown(hint))


def describe(self: Any) -> str:
    """A repr without values: ids, enums, numbers, times and flags are shown, any other text is `***`."""
    cls = cast("type[Any]", type(self))
    shown = _shown_fields(cast("Any", cls))
    parts = [
        f"{field.alias}={value!r}" if field.name in shown else f"{field.alias}=***"
        for field in attrs.fields(cls)
        if (value := getattr(self, field.name)) is not None
    ]
    return f"{cls.__qualname__}({', '.join(parts)})"


def _shown_to_rich(self: Any) -> Iterator[tuple[str, Any]]:
    """The same for rich, which looks into attrs classes by itself."""
    for name in sorted(_shown_fields(cast("Any", type(self)))):
        if (value := getattr(self, name)) is not None:
            yield name, value


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(attrs.field,))
def model(cls: type[T]) -> type[T]:
    """Make a frozen, slotted, keyword-only attrs class whose repr shows no person."""
    cls.__rich_repr__ = _shown_to_rich  # type: ignore[attr-defined]  # rich's protocol  # pyright: ignore
    cls.__repr__ = describe  # type: ignore[method-assign]  # set before attrs copies the class
    return attrs.define(cls, frozen=True, slots=True, kw_only=True, repr=False)


class Answer:
    """An answer whose fields the reference does not show: `raw` is the JSON object as it came.

    Not confirmed: read what you need from `raw`, and expect it to differ between environments.
    """

    __slots__ = ("raw",)

    raw: dict[str, Any]
    """The JSON object; `{}` for an empty body; `{"value": …}` for JSON that is not an object."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.raw == self.raw

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # it holds a dict

    def __repr__(self) -> str:
        return f"{type(self).__name__}(raw=***)"
