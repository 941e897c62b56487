"""Short-lived tokens for Hero Elements."""

from __future__ import annotations

from hero_async import operations as op
from hero_async.fields import model
from hero_async.operations import Resource
from hero_async.resources import Mode


@model
class AccessToken:
    """A token for a Hero Element. It lasts 30 minutes: fetch it just before rendering, do not store it."""

    access_token: str
    """The JWT, for the component's `jwt-token` attribute. A secret."""


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
