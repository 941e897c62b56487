"""What is sent again: every kind of operation, status and phase, through the whole client, on a clock of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from soak import at_length, times

from hero_async import AsyncHero, Delivery, HeroError, ResponseDecodeError, RetryPolicy
from hero_async.clock import VirtualClock, use
from hero_async.retries import Failure, parse_retry_after
from hero_async.transport import Attempt, Loss, Reply

RETRIES = 3
HIGHEST_WAIT = 60.0

BEFORE = ("pool", "dns", "connect", "tls", "proxy")
"""The phases in which nothing has left."""


class Scripted:
    """A transport that answers by a script, without a network."""

    def __init__(self) -> None:
        self.act: Callable[[Attempt], Reply | Loss] = lambda attempt: Reply(200, {}, b"{}")
        self.attempts = 0

    async def __call__(self, attempt: Attempt) -> Reply | Loss:
        self.attempts += 1
        return self.act(attempt)


class Bench:
    """A client on a scripted transport and a virtual clock."""

    def __init__(self, runner: asyncio.Runner, clock: VirtualClock) -> None:
        self.runner = runner
        self.clock = clock
        self.transport = Scripted()
        self.hero: AsyncHero | None = None
        self.new_client()

    def close(self) -> None:
        if self.hero is not None:
            self.runner.run(self.hero.close())

    def new_client(self) -> None:
        """A client whose budget is full and whose practice group is not paused."""
        self.close()
        self.hero = AsyncHero(
            api_key="k",
            practice_group_id="1",
            environment="staging",
            retries=RETRIES,
            timeout=1e6,
            transport=self.transport,
        )

    def call(self, idempotent: bool) -> tuple[HeroError | None, int]:
        """The error of one call, and how many attempts were seen."""
        self.transport.attempts = 0
        return self.runner.run(self._call(idempotent)), self.transport.attempts

    async def _call(self, idempotent: bool) -> HeroError | None:
        assert self.hero is not None
        try:
            await self.hero.request("POST", "/v1/anything", json={}, idempotent=idempotent)
        except HeroError as error:
            return error
        return None


@pytest.fixture
def bench() -> Iterator[Bench]:
    clock = VirtualClock()
    with use(clock), asyncio.Runner() as runner:
        made = Bench(runner, clock)
        yield made
        made.close()


Row = tuple[str, Callable[[Attempt], Reply | Loss], Delivery, bool, bool]
"""A name, what happens, the verdict, and whether a write and a read are sent again."""


def answers(status: int, attempt: Attempt) -> Reply:
    return Reply(status, {}, b"no JSON")


def is_lost(loss: Loss, left: bool, status: int | None, attempt: Attempt) -> Loss:
    attempt.left = left
    attempt.status = status
    return loss


def verdict_of(status: int) -> tuple[Delivery, bool, bool]:
    """The verdict of a status, and whether a write and a read are sent again."""
    if status == 429:
        return Delivery.NO, True, True
    if 200 <= status < 300:
        return Delivery.YES, False, False
    if 300 <= status < 400:
        return Delivery.UNKNOWN, False, False
    if status < 200 or status == 408 or status >= 500:
        return Delivery.UNKNOWN, False, True
    return Delivery.NO, False, False


def rows() -> Iterator[Row]:
    """Every status with a whole answer; a loss in every phase, and behind a status line of every kind."""
    for status in range(100, 600):
        yield f"status {status}", partial(answers, status), *verdict_of(status)
    for permanent, timeout in product((False, True), repeat=2):
        kind = f"{'permanent ' if permanent else ''}{'timeout' if timeout else 'loss'}"
        for phase in BEFORE:
            loss = Loss("w", phase, permanent=permanent, timeout=timeout)
            again = not permanent
            yield f"{kind} in {phase}", partial(is_lost, loss, False, None), Delivery.NO, again, again
        loss = Loss("w", "wait", permanent=permanent, timeout=timeout)
        yield f"{kind} in wait", partial(is_lost, loss, True, None), Delivery.UNKNOWN, False, not permanent
        for status in (200, 204, 302, 404, 408, 429, 500):
            loss = Loss("w", "body", permanent=permanent, timeout=timeout)
            verdict, write, read = verdict_of(status)
            again = not permanent
            yield (
                f"{kind} after {status}",
                partial(is_lost, loss, True, status),
                verdict,
                write and again,
                read and again,
            )


TABLE = [*rows()]


@pytest.mark.parametrize("idempotent", [False, True])
def test_the_whole_table(bench: Bench, idempotent: bool) -> None:
    wrong: list[str] = []
    for name, act, verdict, writes, reads in TABLE:
        bench.new_client()
        bench.transport.act = act
        bench.clock.slept.clear()
        error, seen = bench.call(idempotent)
        expected = 1 + (RETRIES if (reads if idempotent else writes) else 0)
        if error is None or (error.delivery, error.attempts, seen) != (verdict, expected, expected):
            wrong.append(f"{name}: {error!r}, {seen} attempts for {expected}, not {verdict}")
        assert all(0 <= wait <= HIGHEST_WAIT for wait in bench.clock.slept)
    assert wrong == []
    assert len(TABLE) == 500 + 4 * 13


def test_a_success_is_no_error(bench: Bench) -> None:
    for idempotent in (False, True):
        assert bench.call(idempotent) == (None, 1)
    bench.transport.act = lambda attempt: Reply(200, {}, b"no JSON")
    error, seen = bench.call(idempotent=True)
    assert type(error) is ResponseDecodeError
    assert seen == 1


NUMBERS = st.floats().map(str) | st.integers().map(str) | st.text("0123456789+-.eE_ infa", max_size=40)
DATES = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Sun", "Monday", "", "X"]),
    st.integers(-1, 99),
    st.sampled_from(["Mar", "Feb", "Foo", "13", "March"]),
    st.integers(-1, 99999),
    st.integers(-1, 99),
    st.integers(-1, 99),
    st.integers(-1, 99),
    st.sampled_from(["GMT", "+9999", "-9999", "+0000", "-0000", "", "EST", "Z", "+99999999999"]),
)
HEADER = st.none() | st.text(max_size=200) | NUMBERS | DATES
WIDELY = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


@at_length
def test_no_retry_after_makes_a_wait_that_is_no_wait() -> None:
    tries = times(1_000, 100_000)
    tried = set[str | None]()
    now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    policy = RetryPolicy()

    @settings(max_examples=tries, **WIDELY)
    @given(HEADER, st.none() | DATES, st.sampled_from([429, 503]), st.integers(1, 50))
    def check(asked: str | None, date: str | None, status: int, attempt: int) -> None:
        tried.add(asked)
        seconds = parse_retry_after(asked, now=now, server_date=date)
        assert seconds is None or 0 <= seconds <= 7 * 24 * 3600  # false for NaN
        failure = Failure(delivery=Delivery.NO, idempotent=True, status=status, retry_after=seconds)
        assert 0 <= policy.wait(attempt, failure) <= HIGHEST_WAIT

    check()
    assert len(tried) >= tries / 4


@at_length
def test_no_retry_after_holds_a_client_up(bench: Bench) -> None:
    @settings(max_examples=times(200, 5_000), **WIDELY)
    @given(HEADER, st.none() | DATES | st.text(max_size=40), st.sampled_from([429, 503]))
    def check(asked: str | None, date: str | None, status: int) -> None:
        headers = {name: text for name, text in (("Retry-After", asked), ("Date", date)) if text is not None}
        script = iter([Reply(status, headers, b"")])
        bench.new_client()
        bench.transport.act = lambda attempt: next(script, Reply(200, {}, b"{}"))
        bench.clock.slept.clear()
        assert bench.call(idempotent=True) == (None, 2)
        assert all(0 <= wait <= HIGHEST_WAIT + 1e-6 for wait in bench.clock.slept)  # a sum of times is rounded
        assert sum(bench.clock.slept) <= HIGHEST_WAIT + 2.0  # the pause of the group, and its slow start

    check()


@pytest.mark.parametrize("share_that_fails", [1.0, 0.99, 0.95])
@pytest.mark.parametrize("how", ["503", "429", "a reset", "a refused connection", "all of them"])
def test_a_brown_out_is_not_made_worse(bench: Bench, how: str, share_that_fails: float) -> None:
    def reset(attempt: Attempt) -> Loss:
        attempt.left = True
        return Loss("w", "wait")

    faults: dict[str, Callable[[Attempt], Reply | Loss]] = {
        "503": lambda attempt: Reply(503, {}, b""),
        "429": lambda attempt: Reply(429, {}, b""),
        "a reset": reset,
        "a refused connection": lambda attempt: Loss("w", "connect"),
    }
    failing = list(faults.values()) if how == "all of them" else [faults[how]]
    number = 0

    def act(attempt: Attempt) -> Reply | Loss:
        nonlocal number
        number += 1
        if number * (1 - share_that_fails) % 1 < (1 - share_that_fails):
            return Reply(200, {}, b"{}") if share_that_fails < 1 else failing[0](attempt)
        return failing[number % len(failing)](attempt)

    bench.transport.act = act
    for _ in range(500):
        bench.call(idempotent=True)
    calls = 2000
    attempts = sum(bench.call(idempotent=True)[1] for _ in range(calls))
    assert calls <= attempts <= calls * 1.1


def test_of_a_good_day_each_failure_is_repeated(bench: Bench) -> None:
    number = 0

    def act(attempt: Attempt) -> Reply | Loss:
        nonlocal number
        number += 1
        return Reply(503, {}, b"") if number % 20 == 0 else Reply(200, {}, b"{}")

    bench.transport.act = act
    assert all(bench.call(idempotent=True)[0] is None for _ in range(2000))
