"""Ctrl-C ends a blocking call at once, leaves nothing running, and the client goes on."""

import signal

import pytest
from programs import start
from scripted import answer
from sync_support import TASKS, arrival

LOOPS = ["asyncio", "uvloop"]


class Program:
    """A program that says what it does, a line at a time."""

    def __init__(self, text, url, loop):
        self.process = start(TASKS + text, url, loop=loop)

    def says(self, line):
        found = self.process.stdout.readline().strip()
        assert found == line, (found, self.process.poll() is not None and self.process.stderr.read())

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def ends(self):
        out, err = self.process.communicate(timeout=30)
        assert (self.process.returncode, out, err) == (0, "", "")


@pytest.fixture
def program():
    running = []

    def begin(text, url, loop):
        running.append(Program(text, url, loop))
        return running[-1]

    yield begin
    for one in running:
        one.process.kill()
        one.process.communicate()


@pytest.mark.parametrize("loop", LOOPS)
def test_ctrl_c_ends_a_call_a_walk_and_a_wait(server, program, loop):
    async def by_target(peer, arrival):
        if arrival.target == "/v1/messages/1":
            await answer(503, headers=[("Retry-After", "50")])(peer, arrival)
        elif arrival.target.startswith("/v3/patients"):
            await answer(body=b'{"data": [{"dob": null}]}')(peer, arrival)
        else:
            await answer()(peer, arrival)

    server.otherwise = by_target
    text = """
import logging

class Say(logging.Handler):
    def emit(self, record):
        print("waiting" if "trying again" in record.getMessage() else "unknown", flush=True)

logging.getLogger("hero_async").addHandler(Say())
logging.getLogger("hero_async").setLevel(logging.INFO)
logging.getLogger("hero_async").propagate = False

def interrupted(act):
    try:
        act()
    except KeyboardInterrupt:
        print("interrupted", left(), acquired(hero), flush=True)
        sys.stdin.readline()

def walk():
    for patient in hero.patients.list(first_name="x"):
        print("page", flush=True)
        sys.stdin.readline()

with Hero(**{**OPTIONS, "timeout": 1000.0}) as hero:
    hero.messages.send(**SMS)
    print("ready", flush=True)
    sys.stdin.readline()
    interrupted(lambda: hero.messages.send(**SMS))
    interrupted(walk)
    interrupted(lambda: hero.messages.get("1"))
    print(hero.messages.send(**SMS).message_id, flush=True)
"""
    run = program(text, server.url, loop)
    run.says("ready")
    arrived = arrival(server)
    go_on(run)
    assert arrived.wait(30)
    run.interrupt()
    run.says("unknown")
    run.says("interrupted 0 0")
    go_on(run)
    run.says("page")
    run.interrupt()
    run.says("interrupted 0 0")
    go_on(run)
    run.says("waiting")
    run.interrupt()
    run.says("interrupted 0 0")
    go_on(run)
    run.says("1")
    run.ends()


def go_on(run):
    run.process.stdin.write("\n")
    run.process.stdin.flush()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_storm_of_ctrl_c_leaves_nothing_behind(server, program, loop):
    text = """
import logging, random
logging.getLogger("hero_async").setLevel(logging.ERROR)
sys.unraisablehook = lambda lost: None
chance = random.Random(3)

with Hero(**OPTIONS, max_connections=5) as hero:
    call = hero.messages.send.build(**SMS)
    hero.execute(call)
    ended = 0
    for _ in range(150):
        try:
            # Again after half a second: Python loses an interrupt that comes while it runs a destructor.
            signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.00005, 0.004), 0.5)
            while True:
                hero.execute(call)
        except KeyboardInterrupt:
            signal.setitimer(signal.ITIMER_REAL, 0)
            ended += 1
    print(ended, left(), acquired(hero), hero.execute(call).message_id, flush=True)
"""
    run = program("signal.signal(signal.SIGALRM, signal.default_int_handler)\n" + text, server.url, loop)
    run.says("150 0 0 1")
    run.ends()
