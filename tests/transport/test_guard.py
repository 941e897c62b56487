"""The guard: once an attempt, after all waits, before the first byte."""

import asyncio
import random

import aiohttp
import pytest
from scripted import EVERYTHING, PERSON, SMS, answer, head, loses, says, turns, when

from hero_async import APIConnectionError, APITimeoutError, Delivery, InvalidArgumentError

pytestmark = pytest.mark.anyio


class Guard:
    """Notes what the server had seen each time it ran; then raises what it is told."""

    def __init__(self, server, error=None):
        self.server = server
        self.error = error
        self.seen = []

    async def __call__(self):
        await turns()
        self.seen.append((self.server.connections, len(self.server.arrivals)))
        if self.error is not None:
            raise self.error


@pytest.fixture
def time(monkeypatch):
    """What the transport takes for the time, to age connections."""
    now = [1000.0]
    monkeypatch.setattr("hero_async.transport.monotonic", lambda: now[0])
    return now


async def test_it_runs_when_the_connection_stands_and_nothing_was_sent(server, hero):
    guard = Guard(server)
    await hero.execute(hero.messages.send.build(**SMS), guard=guard)
    response = await hero.execute_raw(hero.messages.send.build(**SMS), guard=guard)
    assert response.status == 200
    assert guard.seen == [(1, 0), (1, 1)]


async def test_it_runs_again_for_each_attempt(server, hero, no_waiting):
    server.script(answer(500), answer(429))
    guard = Guard(server)
    await hero.execute(hero.patients.register_pds.build(**PERSON), guard=guard)
    assert guard.seen == [(1, 0), (1, 1), (1, 2)]


async def test_it_does_not_run_for_an_attempt_that_gets_no_connection(server, connect, closed_port, no_waiting):
    guard = Guard(server)
    hero = connect(base_url=f"http://127.0.0.1:{closed_port}")
    with pytest.raises(APIConnectionError):
        await hero.execute(hero.messages.send.build(**SMS), guard=guard)
    assert guard.seen == []


async def test_it_runs_after_the_wait_for_the_pool(server, connect):
    done = asyncio.Event()
    server.script(when(done, answer()))
    hero = connect(max_connections=1)
    first = asyncio.ensure_future(hero.messages.send(**SMS))
    await server.has_arrived()
    guard = Guard(server)
    second = asyncio.ensure_future(hero.execute(hero.messages.send.build(**SMS), guard=guard))
    await turns()
    assert guard.seen == []
    done.set()
    await asyncio.gather(first, second)
    assert guard.seen == [(1, 1)]


async def test_it_runs_after_the_throttle(server, connect, no_waiting):
    hero = connect(rate_limit="6/min")
    slept = []

    async def guard():
        slept.append(sum(no_waiting.slept))

    for _ in range(3):
        await hero.execute(hero.messages.send.build(**SMS), guard=guard)
    assert slept == pytest.approx([0, 10, 20], abs=1)


class OurError(Exception):
    pass


ERRORS = [
    OurError("ours"),
    OSError(28, "No space left on device"),
    ConnectionResetError(),
    TimeoutError(),
    ValueError(),
    RuntimeError(),
    aiohttp.ClientError(),
    aiohttp.ServerDisconnectedError(),
    InvalidArgumentError("ours"),
    asyncio.CancelledError(),
    SystemExit(3),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_its_exception_comes_out_as_it_is_and_nothing_is_sent(server, connect, error, no_waiting):
    hero = connect(max_connections=1)
    guard = Guard(server, error)
    call = hero.patients.register_pds.build(**PERSON)

    async def outcome():
        try:
            await hero.execute(call, guard=guard)
        except BaseException as raised:  # noqa: BLE001  # also what is no Exception
            return raised

    assert await outcome() is error
    assert guard.seen == [(1, 0)]
    assert not server.arrivals
    await hero.execute(call)  # the one connection was given back
    assert server.connections == 1


async def test_a_cancel_while_it_runs_is_not_processed(server, connect, caplog):
    hero = connect(max_connections=1)
    running = asyncio.Event()

    async def guard():
        running.set()
        await asyncio.Event().wait()

    sending = asyncio.ensure_future(hero.execute(hero.messages.send.build(**SMS), guard=guard))
    await running.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await turns()
    assert not server.arrivals
    assert "not known" not in caplog.text
    await hero.messages.send(**SMS)
    assert server.connections == 1


async def test_a_deadline_while_it_runs_is_not_processed(server, hero, loop_time):
    running = asyncio.Event()

    async def guard():
        running.set()
        await asyncio.Event().wait()

    sending = asyncio.ensure_future(hero.execute(hero.messages.send.build(**SMS), guard=guard))
    await running.wait()
    loop_time.advance(31)
    with pytest.raises(APITimeoutError) as raised:
        await sending
    assert (raised.value.phase, raised.value.delivery) == ("guard", Delivery.NO)
    assert not server.arrivals


async def test_a_cancel_after_it_ran_is_told_in_the_log_as_unknown(server, hero, caplog):
    server.otherwise = loses("hold", processed=True)
    sending = asyncio.ensure_future(hero.execute(hero.messages.send.build(**SMS), guard=Guard(server)))
    await server.has_arrived()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert "messages.send attempt 1: cancelled, it is not known whether it was processed" in caplog.text


async def test_a_connection_that_dies_while_it_runs_is_replaced_and_it_does_not_run_again(server, hero):
    calls = []

    async def guard():
        calls.append(server.connections)
        await turns()
        for peer in list(server.open):
            peer.reset()
        await turns()

    await hero.execute(hero.messages.send.build(**SMS), guard=guard)
    assert len(calls) == 1
    assert [arrival.connection for arrival in server.arrivals] == [2]


async def test_when_the_connection_that_died_cannot_be_replaced_nothing_was_sent(server, hero):
    calls = []

    async def guard():
        calls.append(1)
        await turns()
        server.stop_listening()
        for peer in list(server.open):
            peer.reset()
        await turns()

    with pytest.raises(APIConnectionError) as raised:
        await hero.with_options(retries=0).execute(hero.messages.send.build(**SMS), guard=guard)
    assert (raised.value.delivery, raised.value.phase) == (Delivery.NO, "connect")
    assert calls == [1]


async def test_a_connection_that_is_too_old_is_replaced_before_it_runs(server, hero, time):
    await hero.messages.send(**SMS)
    time[0] += 3
    guard = Guard(server)
    await hero.execute(hero.messages.send.build(**SMS), guard=guard)
    assert guard.seen == [(2, 1)]


async def test_a_connection_that_gets_too_old_while_it_runs_is_replaced(server, hero, time):
    await hero.messages.send(**SMS)
    calls = []

    async def slow():
        calls.append(1)
        time[0] += 3

    await hero.execute(hero.messages.send.build(**SMS), guard=slow)
    assert calls == [1]
    assert [arrival.connection for arrival in server.arrivals] == [1, 2]


async def test_a_connection_that_it_gave_back_unused_ages_as_any_other(server, hero, time):
    with pytest.raises(OurError):
        await hero.execute(hero.messages.send.build(**SMS), guard=Guard(server, OurError()))
    time[0] += 3
    await hero.messages.send(**SMS)
    assert [arrival.connection for arrival in server.arrivals] == [2]


async def test_a_connection_that_it_gave_back_does_not_get_younger_by_that(server, hero, time):
    await hero.messages.send(**SMS)
    time[0] += 1.5
    with pytest.raises(OurError):
        await hero.execute(hero.messages.send.build(**SMS), guard=Guard(server, OurError()))
    time[0] += 1.5
    await hero.messages.send(**SMS)
    assert [arrival.connection for arrival in server.arrivals] == [1, 2]


async def test_it_does_not_run_when_too_little_time_is_left_for_an_answer(server, connect, no_waiting):
    done = asyncio.Event()
    server.script(when(done, answer()))
    hero = connect(max_connections=1)
    first = asyncio.ensure_future(hero.messages.send(**SMS))
    await server.has_arrived()
    guard = Guard(server)
    late = asyncio.ensure_future(hero.execute(hero.messages.send.build(**SMS), guard=guard))
    repeatable = asyncio.ensure_future(hero.patients.register_pds(**PERSON))
    await turns()
    no_waiting.advance(25)
    done.set()
    await asyncio.gather(first, repeatable)
    with pytest.raises(APITimeoutError) as raised:
        await late
    assert (raised.value.delivery, raised.value.phase, raised.value.attempts) == (Delivery.NO, "pool", 1)
    assert guard.seen == []
    await hero.messages.send(**SMS)
    assert [arrival.connection for arrival in server.arrivals] == [1, 1, 1]


async def test_no_connection_leaks_from_guards_that_fail_at_random(server, connect):
    hero = connect(max_connections=3)
    chance = random.Random(7)
    server.otherwise = answer()

    async def guard():
        await turns(chance.randrange(4))
        if chance.random() < 0.5:
            raise OurError

    async def one():
        try:
            await hero.execute(hero.messages.send.build(**SMS), guard=guard)
        except OurError:
            return 0
        return 1

    sent = sum(await asyncio.gather(*(one() for _ in range(300))))
    assert len(server.arrivals) == server.processed == sent
    assert server.connections <= 3
    await asyncio.gather(*(hero.messages.send(**SMS) for _ in range(3)))


async def test_it_runs_before_the_answer_is_known_to_be_cut(server, hero):
    server.script(says(head(200, length=len(EVERYTHING)) + EVERYTHING[:3]))
    guard = Guard(server)
    with pytest.raises(APIConnectionError) as raised:
        await hero.execute(hero.messages.send.build(**SMS), guard=guard)
    assert raised.value.delivery is Delivery.YES
    assert guard.seen == [(1, 0)]
