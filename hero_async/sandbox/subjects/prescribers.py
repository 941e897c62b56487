"""Prescribers: the admins. Not confirmed: that a prescriber without pharmacies has an empty list."""

from __future__ import annotations

from hero_async.sandbox.serving import Call, everything, missing, serves
from hero_async.sandbox.subjects.pharmacies import Pharmacies


@serves("prescribers.pharmacies")
def pharmacies(call: Call) -> object:
    """The pharmacies that were stored for a prescriber."""
    prescriber = call.practice.admin(call.path["id"])
    if prescriber is None:
        raise missing("prescriber")
    return everything(call.state.of(Pharmacies).of.get(prescriber.id, ()), lambda pharmacy: pharmacy)
