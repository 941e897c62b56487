"""Invoices: answered as they were given, in the documented shape.

Not confirmed: the states "draft" and "open", that a draft is the default, that amounts are pence, that an unknown
issuer is a 400, that a change of what is final is a 400, and that an invoice of Stripe's need not be known.
"""

from __future__ import annotations

from typing import Any

from hero_async.sandbox import rules
from hero_async.sandbox.diary import Diary
from hero_async.sandbox.rules import Issue, Path
from hero_async.sandbox.serving import Call, missing, note, serves, wrong
from hero_async.sandbox.subjects.customers import Customers

_COUPONS = rules.array(rules.record({"id": rules.text()}, {"name": rules.text()}))
_ITEM = rules.record(
    {"quantity": rules.whole_number},
    {
        "unit_amount": rules.whole_number,
        "unit_amount_in_pounds": rules.number,
        "create": rules.boolean,
        **dict.fromkeys(("price", "product", "description", "stripe_id"), rules.text()),
    },
)
_FIELDS = {
    "set_default_customer": rules.boolean,
    "confidential": rules.boolean,
    "collection_method": rules.one_of("request_payment", "charge_automatically"),
    "mode": rules.one_of("draft", "finalize"),
    "coupons": _COUPONS,
    "invoice_items_attributes": rules.array(_ITEM),
    **dict.fromkeys(("patient_id", "appointment_id", "customer_stripe_id"), rules.text(least=1)),
    **dict.fromkeys(
        (
            "practitioner_id",
            "service_date",
            "due_date",
            "payment_source",
            "insurer",
            "authentication_code",
            "membership_number",
            "diagnosis",
            "memo",
            "footer",
        ),
        rules.text(),
    ),
}
_CHANGEABLE_WHEN_FINAL = frozenset({"issuer_id", "memo", "footer", "coupons"})
_INVOICE = rules.record({"issuer_id": rules.text(least=1)}, _FIELDS)


class Invoices:
    """Every invoice by its id, as it is shown."""

    def __init__(self) -> None:
        self.made: dict[str, dict[str, Any]] = {}
        self.owners: dict[str, str] = {}

    def find(self, call: Call, id: str) -> dict[str, Any] | None:
        """The practice group's invoice with this id, Hero's or Stripe's."""
        return next(
            (
                invoice
                for invoice in self.made.values()
                if id in (invoice["id"], invoice["stripe_id"]) and self.owners[invoice["id"]] == call.practice_group_id
            ),
            None,
        )


def _create(value: Any, path: Path, issues: list[Issue]) -> None:
    _INVOICE(value, path, issues)
    if rules.is_object(value) and "patient_id" not in value and "appointment_id" not in value:
        issues.append(rules.issue("invalid_type", "string", (*path, "patient_id")))


@serves("invoices.create", _create, status=201)
def create(call: Call) -> object:
    """Make an invoice."""
    body, practice = call.body, call.practice_group_id
    _check_issuer(call)
    patient_id = body.get("patient_id")
    if "appointment_id" in body:
        patient_id = _patient_of_appointment(call) or patient_id
    if patient_id is not None and call.state.people.get(practice, patient_id) is None:
        raise missing("patient")
    invoice = _make(call, f"in-sandbox-{call.state.new_id()}", patient_id)
    customer_id: str = body.get("customer_stripe_id", "")
    customers = call.state.of(Customers)
    is_known = (practice, customer_id) in customers.made
    if body.get("set_default_customer") and patient_id is not None and is_known:
        customers.defaults[practice, patient_id] = customer_id
    note(call, "invoices.create", invoice["id"])
    return invoice


def _check_issuer(call: Call) -> None:
    if call.practice.admin(call.body["issuer_id"]) is None:
        raise wrong("id of an admin", "issuer_id")


def _patient_of_appointment(call: Call) -> str | None:
    found = call.state.of(Diary).appointments.get(call.body["appointment_id"])
    if found is None or found.practice_group_id != call.practice_group_id or not found.is_there(call.now):
        raise missing("appointment")
    return found.patient_id


def _make(call: Call, stripe_id: str, patient_id: str | None) -> dict[str, Any]:
    amount = sum(item["quantity"] * _unit(item) for item in call.body.get("invoice_items_attributes", ()))
    invoice: dict[str, Any] = {
        "id": call.state.new_id(),
        "stripe_id": stripe_id,
        "status": "open" if call.body.get("mode") == "finalize" else "draft",
        "subtotal": amount,
        "amount_due": amount,
        "customer_id": call.body.get("customer_stripe_id"),
        "patient_record_id": patient_id,
        "appointment_id": call.body.get("appointment_id"),
        "created_at": call.now,
        "updated_at": call.now,
    }
    invoices = call.state.of(Invoices)
    invoices.made[invoice["id"]] = invoice
    invoices.owners[invoice["id"]] = call.practice_group_id
    return invoice


def _unit(item: dict[str, Any]) -> float:
    if "unit_amount" in item:
        return float(item["unit_amount"])
    return float(item.get("unit_amount_in_pounds", 0)) * 100


@serves("invoices.update", _INVOICE)
def update(call: Call) -> object:
    """Change an invoice; once it is final, only what the reference lists."""
    invoice = call.state.of(Invoices).find(call, call.path["id"])
    if invoice is None:
        raise missing("invoice")
    _check_issuer(call)
    if invoice["status"] != "draft" and not call.body.keys() <= _CHANGEABLE_WHEN_FINAL:
        raise wrong("memo, footer and coupons alone, as the invoice is final")
    if call.body.get("mode") == "finalize":
        invoice["status"] = "open"
    invoice["updated_at"] = call.now
    note(call, "invoices.update", invoice["id"])
    return invoice


_LINK = rules.record(
    {"stripe_invoice_id": rules.text(least=1), "appointment_id": rules.text(least=1)},
    {"issuer_id": rules.text(least=1)},
)


@serves("invoices.link", _LINK)
def link(call: Call) -> object:
    """Tie an invoice to an appointment. One that was not made here is taken for one of Stripe's."""
    patient_id = _patient_of_appointment(call)
    if "issuer_id" in call.body:
        _check_issuer(call)
    stripe_id = call.body["stripe_invoice_id"]
    invoice = call.state.of(Invoices).find(call, stripe_id) or _make(call, stripe_id, patient_id)
    invoice |= {"appointment_id": call.body["appointment_id"], "updated_at": call.now}
    note(call, "invoices.link", invoice["id"])
    return invoice
