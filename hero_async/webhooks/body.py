"""The body of a signed delivery: what an event is, before anybody looks into all of it.

Read at once: that the whole is JSON in UTF-8, an object whose own keys are there once each, and the fields of the
envelope. What lies deeper is read when `Event.raw` is asked for, by `strict.py`: a body with much in it would
otherwise take many times as long as the proof of its signature.
"""

from __future__ import annotations

from typing import Any, Final, cast

import msgspec

from hero_async.webhooks.events import EVENTS, Event, EventType, Proof, UnknownEvent
from hero_async.webhooks.strict import read_object

_LONGEST_TEXT: Final = 256
_SPACE: Final = b" \t\r\n"
_NAMES: Final = ("event", "event_type", "object", "id", "practice_group_id")

Members = dict[str, msgspec.Raw]


def read_event(body: bytes, proof: Proof | None = None) -> Event | None:
    """The event of a body, or None if it is not the JSON of one."""
    envelope = _envelope(body)
    if envelope is None:
        return None
    name = envelope.pop("event", None)
    other = envelope.pop("event_type", None)
    name = name or other
    if name is None:
        return None
    kind = EVENTS.get(name, UnknownEvent)
    if "id" not in envelope or "practice_group_id" not in envelope:
        kind = UnknownEvent  # not the documented envelope: the application must look for itself
    made: Any = kind  # which fields it takes is known here only
    return cast("Event", made(**envelope, event=EventType(name), raw=body, proof=proof))


def _envelope(body: bytes) -> dict[str, str] | None:
    """The identifiers of a JSON object; None if the body is none, or repeats a key."""
    members: Any
    try:
        if not body.isascii():
            body.decode("utf-8")  # what is skipped over is not checked for it
        members = _split(body)
        if _repeats_a_key(body, members):
            members = read_object(body) or {}  # it does, or its keys are written in an odd way
        found = [(name, _plain(members[name])) for name in _NAMES if name in members]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return {name: text for name, text in found if text is not None}


def _repeats_a_key(body: bytes, members: Members) -> bool:
    """Whether a key of the object is there twice, or may be. Of two the second was kept.

    Written back, an object with all its members is the same text but for spaces. Without one of them it is shorter.
    """
    written = _write(members)
    return written != body and written.translate(None, _SPACE) != body.translate(None, _SPACE)


_split: Final = msgspec.json.Decoder(Members).decode
_write: Final = msgspec.json.Encoder().encode
_read: Final = msgspec.json.Decoder().decode


def _plain(value: Any) -> str | None:
    """An identifier: text, or a whole number where text is meant."""
    if isinstance(value, msgspec.Raw):
        value = _read(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT and value.isascii() and value.isprintable():
        return value
    return None
