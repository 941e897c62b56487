"""Booking links: kept, and their uses counted. Not confirmed: which fields are needed, and the form of an item of
the list, here that of a single link."""

from __future__ import annotations

from hero_async.sandbox import rules
from hero_async.sandbox.serving import Call, everything, missing, note, serves, unshown
from hero_async.sandbox.subjects.links import LIMITS, Link, Links, make

_OFFER = {
    "appointment_type_id": rules.text(least=1),
    "location_id": rules.text(least=1),
    "practitioner_id": rules.text(least=1),
    "from_date": rules.day,
    "to_date": rules.day,
}


@serves("booking_links.create", rules.record({}, {**_OFFER, "patient_id": rules.text(least=1), **LIMITS}))
def create(call: Call) -> object:
    """Make a link. Without a patient it is generic."""
    offer = _known_offer(call)
    link = make(call, "booking", offer)
    return unshown(call, {"id": link.id, "short_link": link.url})


def _known_offer(call: Call) -> dict[str, object]:
    body, practice = call.body, call.practice
    if "appointment_type_id" in body and practice.appointment_type(body["appointment_type_id"]) is None:
        raise missing("appointment type")
    if "location_id" in body and practice.location(body["location_id"]) is None:
        raise missing("location")
    if "practitioner_id" in body and practice.practitioner(body["practitioner_id"]) is None:
        raise missing("practitioner")
    return {name: body[name] for name in _OFFER if name in body}


def _wanted(call: Call) -> Link:
    link = call.state.of(Links).made.get(call.path["id"])
    if link is None or link.kind != "booking" or link.practice_group_id != call.practice_group_id:
        raise missing("booking link")
    return link


@serves("booking_links.get")
def get(call: Call) -> object:
    """Show a link and how often it was used."""
    return _show(_wanted(call), call)


def _show(link: Link, call: Call) -> object:
    meta: dict[str, object] = {
        name: [link.details[name]] if name in link.details else []
        for name in ("appointment_type_id", "location_id", "practitioner_id")
    }
    meta |= {name: link.details[name] for name in ("from_date", "to_date") if name in link.details}
    shown: dict[str, object] = {
        "id": link.id,
        "practice_group_id": link.practice_group_id,
        "short_link": link.url,
        "active": link.is_usable(call.now),
        "number_of_uses": link.uses,
        "open_count": link.opens,
        "unlimited_use": link.most_uses is None,
        "meta": meta,
        "created_at": link.made_at,
        "link_name": f"Booking link {link.id}",
    }
    if link.last_day is not None:
        shown["expiry_date"] = f"{link.last_day.isoformat()}T23:59:59Z"
    if link.most_uses is not None:
        shown["maximum_uses"] = link.most_uses
    if link.patient_id is not None:
        shown["patient_id"] = link.patient_id
    return shown


@serves("booking_links.list")
def listing(call: Call) -> object:
    """The practice group's booking links, newest first."""
    found = [
        link
        for link in reversed(call.state.of(Links).made.values())
        if link.kind == "booking" and link.practice_group_id == call.practice_group_id
    ]
    return everything(found, lambda link: _show(link, call))


@serves("booking_links.update", rules.record({}, _OFFER))
def update(call: Call) -> object:
    """Change what a link offers. What is left out stays."""
    link = _wanted(call)
    link.details |= _known_offer(call)
    note(call, "booking_links.update", link.id)
    return unshown(call, {"id": link.id})
