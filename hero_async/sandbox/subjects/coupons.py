"""Coupons: two, the same for everyone."""

from __future__ import annotations

from hero_async.sandbox.serving import Call, everything, serves

_COUPONS = (
    {"id": "coupon-sandbox-10", "name": "Ten per cent", "percent_off": 10},
    {"id": "coupon-sandbox-5", "name": "Five off", "amount_off": 5},
)


@serves("coupons.list")
def listing(call: Call) -> object:
    """The coupons."""
    return everything(_COUPONS, lambda coupon: coupon)
