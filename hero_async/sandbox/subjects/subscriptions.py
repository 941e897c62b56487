"""Memberships: one for each of the first patients. Not confirmed: every field, and every value but "cancelled" and
"created_at"."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice

from hero_async.sandbox import rules
from hero_async.sandbox.practice import SEEDED_AT
from hero_async.sandbox.serving import Call, page, serves

_MOST = 5
_SCHEMES = ("Sandbox Plus", "Sandbox Basic")
_FILTERS = ("patient_id", "scheme_id", "scheme_name", "status")


@serves("subscriptions.list", rules.query(rules.PAGING))
def listing(call: Call) -> object:
    """Those that every filter fits, oldest first, whatever `order_by[]` says; last first if `order_descending[]` says
    "true"."""
    patients = islice(call.state.people.all(call.practice_group_id), _MOST)
    found = [
        {
            "id": call.practice.make_id(951 + number),
            "patient_id": patient.patient_id,
            "scheme_id": call.practice.make_id(971 + number % len(_SCHEMES)),
            "scheme_name": _SCHEMES[number % len(_SCHEMES)],
            "status": "cancelled" if number == 0 else "active",
            "created_at": SEEDED_AT + timedelta(hours=number),
        }
        for number, patient in enumerate(patients)
    ]
    found = [one for one in found if all(call.query.get(name) in (None, one[name]) for name in _FILTERS)]
    if call.query.get("order_descending[]") == "true":
        found.reverse()
    return page(call, found, lambda one: one)
