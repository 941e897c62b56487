"""Tokens for partners' services."""

from __future__ import annotations

from hero_async import operations as op
from hero_async.fields import Time, model
from hero_async.operations import Resource
from hero_async.resources import Mode


@model
class HeidiToken:
    """A token for Heidi."""

    token: str
    """The token. A secret."""

    expiration_time: Time
    """Until when it works."""


class Partners(Resource[Mode]):
    """Tokens for partners' services."""

    @op.get("/v1/partners/heidi/token", id="getHeidiToken")
    def heidi_token(self) -> HeidiToken:
        """Get a token for Heidi, for the practice group and the admin of the credentials.

        How an API key stands for an admin is not documented.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/partners/getheiditoken
        """
        ...
