"""What can go wrong, as a tree.

    HeroError
    ├── ConfigurationError            settings that cannot work; nothing was sent
    ├── InvalidArgumentError          also a ValueError; an argument that breaks a rule; nothing was sent
    ├── APIConnectionError            no answer: DNS, connect, TLS, reset, cut
    │   └── APITimeoutError           the deadline or a phase limit passed
    ├── APIStatusError                an answer that is not 2xx
    │   ├── BadRequestError           400, with `.issues`
    │   ├── AuthenticationError       401
    │   ├── PermissionDeniedError     403
    │   ├── NotFoundError             404
    │   ├── ConflictError             409
    │   ├── UnprocessableEntityError  422
    │   ├── RateLimitError            429, with `.retry_after`
    │   └── InternalServerError       5xx
    ├── ResponseDecodeError           a 2xx answer that cannot be read, with `.problems`
    ├── ResponseTooLargeError         an answer over `max_response_bytes`
    ├── BookingError                  reserved, but the booking failed; tells what is held until when
    └── WebhookVerificationError      a delivery that is not proved to come from Hero

Every error tells by `.delivery` whether the request was processed: read it before you try again.
No text, repr or pickle of an error holds a value of the request or of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from hero_async.delivery import Delivery
from hero_async.hiding import hidden

_MEMORY_ONLY = ("body",)


def _revive(cls: type[HeroError], args: tuple[Any, ...], state: dict[str, Any]) -> HeroError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class HeroError(Exception):
    """Any error of this SDK."""

    operation: str | None = None
    """The operation's name, such as "messages.send"."""

    attempts: int = 0
    """How often the request was tried."""

    call_id: str | None = None
    """Our id of the call, as it stands in the log."""

    request_id: str | None = None
    """The server's id of the request, if it sent one (`x-request-id`; not confirmed by the reference)."""

    delivery: Delivery = Delivery.NO
    """Whether the request was processed."""

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        attempts: int = 0,
        call_id: str | None = None,
        request_id: str | None = None,
        delivery: Delivery = Delivery.NO,
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.attempts = attempts
        self.call_id = call_id
        self.request_id = request_id
        self.delivery = delivery

    def __str__(self) -> str:
        message = str(self.args[0]) if self.args else type(self).__name__
        if self.operation is None:
            return message
        parts = [self.operation]
        if self.attempts:
            parts.append(f"{self.attempts} attempt{'s' * (self.attempts != 1)}")
            parts.append(f"processed: {self.delivery.value}")
        if self.call_id:
            parts.append(f"call {self.call_id}")
        return f"{message} [{', '.join(parts)}]"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        state = {key: value for key, value in self.__dict__.items() if key not in _MEMORY_ONLY}
        return _revive, (type(self), self.args, state)


class ConfigurationError(HeroError):
    """The settings cannot work: a missing key, an unsafe address, two event loops. Nothing was sent."""


class InvalidArgumentError(HeroError, ValueError):
    """An argument breaks a rule. Nothing was sent. The message names the argument and the rule, not the value."""


class APIConnectionError(HeroError):
    """No whole answer came. `.delivery` tells whether the request may have been processed."""

    phase: str = "connect"
    """Where it was lost: "throttle", "pool", "dns", "connect", "tls", "wait" (for the answer) or "body"."""

    def __init__(self, message: str, *, phase: str = "connect", **context: Any) -> None:
        super().__init__(message, **context)
        self.phase = phase


class APITimeoutError(APIConnectionError):
    """Time ran out in `.phase`."""


class APIStatusError(HeroError):
    """The server answered with another status than 2xx."""

    status: int = 0
    """The HTTP status."""

    body: bytes = b""
    """The answer's body, in memory only: never in the text, the repr or a pickle of the error."""

    def __init__(self, message: str, *, status: int = 0, body: bytes = b"", **context: Any) -> None:
        super().__init__(message, **context)
        self.status = status
        self.body = body


@hidden
@attrs.frozen(repr=False)
class ValidationIssue:
    """One finding of a 400 answer. Its repr shows nothing of it, because a server may quote values in it."""

    code: str
    """The kind of finding."""

    expected: str
    """What the server would have accepted."""

    path: tuple[str | int, ...]
    """Where in the request: field names and indexes."""

    def __repr__(self) -> str:
        return "ValidationIssue(***)"


class BadRequestError(APIStatusError):
    """400: the server found the request wrong. It was not processed."""

    places: tuple[str, ...] = ()
    """Which arguments the server named, such as "recipients[3].dob". Only names of the operation, no values."""

    def __init__(self, message: str, *, places: tuple[str, ...] = (), **context: Any) -> None:
        super().__init__(message, **context)
        self.places = places

    @property
    def issues(self) -> tuple[ValidationIssue, ...]:
        """What the server found, if the body has the documented shape; in memory only, as `.body`."""
        from hero_async.codec import read_issues

        return read_issues(self.body)


class AuthenticationError(APIStatusError):
    """401: the key was not accepted."""


class PermissionDeniedError(APIStatusError):
    """403: the key may not do this, or not for this practice group."""


class NotFoundError(APIStatusError):
    """404: there is no such thing, or not for this practice group."""


class ConflictError(APIStatusError):
    """409: the thing is in another state."""


class UnprocessableEntityError(APIStatusError):
    """422: understood, but refused."""


class RateLimitError(APIStatusError):
    """429: too many requests for this practice group. It was not processed."""

    retry_after: float | None = None
    """Seconds that the server asks to wait, if it says."""

    def __init__(self, message: str, *, retry_after: float | None = None, **context: Any) -> None:
        super().__init__(message, **context)
        self.retry_after = retry_after


class InternalServerError(APIStatusError):
    """5xx: the server failed; it may have processed the request before it did."""


@attrs.frozen
class Problem:
    """One place of an answer that cannot be read."""

    path: str
    """Where, such as "$.data[3].dob"."""

    expected: str
    """What should stand there."""


class ResponseDecodeError(HeroError):
    """A 2xx answer that cannot be read. The request was processed."""

    problems: tuple[Problem, ...] = ()
    """Every place that cannot be read, and what was expected there. No values."""

    body: bytes = b""
    """The answer's body, in memory only: never in the text, the repr or a pickle of the error."""

    def __init__(self, message: str, *, problems: tuple[Problem, ...] = (), body: bytes = b"", **context: Any) -> None:
        super().__init__(message, **context)
        self.problems = problems
        self.body = body


class ResponseTooLargeError(HeroError):
    """The answer is larger than `max_response_bytes`, counted after decompression; reading stopped there."""

    limit: int = 0
    """The cap, in bytes."""

    def __init__(self, message: str, *, limit: int = 0, **context: Any) -> None:
        super().__init__(message, **context)
        self.limit = limit


class BookingError(HeroError):
    """A time was reserved, but `appointments.reserve_and_book` could not book it: it is held until it runs out.

    `.delivery` NO: it is not booked; book it by `appointments.book`, or leave it to run out. UNKNOWN: it may be
    booked; look at it by `appointments.get`. The error names the appointment's id, which says nothing of a person.
    """

    appointment_id: str = ""
    """Id of the appointment that is held."""

    reserved_until: datetime | None = None
    """When the hold ends; None when the server did not say."""

    def __init__(
        self, message: str, *, appointment_id: str = "", reserved_until: datetime | None = None, **context: Any
    ) -> None:
        super().__init__(message, **context)
        self.appointment_id = appointment_id
        self.reserved_until = reserved_until


class WebhookVerificationError(HeroError):
    """A delivery is not proved to come from Hero: do not act on it."""


BY_STATUS: Mapping[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}


def class_for(status: int) -> type[APIStatusError]:
    """The error class of a status."""
    if status >= 500:
        return InternalServerError
    return BY_STATUS.get(status, APIStatusError)
