"""What the reference leaves open, as switches: a client must live with every setting."""

from __future__ import annotations

from typing import Any, Literal

import attrs


def _positive(_: Any, field: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and not value > 0:
        raise ValueError(f"{field.name} must be above 0, or None")


@attrs.frozen(kw_only=True)
class Quirks:
    """How this Hero behaves where the reference is silent. No default here is confirmed.

    Read at each request: `sandbox.quirks = attrs.evolve(sandbox.quirks, …)` works while it runs.
    """

    pages: Literal["from_zero", "from_one", "none"] = "from_zero"
    """Whether `page_index` counts from 0, from 1 (0 then gives the first page too), or is ignored, and
    `page_size` with it, so that each answer holds all items."""

    default_page_size: int = attrs.field(default=50, validator=attrs.validators.ge(1))
    """Items on a page when the request names no size, or 0."""

    first_page_slots: int = attrs.field(default=500, validator=attrs.validators.ge(1))
    """Slots that the list of slots answers at most: the reference says that it is paginated, but shows no paging
    parameter, so the first page is all there is, and `count` may tell of more. With `pages="none"` all come."""

    count: Literal["total", "page"] = "total"
    """What `count` counts: all matches or the items on this page."""

    batch_list: Literal["page", "object"] = "page"
    """"object": the list of batches answers the newest batch alone, as the reference's sample shows."""

    list_lag: float = 0.0
    """Seconds until a new batch is in the list of batches."""

    status_lag: float = 0.0
    """How many seconds old the shown states of a batch, its recipients and its messages are."""

    pending_before_send: bool = False
    """A new batch turns PENDING by itself, before it is sent."""

    pending_seconds: float = 1.0
    """How long a batch stays PENDING."""

    sending_seconds: float = 1.0
    """How long a batch stays SENDING."""

    second_send: Literal["repeat", "conflict", "ignore"] = "conflict"
    """What a second send of a batch does: everyone gets it again, 409, or 200 and nothing."""

    send_answer: Literal["batch", "empty"] = "batch"
    """What a send of a batch answers with: the batch, or no body."""

    recipients_by: Literal["patient_id", "nhs_number", "id"] = "patient_id"
    """How the lists of a batch tell who a recipient is: beside `id`, by one of these, or by `id` alone."""

    hold_seconds: float | None = attrs.field(default=900.0, validator=_positive)
    """How long a reservation holds its time; None: until it is booked, and `reserved_until` is null."""

    taken: Literal["bad_request", "conflict", "not_found"] = "bad_request"
    """How a time that is not free is refused. The reference lists 400 and 404 for a reservation, and no 409."""

    second_booking: Literal["conflict", "ignore"] = "conflict"
    """What booking an appointment does that is booked: 409, or 200 and nothing."""

    unshown: Literal["small", "empty"] = "small"
    """What an operation answers whose body the reference does not show: a small object, or no body. Lists answer
    `data` and `count` all the same. For the send of a batch see `send_answer`."""

    login_url_share: float = 0.0
    """Share of the seeded patients, 0 to 1, whom PDS answers with a `login_url`: the seed picks them."""

    retry_after: Literal["seconds", "date", "absent"] = "seconds"
    """How a 429 of the rate limit tells when to come back."""

    record_outcome: Literal["succeeded", "failed"] = "succeeded"
    """What comes of a message's `auto_write_to_record`."""

    webhook_retries: tuple[float, ...] = (1.0, 10.0, 60.0)
    """Seconds on the sandbox's clock after which a delivery that was not answered 2xx is posted again; () for none."""

    webhook_resigned: bool = False
    """Each retry is signed anew, with its own time. If not, it is a copy to the byte."""

    webhook_copies: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    """How often each delivery is posted, at one moment: 2 for a duplicate of each."""

    webhook_signature: Literal["hex", "sha256=hex", "base64", "base64url"] = "hex"
    """How the signature of a delivery is written."""

    webhook_timestamp: Literal["seconds", "milliseconds", "iso"] = "seconds"
    """How the time of a delivery is written."""

    extra_fields: bool = False
    """Every JSON object of an answer has a field that the reference does not name."""

    unknown_values: bool = False
    """Enumerated fields of an answer (status, priority, title, sex, …) hold a value that the reference lacks."""

    max_body_bytes: int = 16 * 1024 * 1024
    """Larger request bodies are answered 413."""
