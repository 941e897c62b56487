"""In a program that gevent patched, greenlets share the loop, and all else is as with threads. Else one clear error."""

import signal
import textwrap

import pytest
from programs import run, start
from scripted import answer, loses, turns
from sync_support import TASKS, arrival

GREEN = "from gevent import monkey; monkey.patch_all()\nimport gevent\n"
QUIET = "import logging; logging.getLogger('hero_async').setLevel(logging.ERROR)\n"  # outcomes of cancelled calls


def green(program, server, *options, loop="uvloop"):
    """Run a patched program; uvloop is there, and must not be used."""
    return run(QUIET + TASKS + textwrap.dedent(program), server.url, *options, loop=loop, before=GREEN)


def test_greenlets_call_at_the_same_time_while_others_go_on(server):
    async def slow(peer, arrival):
        if arrival.target.endswith("/held"):
            await server.has_arrived(21)
        await answer()(peer, arrival)

    server.otherwise = slow
    program = """
        def work(number):
            return hero.messages.get("held") is not None

        with Hero(**{**OPTIONS, "max_connections": 50}) as hero:
            waiting = [gevent.spawn(work, number) for number in range(20)]
            gevent.sleep(0)
            last = gevent.spawn(lambda: hero.messages.send(**SMS).message_id)
            gevent.joinall([*waiting, last])
            print(all(one.value for one in waiting), last.value)
            print([thread.name for thread in threading.enumerate()])
            from hero_sync.loop import background
            print(type(background().loop).__module__)
            print(len([x for x in hero.patients.list(first_name="x").collect()]))
    """
    assert green(program, server) == ["True 1", "['MainThread', 'hero-sync']", "asyncio.unix_events", "0"]
    assert server.processed == 22


def test_two_hundred_greenlets_on_one_client(server):
    program = """
        with Hero(**OPTIONS) as hero:
            work = lambda: [hero.messages.send(**SMS) for _ in range(5)]
            working = [gevent.spawn(work) for _ in range(200)]
            gevent.joinall(working, raise_error=True)
    """
    green(program, server)
    assert server.processed == 1000


def test_a_host_name_is_resolved_and_a_killed_greenlet_cancels_its_call(server):
    program = """
        with Hero(**{**OPTIONS, "base_url": URL.replace("127.0.0.1", "localhost")}) as hero:
            print(hero.messages.send(**SMS).message_id)
            held = gevent.spawn(lambda: hero.messages.get("1"))
            while not acquired(hero):
                gevent.sleep(0.001)
            held.kill()
            print(left())
            with gevent.Timeout(0.05, False):
                hero.messages.get("1")
            print(left())
            print(hero.messages.send(**SMS).message_id)
    """
    server.script(answer(), loses("hold", processed=False), loses("hold", processed=False))
    assert green(program, server) == ["1", "0", "0", "1"]


def test_ctrl_c_ends_a_call_in_a_patched_program(server):
    program = """
        gevent.get_hub().NOT_ERROR += (KeyboardInterrupt,)  # which gevent prints by itself
        with Hero(**{**OPTIONS, "timeout": 1000.0}) as hero:
            hero.messages.send(**SMS)
            print("ready", flush=True)
            sys.stdin.readline()
            try:
                hero.messages.get("1")
            except KeyboardInterrupt:
                print(left(), acquired(hero), hero.messages.send(**SMS).message_id, flush=True)
    """
    process = start(QUIET + TASKS + textwrap.dedent(program), server.url, loop="uvloop", before=GREEN)
    assert process.stdout.readline() == "ready\n"
    arrived = arrival(server)
    process.stdin.write("\n")
    process.stdin.flush()
    assert arrived.wait(30)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=50)
    assert (process.returncode, err, out) == (0, "", "0 0 1\n")


def test_a_storm_of_ctrl_c_in_a_patched_program_leaves_nothing_behind(server):
    program = """
        import random
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
        sys.unraisablehook = lambda lost: None
        gevent.get_hub().print_exception = lambda *_: None
        chance = random.Random(3)

        with Hero(**OPTIONS, max_connections=5) as hero:
            call = hero.messages.send.build(**SMS)
            hero.execute(call)
            ended = 0
            for _ in range(100):
                try:
                    signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.00005, 0.004), 0.5)
                    while True:
                        hero.execute(call)
                except KeyboardInterrupt:
                    signal.setitimer(signal.ITIMER_REAL, 0)
                    ended += 1
            print(ended, left(), hero.execute(call).message_id, flush=True)
    """
    assert green(program, server) == ["100 0 1"]


def test_a_fork_of_a_patched_program_leaves_parent_and_child_in_peace(server):
    async def slow(peer, arrival):
        await turns(3)
        await answer()(peer, arrival)

    server.otherwise = slow
    program = """
        def work():
            return [hero.messages.send(**SMS).message_id for _ in range(20)] == ["1"] * 20

        hero = Hero(**OPTIONS)
        running = [gevent.spawn(work) for _ in range(4)]
        gevent.joinall(running, raise_error=True)
        for act in ("nothing", "waits", "calls"):
            pid = os.fork()
            if pid == 0:
                if act == "waits":
                    gevent.sleep(0.1)
                if act == "calls":
                    assert work()
                os._exit(0)
            print(act, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), work(), flush=True)
        print([one.value for one in running])
        hero.close()
    """
    assert green(program, server) == ["nothing 0 True", "waits 0 True", "calls 0 True", "[True, True, True, True]"]


def test_a_client_used_before_gevent_patched_the_program_goes_on_in_a_child_that_is_patched_then(server):
    program = """
        hero = Hero(**OPTIONS)
        hero.messages.send(**SMS)
        pid = os.fork()
        if pid == 0:
            import warnings
            warnings.simplefilter("ignore")  # gevent's, that ssl is patched late
            from gevent import monkey
            monkey.patch_all()
            import gevent
            working = [gevent.spawn(lambda: hero.messages.send(**SMS).message_id) for _ in range(20)]
            gevent.joinall(working, raise_error=True)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), hero.messages.send(**SMS).message_id)
        hero.close()
    """
    assert run(program, server.url) == ["0 1"]
    assert server.processed == 22


@pytest.mark.parametrize(
    ("patch", "words"),
    {
        "patch_all(thread=False)": "gevent has patched socket and select, but hero_sync needs all of",
        "patch_thread()": "gevent has patched threading, but hero_sync needs all of",
        "patch_all(select=False)": "gevent has patched threading and socket, but hero_sync needs all of",
    }.items(),
)
def test_a_program_that_is_patched_in_part_is_told_so_at_the_first_call(server, patch, words):
    program = """
        hero = Hero(**OPTIONS)
        for _ in range(2):
            try:
                hero.messages.send(**SMS)
            except ConfigurationError as error:
                print(error)
        hero.close()
    """
    found = run(program, server.url, before=f"from gevent import monkey; monkey.{patch}")
    assert len(found) == 2
    assert all(line.startswith(words) for line in found)
    assert not server.arrivals


def test_eventlet_is_refused_at_the_first_call(server):
    program = """
        import types
        sys.modules["eventlet.patcher"] = types.SimpleNamespace(is_monkey_patched=lambda name: name == "thread")
        hero = Hero(**OPTIONS)
        try:
            hero.messages.send(**SMS)
        except ConfigurationError as error:
            print(error)
    """
    assert run(program, server.url)[0].startswith("eventlet has patched this program")
    assert not server.arrivals
