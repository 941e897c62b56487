"""Form responses: one from the start, and one for each use of a form link (`Sandbox.use_link`).

The ledger tells the id of what a use made: `ledger.changed("form_links.use")`.
"""

from __future__ import annotations

from datetime import datetime

import attrs

from hero_async.hiding import hidden
from hero_async.sandbox.practice import SEEDED_AT
from hero_async.sandbox.serving import Call, missing, serves
from hero_async.sandbox.state import State
from hero_async.sandbox.subjects.forms import forms
from hero_async.sandbox.subjects.links import USES, Link


@hidden
@attrs.frozen(repr=False)
class FormResponse:
    """That a form was filled in."""

    id: str
    form_id: str
    practice_group_id: str
    at: datetime
    patient_id: str | None = None
    link_id: str | None = None


class FormResponses:
    """Those that came by a link, by id."""

    def __init__(self) -> None:
        self.made: dict[str, FormResponse] = {}


def _fill_in(state: State, link: Link, now: datetime) -> str:
    response = FormResponse(
        state.new_id(), link.details["form_id"], link.practice_group_id, now, link.patient_id, link.id
    )
    state.of(FormResponses).made[response.id] = response
    return response.id


USES["form"] = _fill_in


@serves("form_responses.get")
def get(call: Call) -> object:
    """Show a response; its ids are numbers, and one that there is no number for is left out."""
    practice = call.practice
    first = FormResponse(practice.make_id(551), forms(practice)[0].id, practice.id, SEEDED_AT)
    known = {first.id: first, **call.state.of(FormResponses).made}
    response = known.get(call.path["id"])
    if response is None or response.practice_group_id != practice.id:
        raise missing("form response")
    ids = {
        "id": response.id,
        "form_id": response.form_id,
        "client_id": response.patient_id,
        "practice_group_id": response.practice_group_id,
        "short_link_id": response.link_id,
    }
    numbers = {name: int(text) for name, text in ids.items() if text is not None and text.isascii() and text.isdigit()}
    return {**numbers, "created_at": response.at, "updated_at": response.at, "hidden": False}
