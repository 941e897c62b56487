"""Short-lived tokens for Hero Elements."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Final

import attrs
import msgspec

from hero_async import clock
from hero_async import operations as op
from hero_async.fields import model
from hero_async.operations import Resource
from hero_async.resources import Mode

LIFETIME: Final = timedelta(minutes=30)
"""How long a token lasts, as the guide says."""


@model
class AccessToken:
    """A token for a Hero Element. It lasts 30 minutes: fetch it just before rendering, do not store it."""

    access_token: str
    """The JWT, for the component's `jwt-token` attribute. A secret."""

    _received_at: datetime = attrs.field(init=False, factory=clock.now, eq=False)

    @property
    def received_at(self) -> datetime:
        """When it was received, UTC."""
        return self._received_at

    @property
    def expires_at(self) -> datetime:
        """When it ends, UTC: as the token itself says, on the server's clock; else 30 minutes after it was received.

        That the token says so (its claim `exp`) is not confirmed. Its signature is not checked: it is Hero's to check.
        """
        return _end_of(self.access_token) or self._received_at + LIFETIME


class AccessTokens(Resource[Mode]):
    """Short-lived tokens for Hero Elements."""

    @op.post("/v1/access_token", id="createAccessToken", idempotent=True)
    def create(self) -> AccessToken:
        """Issue a token for Hero Elements. Call it from a server only.

        Returns:
            A JWT that is valid for 30 minutes.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/practice-group/createaccesstoken
        """
        ...


class _Claims(msgspec.Struct):
    exp: float


def _end_of(jwt: str) -> datetime | None:
    try:
        _, claims, _ = jwt.split(".")
        raw = urlsafe_b64decode(claims + "=" * (-len(claims) % 4))
        return datetime.fromtimestamp(msgspec.json.decode(raw, type=_Claims).exp, UTC)
    except (ValueError, OverflowError, OSError, RecursionError):
        return None
