"""Short links of all kinds. Not confirmed: every field, the names of kinds and states but "booking" and "expired",
and sort keys but `expiry_date` (others leave the order as it is: newest first)."""

from __future__ import annotations

from datetime import date

from hero_async.sandbox import rules
from hero_async.sandbox.serving import Call, page, serves
from hero_async.sandbox.subjects.links import Link, Links

_LIST = rules.query(
    {
        **rules.PAGING,
        "order_descending": rules.flag_text,
        "exclude_patient_specific_links": rules.flag_text,
    }
)


@serves("short_links.list", _LIST)
def listing(call: Call) -> object:
    """The practice group's links."""
    kind, state = call.query.get("type"), call.query.get("status")
    generic = call.query.get("exclude_patient_specific_links") == "true"
    found = [
        link
        for link in reversed(call.state.of(Links).made.values())
        if link.practice_group_id == call.practice_group_id
        and kind in (None, link.kind)
        and state in (None, link.status(call.now))
        and not (generic and link.patient_id is not None)
    ]
    if call.query.get("order_by") == "expiry_date":
        found.sort(key=lambda link: link.last_day or date.max)
    if call.query.get("order_descending") == "true":
        found.reverse()
    return page(call, found, lambda link: _show(link, call))


def _show(link: Link, call: Call) -> object:
    return {
        "id": link.id,
        "type": link.kind,
        "status": link.status(call.now),
        "short_link": link.url,
        "patient_id": link.patient_id,
        "expiry_date": link.last_day.isoformat() if link.last_day is not None else None,
        "maximum_uses": link.most_uses,
        "number_of_uses": link.uses,
        "open_count": link.opens,
    }
