"""Calls that the SDK does not know: `hero.request`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from json import dumps
from typing import Any, cast
from urllib.parse import unquote
from uuid import UUID

import msgspec

from hero_async.arguments import Refused, check_for
from hero_async.calls import Call, Custom, has_dots, query_pairs
from hero_async.errors import InvalidArgumentError

_VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
_MOMENT = check_for(datetime)
_PATH = re.compile(r"(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)+")


def build_request(
    verb: str,
    path: str,
    *,
    query: Mapping[str, Any] | None,
    json: Any,
    idempotent: bool | None,
    into: Any,
) -> Call[Any]:
    """The call. Refuses what could lead elsewhere than the path says."""
    verb = verb.upper() if isinstance(cast("object", verb), str) else ""
    words = _refusal(verb, path)
    target = path
    body = None
    if words is None:
        try:
            pairs = _pairs(query)
            target = f"{path}?{'&'.join(pairs)}" if pairs else path
            body = _body(json)
        except Refused as refused:
            words = refused.rule
    del query, json
    if words is not None:
        del path, target
        raise InvalidArgumentError(words, operation="request")
    safe = verb in ("GET", "HEAD") if idempotent is None else idempotent
    return Call(Custom(verb=verb, idempotent=safe), target, body, {}, into)


def _refusal(verb: str, path: str) -> str | None:
    if verb not in _VERBS:
        return f"verb: must be one of {', '.join(_VERBS)}"
    if not isinstance(cast("object", path), str) or not _PATH.fullmatch(path) or "//" in path:
        return "path: must start with '/', be percent-encoded, and hold no query, fragment or empty segment"
    if has_dots(unquote(path)):
        return "path: must not hold '.' or '..' segments"
    return None


def _pairs(query: Mapping[str, Any] | None) -> list[str]:
    if query is None:
        return []
    if not isinstance(cast("object", query), Mapping):
        raise Refused("query: must be a mapping")
    pairs: list[str] = []
    for name, value in query.items():
        if value is None:
            continue
        try:
            wire = check_for(str)(name)
            several = isinstance(value, list | tuple)
            values = cast("list[Any] | tuple[Any, ...]", value) if several else [value]
            pairs += query_pairs(wire, [_checked(one) for one in values])
        except Refused as refused:
            raise Refused(f"query: {refused.rule}") from None
    return pairs


def _checked(value: Any) -> Any:
    for kind in (bool, int, float, str, datetime, date):
        if isinstance(value, kind):
            return check_for(kind)(value)
    if isinstance(value, UUID | Decimal):
        return str(value)
    raise Refused("a value must be text, a number, True, False, a date or an aware datetime, or a list of these")


def _body(json: Any) -> bytes | None:
    if json is None:
        return None
    words = "must be made of what JSON knows"
    try:
        # The standard library refuses NaN and infinity, which msgspec would send as null: that clears a field.
        plain = msgspec.to_builtins(json, builtin_types=(datetime,))
        return dumps(plain, default=_MOMENT, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    except Refused as refused:
        words = refused.rule
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        pass
    raise Refused(f"json: {words}")
