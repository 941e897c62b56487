"""Invoices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from hero_async import operations as op
from hero_async.fields import NonEmpty, Ref, model
from hero_async.operations import Resource
from hero_async.resources import Mode


@model
class InvoiceCoupon:
    """A coupon on an invoice."""

    id: Ref
    """Id of the coupon, of `coupons.list`."""

    name: str | None = None
    """Its name."""


@model
class InvoiceItemAttributes:
    """A line of an invoice. How its fields depend on each other is not documented."""

    quantity: int
    """How many."""

    price: str | None = None
    """Most likely the id of a Stripe price: not confirmed."""

    product: str | None = None
    """Most likely the id of a Stripe product: not confirmed."""

    description: str | None = None
    """Text of the line."""

    unit_amount: int | None = None
    """Price of one. The unit is not documented; as there is `unit_amount_in_pounds`, it may be pence."""

    unit_amount_in_pounds: float | None = None
    """Price of one, in pounds."""

    create: bool | None = None
    """Not described in the reference."""

    stripe_id: Ref | None = None
    """Most likely the Stripe id of a line that exists: not confirmed."""


@model
class Invoice:
    """An invoice."""

    stripe_id: Ref
    """Id of the invoice with Stripe."""

    id: Ref | None = None
    """Id of the invoice with Hero."""

    status: str | None = None
    """Its state; the values are not documented."""

    subtotal: float | None = None
    """Sum of the lines. Neither currency nor unit (pounds or pence) is documented."""

    amount_due: float | None = None
    """What is to be paid. Neither currency nor unit is documented."""

    customer_id: Ref | None = None
    """Id of the customer."""

    patient_record_id: Ref | None = None
    """Id of the patient's record; whether it is the Hero id is not documented."""

    appointment_id: Ref | None = None
    """Id of the appointment."""

    created_at: str | None = None
    """When it was made: text, its format is not documented."""

    updated_at: str | None = None
    """When it was last changed: text, its format is not documented."""


class Invoices(Resource[Mode]):
    """Invoices."""

    @op.post("/v1/invoicing/invoices", id="createInvoice", needs=(("patient_id",), ("appointment_id",)))
    def create(
        self,
        *,
        issuer_id: NonEmpty,
        patient_id: NonEmpty | None = None,
        appointment_id: NonEmpty | None = None,
        practitioner_id: NonEmpty | None = None,
        service_date: date | str | None = None,
        customer_stripe_id: NonEmpty | None = None,
        set_default_customer: bool | None = None,
        due_date: date | str | None = None,
        collection_method: Literal["request_payment", "charge_automatically"] | None = None,
        payment_source: str | None = None,
        insurer: str | None = None,
        authentication_code: str | None = None,
        membership_number: str | None = None,
        diagnosis: str | None = None,
        memo: str | None = None,
        footer: str | None = None,
        confidential: bool | None = None,
        mode: Literal["draft", "finalize"] | None = None,
        coupons: Sequence[InvoiceCoupon] | None = None,
        invoice_items_attributes: Sequence[InvoiceItemAttributes] | None = None,
    ) -> Invoice:
        """Make an invoice for a patient. Give `patient_id` or `appointment_id`.

        Args:
            issuer_id: Id of the admin who issues it.
            patient_id: Hero id of the patient.
            appointment_id: Id of the appointment, whose patient is taken.
            practitioner_id: Id of the practitioner.
            service_date: Day of the service, sent as YYYY-MM-DD; or text as it is: the format is not documented.
            customer_stripe_id: Stripe id of the customer who is billed.
            set_default_customer: Whether that customer is billed for the patient from now on.
            due_date: Day by which to pay, sent as YYYY-MM-DD; or text as it is: the format is not documented.
            collection_method: Ask for the payment, or take it.
            payment_source: What to take it from; the values are not documented.
            insurer: Who insures the patient.
            authentication_code: The insurer's code.
            membership_number: The patient's number with the insurer.
            diagnosis: Diagnosis.
            memo: A text on the invoice.
            footer: A text at its foot.
            confidential: Whether it is confidential; what that does is not documented.
            mode: Leave it a draft, or make it final. The server's default is not documented.
            coupons: Coupons to apply.
            invoice_items_attributes: The lines.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/invoicing/createinvoice
        """
        ...

    @op.patch("/v1/invoicing/invoices/{id}", id="updateInvoice", evidence="sampled")
    def update(
        self,
        id: str,
        *,
        issuer_id: NonEmpty,
        memo: str | None = None,
        footer: str | None = None,
        coupons: Sequence[InvoiceCoupon] | None = None,
    ) -> Invoice:
        """Change an invoice. A draft takes more fields than these; the reference is cut before it lists them.

        Once it is final, only `memo`, `footer` and `coupons` can change. The form of the answer is not confirmed.

        Args:
            id: Id of the invoice. Whether Hero's or Stripe's is not documented.
            issuer_id: Id of the admin who makes the change.
            memo: A text on the invoice.
            footer: A text at its foot.
            coupons: Coupons to apply.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/invoicing/updateinvoice
        """
        ...

    @op.post("/v1/invoicing/invoices/link", id="linkInvoice", evidence="sampled")
    def link(
        self,
        *,
        stripe_invoice_id: NonEmpty | None = None,
        appointment_id: NonEmpty | None = None,
        issuer_id: NonEmpty | None = None,
    ) -> Invoice:
        """Tie an invoice that Stripe has to an appointment. Which fields may be left out is not documented.

        Args:
            stripe_invoice_id: Stripe id of the invoice.
            appointment_id: Id of the appointment.
            issuer_id: Id of the admin who does it.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/invoicing/linkinvoice
        """
        ...
