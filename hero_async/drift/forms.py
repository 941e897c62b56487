"""What a value may look like, in words that fit the SDK's types and a description's schemas alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final

import attrs

ANYTHING: Final = "anything"


class Shape:
    """The forms that a value may have. Nested shapes are made when they are looked at: a schema may hold itself."""

    def __init__(self, forms: tuple[Form, ...], *, nullable: bool = False, deprecated: bool = False) -> None:
        self.forms = forms
        self.nullable = nullable
        self.deprecated = deprecated

    @property
    def is_open(self) -> bool:
        """Whether nothing is said of its form."""
        return not self.forms or any(form.kind == ANYTHING for form in self.forms)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its forms, each once."""
        return tuple(dict.fromkeys(form.kind for form in self.forms))

    @property
    def is_bare(self) -> bool:
        """Whether nothing is said but perhaps that it is an object."""
        return self.is_open or all(form.is_bare for form in self.forms)

    def of_kind(self, *kinds: str) -> list[Form]:
        """Its forms of these kinds."""
        return [form for form in self.forms if form.kind in kinds]

    def __str__(self) -> str:
        return " | ".join(self.kinds) or ANYTHING


@attrs.frozen(eq=False)
class Field:
    """A field of an object."""

    required: bool
    _make: Callable[[], Shape]

    @property
    def shape(self) -> Shape:
        """What it holds."""
        return self._make()


@attrs.define(eq=False, slots=False)
class Form:
    """One form of a value."""

    kind: str
    """"text", "digits", "NHS number", "date", "moment", "int", "number", "bool", "choice", "list", "mapping",
    "object", "anything"."""

    choices: frozenset[str] = frozenset()
    """What a choice allows."""

    fields: Mapping[str, Field] | None = None
    """The fields of an object, by their names on the wire; None where they are not shown."""

    make_items: Callable[[], Shape] | None = None

    @property
    def is_bare(self) -> bool:
        """Whether it is an object of which nothing is shown."""
        return self.kind in (ANYTHING, "object") and self.fields is None

    @cached_property
    def items(self) -> Shape | None:
        """What the items of a list or the values of a mapping hold; None where it is not shown."""
        return self.make_items() if self.make_items is not None else None
