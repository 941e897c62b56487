"""A client from its first call to its last: loops, threads, closing, forgetting to close."""

import asyncio
import gc
import threading
import warnings

import pytest
import uvloop
from scripted import PERSON, SMS, ScriptedServer, answer, loses, turns

from hero_async import APIConnectionError, AsyncHero, ConfigurationError, Delivery

pytestmark = pytest.mark.filterwarnings("ignore:unclosed resource <TCPTransport")  # uvloop's own, as a loop ends

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
def outside():
    """A server on a thread of its own, for tests that make their own loops."""
    server = asyncio.run(new_server())
    with server.running_in_thread():
        yield server


async def new_server():
    return ScriptedServer()


def client(server, **options):
    return AsyncHero(api_key="k", practice_group_id="1", base_url=server.url, **options)


def run(coroutine, loop="asyncio"):
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        return runner.run(coroutine)


async def send(hero, count=1):
    return await asyncio.gather(*(hero.messages.send(**SMS) for _ in range(count)))


async def close(hero):
    await hero.close()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_serves_in_one_loop_after_another(outside, loop):
    hero = client(outside)
    view = hero.with_options(practice_group_id="2")
    for _ in range(3):
        assert len(run(send(hero, 5), loop)) == 5
        run(send(view), loop)
    run(close(hero), loop)
    gc.collect()
    assert outside.processed == 18


@pytest.mark.parametrize("loop", LOOPS)
def test_the_connections_of_a_loop_that_ended_are_ended_too(outside, loop):
    hero = client(outside)
    run(send(hero, 5), loop)

    async def once_more():
        await send(hero)
        await turns(5)
        left = len(outside.open)
        await hero.close()
        return left

    assert run(once_more(), loop) <= 2  # ended on the server's thread: one may be on its way


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_can_be_closed_in_another_loop(outside, loop):
    hero = client(outside)
    run(send(hero, 3), loop)
    run(close(hero), loop)
    gc.collect()
    with pytest.raises(ConfigurationError, match="closed"):
        run(send(hero), loop)


@pytest.fixture
def busy_loop():
    """A loop that runs on a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def in_loop(loop, coroutine):
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result(timeout=20)


def test_a_client_of_a_loop_that_still_runs_is_refused_in_another(outside, busy_loop):
    hero = client(outside)
    in_loop(busy_loop, send(hero))
    with pytest.raises(ConfigurationError, match="another event loop that still runs"):
        run(send(hero))
    in_loop(busy_loop, send(hero))
    in_loop(busy_loop, hero.close())
    assert outside.connections == 1


def test_closing_from_another_loop_closes_in_the_loop_that_runs(outside, busy_loop):
    hero = client(outside)
    in_loop(busy_loop, send(hero))
    run(close(hero))
    in_loop(busy_loop, turns())
    assert not asyncio.all_tasks(busy_loop)
    with pytest.raises(ConfigurationError):
        run(send(hero))


@pytest.mark.parametrize("loop_is_closed", [False, True])
def test_a_client_that_nobody_closed_says_so_once(outside, busy_loop, loop_is_closed):
    hero = client(outside)
    hero.messages  # noqa: B018  # makes a cycle, so that the collector ends it
    if loop_is_closed:
        run(send(hero, 3))
    else:
        in_loop(busy_loop, send(hero, 3))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del hero
        gc.collect()
        in_loop(busy_loop, turns())
    assert [(warning.category, str(warning.message)) for warning in caught] == [
        (ResourceWarning, "unclosed AsyncHero: use 'async with' or close()")
    ]


@pytest.mark.anyio
async def test_a_view_keeps_its_client(server):
    view = client(server).with_options(practice_group_id="2")
    gc.collect()
    await view.messages.send(**SMS)
    gc.collect()
    await view.messages.send(**SMS)
    assert [arrival.connection for arrival in server.arrivals] == [1, 1]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del view
        gc.collect()
        await turns()
    assert [str(warning.message) for warning in caught] == ["unclosed AsyncHero: use 'async with' or close()"]
    assert not server.open


def test_a_client_that_was_never_used_has_nothing_to_close(outside):
    hero = client(outside)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del hero
        gc.collect()
    assert not caught


@pytest.mark.anyio
async def test_a_closed_client_refuses_and_so_do_its_views(server, hero):
    view = hero.with_options(timeout=1.0)
    call = hero.messages.send.build(**SMS)
    await hero.messages.send(**SMS)
    await hero.close()
    await hero.close()
    for refused in (hero, view):
        for act in (
            lambda of: of.messages.send(**SMS),
            lambda of: of.messages.send.raw(**SMS),
            lambda of: of.execute(call),
            lambda of: of.request("GET", "/v1/x"),
            lambda of: of.patients.list(first_name="x").first(),
            lambda of: of.__aenter__(),
        ):
            with pytest.raises(ConfigurationError, match="closed"):
                await act(refused)
    assert len(server.arrivals) == 1
    assert not hero.is_open


@pytest.mark.anyio
async def test_the_block_closes_also_when_it_fails(server):
    async with client(server) as hero:
        await hero.messages.send(**SMS)
        with pytest.raises(LookupError):
            async with hero:
                raise LookupError
    await turns()
    assert not server.open


@pytest.mark.anyio
async def test_closing_cuts_the_calls_in_flight_with_an_error_of_ours(server, connect, no_waiting):
    server.otherwise = loses("hold", processed=True)
    hero = connect(max_connections=2)
    sending = asyncio.ensure_future(hero.messages.send(**SMS))
    registering = asyncio.ensure_future(hero.patients.register_pds(**PERSON))
    await server.has_arrived(2)
    waiting = asyncio.ensure_future(hero.messages.send(**SMS))
    await turns()
    await hero.close()
    errors = await asyncio.gather(sending, registering, waiting, return_exceptions=True)
    assert [type(error) for error in errors] == [APIConnectionError] * 3
    assert [error.delivery for error in errors] == [Delivery.UNKNOWN, Delivery.UNKNOWN, Delivery.NO]
    assert len(server.arrivals) == 2


@pytest.mark.anyio
async def test_a_call_that_was_made_before_the_close_and_awaited_after_it_is_refused(server, hero):
    call = hero.messages.send(**SMS)
    await hero.close()
    with pytest.raises(APIConnectionError, match="closed") as raised:
        await call
    assert raised.value.delivery is Delivery.NO
    assert not server.arrivals


@pytest.mark.anyio
async def test_first_calls_at_once_share_one_set_of_connections(server, hero):
    server.otherwise = answer()
    await asyncio.gather(*(hero.messages.send(**SMS) for _ in range(20)))
    await hero.close()
    await turns()
    assert not server.open


def test_outside_of_a_loop_nothing_starts(outside):
    hero = client(outside)
    with pytest.raises(RuntimeError, match="no running event loop"):
        hero.messages.send(**SMS)
    assert not hero.is_open
