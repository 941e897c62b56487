"""Blocking calls from threads, from coroutines, and from where they cannot work."""

import asyncio
import contextvars
import gc
import inspect
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from programs import run
from scripted import EVERYTHING, SMS, answer, turns

import hero_sync
from hero_async import (
    AsyncHero,
    BadRequestError,
    ConfigurationError,
    Delivery,
    InvalidArgumentError,
    RateLimitError,
    Response,
)
from hero_sync import Hero
from hero_sync.loop import background


def loop_threads():
    return [thread for thread in threading.enumerate() if thread.name == "hero-sync"]


def test_fifty_threads_share_one_client_and_one_loop(server, hero):
    async def echo(peer, arrival):
        await turns(2)
        patient = arrival.body.split(b'"patient_id":"')[1].split(b'"')[0]
        await answer(body=EVERYTHING.replace(b'"content": "c"', b'"content": "%b"' % patient))(peer, arrival)

    server.otherwise = echo

    def work(number):
        for count in range(20):
            patient = str(number * 1000 + count)
            assert hero.messages.send(**{**SMS, "patient_id": patient}).content == patient
        return number

    with ThreadPoolExecutor(50) as pool:
        assert sorted(pool.map(work, range(50))) == list(range(50))
    assert len(server.arrivals) == 1000
    assert len(loop_threads()) == 1
    assert server.connections <= 50


def test_views_in_threads_each_act_for_their_own_practice(server, hero):
    def work(number):
        view = hero.with_options(practice_group_id=str(number))
        for _ in range(10):
            view.messages.send(**{**SMS, "patient_id": str(number)})

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(work, range(100, 120)))
    for arrival in server.arrivals:
        assert b'"patient_id":"%b"' % arrival.headers["x-practice-group-id"].encode() in arrival.body


def test_a_client_works_inside_a_running_loop(hero):
    async def main():
        return hero.messages.send(**SMS).message_id

    assert asyncio.run(main()) == "1"


def test_in_development_mode_a_call_inside_a_running_loop_warns(server):
    program = """
        import logging, warnings
        logging.getLogger("asyncio").setLevel(logging.ERROR)  # "Executing … took" of a slow machine

        async def main():
            hero.messages.send(**SMS)

        with Hero(**OPTIONS) as hero:
            hero.messages.send(**SMS)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                asyncio.run(main())
        print([f"{warning.category.__name__}: {warning.message}" for warning in caught])
    """
    assert run(program, server.url, "-X", "dev") == [
        "['RuntimeWarning: a blocking hero_sync call stops the running event loop: use AsyncHero']"
    ]


def test_on_its_own_loop_a_call_is_refused_and_the_loop_lives_on(server, hero):
    call = hero.messages.send.build(**SMS)

    async def guard():
        hero.messages.send(**SMS)

    with pytest.raises(RuntimeError, match="await AsyncHero"):
        hero.execute(call, guard=guard)
    assert not server.arrivals
    hero.execute(call)
    assert server.processed == 1


def test_nothing_starts_before_the_first_call(server):
    program = """
        hero = Hero(**OPTIONS)
        view = hero.with_options(timeout=1.0)
        call = hero.messages.send.build(**SMS)
        print(threading.active_count(), "aiohttp" in sys.modules)
        hero.close()
        print(threading.active_count(), "aiohttp" in sys.modules)
        with Hero(**OPTIONS) as hero:
            hero.execute(call)
            print(threading.active_count(), "aiohttp" in sys.modules)
    """
    assert run(program, server.url) == ["1 False", "1 False", "2 True"]


def test_context_variables_go_in(server, hero):
    variable = contextvars.ContextVar("variable", default="outside")
    seen = []

    async def guard():
        seen.append(variable.get())

    variable.set("inside")
    hero.execute(hero.messages.send.build(**SMS), guard=guard)
    assert seen == ["inside"]


def test_errors_come_out_with_all_they_know(server, hero):
    server.script(answer(400, b'{"message": [{"code": "c", "expected": "e", "path": ["patient_id"]}]}'))
    with pytest.raises(BadRequestError, match="patient_id") as raised:
        hero.messages.send(**SMS)
    error = raised.value
    assert (error.delivery, error.attempts, error.places) == (Delivery.NO, 1, ("patient_id",))
    assert error.__context__ is None
    with pytest.raises(InvalidArgumentError):
        hero.messages.send(**{**SMS, "patient_id": "x"})


def test_a_429_pauses_the_practice_group_for_all_threads(server, hero, no_waiting):
    server.script(answer(429, b"", [("Retry-After", "9")]))
    with pytest.raises(RateLimitError):
        hero.with_options(retries=0).messages.send(**SMS)
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: hero.messages.send(**SMS), range(5)))
    assert max(no_waiting.slept) >= 9


def test_a_closed_client_refuses(hero, server):
    hero.messages.send(**SMS)
    view = hero.with_options(timeout=1.0)
    view.close()
    hero.messages.send(**SMS)
    hero.close()
    hero.close()
    for client in (hero, view):
        for act in (
            lambda of: of.messages.send(**SMS),
            lambda of: of.messages.send.raw(**SMS),
            lambda of: of.request("GET", "/v1/x"),
            lambda of: of.patients.list(first_name="x").first(),
            lambda of: list(of.patients.list(first_name="x")),
        ):
            with pytest.raises(ConfigurationError, match="closed"):
                act(client)
    assert len(server.arrivals) == 2


def test_a_client_that_nobody_closed_says_so_once_and_its_connections_end(server):
    hero = Hero(api_key="k", practice_group_id="1", base_url=server.url)
    hero.messages.send(**SMS)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del hero
        gc.collect()
        background().run(turns)
    assert len(caught) == 1
    assert caught[0].category is ResourceWarning
    assert "unclosed" in str(caught[0].message)


def test_a_view_keeps_its_client(server):
    view = Hero(api_key="k", practice_group_id="1", base_url=server.url).with_options(timeout=9.0)
    gc.collect()
    view.messages.send(**SMS)
    gc.collect()
    view.messages.send(**SMS)
    assert server.connections == 1
    view._root.close()


def test_a_walk_that_was_left_half_way_may_be_collected_on_any_thread(server, hero):
    server.otherwise = answer(body=b'{"data": [{"dob": null}, {"dob": null}]}')
    walk = iter(hero.patients.list(first_name="x"))
    next(walk)
    cycle = [walk]
    cycle.append(cycle)
    del walk, cycle

    async def collect():
        return gc.collect()

    assert background().run(collect) > 0
    hero.request("GET", "/v1/x")


def test_the_surface_is_that_of_the_async_client():
    def public(cls):
        return {name for name in dir(cls) if not name.startswith("_")}

    assert public(Hero) >= public(AsyncHero) - {"abandon", "is_open", "leave_to_parent", "list_pages"}
    ours = inspect.signature(Hero.__init__).parameters
    theirs = inspect.signature(AsyncHero.__init__).parameters
    assert ours == theirs
    for name in ("with_options", "execute", "execute_raw", "request"):
        assert (
            inspect.signature(getattr(Hero, name)).parameters == inspect.signature(getattr(AsyncHero, name)).parameters
        )
    assert sorted(dir(hero_sync)) == ["Hero", "SyncPages"]


def test_a_raw_answer_is_a_response(hero):
    response = hero.messages.send.raw(**SMS)
    assert isinstance(response, Response)
    assert (response.status, response.attempts, response.value.message_id) == (200, 1, "1")
    call = hero.messages.send.build(**SMS)
    assert hero.execute_raw(call).value == hero.execute(call)
