"""The text of a campaign: plain `{column}` fields, and nothing more.

A brace itself is written twice, `{{` or `}}`. There are no attributes, indexes, conversions or format
specifications, so a text can reach nothing but the row's own cells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hero_async.bulk.errors import InputError

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NOT_PLAIN = re.compile(r"[.\[\]!:]")


class Template:
    """A text with fields, parsed.

    Raises:
        InputError: The text is empty, a brace has no partner, or a field is not a plain name.
    """

    __slots__ = ("_parts", "fields", "text")

    fields: tuple[str, ...]
    """The names of its fields, each once, in order of appearance."""

    def __init__(self, text: str) -> None:
        if not text.strip():
            raise InputError("text: must not be empty")
        self.text: str = text
        self._parts = _parse(text)  # literal, field, literal, field, …, literal
        self.fields = tuple(dict.fromkeys(self._parts[1::2]))

    def __repr__(self) -> str:
        return f"Template({len(self.fields)} fields)"

    def bind(self, place: Callable[[str], int]) -> Callable[[Sequence[str]], str]:
        """A function from a row's cells to its text.

        Args:
            place: The index of a field's column.
        """
        if len(self._parts) == 1:
            whole = self._parts[0]
            return lambda _cells: whole
        literals = self._parts[0::2]
        columns = [place(name) for name in self._parts[1::2]]
        pairs = list(zip(columns, literals[1:], strict=True))

        def render(cells: Sequence[str]) -> str:
            made = [literals[0]]
            for column, literal in pairs:
                made.append(cells[column].strip())
                made.append(literal)
            return "".join(made)

        return render


def _parse(text: str) -> list[str]:
    parts: list[str] = [""]
    end = 0
    for found in _TOKEN.finditer(text):
        parts[-1] += text[end : found.start()]
        end = found.end()
        token = found[0]
        if token in ("{{", "}}"):
            parts[-1] += token[0]
        elif found[1] is None:
            raise InputError(
                f"text: the brace at character {found.start() + 1} has no partner; write {{{{ or }}}} for a brace"
            )
        else:
            parts += [_plain(found[1], found.start()), ""]
    parts[-1] += text[end:]
    return parts


def _plain(inside: str, start: int) -> str:
    name = inside.strip()
    if not name:
        raise InputError(f"text: the field at character {start + 1} has no name")
    if _NOT_PLAIN.search(name):
        raise InputError(
            f"text: the field at character {start + 1} must be a plain column name, without '.', '[', '!' or ':'"
        )
    return name
