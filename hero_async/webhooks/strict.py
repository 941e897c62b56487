"""A JSON object, read strictly: what two readers could read differently is refused."""

from __future__ import annotations

import json
from typing import Any, Final, cast

_DEEPEST: Final = 64
_HOLDERS: Final = (dict, list)


class _Refused(Exception):
    """Not strict JSON."""


def read_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object of a body; None if it is anything else, repeats a key anywhere, or is nested over 64 deep."""
    try:
        found: Any = _decode(body.decode("utf-8"))
        if not isinstance(found, dict) or _is_deep(found):
            return None
    except (_Refused, ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", found)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Refused
    return made


def _no_constant(name: str) -> Any:
    raise _Refused  # NaN and Infinity are not JSON


_decode: Final = json.JSONDecoder(object_pairs_hook=_once_each, parse_constant=_no_constant).decode


def _is_deep(found: Any) -> bool:
    level: list[Any] = [found]
    for _ in range(_DEEPEST):
        inside: list[Any] = [_children(value) for value in level]
        level = [child for children in inside for child in children if type(child) in _HOLDERS]
        if not level:
            return False
    return True


def _children(value: Any) -> Any:
    return cast("dict[str, Any]", value).values() if isinstance(value, dict) else value
