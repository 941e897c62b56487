"""Tokens for partners' services. Not confirmed: how long one lasts, here an hour."""

from __future__ import annotations

from datetime import timedelta

from hero_async.sandbox.serving import Call, serves

_LIFETIME = timedelta(hours=1)


@serves("partners.heidi_token")
def heidi_token(call: Call) -> object:
    """A token of its own for each call."""
    return {"token": f"heidi-sandbox-{call.state.new_id()}", "expiration_time": call.now + _LIFETIME}
