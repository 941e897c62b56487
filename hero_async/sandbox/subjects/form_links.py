"""Form links: a use makes a form response. Not confirmed: everything, path and fields are inferred."""

from __future__ import annotations

from hero_async.sandbox import rules
from hero_async.sandbox.serving import Call, missing, serves, unshown
from hero_async.sandbox.subjects import form_responses as form_responses  # what a use makes
from hero_async.sandbox.subjects.forms import find_form
from hero_async.sandbox.subjects.links import LIMITS, make

_CREATE = rules.record({"form_id": rules.text(least=1)}, {"patient_id": rules.text(least=1), **LIMITS})


@serves("form_links.create", _CREATE)
def create(call: Call) -> object:
    """Make a link to a form."""
    if find_form(call.practice, call.body["form_id"]) is None:
        raise missing("form")
    link = make(call, "form", {"form_id": call.body["form_id"]})
    return unshown(call, {"id": link.id, "short_link": link.url})
