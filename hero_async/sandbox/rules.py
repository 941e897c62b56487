"""How the sandbox checks a request, by rules written down from the reference.

They share nothing with the SDK's own checks, so that the two can disagree. A rule is a function
`(value, path, issues)` that adds what it finds; the codes are Zod's, as the documented 400 body suggests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeGuard

from hero_async.sandbox.synthetic import is_nhs_number

Path = tuple[str | int, ...]
Issue = dict[str, Any]
Rule = Callable[[Any, Path, list[Issue]], None]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MAIL = re.compile(r"[^@\s]+@[^@\s]+")
_ADDRESS = re.compile(r"https?://[^\s/?#]+([/?#]\S*)?")


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether it is a JSON object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether it is a JSON array."""
    return isinstance(value, list)


def issue(code: str, expected: str, path: Path) -> Issue:
    """One entry of a 400 body's `message`."""
    return {"code": code, "expected": expected, "path": path}


def text(*, pattern: str | None = None, least: int = 0) -> Rule:
    """A string; `pattern` must match the whole of it, `least` is its shortest length."""
    match = re.compile(pattern, re.ASCII).fullmatch if pattern is not None else None

    def rule(value: Any, path: Path, issues: list[Issue]) -> None:
        if not isinstance(value, str):
            issues.append(issue("invalid_type", "string", path))
        elif len(value) < least:
            issues.append(issue("too_small", f"string of at least {least} character(s)", path))
        elif match is not None and not match(value):
            issues.append(issue("invalid_string", f"string matching {pattern}", path))

    return rule


def one_of(*values: str) -> Rule:
    """One of these strings."""
    expected = " | ".join(f"'{value}'" for value in values)

    def rule(value: Any, path: Path, issues: list[Issue]) -> None:
        if value not in values:
            issues.append(issue("invalid_enum_value", expected, path))

    return rule


def boolean(value: Any, path: Path, issues: list[Issue]) -> None:
    """True or false."""
    if not isinstance(value, bool):
        issues.append(issue("invalid_type", "boolean", path))


def boolean_or_text(value: Any, path: Path, issues: list[Issue]) -> None:
    """True, false or a string."""
    if not isinstance(value, bool | str):
        issues.append(issue("invalid_type", "boolean | string", path))


def number(value: Any, path: Path, issues: list[Issue]) -> None:
    """A number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        issues.append(issue("invalid_type", "number", path))


def number_between(least: float, most: float) -> Rule:
    """A number in a range, its ends included."""

    def rule(value: Any, path: Path, issues: list[Issue]) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            issues.append(issue("invalid_type", "number", path))
        elif not least <= value <= most:
            code = "too_small" if value < least else "too_big"
            issues.append(issue(code, f"number from {least:g} to {most:g}", path))

    return rule


def whole_number(value: Any, path: Path, issues: list[Issue]) -> None:
    """A number without a fraction."""
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, float) and value.is_integer())):
        issues.append(issue("invalid_type", "integer", path))


def is_day(value: str) -> bool:
    """Whether the text is an ISO 8601 date, or a date-time."""
    try:
        if _DAY.fullmatch(value):
            date.fromisoformat(value)
        elif _DAY.match(value):
            datetime.fromisoformat(value)
        else:
            return False
    except ValueError:
        return False
    return True


def day(value: Any, path: Path, issues: list[Issue]) -> None:
    """A date, alone or with a time."""
    if not isinstance(value, str):
        issues.append(issue("invalid_type", "string", path))
    elif not is_day(value):
        issues.append(issue("invalid_string", "ISO 8601 date", path))


def moment(value: Any, path: Path, issues: list[Issue]) -> None:
    """A date and time."""
    if not isinstance(value, str):
        issues.append(issue("invalid_type", "string", path))
    elif not is_day(value) or _DAY.fullmatch(value):
        issues.append(issue("invalid_string", "ISO 8601 date-time", path))


def mail_address(value: Any, path: Path, issues: list[Issue]) -> None:
    """An e-mail address, looked at loosely."""
    if not isinstance(value, str):
        issues.append(issue("invalid_type", "string", path))
    elif not _MAIL.fullmatch(value):
        issues.append(issue("invalid_string", "email", path))


def address(value: Any, path: Path, issues: list[Issue]) -> None:
    """An http or https address."""
    if not isinstance(value, str):
        issues.append(issue("invalid_type", "string", path))
    elif not _ADDRESS.fullmatch(value):
        issues.append(issue("invalid_string", "url", path))


def nhs_number(value: Any, path: Path, issues: list[Issue]) -> None:
    """An NHS number, with or without spaces."""
    if not isinstance(value, str):
        issues.append(issue("invalid_type", "string", path))
    elif not is_nhs_number(value):
        issues.append(issue("invalid_string", "NHS number", path))


def nullable(inner: Rule) -> Rule:
    """Null, or what `inner` wants."""

    def rule(value: Any, path: Path, issues: list[Issue]) -> None:
        if value is not None:
            inner(value, path, issues)

    return rule


def array(inner: Rule, *, least: int = 0) -> Rule:
    """A list, each item as `inner` wants."""

    def rule(value: Any, path: Path, issues: list[Issue]) -> None:
        if not is_array(value):
            issues.append(issue("invalid_type", "array", path))
            return
        if len(value) < least:
            issues.append(issue("too_small", f"array of at least {least} item(s)", path))
        for index, item in enumerate(value):
            inner(item, (*path, index), issues)

    return rule


def mapping(inner: Rule) -> Rule:
    """An object of any names, each value as `inner` wants."""

    def rule(value: Any, path: Path, issues: list[Issue]) -> None:
        if not is_object(value):
            issues.append(issue("invalid_type", "object", path))
            return
        for name, item in value.items():
            inner(item, (*path, name), issues)

    return rule


def record(required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None) -> Rule:
    """An object. Fields without a rule pass; null is no way to leave a field out."""
    possible = optional or {}
    known = {**required, **possible}

    def rule(value: Any, path: Path, issues: list[Issue]) -> None:
        if not is_object(value):
            issues.append(issue("invalid_type", "object", path))
            return
        for name in required:
            if name not in value:
                # Its own rule names what was expected.
                known[name](_ABSENT, (*path, name), issues)
        for name, item in value.items():
            check = known.get(name)
            if check is not None:
                check(item, (*path, name), issues)

    return rule


def perhaps(inner: Rule) -> Rule:
    """No body at all, or what `inner` wants."""

    def rule(value: Any, path: Path, issues: list[Issue]) -> None:
        if value is not NO_BODY:
            inner(value, path, issues)

    return rule


_ABSENT = object()
"""Fits no rule."""

NO_BODY = object()
"""The body of a request without one; fits no rule but `perhaps`."""


def query(
    single: Mapping[str, Rule] | None = None,
    *,
    repeated: Mapping[str, Rule] | None = None,
    required: Sequence[str] = (),
) -> Rule:
    """A query: every value is text. Parameters without a rule pass.

    Args:
        single: Rules of parameters that count once: of several values the first is taken.
        repeated: Rules for each value of those that may come several times.
        required: Those of `single` that must be there.
    """
    once, often = single or {}, repeated or {}

    def rule(value: Any, path: Path, issues: list[Issue]) -> None:
        given: Mapping[str, list[str]] = value
        for name in required:
            if name not in given:
                once[name](_ABSENT, (*path, name), issues)
        for name, values in given.items():
            if name in once:
                once[name](values[0], (*path, name), issues)
            elif name in often:
                for index, item in enumerate(values):
                    often[name](item, (*path, name, index), issues)

    return rule


whole_number_text: Rule = text(pattern=r"\d{1,18}")
"""A whole number, as a query writes it."""

flag_text: Rule = one_of("true", "false")
"""A boolean, as a query writes it."""

PAGING: Mapping[str, Rule] = {"page_index": whole_number_text, "page_size": whole_number_text}
"""The two query parameters of every paged list."""
