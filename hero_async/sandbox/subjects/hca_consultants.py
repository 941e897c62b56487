"""Consultants of HCA: three who do not exist. Not confirmed: every field, and that `fields` names what is searched."""

from __future__ import annotations

from hero_async.sandbox.serving import Call, everything, missing, serves

_CONSULTANTS = (
    {"gmc_number": "0000001", "first_name": "Morgan", "last_name": "XXTESTCONSULTANT-A", "specialty": "Cardiology"},
    {"gmc_number": "0000002", "first_name": "Ellis", "last_name": "XXTESTCONSULTANT-B", "specialty": "Dermatology"},
    {"gmc_number": "0000003", "first_name": "Quinn", "last_name": "XXTESTCONSULTANT-C", "specialty": "Cardiology"},
)


@serves("hca_consultants.search")
def search(call: Call) -> object:
    """Those of whom any of the fields, or any field at all, holds the text."""
    text = call.query.get("search", "").casefold()
    names = call.several("fields")
    found = [
        one
        for one in _CONSULTANTS
        if any(text in value.casefold() for name, value in one.items() if not names or name in names)
    ]
    return everything(found, lambda one: one)


@serves("hca_consultants.get")
def get(call: Call) -> object:
    """Show one."""
    found = next((one for one in _CONSULTANTS if one["gmc_number"] == call.path["gmc_number"]), None)
    if found is None:
        raise missing("consultant")
    return found
