"""Admins. What is kept of `prescriber_details` is shown as it was given."""

from __future__ import annotations

from typing import Any

from hero_async.sandbox import rules
from hero_async.sandbox.practice import Admin
from hero_async.sandbox.serving import Call, missing, note, page, serves

_LIST = rules.query({**rules.PAGING, "order_by": rules.one_of("first_name"), "order_descending": rules.flag_text})


class Prescribers:
    """Who the admins are as prescribers, by admin id."""

    def __init__(self) -> None:
        self.given: dict[str, dict[str, Any]] = {}


@serves("admins.list", _LIST)
def listing(call: Call) -> object:
    """The practice group's admins."""
    found = list(call.practice.admins)
    if "order_by" in call.query:
        found.sort(key=lambda admin: admin.first_name)
    if call.query.get("order_descending") == "true":
        found.reverse()
    return page(call, found, lambda admin: _show(admin, call))


def _show(admin: Admin, call: Call) -> object:
    return {
        "id": admin.id,
        "first_name": admin.first_name,
        "last_name": admin.last_name,
        "email": admin.email,
        "external_prescriber_id": None,
        "prescriber_details": None,
        **call.state.of(Prescribers).given.get(admin.id, {}),
    }


_UPDATE = rules.record(
    {},
    {
        "external_prescriber_id": rules.nullable(rules.text(least=1)),
        "prescriber_details": rules.nullable(
            rules.record({}, {"name": rules.text(), "email": rules.mail_address, "registration_code": rules.text()})
        ),
    },
)


@serves("admins.update", _UPDATE)
def update(call: Call) -> object:
    """Change who an admin is as a prescriber. What is left out stays."""
    admin = call.practice.admin(call.path["id"])
    if admin is None:
        raise missing("admin")
    given = call.state.of(Prescribers).given.setdefault(admin.id, {})
    for name in ("external_prescriber_id", "prescriber_details"):
        if name in call.body:
            given[name] = call.body[name]
    note(call, "admins.update", admin.id)
    return {"admin_id": admin.id}
