"""Links to video calls."""

from __future__ import annotations

from hero_async import operations as op
from hero_async.fields import Answer
from hero_async.operations import Resource
from hero_async.resources import Mode


class VideoLinkCreated(Answer):
    """The answer to making a video link. Its fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class VideoLinks(Resource[Mode]):
    """Links to video calls."""

    @op.post("/v1/video_links", id="createVideoLink", evidence="inferred")
    def create(self) -> VideoLinkCreated:
        """Make a link to a video call. The method is inferred, and the reference shows no body: none is sent.

        If your reference shows fields, send them by `hero.request("POST", "/v1/video_links", json={…})`.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/links/createvideolink
        """
        ...
