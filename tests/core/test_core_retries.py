"""When a request is tried again: the whole truth table, the waits, `Retry-After`, and the budget."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hero_async import Delivery, RetryPolicy
from hero_async.delivery import of_status
from hero_async.retries import Failure, RetryBudget, parse_retry_after

NO, YES, UNKNOWN = Delivery.NO, Delivery.YES, Delivery.UNKNOWN
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def lowest(low: float, high: float) -> float:
    return low


def highest(low: float, high: float) -> float:
    return high


# The truth table: delivery, status, then whether (a read, a write) is tried again. `permanent` is never.

TABLE = [
    (NO, None, True, True),  # DNS, connect, pool wait
    (NO, 429, True, True),
    (NO, 400, False, False),
    (NO, 401, False, False),
    (NO, 403, False, False),
    (NO, 404, False, False),
    (NO, 409, False, False),
    (NO, 413, False, False),
    (NO, 422, False, False),
    (YES, None, False, False),
    (YES, 200, False, False),
    (YES, 204, False, False),
    (UNKNOWN, None, True, False),  # a lost answer
    (UNKNOWN, 408, True, False),
    (UNKNOWN, 500, True, False),
    (UNKNOWN, 502, True, False),
    (UNKNOWN, 503, True, False),
    (UNKNOWN, 504, True, False),
    (UNKNOWN, 301, False, False),
    (UNKNOWN, 302, False, False),
    (UNKNOWN, 307, False, False),
]


@pytest.mark.parametrize("permanent", [False, True])
@pytest.mark.parametrize("idempotent", [True, False])
@pytest.mark.parametrize(("delivery", "status", "read", "write"), TABLE)
def test_the_truth_table(
    delivery: Delivery, status: int | None, read: bool, write: bool, idempotent: bool, permanent: bool
) -> None:
    failure = Failure(delivery=delivery, idempotent=idempotent, status=status, permanent=permanent)
    expected = (read if idempotent else write) and not permanent
    assert failure.may_repeat is expected
    policy = RetryPolicy(retries=3, uniform=highest)
    assert [policy.delay(attempt, failure) is not None for attempt in (1, 2, 3, 4)] == [expected] * 3 + [False]


@pytest.mark.parametrize("status", range(200, 600))
def test_a_write_is_repeated_after_a_429_and_after_no_other_answer(status: int) -> None:
    failure = Failure(delivery=of_status(status), idempotent=False, status=status)
    assert failure.may_repeat is (status == 429)


@pytest.mark.parametrize(("delivery", "status"), list(product(Delivery, [None, 408, 429, 503])))
def test_no_retries_means_none(delivery: Delivery, status: int | None) -> None:
    failure = Failure(delivery=delivery, idempotent=True, status=status, retry_after=0.0)
    assert RetryPolicy(retries=0).delay(1, failure) is None


# Waits

LOST = Failure(delivery=UNKNOWN, idempotent=True)
REFUSED = Failure(delivery=NO, idempotent=False, status=429)


def test_ceilings_double_up_to_the_cap() -> None:
    policy = RetryPolicy(retries=100, uniform=highest)
    assert [policy.delay(attempt, LOST) for attempt in range(1, 8)] == [0.5, 1, 2, 4, 8, 8, 8]
    assert policy.delay(100, LOST) == 8
    assert RetryPolicy(base=20, cap=3).ceiling(1) == 3


def test_jitter_goes_down_to_zero() -> None:
    policy = RetryPolicy(retries=9, uniform=lowest)
    assert [policy.delay(attempt, LOST) for attempt in (1, 5, 9)] == [0, 0, 0]


def test_a_429_that_names_no_time_waits_a_second_at_least_and_the_cap_at_most() -> None:
    assert [RetryPolicy(retries=9, uniform=lowest).delay(n, REFUSED) for n in (1, 5, 9)] == [1, 1, 1]
    assert [RetryPolicy(retries=9, uniform=highest).delay(n, REFUSED) for n in (1, 2, 3, 4, 5, 9)] == [
        1.5,
        2,
        3,
        5,
        8,
        8,
    ]
    assert RetryPolicy(cap=8, floor_429=20, uniform=highest).delay(1, REFUSED) == 20


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [(0, 0, 0), (-5, 0, 0), (2, 2, 2.2), (30, 30, 33), (58, 58, 60), (60, 60, 60), (3600, 60, 60), (1e308, 60, 60)],
)
def test_what_the_server_asks_for_is_waited_with_a_tenth_of_jitter_and_capped(
    asked: float, least: float, most: float
) -> None:
    failure = Failure(delivery=NO, idempotent=False, status=429, retry_after=asked)
    waits = [RetryPolicy(uniform=draw).delay(1, failure) for draw in (lowest, highest)]
    assert waits == [pytest.approx(least), pytest.approx(most)]


def test_what_the_server_asks_for_counts_for_a_503_as_well() -> None:
    failure = Failure(delivery=UNKNOWN, idempotent=True, status=503, retry_after=4.0)
    assert RetryPolicy(uniform=lowest).delay(1, failure) == 4.0


@given(
    attempt=st.integers(1, 2000),
    status=st.sampled_from([None, 408, 429, 503]),
    retry_after=st.none() | st.floats(-1e9, 1e9),
    base=st.floats(1e-6, 1e6),
    cap=st.floats(1e-6, 1e6),
    floor=st.floats(0, 100),
    fraction=st.floats(0, 1),
)
def test_a_wait_is_never_negative_nor_over_the_caps(
    attempt: int,
    status: int | None,
    retry_after: float | None,
    base: float,
    cap: float,
    floor: float,
    fraction: float,
) -> None:
    policy = RetryPolicy(base=base, cap=cap, floor_429=floor, uniform=lambda low, high: low + (high - low) * fraction)
    failure = Failure(delivery=NO, idempotent=True, status=status, retry_after=retry_after)
    wait = policy.wait(attempt, failure)
    assert 0 <= wait <= (60.0 if retry_after is not None else max(cap, floor if status == 429 else 0)) * (1 + 1e-12)


def test_full_jitter_uses_all_of_the_range() -> None:
    policy = RetryPolicy(retries=3)
    drawn = [policy.delay(3, LOST) or 0.0 for _ in range(2000)]
    assert min(drawn) < 0.2
    assert max(drawn) > 1.8
    assert 0.9 < sum(drawn) / len(drawn) < 1.1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("retries", -1),
        ("retries", 1.5),
        ("retries", "2"),
        ("base", 0),
        ("base", -1),
        ("base", math.nan),
        ("cap", 0),
        ("cap", math.nan),
        ("floor_429", -1),
        ("floor_429", math.nan),
        ("retry_after_cap", 0),
        ("retry_after_cap", math.nan),
    ],
)
def test_a_policy_that_cannot_work_is_refused(name: str, value: object) -> None:
    with pytest.raises((ValueError, TypeError), match=name):
        RetryPolicy(**{name: value})  # type: ignore[arg-type]  # that is what is tried


# Retry-After


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("   ", None),
        ("soon", None),
        ("nan", None),
        ("-nan", None),
        ("inf", None),
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("1.5", 1.5),
        (".5", 0.5),
        ("-3", 0),
        ("0x10", None),
        ("7 seconds", None),
        ("7;8", None),
        ("1e400", 604800),
        ("9" * 99, 604800),
        ("9" * 101, None),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30),
        ("Sunday, 01-Mar-26 12:00:30 GMT", 30),
        ("Sun Mar  1 12:00:30 2026", 30),
        ("Sun, 01 Mar 2026 13:00:30 +0100", 30),
        ("Sun, 01 Mar 2026 11:59:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 604800),
        ("Sun, 31 Feb 2026 12:00:00 GMT", None),
    ],
)
def test_all_forms_of_retry_after(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text, now=NOW) == seconds


def test_a_date_is_read_against_the_clock_of_the_server() -> None:
    wrong_here = NOW - timedelta(days=400)
    later = format_datetime(NOW + timedelta(seconds=20), usegmt=True)
    assert parse_retry_after(later, now=wrong_here, server_date=format_datetime(NOW, usegmt=True)) == 20
    assert parse_retry_after(later, now=NOW, server_date="rubbish") == 20


HTTP_LIKE = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Sun", "Monday", "", "X"]),
    st.integers(-1, 99),
    st.sampled_from(["Mar", "Feb", "Foo", "13"]),
    st.integers(-1, 99999),
    st.integers(-1, 99),
    st.integers(-1, 99),
    st.integers(-1, 99),
    st.sampled_from(["GMT", "+9999", "-9999", "+0000", "-0000", "", "EST", "+99999999999"]),
)
NUMBER_LIKE = st.floats().map(str) | st.integers().map(str) | st.text("0123456789+-.eE_ ", max_size=30)


@given(st.none() | st.text(max_size=120) | HTTP_LIKE | NUMBER_LIKE, st.none() | st.text(max_size=60) | HTTP_LIKE)
@settings(max_examples=300)
def test_no_text_breaks_the_reader_of_retry_after(text: str | None, server_date: str | None) -> None:
    seconds = parse_retry_after(text, now=NOW, server_date=server_date)
    assert seconds is None or 0 <= seconds <= 604800


@given(NUMBER_LIKE | HTTP_LIKE, st.integers(1, 50))
def test_no_text_makes_a_wait_over_the_cap(text: str, attempt: int) -> None:
    failure = Failure(delivery=NO, idempotent=False, status=429, retry_after=parse_retry_after(text, now=NOW))
    assert 0 <= RetryPolicy(retries=99, retry_after_cap=10).wait(attempt, failure) <= 10


# The budget


def test_a_brown_out_is_not_made_worse_than_by_a_hundred_retries() -> None:
    budget = RetryBudget()
    calls, retries = 1000, 0
    for _ in range(calls):
        retries += sum(budget.spend(LOST) for _ in range(2))
    assert retries == 100
    assert budget.tokens == 0


def test_a_rate_limit_costs_a_fifth_of_a_fault() -> None:
    budget = RetryBudget(10)
    assert [budget.spend(REFUSED) for _ in range(11)] == [True] * 10 + [False]


def test_success_earns_retries_back_but_never_over_the_capacity() -> None:
    budget = RetryBudget(10)
    for _ in range(100):
        budget.refund()
    assert budget.tokens == 10
    assert [budget.spend(LOST) for _ in range(3)] == [True, True, False]
    for _ in range(4):
        budget.refund()
    assert not budget.spend(LOST)
    budget.refund()
    assert budget.spend(LOST)
    assert budget.tokens == 0


def test_in_a_partial_outage_retries_stay_a_fifth_of_the_successes() -> None:
    budget = RetryBudget(50)
    sent = made = 0
    for number in range(10_000):
        sent += 1
        if number % 2:
            budget.refund()
        else:
            made += budget.spend(LOST)
    assert made <= 10 + sent / 2 / 5
