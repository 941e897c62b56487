"""What old programs do to a client: none of it hangs, leaks or loses a text without saying so."""

import asyncio
import copy
import multiprocessing
import pickle
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from programs import run
from scripted import SMS, answer, loses
from sync_support import TASKS, arrival

from hero_async import APIConnectionError, ConfigurationError, Delivery
from hero_sync import Hero
from hero_sync.loop import background

LOOPS = ["asyncio", "uvloop"]
QUIET = "import logging; logging.getLogger('hero_async').setLevel(logging.ERROR)\n"


def with_tasks(program):
    return QUIET + TASKS + textwrap.dedent(program)


def test_close_from_another_thread_ends_the_call_with_its_verdict(server, hero):
    arrived = arrival(server)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(lambda: hero.messages.send(**SMS))
        assert arrived.wait(30)
        hero.close()
        error = call.exception(30)
    assert isinstance(error, APIConnectionError)
    assert error.delivery is Delivery.UNKNOWN
    with pytest.raises(ConfigurationError, match="closed"):
        hero.messages.send(**SMS)


def endless_pages():
    """A list without an end."""
    numbers = iter(range(10**6))

    async def pages(peer, arrival):
        await answer(body=b'{"data": [{"dob": null, "title": "%d"}]}' % next(numbers))(peer, arrival)

    return pages


def test_close_in_the_middle_of_a_list_ends_the_walk(server, hero):
    server.otherwise = endless_pages()
    walk = iter(hero.patients.list(first_name="x"))
    next(walk)
    hero.close()
    with pytest.raises((APIConnectionError, ConfigurationError)):
        list(walk)


def test_many_threads_that_close_while_many_call(server):
    server.otherwise = answer()
    for _ in range(5):
        hero = Hero(api_key="k", practice_group_id="1", base_url=server.url)

        def work(number, hero=hero):
            try:
                for _ in range(20):
                    hero.messages.send(**SMS)
                    if number == 0:
                        hero.close()
            except (APIConnectionError, ConfigurationError) as error:
                return error.delivery
            return None

        with ThreadPoolExecutor(10) as pool:
            ends = list(pool.map(work, range(10)))
        assert set(ends) <= {Delivery.NO, Delivery.UNKNOWN, Delivery.YES, None}
        assert not hero._inner.is_open


def test_a_copy_is_the_client_itself_and_closes_nothing_when_it_goes(server, hero):
    hero.messages.send(**SMS)
    copies = [copy.copy(hero), copy.deepcopy(hero), copy.deepcopy({"client": [hero]})["client"][0]]
    assert all(one is hero for one in copies)
    view = hero.with_options(timeout=3.0)
    assert copy.deepcopy(view) is view
    del copies
    hero.messages.send(**SMS)
    assert server.connections == 1


def test_a_client_is_not_pickled_and_says_what_to_do_instead(hero):
    for one in (hero, hero.with_options(timeout=3.0), hero.messages, hero._inner):
        with pytest.raises(TypeError, match="cannot be pickled: make one in each process") as refused:
            pickle.dumps(one)
        assert "test-key" not in str(refused.value)
    with pytest.raises(TypeError, match="cannot be pickled"):
        multiprocessing.get_context("spawn").Process(target=print, args=(hero,)).start()


def test_a_call_in_a_signal_handler_in_the_middle_of_a_call(server):
    program = """
        def handler(number, frame):
            print("handler", hero.messages.send(**SMS).message_id, flush=True)
            release.set()

        async def guard():
            os.kill(os.getpid(), signal.SIGUSR1)
            while not release.is_set():
                await asyncio.sleep(0.001)

        release = threading.Event()
        signal.signal(signal.SIGUSR1, handler)
        with Hero(**OPTIONS) as hero:
            print(hero.execute(hero.messages.send.build(**SMS), guard=guard).message_id)
    """
    assert run(program, server.url) == ["handler 1", "1"]


@pytest.mark.parametrize("loop", LOOPS)
def test_an_exception_from_a_signal_handler_cancels_the_call(server, loop):
    """As Celery's soft time limit, or an alarm of the program's own."""
    program = """
        class SoftLimit(Exception):
            pass

        def handler(number, frame):
            raise SoftLimit

        async def guard():
            os.kill(os.getpid(), signal.SIGUSR1)
            await asyncio.Event().wait()

        signal.signal(signal.SIGUSR1, handler)
        with Hero(**OPTIONS) as hero:
            for _ in range(3):
                try:
                    hero.execute(hero.messages.send.build(**SMS), guard=guard)
                except SoftLimit:
                    print("limit", left(), acquired(hero))
            print(hero.messages.send(**SMS).message_id)
    """
    assert run(with_tasks(program), server.url, loop=loop) == ["limit 0 0"] * 3 + ["1"]
    assert server.processed == 1


@pytest.mark.parametrize("loop", LOOPS)
def test_a_fork_in_a_signal_handler_in_the_middle_of_a_call(server, loop):
    program = """
        def handler(number, frame):
            global pid
            pid = os.fork()
            release.set()

        async def guard():
            os.kill(os.getpid(), signal.SIGUSR1)
            while not release.is_set():
                await asyncio.sleep(0.001)

        release = threading.Event()
        signal.signal(signal.SIGUSR1, handler)
        hero = Hero(**OPTIONS)
        call = hero.messages.send.build(**SMS)
        try:
            print(hero.execute(call, guard=guard).message_id, flush=True)
        except RuntimeError as error:
            print(error, hero.execute(call).message_id, flush=True)
            os._exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), hero.execute(call).message_id)
        hero.close()
    """
    assert sorted(run(program, server.url, loop=loop)) == [
        "1",
        "7 1",
        "a call that was in flight when the process forked goes on in the parent alone 1",
    ]
    assert server.processed == 3


@pytest.mark.parametrize("loop", LOOPS)
def test_a_fork_that_python_is_not_told_of(server, loop):
    """uWSGI forks in C, and need not run Python's hooks."""
    program = """
        hero = Hero(**OPTIONS)
        hero.messages.send(**SMS)
        pid = os.fork()
        if pid == 0:
            print(hero.messages.send(**SMS).message_id, hero.messages.get("1") is not None, flush=True)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), hero.messages.send(**SMS).message_id)
        hero.close()
    """
    no_hooks = "import logging, os, random, threading; os.register_at_fork = lambda **_: None"  # none from here on
    assert run(program, server.url, loop=loop, before=no_hooks) == ["1 True", "0 1"]
    assert server.connections == 2


def test_a_coroutine_of_the_users_that_stops_the_loop_stops_nobody_else(server, hero):
    async def guard():
        asyncio.get_running_loop().stop()

    arrived = arrival(server)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(lambda: hero.messages.get("1"))
        assert arrived.wait(30)
        hero.execute(hero.messages.send.build(**SMS), guard=guard)
        hero.messages.send(**SMS)
        hero.close()
        assert isinstance(held.exception(30), APIConnectionError)


def test_what_runs_on_the_loops_thread_is_refused_and_not_waited_for(server, hero):
    refused = []

    class Old:
        """It says goodbye to a patient when it is collected, wherever that may be."""

        def __del__(self):
            try:
                hero.messages.send(**SMS)
            except RuntimeError as error:
                refused.append(str(error))

    async def collect():
        Old()

    background().run(collect)
    assert refused == ["a blocking call on the SDK's own event loop would wait for itself: await AsyncHero"]
    assert not server.arrivals
    hero.messages.send(**SMS)


def test_threads_that_end_in_the_middle_of_a_list_leave_nothing_behind(server, hero):
    server.otherwise = endless_pages()

    def work():
        for _ in hero.patients.list(first_name="x"):
            return

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def left():
        for _ in range(200):
            if len(asyncio.all_tasks()) == 1:
                break
            await asyncio.sleep(0)
        return len(asyncio.all_tasks()) - 1

    assert background().run(left) == 0


def test_an_interrupt_while_a_client_is_closed_leaves_it_closed(server):
    program = """
        def handler(number, frame):
            raise KeyboardInterrupt

        sys.unraisablehook = lambda _: None  # Python keeps one that comes while a weak reference dies
        signal.signal(signal.SIGALRM, handler)
        for delay in (0.00005, 0.0001, 0.0002, 0.0004, 0.001):
            hero = Hero(**OPTIONS)
            hero.messages.send(**SMS)
            signal.setitimer(signal.ITIMER_REAL, delay)
            try:
                hero.close()
                time.sleep(1)
            except KeyboardInterrupt:
                pass
            hero.close()
            try:
                hero.messages.send(**SMS)
            except ConfigurationError as error:
                print(error)
            print(left())
    """
    assert run(with_tasks(program), server.url) == ["this client is closed", "0"] * 5


def test_a_daemon_that_closes_every_file_after_it_forked(server):
    """As python-daemon does: the numbers of the inherited sockets are then other files'."""
    program = """
        hero = Hero(**OPTIONS)
        hero.messages.send(**SMS)
        pid = os.fork()
        if pid == 0:
            os.setsid()
            out = os.dup2(1, 200)
            os.closerange(3, 200)
            files = [open("/dev/null") for _ in range(30)]
            print(hero.messages.send(**SMS).message_id, flush=True)
            gc.collect()
            hero.close()
            assert not any(file.closed for file in files)
            [file.read() for file in files]
            sys.exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), hero.messages.send(**SMS).message_id)
        hero.close()
    """
    assert run(program, server.url) == ["1", "0 1"]


def test_a_lost_answer_is_told_to_a_blocking_caller_as_to_an_async_one(server, hero):
    server.script(loses("reset", processed=True))
    with pytest.raises(APIConnectionError) as lost:
        hero.messages.send(**SMS)
    assert lost.value.delivery is Delivery.UNKNOWN
    assert len(server.arrivals) == 1
