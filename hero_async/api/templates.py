"""Texts that a practice keeps for its messages."""

from __future__ import annotations

from hero_async import operations as op
from hero_async.fields import Answer
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode


class Template(Answer):
    """A template. Its fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class Templates(Resource[Mode]):
    """Texts that the practice group keeps for its messages."""

    @op.listing("/v1/templates", id="listTemplates", evidence="sampled")
    def list(self, *, has_follow_up: bool | None = None) -> Page[Template]:
        """List the message templates. No paging is shown: one page. The form of the answer is not confirmed.

        Args:
            has_follow_up: Only those with, or without, a follow-up.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/messages/getautomatedmessage
        """
        ...
