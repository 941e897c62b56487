"""Was the request processed? The one question that a retry, a journal and a person must all answer alike."""

from __future__ import annotations

from enum import Enum


class Delivery(Enum):
    """What is known of a call's effect on the server."""

    NO = "no"
    """It was not processed: refused here, never connected, or refused by the server (429, most 4xx)."""

    YES = "yes"
    """It was processed: a 2xx status line was read, even if the body behind it was cut or unreadable."""

    UNKNOWN = "unknown"
    """It may have been processed: the connection was lost after it was handed over, or a 408, 3xx or 5xx."""


def of_status(status: int) -> Delivery:
    """The verdict of a status line. Once it was read, it decides, whatever happens to the body."""
    if 200 <= status < 300:
        return Delivery.YES
    if 400 <= status < 500 and status != 408:
        return Delivery.NO
    return Delivery.UNKNOWN


def of_loss(*, left: bool, status: int | None) -> Delivery:
    """The verdict of an attempt that ended without a whole answer.

    Args:
        left: Whether the request was handed to a connection, so that bytes may have left this machine.
        status: The status line, if one was read before the loss.
    """
    if status is not None:
        return of_status(status)
    return Delivery.UNKNOWN if left else Delivery.NO
