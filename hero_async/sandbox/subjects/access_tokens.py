"""Access tokens for Hero Elements: of a JWT's shape, signed by no one."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import msgspec

from hero_async.sandbox.serving import Call, serves

_LIFETIME = 1800
"""Seconds; the reference says 30 minutes."""


def _part(fields: dict[str, object]) -> str:
    return urlsafe_b64encode(msgspec.json.encode(fields)).rstrip(b"=").decode()


@serves("access_tokens.create")
def create(call: Call) -> object:
    """A token of its own for each call."""
    claims: dict[str, object] = {
        "jti": call.state.new_id(),
        "practice_group_id": call.practice_group_id,
        "exp": int(call.now.timestamp()) + _LIFETIME,
    }
    return {"access_token": f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}.sandbox"}
