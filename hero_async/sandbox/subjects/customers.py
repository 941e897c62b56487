"""Customers: kept as they were given. Not confirmed: where a text is looked for (here in name and e-mail address),
that `patient_id` is needed for the default, and that a patient without one gets one."""

from __future__ import annotations

from typing import Any

from hero_async.sandbox import rules
from hero_async.sandbox.serving import Call, everything, missing, note, serves

_CREATE = rules.record(
    {"name": rules.text()},
    {"email": rules.mail_address, "phone": rules.text(), "sources": rules.array(rules.record({}))},
)


class Customers:
    """By practice group: customers by id, and the default of a patient."""

    def __init__(self) -> None:
        self.made: dict[tuple[str, str], dict[str, Any]] = {}
        self.defaults: dict[tuple[str, str], str] = {}

    def add(self, call: Call, fields: dict[str, Any]) -> dict[str, Any]:
        """Keep a new one."""
        customer = {"id": f"cus-sandbox-{call.state.new_id()}", **fields}
        self.made[call.practice_group_id, customer["id"]] = customer
        return customer


@serves("customers.list", rules.query({"query": rules.text()}, required=("query",)))
def listing(call: Call) -> object:
    """Those whose name or e-mail address holds the text."""
    text = call.query["query"].casefold()
    found = [
        customer
        for (practice, _), customer in call.state.of(Customers).made.items()
        if practice == call.practice_group_id and text in f"{customer['name']} {customer.get('email', '')}".casefold()
    ]
    return everything(found, lambda customer: customer)


@serves("customers.create", _CREATE)
def create(call: Call) -> object:
    """Keep a customer."""
    fields: dict[str, Any] = {
        name: call.body[name] for name in ("name", "email", "phone", "sources") if name in call.body
    }
    customer = call.state.of(Customers).add(call, fields)
    note(call, "customers.create", customer["id"])
    return customer


@serves("customers.default", rules.query({"patient_id": rules.text(least=1)}, required=("patient_id",)))
def default(call: Call) -> object:
    """The customer that an invoice made the default, else one of the patient's own name."""
    patient = call.state.people.get(call.practice_group_id, call.query["patient_id"])
    if patient is None:
        raise missing("patient")
    customers = call.state.of(Customers)
    key = call.practice_group_id, patient.patient_id
    if key not in customers.defaults:
        own = {"name": f"{patient.first_name} {patient.last_name}", "phone": patient.mobile}
        customers.defaults[key] = customers.add(call, own)["id"]
    return customers.made[call.practice_group_id, customers.defaults[key]]
