"""Where SDK and reference differ on purpose, or where the reference is unclear; and why.

The only list of them: the tests compare SDK and contract by code of their own and must find these and no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

import attrs


@attrs.frozen
class Known:
    """Differences of one kind that have one reason."""

    side: str
    """"request" or "answer"."""

    why: str
    ours: str
    """What the SDK has there."""

    theirs: str
    """What the reference has."""

    where: tuple[str, ...]


_DAYS_SENT: Final = "days are dates, whatever the reference calls them"
_DAYS_READ: Final = "days are dates, read from a date or a date-time"
_DAYS_AS_TEXT: Final = "days are dates; text is taken too where the format is not documented"
_MOMENTS: Final = "moments are aware datetimes: the texts of the reference are ISO 8601"
_COUNTS_SENT: Final = "a count is a whole number"
_COUNTS_READ: Final = "a count is a whole number, as are ids that are numbers and a card's expiry"


def _each(prefixes: tuple[str, ...], *names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{name}" for prefix, name in product(prefixes, names))


KNOWN: Final = (
    Known(
        "request",
        "page numbers are int in Python, everywhere",
        "int",
        "text",
        _each(
            ("admins.list", "automated_messages.list", "patients.list", "short_links.list"), "page_index", "page_size"
        ),
    ),
    Known(
        "request",
        _DAYS_SENT,
        "date",
        "text",
        (
            "booking_links.create.expiry_date",
            "booking_links.create.from_date",
            "booking_links.create.to_date",
            "booking_links.update.from_date",
            "booking_links.update.to_date",
            "patients.list.dob",
            "patients.register.dob",
            "patients.register_pds.dob",
        ),
    ),
    Known(
        "request",
        "typed a date-time, but every sample of a date of birth is a day, and a day is sent",
        "date",
        "moment",
        ("batch_messages.create.recipients[].dob",),
    ),
    Known(
        "request",
        _DAYS_AS_TEXT,
        "date | text",
        "text",
        (
            "attachment_links.create.expiry_date",
            "invoices.create.due_date",
            "invoices.create.service_date",
            *_each(("slots.count", "slots.list"), "end_date", "start_date"),
        ),
    ),
    Known(
        "request",
        _MOMENTS,
        "moment",
        "text",
        _each(
            ("appointments.create", "appointments.edit", "appointments.reschedule", "slots.check_availability"),
            "start_time",
        ),
    ),
    Known("request", _MOMENTS, "moment | text", "text", ("messages.send.send_at",)),
    Known(
        "request",
        _COUNTS_SENT,
        "int",
        "number",
        (
            "attachment_links.create.maximum_use_count",
            "booking_links.create.maximum_use_count",
            *_each(("customers.create.sources[]",), "exp_month", "exp_year"),
        ),
    ),
    Known(
        "request",
        "an NHS number is more than text",
        "NHS number",
        "text",
        _each(
            ("batch_messages.create.recipients[]", "patients.list", "patients.register", "patients.register_pds"),
            "nhs_number",
        ),
    ),
    Known(
        "answer",
        "the reference shows one batch where a list is meant: both are read",
        "Page",
        "object",
        ("batch_messages.list",),
    ),
    Known("answer", _DAYS_READ, "date", "text", ("episodes.get.tasks[].patient.dob", "patients.list[].dob")),
    Known(
        "answer",
        _DAYS_READ,
        "date",
        "moment",
        _each(
            (
                "episodes.list[].patient",
                "patients.ehr_candidates[]",
                "patients.get",
                "patients.get_v1",
                "patients.list_v2[]",
                "tasks.get.patient",
            ),
            "dob",
        ),
    ),
    Known(
        "answer",
        "the schema of an appointment has a date-time there, and the page of this one prints no formats",
        "moment",
        "text",
        ("appointments.create.reserved_until",),
    ),
    Known(
        "answer",
        _COUNTS_READ,
        "int",
        "number",
        (
            "appointment_types.list[].slot_count",
            *_each(("booking_links.get",), "maximum_uses", "number_of_uses", "open_count"),
            *_each(
                ("customers.create.sources[]", "customers.default.sources[]", "customers.list[].sources[]"),
                "exp_month",
                "exp_year",
            ),
            *_each(
                ("form_responses.get",),
                "id",
                "admin_id",
                "appointment_id",
                "client_id",
                "form_id",
                "invoice_id",
                "practice_group_id",
                "short_link_id",
            ),
            *_each(("notes.create",), "id", "admin.id", "practice_group_id"),
        ),
    ),
    Known(
        "answer",
        "known from an illustration only: read from `raw` by properties",
        "anything",
        "object",
        ("practice_group.get",),
    ),
)


def lines(side: str) -> Iterator[str]:
    """What is known of requests or of answers, each as "where: ours, not theirs"."""
    for known in KNOWN:
        if known.side == side:
            yield from (f"{where}: {known.ours}, not {known.theirs}" for where in known.where)


_WHY: Final[Mapping[tuple[str, str, str, str], str]] = {
    (known.side, where, known.ours, known.theirs): known.why for known in KNOWN for where in known.where
}


def why_known(side: str, where: str, ours: str, theirs: str) -> str:
    """The reason of a difference that was known when this SDK was made; empty for any other."""
    return _WHY.get((side, where, ours, theirs), "")
