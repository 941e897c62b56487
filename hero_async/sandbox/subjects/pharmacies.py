"""Pharmacies: kept for their prescriber. Not confirmed: that a prescriber's id is an admin's, as it is here."""

from __future__ import annotations

from typing import Any

from hero_async.sandbox import rules
from hero_async.sandbox.serving import Call, missing, note, serves


class Pharmacies:
    """Every pharmacy, by prescriber."""

    def __init__(self) -> None:
        self.of: dict[str, list[dict[str, Any]]] = {}


_CREATE = rules.record(
    {
        "name": rules.text(),
        "email": rules.text(),
        "mobile": rules.text(),
        "prescriber_id": rules.text(pattern=r"\d+"),
    }
)


@serves("pharmacies.create", _CREATE)
def create(call: Call) -> object:
    """Keep a pharmacy."""
    prescriber = call.practice.admin(call.body["prescriber_id"])
    if prescriber is None:
        raise missing("prescriber")
    fields = {name: call.body[name] for name in ("prescriber_id", "name", "email", "mobile")}
    pharmacy = {"id": call.state.new_id(), **fields}
    call.state.of(Pharmacies).of.setdefault(prescriber.id, []).append(pharmacy)
    note(call, "pharmacies.create", pharmacy["id"])
    return pharmacy
