"""The end of the interpreter: no hang and no noise, however a program leaves its clients."""

import subprocess

import pytest
from programs import run, start
from scripted import answer, loses

ENDS = {
    "a client that nobody closed": "hero.messages.send(**SMS)",
    "a client in a cycle": "hero.me = hero; hero.messages.send(**SMS); del hero",
    "a client that is closed at exit": "hero.messages.send(**SMS); atexit.register(hero.close)",
    "a client that is used at exit": """
hero.messages.send(**SMS)
atexit.register(lambda: hero.messages.send(**SMS))
""",
    "a client that is used after its loop was stopped at exit": """
hero.messages.send(**SMS)
from hero_sync import loop
atexit.register(lambda: (loop._at_exit(), hero.messages.send(**SMS)))
""",
    "a call in flight in a daemon thread": """
hero.messages.send(**SMS)
threading.Thread(target=lambda: hero.messages.get("held"), daemon=True).start()
arrived()
""",
    "calls in daemon threads that never stop": """
def work():
    while True:
        hero.messages.get("1")

for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
hero.messages.send(**SMS)
""",
    "a thread that is not a daemon": """
threading.Thread(target=lambda: [hero.messages.send(**SMS) for _ in range(20)]).start()
""",
    "a list that was left half-way": """
walk = iter(hero.patients.list(first_name="x"))
next(walk)
""",
    "an exception": """
try:
    with hero:
        hero.messages.send(**SMS)
        raise LookupError
except LookupError:
    pass
""",
}


def prepared(server):
    """Answers for all ends; `held` is never answered."""
    numbers = iter(range(1, 10**6))

    async def step(peer, arrival):
        if arrival.target.endswith("/held"):
            await loses("hold", processed=False)(peer, arrival)
        elif "patients" in arrival.target:
            await answer(body=b'{"data": [{"dob": null, "title": "%d"}]}' % next(numbers))(peer, arrival)
        else:
            await answer()(peer, arrival)

    server.otherwise = step


ARRIVED = """
def arrived():
    # The call is on its way once its connection is in use.
    runtime = hero._inner._shared.runtime
    while not any(protocol.transport for protocol in runtime.own_transport._connector._acquired):
        time.sleep(0.001)

hero = Hero(**OPTIONS)
"""


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_program_ends_in_peace(server, end):
    prepared(server)
    run(ARRIVED + end, server.url)


def test_a_program_ends_in_peace_on_uvloop(server):
    prepared(server)
    ends = ("a call in flight in a daemon thread", "a list that was left half-way", "a client that nobody closed")
    run(ARRIVED + "\n".join(ENDS[end] for end in ends), server.url, loop="uvloop")


def test_an_async_client_that_nobody_closed_ends_in_peace(server):
    run(
        "hero = AsyncHero(**OPTIONS)\nasync def main(): await hero.messages.send(**SMS)\nasyncio.run(main())",
        server.url,
    )


def test_a_daemon_thread_that_calls_when_all_is_over_is_held_as_python_holds_it(server):
    program = """
        from hero_sync import loop

        def at_exit():
            loop._at_exit()
            late = threading.Thread(target=lambda: hero.messages.get("1"), daemon=True)
            late.start()
            late.join(0.5)
            print(late.is_alive())

        hero = Hero(**OPTIONS)
        hero.messages.get("1")
        atexit.register(at_exit)
    """
    assert run(program, server.url) == ["True"]
    assert len(server.arrivals) == 1


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_in_development_mode_a_client_that_nobody_closed_says_so_once(server, loop):
    program = start(ARRIVED + "hero.messages.send(**SMS)", server.url, "-X", "dev", loop=loop)
    try:
        _, err = program.communicate(timeout=50)
    except subprocess.TimeoutExpired:
        program.kill()
        raise
    lines = [line for line in err.splitlines() if "Executing <" not in line]
    assert program.returncode == 0
    assert lines == ["sys:1: ResourceWarning: unclosed Hero: use 'with' or close()"]
