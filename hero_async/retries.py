"""When is a request tried again, and after how long? Pure decisions: data in, data out.

A failure that proves "not processed" and can pass (DNS, connect, pool, 429) is tried again for every operation.
A failure that leaves it unknown (a lost answer, 408, 5xx) is tried again only if the operation is idempotent.
All else is final.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from itertools import islice

import attrs

from hero_async.delivery import Delivery

_LONGEST_RETRY_AFTER = 7 * 24 * 3600.0


@attrs.frozen
class Failure:
    """What a retry decision may know of an attempt that failed."""

    delivery: Delivery
    """Whether it was processed."""

    idempotent: bool
    """Whether the operation is safe to repeat."""

    status: int | None = None
    """The answer's status, or None when there was no answer."""

    retry_after: float | None = None
    """Seconds that the server asked to wait."""

    permanent: bool = False
    """Whether it cannot pass by itself: a certificate, an answer over the cap."""

    @property
    def may_repeat(self) -> bool:
        """Whether another attempt is both safe and of use."""
        if self.permanent:
            return False
        match self.delivery:
            case Delivery.YES:
                return False
            case Delivery.UNKNOWN:
                if self.status is not None and 300 <= self.status < 400:
                    return False
                return self.idempotent
            case Delivery.NO:
                return self.status is None or self.status == 429


@cache
def _ceilings(base: float, cap: float) -> tuple[float, ...]:
    """backoff's exponential sequence as a table. It yields None first, for its own decorators."""
    import backoff  # here, because it loads asyncio: making settings should not

    return tuple(islice(backoff.expo(base=2, factor=base, max_value=cap), 1, 33))


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often and how soon a request is tried again.

    Full jitter: a wait is drawn between zero and a ceiling that doubles, so that many clients spread out.
    """

    retries: int = attrs.field(default=2, validator=[attrs.validators.instance_of(int), attrs.validators.ge(0)])
    """How many times after the first attempt. 0: never."""

    base: float = attrs.field(default=0.5, validator=attrs.validators.gt(0))
    """Ceiling of the first wait, in seconds; it doubles with each further one."""

    cap: float = attrs.field(default=8.0, validator=attrs.validators.gt(0))
    """The highest ceiling, in seconds."""

    floor_429: float = attrs.field(default=1.0, validator=attrs.validators.ge(0))
    """The shortest wait after a 429 that names no time, in seconds."""

    retry_after_cap: float = attrs.field(default=60.0, validator=attrs.validators.gt(0))
    """The longest wait that the server may ask for, in seconds."""

    uniform: Callable[[float, float], float] = attrs.field(default=random.uniform, repr=False, eq=False)
    """Where chance comes from: draws between two bounds."""

    def ceiling(self, attempt: int) -> float:
        """The longest back-off after this attempt, in seconds. Attempts count from 1."""
        table = _ceilings(self.base, self.cap)
        return table[min(attempt, len(table)) - 1]

    def delay(self, attempt: int, failure: Failure) -> float | None:
        """Seconds to wait before the next attempt, or None to give up.

        Args:
            attempt: The number of the attempt that failed, from 1.
            failure: How it failed.
        """
        if attempt > self.retries or not failure.may_repeat:
            return None
        return self.wait(attempt, failure)

    def wait(self, attempt: int, failure: Failure) -> float:
        """Seconds to wait, were there another attempt. Never negative, never over the caps."""
        if failure.retry_after is not None:
            asked = max(failure.retry_after, 0.0)
            return min(asked + self.uniform(0.0, asked * 0.1), self.retry_after_cap)
        floor = self.floor_429 if failure.status == 429 else 0.0
        return floor + self.uniform(0.0, max(min(self.ceiling(attempt), self.cap - floor), 0.0))


class RetryBudget:
    """Tokens that retries cost and successes give back, so that a brown-out is not made worse by retrying.

    500 tokens: with everything failing, about a hundred retries are made in all, then none until calls succeed.
    """

    __slots__ = ("_tokens", "capacity")

    def __init__(self, capacity: float = 500.0) -> None:
        self.capacity: float = capacity
        self._tokens = capacity

    @property
    def tokens(self) -> float:
        """What is left."""
        return self._tokens

    def spend(self, failure: Failure) -> bool:
        """Pay for a retry. False: there is not enough left, so give up."""
        cost = 1.0 if failure.status == 429 else 5.0
        if self._tokens < cost:
            return False
        self._tokens -= cost
        return True

    def refund(self) -> None:
        """A call succeeded."""
        if self._tokens < self.capacity:
            self._tokens = min(self._tokens + 1.0, self.capacity)


def parse_retry_after(value: str | None, *, now: datetime, server_date: str | None = None) -> float | None:
    """Seconds from a `Retry-After` header: seconds, or a date. None when it is absent or means nothing.

    Args:
        value: The header's text.
        now: The time of day here, aware.
        server_date: The answer's `Date` header. A date is read against it, so that a clock
            that is wrong here does no harm.
    """
    if not value or len(value) > 100:
        return None
    text = value.strip()
    try:
        seconds = float(text) if text[:1] in set("+-.0123456789") else math.nan
    except ValueError:
        seconds = math.nan
    if math.isnan(seconds):
        moment = _http_date(text)
        if moment is None:
            return None
        reference = (_http_date(server_date) if server_date else None) or now
        seconds = (moment - reference).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)


def _http_date(text: str) -> datetime | None:
    import email.utils  # here, because it is large and a date is rare

    try:
        moment = email.utils.parsedate_to_datetime(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
