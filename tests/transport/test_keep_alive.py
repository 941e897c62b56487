"""Connections that were idle: what must not be repeated takes none that the server may just be closing."""

import asyncio

import pytest
from scripted import EVERYTHING, SMS, answer, head, says, turns, when

from hero_async import APIConnectionError, Delivery

pytestmark = pytest.mark.anyio

ALWAYS_OLD = 1e-9
"""A `fresh_for` that any idle connection is older than."""


def only_first(server):
    """A server that has closed each connection by the time of its second request: the race, without the waiting."""
    seen = set()

    async def step(peer, arrival):
        if peer.number in seen:
            peer.reset()
        else:
            seen.add(peer.number)
            await answer()(peer, arrival)

    server.otherwise = step


async def test_a_message_never_fails_for_a_connection_that_was_idle_for_long(server, connect):
    only_first(server)
    hero = connect(fresh_for=ALWAYS_OLD)
    for _ in range(40):
        await hero.messages.send(**SMS)
    assert server.processed == len(server.arrivals) == 40


async def test_without_the_limit_it_would_fail(server, connect):
    only_first(server)
    hero = connect(fresh_for=1000)
    await hero.messages.send(**SMS)
    with pytest.raises(APIConnectionError) as raised:
        await hero.messages.send(**SMS)
    assert raised.value.delivery is Delivery.UNKNOWN


async def test_a_connection_that_was_just_used_is_used_again(server, hero):
    for _ in range(5):
        await hero.messages.send(**SMS)
    assert server.connections == 1


async def test_what_may_be_repeated_takes_an_idle_connection_and_survives_the_race(server, connect, no_waiting):
    only_first(server)
    hero = connect(fresh_for=ALWAYS_OLD)
    await hero.messages.get("1")
    assert (await hero.messages.get.raw("1")).attempts == 2
    assert [arrival.connection for arrival in server.arrivals] == [1, 1, 2]


@pytest.mark.parametrize("fresh_for", [ALWAYS_OLD, 2.0])
async def test_a_server_that_closes_without_a_word_after_each_answer_costs_no_message(server, connect, fresh_for):
    server.otherwise = says(head(200, length=len(EVERYTHING)) + EVERYTHING)
    hero = connect(fresh_for=fresh_for)
    for _ in range(20):
        await hero.messages.send(**SMS)
        await turns()
    assert server.processed == server.connections == 20


async def test_all_connections_of_the_pool_may_be_too_old(server, connect):
    hero = connect(fresh_for=ALWAYS_OLD, max_connections=4)
    done = asyncio.Event()
    server.script(*[when(done, answer())] * 4)
    calls = [asyncio.ensure_future(hero.messages.get("1")) for _ in range(4)]
    await server.has_arrived(4)
    done.set()
    await asyncio.gather(*calls)
    await hero.messages.send(**SMS)
    assert [arrival.connection for arrival in server.arrivals] == [1, 2, 3, 4, 5]


async def test_without_keep_alive_each_call_gets_a_connection_of_its_own(server, connect):
    hero = connect(keep_alive=0)
    for _ in range(3):
        await hero.messages.get("1")
    assert [arrival.connection for arrival in server.arrivals] == [1, 2, 3]
