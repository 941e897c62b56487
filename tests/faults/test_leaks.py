"""A hundred thousand calls of all kinds leave no memory, task, socket or thread behind; and nothing blocks the loop."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from blockbuster import BlockingError, blockbuster_ctx
from programs import run
from scripted import EVERYTHING, PERSON, SMS, Arrival, Peer, ScriptedServer, answer, head, loses, says
from soak import at_length, times

from hero_async import AsyncHero, HeroError

CALLS = times(6_000, 100_000)
WARM = times(4_000, 10_000)
MIB = 1024 * 1024

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="it is read from /proc")

MIXED = [
    *[answer()] * 14,
    answer(404, b'{"error": true}'),
    answer(500),
    answer(body=b"{"),
    says(head(200, length=len(EVERYTHING)) + EVERYTHING[:9]),
    loses("reset", processed=True),
    loses("close", processed=False),
]


@pytest.fixture
def outside() -> ScriptedServer:
    """A server that runs on a thread of its own when it is told to; its answers are of all kinds, in turn."""
    return asyncio.run(_made())


async def _made() -> ScriptedServer:
    server = ScriptedServer()
    numbers = count()

    async def step(peer: Peer, arrival: Arrival) -> None:
        server.arrivals.clear()
        await MIXED[next(numbers) % len(MIXED)](peer, arrival)

    server.otherwise = step
    return server


STATE = """
import logging
logging.getLogger("hero_async").setLevel(logging.ERROR)
CALLS, WARM = int(sys.argv[2]), int(sys.argv[3])
PERSON = dict(nhs_number="9990000018", dob=__import__("datetime").date(1990, 1, 2))

def resident():
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def descriptors():
    return len(os.listdir("/proc/self/fd"))
"""

ASYNC = (
    STATE
    + """
async def one(hero, number):
    kind = number % 5
    try:
        if kind == 0:
            await hero.messages.send(**SMS)
        elif kind == 1:
            await hero.patients.register_pds(**PERSON)
        elif kind == 2:
            await hero.patients.list(first_name=str(number)).collect(limit=1)
        elif kind == 3:
            await hero.messages.get.raw(str(number))
        else:
            call = asyncio.ensure_future(hero.request("GET", f"/v1/any/{number}"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            call.cancel()
            await call
    except (HeroError, asyncio.CancelledError):
        pass

async def many(hero, numbers):
    numbers = iter(numbers)
    async def worker(view):
        for number in numbers:
            await one(view, number)
    await asyncio.gather(*(worker(hero.with_options(practice_group_id=str(n % 3))) for n in range(8)))

def state():
    return resident(), len(asyncio.all_tasks()), threading.active_count(), descriptors()

async def main():
    from hero_async.clock import VirtualClock, use
    with use(VirtualClock()):
        async with AsyncHero(**OPTIONS, max_connections=8) as hero:
            await many(hero, range(WARM))
            before = state()
            await many(hero, range(WARM, WARM + CALLS))
            after = state()
        await asyncio.sleep(0.01)
        print(*(b - a for a, b in zip(before, after)), len(asyncio.all_tasks()), descriptors())

fds = descriptors()
asyncio.run(main())
print(fds, descriptors())
"""
)


@on_linux
@at_length
def test_many_calls_leave_nothing_behind(outside: ScriptedServer) -> None:
    with outside.running_in_thread():
        lines = run(ASYNC, outside.url, "-W", "error::ResourceWarning", arguments=[str(CALLS), str(WARM)])
    memory, tasks, threads, descriptors, tasks_at_end, _ = map(int, lines[0].split())
    print(f"{CALLS} calls: resident memory {memory:+,} bytes")  # shown with -s
    assert memory <= 5 * MIB
    assert (tasks, threads, tasks_at_end) == (0, 0, 1)
    assert descriptors <= 8  # the pool's, whichever of them are open at that moment
    before, after = map(int, lines[1].split())
    assert after == before


BLOCKING = (
    STATE
    + """
def one(hero, number):
    kind = number % 4
    try:
        if kind == 0:
            hero.messages.send(**SMS)
        elif kind == 1:
            hero.patients.register_pds(**PERSON)
        elif kind == 2:
            hero.patients.list(first_name=str(number)).collect(limit=1)
        else:
            hero.messages.get.raw(str(number))
    except HeroError:
        pass

def state():
    return resident(), threading.active_count(), descriptors()

from hero_async.clock import VirtualClock, use
with use(VirtualClock()):
    with Hero(**OPTIONS) as hero:
        for number in range(WARM):
            one(hero, number)
        before = state()
        for number in range(WARM, WARM + CALLS):
            one(hero, number)
        after = state()
print(*(b - a for a, b in zip(before, after)))
"""
)


@on_linux
@at_length
def test_many_blocking_calls_leave_nothing_behind(outside: ScriptedServer) -> None:
    with outside.running_in_thread():
        arguments = [str(CALLS // 4), str(WARM // 2)]
        [line] = run(BLOCKING, outside.url, "-W", "error::ResourceWarning", arguments=arguments)
    memory, threads, descriptors = map(int, line.split())
    print(f"{CALLS // 4} blocking calls: resident memory {memory:+,} bytes")
    assert memory <= 5 * MIB
    assert threads == 0
    assert descriptors <= 1


@pytest.mark.anyio
async def test_no_call_blocks_the_loop(
    server: ScriptedServer, connect: Callable[..., AsyncHero], tmp_path: Path, no_waiting: object
) -> None:
    """The file with the key is read on a thread; of what the loop itself does, nothing waits for a disk or a lock."""
    path = tmp_path / "key"
    path.write_text("key-of-a-file")
    numbers = count()

    async def step(peer: Peer, arrival: Arrival) -> None:
        await MIXED[next(numbers) % len(MIXED)](peer, arrival)

    server.otherwise = step
    await connect().messages.send(**SMS)  # what is imported at the first call is read from the disk, once
    with blockbuster_ctx():
        with pytest.raises(BlockingError):
            path.read_bytes()  # it does look
        failed = 0
        async with AsyncHero(api_key=path, practice_group_id="1", base_url=server.url) as hero:
            for number in range(100):
                try:
                    await hero.messages.send(**SMS)
                    await hero.patients.register_pds(**PERSON)
                    await hero.patients.list(first_name=str(number)).collect(limit=1)
                except HeroError:
                    failed += 1
        assert 10 < failed < 90
    assert {arrival.headers["x-api-key"] for arrival in server.arrivals[1:]} == {"key-of-a-file"}


@pytest.mark.anyio
async def test_asyncio_in_debug_mode_has_nothing_to_say(
    server: ScriptedServer, connect: Callable[..., AsyncHero], no_waiting: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    told: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 5.0  # this machine may be busy; blockbuster looks for what blocks
    loop.set_exception_handler(lambda loop, context: told.append(context["message"]))
    numbers = count()

    async def step(peer: Peer, arrival: Arrival) -> None:
        await MIXED[next(numbers) % len(MIXED)](peer, arrival)

    server.otherwise = step
    hero = connect()
    for number in range(100):
        try:
            await hero.messages.send(**SMS)
            await hero.patients.list(first_name=str(number)).collect(limit=1)
        except HeroError:
            pass
    await hero.close()
    assert told == []
    assert [record for record in caplog.records if record.name != "hero_async"] == []
