"""What openapi-core is known to object to on the wire, and why. Each is shown to be there by a test.

Where types differ, `hero_async.drift.known` has the reasons.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import attrs

from hero_async.api.admins import PrescriberDetails
from hero_async.api.batch_messages import BatchRecipientByNhsNumber
from hero_async.drift.known import why_known

UNSHOWN_FORMS = (("CreateBatchMessageRequest", "recipients", 1),)
"""Alternatives of which the contract shows nothing but that they are objects: schema, field, index. They would let
anything pass, so nothing is judged by them."""


@attrs.frozen
class Difference:
    """One objection that is expected."""

    operation: str
    """SDK name; "*" for any."""

    field: str
    """As in `contract_judge.Objection`; "*" for any."""

    rule: str
    why: str
    shown_by: tuple[str, dict[str, Any]]
    """An operation and arguments with which it is there."""

    def covers(self, operation: str, field: str, rule: str) -> bool:
        """Whether this is what was expected."""
        return self.rule == rule and self.operation in ("*", operation) and self.field in ("*", field)


_DAY = date(1980, 2, 29)
_WHO = {"nhs_number": "9990000018", "dob": _DAY}

REQUESTS = (
    Difference(
        "*",
        "*",
        "EmptyQueryParameterValue",
        "OpenAPI forbids `search=` unless a parameter says otherwise; the SDK sends an empty text as it is",
        ("forms.list", {"search": ""}),
    ),
    Difference(
        "admins.update",
        "prescriber_details.email",
        "format",
        "the format is read off a sample: the SDK leaves it to the server to judge an address",
        ("admins.update", {"id": "1", "prescriber_details": PrescriberDetails(email="none")}),
    ),
    Difference(
        "customers.create",
        "email",
        "format",
        "the SDK leaves it to the server to judge an address",
        ("customers.create", {"name": "text", "email": "none"}),
    ),
    Difference(
        "batch_messages.create",
        "recipients[].dob",
        "format",
        why_known("request", "batch_messages.create.recipients[].dob", "date", "moment"),
        (
            "batch_messages.create",
            {"name": "n", "channel": "SMS", "content": "c", "recipients": [BatchRecipientByNhsNumber(**_WHO)]},
        ),
    ),
    *(
        Difference(
            "patients.register_pds",
            field,
            "undeclared",
            "one of two forms is meant; the SDK lets a caller give fields of both",
            ("patients.register_pds", _WHO | given),
        )
        for field, given in (
            ("forename", {"forename": "A"}),
            ("surname", {"surname": "A"}),
            ("postcode", {"postcode": "A"}),
        )
    ),
)
"""Requests that the SDK sends, and what openapi-core says of them."""

ANSWERS = (
    Difference(
        "batch_messages.list",
        "*",
        "required",
        why_known("answer", "batch_messages.list", "Page", "object"),
        ("batch_messages.list", {}),
    ),
)
"""Answers of the sandbox, likewise."""


def unexplained(known: tuple[Difference, ...], operation: str, objections: list[Any]) -> list[Any]:
    """The objections that no difference covers."""
    return [one for one in objections if not any(of.covers(operation, one.field, one.rule) for of in known)]
