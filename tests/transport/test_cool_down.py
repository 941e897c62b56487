"""A 429 pauses the practice group, not one call."""

import asyncio
from datetime import timedelta
from email.utils import format_datetime

import pytest
from scripted import PERSON, SMS, answer

from hero_async import RateLimitError, RetryPolicy, clock

pytestmark = pytest.mark.anyio

NO_JITTER = RetryPolicy(uniform=lambda low, high: low)


class Timed:
    """When each request arrived, by practice group, on the SDK's clock."""

    def __init__(self, server, *, refuse, headers=()):
        self.at = {}
        self.refuse = refuse
        self.headers = headers
        server.otherwise = self.step

    async def step(self, peer, arrival):
        group = arrival.headers["x-practice-group-id"]
        self.at.setdefault(group, []).append(clock.monotonic())
        if self.refuse.get(group, 0):
            self.refuse[group] -= 1
            await answer(429, b"", self.headers)(peer, arrival)
        else:
            await answer()(peer, arrival)


async def test_all_calls_of_the_practice_group_wait_and_those_of_others_do_not(server, connect, no_waiting):
    timed = Timed(server, refuse={"1": 1}, headers=[("Retry-After", "10")])
    hero = connect(retries=NO_JITTER)
    other = hero.with_options(practice_group_id="2")
    with pytest.raises(RateLimitError):
        await hero.with_options(retries=0).messages.send(**SMS)
    await other.messages.send(**SMS)
    assert timed.at["2"] == [0.0]
    assert no_waiting.slept == []
    await asyncio.gather(*(hero.messages.send(**SMS) for _ in range(5)))
    assert timed.at["1"][0] == 0.0
    assert min(timed.at["1"][1:]) >= 10.0


async def test_a_pause_holds_for_every_view_of_the_practice_group(server, connect, no_waiting):
    timed = Timed(server, refuse={"1": 1}, headers=[("Retry-After", "10")])
    hero = connect(retries=NO_JITTER)
    paced = hero.with_options(rate_limit="100/s")
    timed.refuse["1"] = 0
    await paced.messages.send(**SMS)
    timed.refuse["1"] = 1
    with pytest.raises(RateLimitError):
        await hero.with_options(retries=0).messages.send(**SMS)
    await paced.messages.send(**SMS)
    assert timed.at["1"][-1] >= 10.0


async def test_a_pause_holds_for_a_view_that_is_made_during_it(server, connect, no_waiting):
    timed = Timed(server, refuse={"1": 1}, headers=[("Retry-After", "10")])
    hero = connect(retries=NO_JITTER)
    with pytest.raises(RateLimitError):
        await hero.with_options(retries=0).messages.send(**SMS)
    await hero.with_options(rate_limit="50/s").messages.send(**SMS)
    assert timed.at["1"][-1] >= 10.0


def in_20_seconds():
    return format_datetime(clock.now() + timedelta(seconds=20), usegmt=True)


@pytest.mark.parametrize(
    "retry_after, low, high",
    [
        ("20", 20, 20),
        ("0", 0, 0),
        ("2.5", 2.5, 2.5),
        ("a date", 20, 20),
        (None, 1, 1),
        ("soon", 1, 1),
        ("-5", 0, 0),
        ("", 1, 1),
        ("9" * 5000, 1, 1),
        ("nan", 1, 1),
        ("inf", 1, 60),
        ("1e3", 1, 60),
        ("Wed, 99 Foo 2026 99:99:99 GMT", 1, 1),
    ],
)
async def test_the_pause_is_as_long_as_the_server_says(server, connect, no_waiting, retry_after, low, high):
    said = in_20_seconds() if retry_after == "a date" else retry_after
    headers = [] if said is None else [("Retry-After", said)]
    timed = Timed(server, refuse={"1": 1}, headers=headers)
    await connect(retries=NO_JITTER, timeout=10_000.0).messages.send(**SMS)
    first, second = timed.at["1"]
    assert low <= second - first <= high + 0.001


async def test_a_date_is_read_against_the_servers_own_clock(server, connect, no_waiting):
    theirs = clock.now() + timedelta(days=365)
    headers = [
        ("Date", format_datetime(theirs, usegmt=True)),
        ("Retry-After", format_datetime(theirs + timedelta(seconds=7), usegmt=True)),
    ]
    timed = Timed(server, refuse={"1": 1}, headers=headers)
    await connect(retries=NO_JITTER).messages.send(**SMS)
    assert timed.at["1"] == pytest.approx([0, 7], abs=0.01)


@pytest.mark.parametrize("said", [("Retry-After", "12"), None])
async def test_the_error_tells_what_the_server_said(server, connect, no_waiting, said):
    server.script(answer(429, b"", [said] if said else []))
    with pytest.raises(RateLimitError) as raised:
        await connect(retries=0).messages.send(**SMS)
    assert raised.value.retry_after == (12.0 if said else None)


async def test_after_a_pause_the_calls_do_not_all_leave_at_once(server, connect, no_waiting):
    timed = Timed(server, refuse={"1": 1}, headers=[("Retry-After", "5")])
    hero = connect(retries=NO_JITTER)
    await asyncio.gather(*(hero.messages.send(**SMS) for _ in range(3)))
    late = [at for at in timed.at["1"] if at >= 5.0]
    await asyncio.gather(*(hero.messages.send(**SMS) for _ in range(4)))
    after = timed.at["1"][-4:]
    assert late
    assert after[-1] - after[0] >= 1.0


async def test_a_pace_is_kept_across_views_of_the_same_limit(server, connect, no_waiting):
    timed = Timed(server, refuse={})
    hero = connect(rate_limit="10/s")
    view = hero.with_options(timeout=20.0)
    await asyncio.gather(*((hero, view)[number % 2].patients.register_pds(**PERSON) for number in range(20)))
    assert max(timed.at["1"]) >= 1.8


async def test_practice_groups_have_paces_of_their_own(server, connect, no_waiting):
    timed = Timed(server, refuse={})
    hero = connect(rate_limit="1/s")
    views = [hero.with_options(practice_group_id=str(number)) for number in range(10)]
    await asyncio.gather(*(view.messages.send(**SMS) for view in views))
    assert no_waiting.slept == []
    assert len(timed.at) == 10
