"""The sandbox's rate limit: one token bucket a practice group."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from email.utils import format_datetime

import attrs


@attrs.define
class _Bucket:
    tokens: float
    filled_at: float


class Buckets:
    """Token buckets by practice group.

    Args:
        rate: Tokens a second; None for no limit.
        burst: How many a full bucket holds; by default one second's worth, at least 1.
    """

    def __init__(self, rate: float | None, burst: int | None = None) -> None:
        if rate is not None and not (rate > 0 and math.isfinite(rate)):
            raise ValueError("rate_limit must be requests a second, above 0, or None for no limit")
        if burst is not None and burst < 1:
            raise ValueError("rate_burst must be 1 or more")
        self._rate = rate
        self._size = float(burst or max(1, math.ceil(rate or 1)))
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, practice_group: str, now: float) -> float:
        """Take a token: 0. Or, with none left, take nothing: the seconds until there is one."""
        if self._rate is None:
            return 0.0
        bucket = self._buckets.get(practice_group)
        if bucket is None:
            bucket = self._buckets[practice_group] = _Bucket(self._size, now)
        bucket.tokens = min(self._size, bucket.tokens + (now - bucket.filled_at) * self._rate)
        bucket.filled_at = now
        # A float's rounding must not cost the caller who waited exactly long enough a token.
        if bucket.tokens >= 1 - 1e-9:
            bucket.tokens -= 1
            return 0.0
        return (1 - bucket.tokens) / self._rate


def retry_after(form: str, wait: float, now: datetime) -> dict[str, str]:
    """The headers of a 429: whole seconds or an HTTP date, both rounded up, or none."""
    if form == "absent":
        return {}
    if form == "seconds":
        return {"Retry-After": str(math.ceil(wait))}
    due = (now + timedelta(seconds=wait + 0.999999)).replace(microsecond=0)
    # The sandbox's clock may be ahead of the machine's: the answer's own date must be of the same clock.
    return {"Retry-After": format_datetime(due, usegmt=True), "Date": format_datetime(now, usegmt=True)}
