"""A server that closes idle connections, just as they are used again: on a clock that the tests move."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from scripted import SMS, Arrival, Peer, ScriptedServer, answer, turns
from soak import at_length, times

from hero_async import APIConnectionError, AsyncHero, Delivery, transport

pytestmark = pytest.mark.anyio

TRIES = times(500, 2_000)


class Impatient:
    """A server that has closed a connection idle for long by the time that its next request comes."""

    def __init__(self, time: Callable[[], float], longest_idle: float) -> None:
        self.time = time
        self.longest_idle = longest_idle
        self.idle_since: dict[int, float] = {}
        self.reused = 0
        self.raced = 0

    async def __call__(self, peer: Peer, arrival: Arrival) -> None:
        since = self.idle_since.get(peer.number)
        if since is not None and self.time() - since >= self.longest_idle:
            self.raced += 1
            peer.reset()
            return
        self.reused += since is not None
        await answer()(peer, arrival)
        self.idle_since[peer.number] = self.time()


@pytest.fixture
def idle_time(loop_time: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The time by which a connection is idle is the one that the test moves on."""
    monkeypatch.setattr(transport, "monotonic", loop_time)
    return loop_time


@at_length
@pytest.mark.parametrize("longest_idle", [3.0, 5.0, 14.0])
async def test_no_message_fails_for_a_server_that_closes_what_is_idle(
    server: ScriptedServer, connect: Callable[..., AsyncHero], idle_time: Any, longest_idle: float
) -> None:
    hero = connect(timeout=1e6)
    impatient = server.otherwise = Impatient(idle_time, longest_idle)
    chance = random.Random(3)
    for _ in range(TRIES):
        await hero.messages.send(**SMS)
        # often at the very limit: the server's, ours, and what lies between
        idle_time.advance(chance.choice([0.1, 1.9, 1.99, 2.0, 2.01, longest_idle, chance.uniform(0, 16)]))
    assert server.processed == len(server.arrivals) == TRIES
    assert impatient.raced == 0
    assert impatient.reused > TRIES / 4  # it is not that nothing is ever used again


async def test_without_the_guard_many_would_fail(
    server: ScriptedServer, connect: Callable[..., AsyncHero], idle_time: Any
) -> None:
    hero = connect(timeout=1e6, fresh_for=15.0)
    impatient = server.otherwise = Impatient(idle_time, 3.0)
    failed = 0
    for _ in range(100):
        try:
            await hero.messages.send(**SMS)
        except APIConnectionError:
            failed += 1
        idle_time.advance(4.0)
    assert failed == impatient.raced == 50  # each second one: the first on a connection does not race


@at_length
async def test_what_still_races_is_unknown_once_and_never_sent_twice(
    server: ScriptedServer, connect: Callable[..., AsyncHero], idle_time: Any
) -> None:
    """A server that closes at any instant: before it reads, in the midst, before and after it processed."""
    hero = connect(timeout=1e6)
    chance = random.Random(4)
    processed = set[bytes]()

    async def at_any_instant(peer: Peer, arrival: Arrival) -> None:
        await turns(chance.randrange(3))
        kind = chance.randrange(6)
        if kind == 0:
            (peer.reset if chance.random() < 0.5 else peer.close)()
            return
        assert arrival.body not in processed
        processed.add(arrival.body)
        if kind == 1:
            await turns(chance.randrange(3))
            (peer.reset if chance.random() < 0.5 else peer.close)()
            return
        await answer()(peer, arrival)
        if kind == 2:
            await turns(chance.randrange(3))
            (peer.reset if chance.random() < 0.5 else peer.close)()

    server.otherwise = at_any_instant
    seen = Counter[str]()
    for number in range(TRIES):
        message = {**SMS, "message_string": f"text {number}"}
        call = hero.messages.send.build(**message)
        failed: APIConnectionError | None = None
        try:
            await hero.execute(call)
        except APIConnectionError as error:
            failed = error
        seen["sent" if failed is None else failed.delivery.value] += 1
        if failed is None:
            assert call.body in processed
        else:
            assert failed.delivery is Delivery.UNKNOWN or call.body not in processed
            assert failed.attempts == 1 or failed.delivery is Delivery.NO
        idle_time.advance(chance.choice([0.0, 1.0, 3.0]))
        await turns(chance.randrange(3))
    arrived = Counter(arrival.body for arrival in server.arrivals)
    assert max(arrived.values()) == 1
    assert seen["sent"] > TRIES / 2
    assert seen["unknown"] > TRIES / 10
