"""How fast a practice group is called, on a clock that only sleeping moves."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Generator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hero_async import RateLimit, clock
from hero_async.clock import VirtualClock
from hero_async.throttle import Lane, Throttle

pytestmark = pytest.mark.anyio


@pytest.fixture
def time() -> Generator[VirtualClock, None, None]:
    virtual = VirtualClock()
    with clock.use(virtual):
        yield virtual


async def leave(lane: Lane, until: float = math.inf) -> float:
    """When an attempt left."""
    await lane.enter(until=until)
    return clock.monotonic()


async def leaving(lane: Lane, seconds: float) -> list[float]:
    """When attempts left, with as many as the lane lets out, for that long."""
    start = clock.monotonic()
    left: list[float] = []
    while (moment := await leave(lane)) < start + seconds:
        left.append(moment)
    return left


# The text of a limit


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("20/s", 20),
        ("1200/min", 20),
        ("1200 / m", 20),
        ("72000/h", 20),
        ("72000/hour", 20),
        (" 0.5/s ", 0.5),
        ("30/minute", 0.5),
    ],
)
def test_a_limit_is_a_count_and_a_unit(text: str, rate: float) -> None:
    assert RateLimit(text).rate == rate


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20",
        "/s",
        "20/",
        "0/s",
        "0.0/min",
        "-1/s",
        "+1/s",
        "1e3/s",
        "nan/s",
        "inf/s",
        "20/d",
        "20/S",
        "20s",
        "2/s/s",
    ],
)
def test_a_limit_that_is_none_says_what_one_is(text: str) -> None:
    with pytest.raises(ValueError, match='must be a count and a unit, such as "20/s", "1200/min" or "5000/h"'):
        RateLimit(text)


@pytest.mark.parametrize("value", [20, 20.0, None, b"20/s", ["20/s"]])
def test_a_limit_that_is_no_text(value: object) -> None:
    with pytest.raises(ValueError, match="must be a count and a unit"):
        RateLimit(value)  # type: ignore[arg-type]  # that is what is tried


@pytest.mark.parametrize("burst", [0, -1, math.nan])
def test_a_burst_is_one_at_least(burst: int) -> None:
    with pytest.raises(ValueError, match="burst"):
        RateLimit("20/s", burst=burst)


@given(st.text(max_size=40) | st.from_regex(r"[0-9.+eE-]{1,8}/(s|min|m|h|d)?"))
def test_any_text_is_a_limit_above_zero_or_refused(text: str) -> None:
    rate = 1.0
    told = "must be a count and a unit"
    try:
        rate = RateLimit(text).rate
    except ValueError as refused:
        told = str(refused)
    assert rate > 0
    assert "must be a count and a unit" in told


# Pacing


@pytest.mark.parametrize(("text", "in_a_minute"), [("20/s", 1200), ("120/min", 120), ("0.5/s", 30), ("1000/s", 60_000)])
async def test_a_minute_holds_what_the_limit_says(time: VirtualClock, text: str, in_a_minute: int) -> None:
    left = await leaving(Lane(RateLimit(text)), 60)
    allowance = 1 + 0.02 * in_a_minute / 60  # a late timer may catch up with 20 ms
    assert in_a_minute * 0.999 <= len(left) <= in_a_minute + allowance


async def test_attempts_leave_evenly(time: VirtualClock) -> None:
    left = await leaving(Lane(RateLimit("20/s")), 2)
    gaps = [later - earlier for earlier, later in pairwise(left[1:])]
    assert gaps == [pytest.approx(0.05)] * len(gaps)


async def test_no_quiet_time_saves_up_a_burst(time: VirtualClock) -> None:
    lane = Lane(RateLimit("20/s"))
    await leaving(lane, 1)
    time.advance(3600)
    assert len(await leaving(lane, 1)) <= 21


async def test_a_burst_is_let_out_only_after_a_quiet_time(time: VirtualClock) -> None:
    lane = Lane(RateLimit("10/s", burst=5))
    time.advance(100)
    start = clock.monotonic()
    left = [await leave(lane) for _ in range(8)]
    assert left[:5] == [start] * 5
    assert left[5:] == [pytest.approx(start + 0.1 * late) for late in (1, 2, 3)]


async def test_many_waiters_share_the_pace(time: VirtualClock) -> None:
    lane = Lane(RateLimit("10/s"))
    left = await asyncio.gather(*(leave(lane) for _ in range(50)))
    assert list(left) == sorted(left)
    assert left[-1] == pytest.approx(4.9, abs=0.05)


async def test_the_wait_is_told(time: VirtualClock) -> None:
    lane = Lane(RateLimit("1/s"))
    waited = [await lane.enter(until=math.inf) for _ in range(3)]
    assert waited == [0, pytest.approx(1), pytest.approx(1)]


# First come, first served; and going away


async def test_first_come_first_served(time: VirtualClock) -> None:
    lane = Lane(RateLimit("10/s"))
    order: list[int] = []

    async def one(number: int) -> None:
        await lane.enter(until=math.inf)
        order.append(number)

    tasks: list[asyncio.Task[None]] = []
    for number in range(30):
        tasks.append(asyncio.create_task(one(number)))
        if number % 7 == 0:
            await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert order == list(range(30))


@pytest.mark.parametrize("gone", [0, 1, 5, 9])
async def test_a_waiter_who_goes_away_leaves_no_trace(time: VirtualClock, gone: int) -> None:
    lane = Lane(RateLimit("10/s"))
    await lane.enter(until=math.inf)
    tasks = [asyncio.create_task(leave(lane)) for _ in range(10)]
    await asyncio.sleep(0)
    tasks[gone].cancel()
    left = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(left[gone], asyncio.CancelledError)
    stayed = [moment for moment in left if isinstance(moment, float)]
    assert len(stayed) == 9
    assert stayed == sorted(stayed)
    assert stayed[-1] == pytest.approx(0.98, abs=0.1)  # no turn was lost to the one who went
    assert await asyncio.wait_for(lane.enter(until=math.inf), 5) <= 0.11


async def test_all_waiters_go_away_and_the_lane_still_works(time: VirtualClock) -> None:
    lane = Lane(RateLimit("10/s"))
    tasks = [asyncio.create_task(leave(lane)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    start = clock.monotonic()
    assert await asyncio.wait_for(leave(lane), 5) - start <= 0.2


# A 429


async def test_one_429_pauses_all_waiters(time: VirtualClock) -> None:
    lane = Lane()
    sent_at = clock.monotonic()
    assert await leave(lane) == 0
    lane.cool_down(5, sent_at=sent_at)
    left = await asyncio.gather(*(leave(lane) for _ in range(10)))
    assert min(left) == pytest.approx(5)
    assert lane.delay(clock.monotonic()) > 0


async def test_a_pause_that_comes_while_waiting_is_kept(time: VirtualClock) -> None:
    lane = Lane(RateLimit("1/s"))
    await lane.enter(until=math.inf)
    waiter = asyncio.create_task(leave(lane))
    await asyncio.sleep(0)
    lane.cool_down(30, sent_at=clock.monotonic())
    assert await waiter == pytest.approx(30)


async def test_a_shorter_pause_does_not_end_a_longer_one(time: VirtualClock) -> None:
    lane = Lane()
    lane.cool_down(10, sent_at=0)
    lane.cool_down(1, sent_at=0)
    assert await leave(lane) == pytest.approx(10)


async def test_a_pause_that_outlives_the_deadline_is_not_waited_for(time: VirtualClock) -> None:
    lane = Lane()
    lane.cool_down(60, sent_at=0)
    with pytest.raises(TimeoutError):
        await lane.enter(until=30)
    assert time.slept == []
    assert await leave(lane, until=61) == pytest.approx(60)


async def test_a_deadline_that_is_refused_holds_nobody_up(time: VirtualClock) -> None:
    lane = Lane()
    lane.cool_down(10, sent_at=0)
    left = await asyncio.gather(leave(lane, until=5), leave(lane), return_exceptions=True)
    assert isinstance(left[0], TimeoutError)
    assert left[1] == pytest.approx(10)


async def test_a_paced_lane_keeps_its_pace_after_a_429(time: VirtualClock) -> None:
    lane = Lane(RateLimit("20/s"))
    await leaving(lane, 5)
    lane.cool_down(2, sent_at=clock.monotonic())
    assert lane.rate == 20
    await leave(lane)
    assert 199 <= len(await leaving(lane, 10)) <= 201


# Without a limit: adapt


async def test_a_free_lane_waits_for_nothing(time: VirtualClock) -> None:
    lane = Lane()
    assert lane.rate == math.inf
    for _ in range(1000):
        await lane.enter(until=0)
    assert time.slept == []


async def busy(lane: Lane, time: VirtualClock, *, rate: int, seconds: int) -> None:
    """Calls at a steady rate on a free lane."""
    for _ in range(rate * seconds):
        await lane.enter(until=math.inf)
        time.advance(1 / rate)


async def test_after_a_429_a_free_lane_starts_slowly_and_grows_to_seven_tenths(time: VirtualClock) -> None:
    lane = Lane()
    await busy(lane, time, rate=100, seconds=3)
    lane.cool_down(1, sent_at=clock.monotonic())
    await leave(lane)
    slow = lane.rate
    assert slow == pytest.approx(100 * 0.7 / 4, rel=0.05)
    seconds = [len(await leaving(lane, 1)) for _ in range(6)]
    assert seconds[0] < 30
    assert max(seconds[3:]) <= 100
    assert lane.rate >= 69


async def test_many_429s_of_one_wave_slow_down_once(time: VirtualClock) -> None:
    lane = Lane()
    await busy(lane, time, rate=100, seconds=3)
    sent_at = clock.monotonic()
    lane.cool_down(1, sent_at=sent_at)
    once = lane.rate
    for _ in range(50):
        lane.cool_down(1, sent_at=sent_at)
    assert lane.rate == once


async def test_a_429_after_the_pause_slows_down_again(time: VirtualClock) -> None:
    lane = Lane()
    await busy(lane, time, rate=100, seconds=3)
    lane.cool_down(1, sent_at=clock.monotonic())
    once = lane.rate
    await leaving(lane, 1)
    lane.cool_down(1, sent_at=clock.monotonic())
    assert lane.rate < once


async def test_no_storm_of_429s_stops_a_lane_for_good(time: VirtualClock) -> None:
    lane = Lane()
    for _ in range(100):
        await leave(lane)
        lane.cool_down(1, sent_at=clock.monotonic())
    assert lane.rate == 1.0
    assert lane.delay(clock.monotonic()) <= 2.0


async def test_after_a_calm_minute_a_lane_is_free_again(time: VirtualClock) -> None:
    lane = Lane()
    await busy(lane, time, rate=10, seconds=3)
    lane.cool_down(1, sent_at=clock.monotonic())
    await busy(lane, time, rate=5, seconds=55)
    assert lane.rate < math.inf
    await busy(lane, time, rate=5, seconds=10)
    assert lane.rate == math.inf
    time.slept.clear()
    for _ in range(100):
        await lane.enter(until=math.inf)
    assert time.slept == []


async def test_a_server_with_a_limit_is_found_and_mostly_kept(time: VirtualClock) -> None:
    """A token bucket of 50 a second answers 429 to what is over; the lane learns to stay near it."""
    lane = Lane()
    tokens, last = 50.0, clock.monotonic()
    refused = accepted = 0
    while clock.monotonic() < 120:
        sent_at = clock.monotonic()
        await lane.enter(until=math.inf)
        now = clock.monotonic()
        tokens, last = min(tokens + (now - last) * 50, 50.0), now
        if tokens >= 1:
            tokens -= 1
            accepted += 1
        else:
            refused += 1
            lane.cool_down(1, sent_at=max(sent_at, now))
        time.advance(0.001)
    assert refused < accepted / 20
    assert accepted > 120 * 50 / 2


# Lanes


def test_views_of_a_practice_group_share_a_lane_and_groups_do_not() -> None:
    throttle = Throttle()
    assert throttle.lane("1", None) is throttle.lane("1", None)
    assert throttle.lane("1", RateLimit("20/s")) is throttle.lane("1", RateLimit("1200/min"))
    assert throttle.lane("1", None) is not throttle.lane("2", None)


async def test_a_429_pauses_every_lane_of_the_practice_group_and_no_other(time: VirtualClock) -> None:
    throttle = Throttle()
    free, paced, late = throttle.lane("1", None), throttle.lane("1", RateLimit("20/s")), throttle.lane("2", None)
    free.cool_down(10, sent_at=0)
    assert paced.delay(0) == pytest.approx(10)
    assert await leave(late) == 0
    assert await leave(paced) == pytest.approx(10)
    assert paced.rate == 20
