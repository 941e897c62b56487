"""What became of a link."""

from __future__ import annotations

from hero_async import operations as op
from hero_async.fields import Answer, NonEmpty, model
from hero_async.operations import Resource
from hero_async.resources import Mode


class LinkReference(Answer):
    """What a link refers to. Its fields are not shown in the reference: read `raw`."""

    __slots__ = ()


@model
class LinkStatus:
    """The state of a link. Known from a sample: any field may be missing."""

    status: str | None = None
    """State. The sample shows "unused"; the other values are not documented."""

    type: str | None = None
    """Kind of link. The sample shows "booking"; the other values are not documented."""

    reference: tuple[LinkReference, ...] | None = None
    """What it refers to."""


class Links(Resource[Mode]):
    """Links of any kind that Hero made."""

    @op.get("/v1/links/status", id="getLinkStatus", evidence="sampled")
    def status(self, *, url: NonEmpty | None = None, id: NonEmpty | None = None) -> LinkStatus:
        """Tell whether a link was used, what kind it is, and what it refers to.

        Args:
            url: The link's address. Whether one of `url` and `id` is enough is not documented.
            id: Id of the link.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/links/createvideolink
        """
        ...
