"""Thousands of calls, cancelled at random moments in random ways: nothing stays behind."""

import asyncio
import gc
import logging
import random
from collections import Counter
from pathlib import Path

import anyio
import pytest
from scripted import EVERYTHING, PERSON, SMS, answer, head, loses, says, turns, when
from soak import at_length, times

from hero_async import APIConnectionError, APIStatusError, APITimeoutError, RateLimit

pytestmark = pytest.mark.anyio

CALLS = times(2_000, 10_000)


def descriptors():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


class Storm:
    """Calls of all kinds, with someone who cancels each after a random number of turns.

    Without `skip`, no time passes: then no call may say that its time ran out.
    """

    def __init__(self, server, hero, skip=None):
        self.chance = random.Random(20260105)
        self.server = server
        self.skip = skip
        self.views = [
            hero,
            hero.with_options(rate_limit=RateLimit("5000/s"), practice_group_id="2"),
            hero.with_options(timeout=2e9, practice_group_id="3"),
            hero.with_options(retries=0, timeout=3e9, practice_group_id="4"),
        ]

    async def step(self, peer, arrival):
        kind = self.chance.randrange(8)
        if kind == 0:
            await loses("hold", processed=True)(peer, arrival)
        elif kind == 1:
            await says(head(200, length=len(EVERYTHING)) + EVERYTHING[:9], then="hold")(peer, arrival)
        elif kind == 2:
            await loses("reset", processed=False)(peer, arrival)
        else:
            await turns(self.chance.randrange(6))
            await answer()(peer, arrival)

    def call(self):
        view = self.chance.choice(self.views)
        guard = None if self.chance.random() < 0.5 else lambda: turns(self.chance.randrange(4))
        if self.chance.random() < 0.5:
            return view.execute(view.messages.send.build(**SMS), guard=guard)
        return view.execute(view.patients.register_pds.build(**PERSON), guard=guard)

    async def one(self):
        """One call, cancelled in one of these ways."""
        ways = [self.by_its_task, self.by_a_timeout, self.by_a_scope, self.by_a_group]
        if self.skip is not None:
            ways.append(self.by_its_deadline)
        way = self.chance.choice(ways)
        await way(self.chance.randrange(40))
        assert way == self.by_a_group or asyncio.current_task().cancelling() == 0  # TaskGroup of 3.11 leaves a 1

    def check(self, error):
        if error is not None:
            assert isinstance(error, (APIConnectionError, APIStatusError))
            assert self.skip is not None or not isinstance(error, APITimeoutError)

    async def later(self, after, act):
        await turns(after)
        act()

    async def by_its_task(self, after):
        task = asyncio.ensure_future(self.call())
        await turns(after)
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            self.check(task.exception())

    async def by_a_timeout(self, after):
        now = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(None) as scope:
                canceller = asyncio.ensure_future(self.later(after, lambda: scope.reschedule(now())))
                try:
                    await self.call()
                finally:
                    canceller.cancel()
        except TimeoutError:
            assert scope.expired()
        except (APIConnectionError, APIStatusError) as error:
            self.check(error)

    async def by_a_scope(self, after):
        with anyio.CancelScope() as scope:
            canceller = asyncio.ensure_future(self.later(after, scope.cancel))
            try:
                await self.call()
            except (APIConnectionError, APIStatusError) as error:
                self.check(error)
        await canceller

    async def by_its_deadline(self, after):
        task = asyncio.ensure_future(self.call())
        await turns(after)
        self.skip()  # for all calls that are under way
        await asyncio.wait([task])
        self.check(task.exception())

    async def by_a_group(self, after):
        async def fails():
            await turns(after)
            raise LookupError

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.call())
                group.create_task(fails())
        except* LookupError:
            pass
        except* (APIConnectionError, APIStatusError) as errors:
            for error in errors.exceptions:
                self.check(error)


@at_length
@pytest.mark.parametrize("time_passes", [False, True])
async def test_random_cancels_leave_nothing_behind(server, connect, loop_time, no_waiting, time_passes):
    hero = connect(max_connections=20, timeout=1e9)
    await hero.messages.send(**SMS)
    storm = Storm(server, hero, (lambda: loop_time.advance(4e9)) if time_passes else None)
    server.otherwise = storm.step
    tasks_before = len(asyncio.all_tasks()) - len(server.open)
    for _ in range(CALLS // 50):
        await asyncio.gather(*(storm.one() for _ in range(50)))
    await turns(100)
    runtime = hero._shared.runtime
    assert all(not deadline._live for deadline in runtime._deadlines.values())
    assert not any(lane._turn.locked() for lane in runtime.throttle._lanes.values())
    assert not runtime.own_transport._connector._acquired
    assert not runtime.own_transport._connector._waiters
    assert len(asyncio.all_tasks()) - len(server.open) == tasks_before

    server.otherwise = answer()
    for view in storm.views:
        await asyncio.gather(*(view.messages.send(**SMS) for _ in range(20)))
    await hero.close()
    await turns(100)
    assert not server.open


@at_length
async def test_a_cancel_after_the_first_byte_is_told_as_unknown_and_one_before_is_not(server, connect, caplog):
    caplog.set_level(logging.WARNING, "hero_async")
    hero = connect(max_connections=1)
    await hero.messages.send(**SMS)
    chance = random.Random(20260106)
    counts = Counter[str]()
    for _ in range(CALLS):
        left = asyncio.Event()

        async def guard(left=left):
            left.set()
            await turns(chance.randrange(3))

        caplog.clear()
        arrivals = len(server.arrivals)
        held = asyncio.Event()
        server.script(when(held, answer()))
        call = asyncio.ensure_future(hero.execute(hero.messages.send.build(**SMS), guard=guard))
        await turns(chance.randrange(14))
        call.cancel()
        await asyncio.wait([call])
        held.set()
        await turns(3)
        arrived = len(server.arrivals) > arrivals
        if not arrived:
            server.steps.clear()
        told = [record.getMessage() for record in caplog.records]
        if arrived:
            assert len(told) == 1
            assert "cancelled, it is not known whether it was processed" in told[0]
        if not left.is_set():
            assert told == []
        counts["arrived" if arrived else "told" if told else "left" if left.is_set() else "not begun"] += 1
    assert counts["arrived"] > CALLS / 20
    assert counts["not begun"] > CALLS / 20


async def test_cancelled_calls_leave_no_descriptor_open(server, connect):
    hero = connect()
    await hero.messages.send(**SMS)
    await hero.close()
    await turns()
    before = descriptors()
    hero = connect()
    server.otherwise = loses("hold", processed=False)
    calls = [asyncio.ensure_future(hero.messages.send(**SMS)) for _ in range(50)]
    await server.has_arrived(51)
    assert descriptors() >= before + 100  # both ends
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)
    await turns(100)
    gc.collect()
    assert descriptors() <= before + 1
