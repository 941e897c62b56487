"""The body of a signed delivery, read strictly: what two readers could read differently is refused."""

from __future__ import annotations

import json
from typing import Any, Final, cast

import msgspec

from hero_async.webhooks.events import EVENTS, Event, EventType, Proof, UnknownEvent

_DEEPEST: Final = 64
_LONGEST_TEXT: Final = 256
_HOLDERS: Final = (dict, list)


class _Refused(Exception):
    """Not strict JSON."""


def read_event(body: bytes, proof: Proof | None = None) -> Event | None:
    """The event of a body, or None if it is not the JSON of one."""
    raw = read_object(body)
    if raw is None:
        return None
    name = _plain(raw.get("event")) or _plain(raw.get("event_type"))
    if name is None:
        return None
    kind = EVENTS.get(name, UnknownEvent)
    envelope: dict[str, str] = {
        field: text for field in ("object", "id", "practice_group_id") if (text := _plain(raw.get(field))) is not None
    }
    if "id" not in envelope or "practice_group_id" not in envelope:
        kind = UnknownEvent  # not the documented envelope: the application must look for itself
    made: Any = kind  # which fields it takes is known here only
    return cast("Event", made(**envelope, event=EventType(name), raw=raw, proof=proof))


def read_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object of a body; None if it is anything else, repeats a key, or is nested too deep."""
    try:
        found: Any = _read_fast(body)
        if found is None:
            found = _decode(body.decode("utf-8"))
        if not isinstance(found, dict) or _is_deep(body, found):
            return None
    except (_Refused, ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", found)


def _read_fast(body: bytes) -> Any:
    """What compact JSON holds, which is what Hero is said to send; None: read it the slow way.

    What is written back as the same text has no key twice: of those only one would have been kept.
    """
    try:
        found: Any = _parse(body)
        return found if _write(found) == body else None
    except msgspec.MsgspecError:
        return None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Refused
    return made


def _no_constant(name: str) -> Any:
    raise _Refused  # NaN and Infinity are not JSON


_parse: Final = msgspec.json.Decoder().decode
_write: Final = msgspec.json.Encoder().encode
_decode: Final = json.JSONDecoder(object_pairs_hook=_once_each, parse_constant=_no_constant).decode


def _is_deep(body: bytes, found: Any) -> bool:
    # Nearly all bodies end here: they open few brackets. To count by taking out is ten times as fast as `count`.
    if 2 * len(body) - len(body.replace(b"{", b"")) - len(body.replace(b"[", b"")) <= _DEEPEST:
        return False
    level: list[Any] = [found]
    for _ in range(_DEEPEST):
        inside: list[Any] = [_children(value) for value in level]
        level = [child for children in inside for child in children if type(child) in _HOLDERS]
        if not level:
            return False
    return True


def _children(value: Any) -> Any:
    return cast("dict[str, Any]", value).values() if isinstance(value, dict) else value


def _plain(value: Any) -> str | None:
    """An identifier: text, or a whole number where text is meant."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT and value.isascii() and value.isprintable():
        return value
    return None
