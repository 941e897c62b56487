"""Calls that the SDK does not know: `hero.request`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import unquote

import msgspec

from hero_async.arguments import Refused, check_for
from hero_async.calls import Call, Custom, query_pairs
from hero_async.codec import encode
from hero_async.errors import InvalidArgumentError
from hero_async.fields import Null

_VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
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
    verb = verb.upper()
    words = _refusal(verb, path)
    target = path
    body = None
    if words is None:
        try:
            pairs = [
                pair
                for name, value in (query or {}).items()
                if value is not None
                for pair in query_pairs(name, _checked(value))
            ]
            target = f"{path}?{'&'.join(pairs)}" if pairs else path
            body = encode(json) if json is not None else None
        except Refused as refused:
            words = f"query: {refused.rule}"
        except (TypeError, ValueError, msgspec.MsgspecError):
            words = "json: must be made of what JSON knows"
    del query, json
    if words is not None:
        raise InvalidArgumentError(words, operation="request")
    safe = verb in ("GET", "HEAD") if idempotent is None else idempotent
    return Call(Custom(verb=verb, idempotent=safe), target, body, {}, into)


def _refusal(verb: str, path: str) -> str | None:
    if verb not in _VERBS:
        return f"verb: must be one of {', '.join(_VERBS)}"
    if not _PATH.fullmatch(path) or "//" in path:
        return "path: must start with '/', be percent-encoded, and hold no query, fragment or empty segment"
    if any(unquote(segment) in (".", "..") for segment in path.split("/")):
        return "path: must not hold '.' or '..' segments"
    return None


def _checked(value: Any) -> Any:
    if isinstance(value, Null):
        raise Refused("NULL has no form in a query")
    if isinstance(value, list | tuple):
        return [_checked(one) for one in cast("list[Any] | tuple[Any, ...]", value)]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return check_for(kind)(value)
    return check_for(type(value))(value)
