"""Video links. Not confirmed: everything but the path."""

from __future__ import annotations

from hero_async.sandbox import rules
from hero_async.sandbox.serving import Call, serves, unshown
from hero_async.sandbox.subjects.links import LIMITS, make


@serves("video_links.create", rules.perhaps(rules.record({}, {"patient_id": rules.text(least=1), **LIMITS})))
def create(call: Call) -> object:
    """Make a link to a video call. No body is needed; the fields of other links are taken."""
    link = make(call, "video", {})
    return unshown(call, {"id": link.id, "short_link": link.url})
