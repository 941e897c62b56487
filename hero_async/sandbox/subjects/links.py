"""Links of all kinds: what became of one.

A link is opened and used by `Sandbox.open_link` and `Sandbox.use_link`, in a patient's place. Not confirmed: every
state but "unused", every kind but "booking", what `reference` holds, and that one of `url` and `id` must be given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import attrs

from hero_async.hiding import hidden
from hero_async.sandbox import rules
from hero_async.sandbox.ledger import Change
from hero_async.sandbox.serving import Call, missing, note, serves, wrong
from hero_async.sandbox.state import State, to_day

ADDRESS = "https://sandbox.invalid/s/"
"""What the address of a link begins with."""


@hidden
@attrs.define(repr=False, kw_only=True)
class Link:
    """A link that was given to a patient."""

    id: str
    practice_group_id: str
    kind: str
    """`booking`, `form`, `video` or `attachment`."""

    made_at: datetime
    patient_id: str | None = None
    last_day: date | None = None
    most_uses: float | None = None
    details: dict[str, Any] = attrs.field(factory=dict[str, Any])
    uses: int = 0
    opens: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"{ADDRESS}{int(self.id):x}"

    def status(self, now: datetime) -> str:
        """`expired`, `used` (once or more) or `unused`."""
        if self.last_day is not None and now.date() > self.last_day:
            return "expired"
        return "used" if self.uses else "unused"

    def is_usable(self, now: datetime) -> bool:
        """Whether it is in time and not used up."""
        return self.status(now) != "expired" and (self.most_uses is None or self.uses < self.most_uses)


class Links:
    """Every link by id, oldest first."""

    def __init__(self) -> None:
        self.made: dict[str, Link] = {}

    def find(self, url_or_id: str) -> Link | None:
        """The link of this address or id."""
        found = self.made.get(url_or_id)
        if found is None and url_or_id.startswith(ADDRESS):
            found = next((link for link in self.made.values() if link.url == url_or_id), None)
        return found


LIMITS = {"expiry_date": rules.day, "maximum_use_count": rules.number}
"""Rules of the fields that all requests for a link share."""

USES: dict[str, Callable[[State, Link, datetime], str]] = {}
"""What a use of a kind of link makes, besides being counted: gives the id of it."""


def make(call: Call, kind: str, details: Mapping[str, Any]) -> Link:
    """A new link, limited as the body says. Refuses a patient whom the practice group does not have."""
    body, state = call.body, call.state
    patient_id = body.get("patient_id")
    if patient_id is not None and state.people.get(call.practice_group_id, patient_id) is None:
        raise missing("patient")
    link = Link(
        id=state.new_id(),
        practice_group_id=call.practice_group_id,
        kind=kind,
        made_at=call.now,
        patient_id=patient_id,
        last_day=to_day(body["expiry_date"]) if "expiry_date" in body else None,
        most_uses=body.get("maximum_use_count"),
        details=dict(details),
    )
    state.of(Links).made[link.id] = link
    note(call, f"{kind}_links.create", link.id)
    return link


def follow(state: State, url_or_id: str, now: datetime, *, use: bool) -> bool:
    """Open a link in a patient's place, or use it, which opens it too. False: it is expired or used up."""
    link = state.of(Links).find(url_or_id)
    if link is None:
        raise KeyError("no link has this address or id")
    link.opens += 1
    if not link.is_usable(now):
        return False
    if use:
        link.uses += 1
        made = USES[link.kind](state, link, now) if link.kind in USES else link.id
        what = f"{link.kind}_links.use"
        state.ledger.accept(Change(what=what, practice_group_id=link.practice_group_id, id=made, at=now))
    return True


@serves("links.status")
def status(call: Call) -> object:
    """Whether a link was used."""
    given = call.query.get("id") or call.query.get("url")
    if given is None:
        raise wrong("url or id")
    link = call.state.of(Links).find(given)
    if link is None or link.practice_group_id != call.practice_group_id:
        raise missing("link")
    reference = [{"patient_id": link.patient_id}] if link.patient_id is not None else []
    return {"status": link.status(call.now), "type": link.kind, "reference": reference}
