"""One deadline for a whole call; and whoever else cancels keeps their own meaning."""

import asyncio
import math

import anyio
import pytest
from scripted import EVERYTHING, PERSON, SMS, answer, head, loses, says, turns, when

from hero_async import APITimeoutError, Delivery, RateLimit

pytestmark = pytest.mark.anyio


def hold(server):
    """Requests arrive and are never answered."""
    server.otherwise = loses("hold", processed=True)


async def out_of_time(sending):
    with pytest.raises(APITimeoutError) as raised:
        await sending
    assert asyncio.current_task().cancelling() == 0
    assert raised.value.__context__ is None
    return raised.value


async def test_it_covers_the_wait_for_an_answer(server, hero, loop_time):
    hold(server)
    sending = asyncio.ensure_future(hero.messages.send(**SMS))
    await server.has_arrived()
    loop_time.advance(29.5)
    await turns()
    assert not sending.done()
    loop_time.advance(1)
    error = await out_of_time(sending)
    assert (error.phase, error.delivery, error.attempts) == ("wait", Delivery.UNKNOWN, 1)
    assert "30 s" in str(error)


async def test_it_covers_a_body_that_drips(server, hero, loop_time):
    server.script(says(head(200, length=len(EVERYTHING)), EVERYTHING[:1], EVERYTHING[1:2], then="hold"))
    sending = asyncio.ensure_future(hero.messages.send(**SMS))
    await server.has_arrived()
    await turns()
    loop_time.advance(31)
    error = await out_of_time(sending)
    assert (error.phase, error.delivery) == ("body", Delivery.YES)


async def test_it_covers_the_waits_between_attempts(server, hero, loop_time):
    server.script(answer(503, headers=[("Retry-After", "20")]))
    hold(server)
    sending = asyncio.ensure_future(hero.patients.register_pds(**PERSON))
    await server.has_arrived()
    await turns()
    loop_time.advance(25)
    await server.has_arrived(2)
    loop_time.advance(6)
    error = await out_of_time(sending)
    assert (error.phase, error.delivery, error.attempts) == ("wait", Delivery.UNKNOWN, 2)


async def test_it_ends_a_wait_between_attempts_and_keeps_the_verdict(server, hero, loop_time):
    server.script(answer(503, headers=[("Retry-After", "20")]))
    sending = asyncio.ensure_future(hero.patients.register_pds(**PERSON))
    await server.has_arrived()
    await turns()
    deadline = hero._shared.runtime.deadline(30.0)
    assert len(deadline._live) == 1
    for entry in deadline._live:
        entry.when -= 20
    deadline._timer.cancel()
    deadline._timer = asyncio.get_running_loop().call_at(next(iter(deadline._live)).when, deadline._fire)
    loop_time.advance(11)
    error = await out_of_time(sending)
    assert (error.delivery, error.attempts) == (Delivery.UNKNOWN, 1)


async def test_it_covers_the_turn_in_the_lane(server, connect, loop_time):
    hero = connect(rate_limit=RateLimit("1/h"))
    patient = hero.with_options(timeout=math.inf)
    await hero.messages.send(**SMS)
    waiting = asyncio.ensure_future(patient.messages.send(**SMS))
    await turns()
    behind = asyncio.ensure_future(hero.messages.send(**SMS))
    await turns()
    loop_time.advance(31)
    error = await out_of_time(behind)
    assert (error.phase, error.delivery, error.attempts) == ("throttle", Delivery.NO, 0)
    assert not waiting.done()
    waiting.cancel()
    await asyncio.wait([waiting])
    assert len(server.arrivals) == 1


async def test_calls_of_one_limit_end_each_at_its_own_time(server, hero, loop_time):
    hold(server)
    sending = []
    for count in (1, 2, 3):
        sending.append(asyncio.ensure_future(hero.messages.send(**SMS)))
        await server.has_arrived(count)
        loop_time.advance(5)
    loop_time.advance(16)
    await out_of_time(sending[0])
    assert [one.done() for one in sending] == [True, False, False]
    loop_time.advance(5)
    await out_of_time(sending[1])
    assert [one.done() for one in sending] == [True, True, False]
    loop_time.advance(5)
    await out_of_time(sending[2])


async def test_views_have_deadlines_of_their_own(server, hero, loop_time):
    hold(server)
    short = asyncio.ensure_future(hero.with_options(timeout=2).messages.send(**SMS))
    long = asyncio.ensure_future(hero.messages.send(**SMS))
    endless = asyncio.ensure_future(hero.with_options(timeout=math.inf).messages.send(**SMS))
    await server.has_arrived(3)
    loop_time.advance(3)
    await out_of_time(short)
    loop_time.advance(28)
    await out_of_time(long)
    loop_time.advance(1_000_000)
    await turns()
    assert not endless.done()
    endless.cancel()
    await asyncio.wait([endless])


async def test_calls_in_flight_keep_their_deadline_when_the_client_closes(loop_time, connect):
    async def never(attempt):
        await attempt.leave()
        await asyncio.Event().wait()

    hero = connect(transport=never)
    sending = asyncio.ensure_future(hero.messages.send(**SMS))
    await turns()
    await hero.close()
    loop_time.advance(31)
    await out_of_time(sending)


async def test_an_outer_timeout_is_a_timeout_and_no_error_of_ours(server, hero):
    hold(server)

    async def with_outer_timeout():
        async with asyncio.timeout(None) as scope:
            arrived = asyncio.ensure_future(server.has_arrived())
            arrived.add_done_callback(lambda _: scope.reschedule(asyncio.get_running_loop().time()))
            await hero.messages.send(**SMS)

    with pytest.raises(TimeoutError) as raised:
        await with_outer_timeout()
    assert type(raised.value) is TimeoutError
    assert asyncio.current_task().cancelling() == 0


async def test_when_both_run_out_at_once_the_outer_one_wins(server, hero, loop_time):
    hold(server)
    arrived = asyncio.ensure_future(server.has_arrived())
    arrived.add_done_callback(lambda _: loop_time.advance(31))
    with pytest.raises(TimeoutError) as raised:
        async with asyncio.timeout(30):
            await hero.messages.send(**SMS)
    assert type(raised.value) is TimeoutError
    assert asyncio.current_task().cancelling() == 0


async def test_wait_for_is_a_timeout_and_no_error_of_ours(server, hero, loop_time):
    hold(server)
    arrived = asyncio.ensure_future(server.has_arrived())
    arrived.add_done_callback(lambda _: loop_time.advance(6))
    with pytest.raises(TimeoutError) as raised:
        await asyncio.wait_for(hero.messages.send(**SMS), 5)
    assert type(raised.value) is TimeoutError


async def test_a_task_group_that_fails_cancels_its_calls(server, hero):
    hold(server)

    async def fails():
        await server.has_arrived()
        raise LookupError

    calls = []

    async def in_a_group():
        async with asyncio.TaskGroup() as group:
            calls.append(group.create_task(hero.messages.send(**SMS)))
            group.create_task(fails())

    with pytest.raises(ExceptionGroup) as raised:
        await in_a_group()
    assert [type(error) for error in raised.value.exceptions] == [LookupError]
    assert calls[0].cancelled()


async def test_a_call_that_runs_out_of_time_fails_its_task_group(server, hero, loop_time):
    hold(server)
    arrived = asyncio.ensure_future(server.has_arrived())
    arrived.add_done_callback(lambda _: loop_time.advance(31))
    others = []

    async def in_a_group():
        async with asyncio.TaskGroup() as group:
            group.create_task(hero.messages.send(**SMS))
            others.append(group.create_task(asyncio.Event().wait()))

    with pytest.raises(ExceptionGroup) as raised:
        await in_a_group()
    assert [type(error) for error in raised.value.exceptions] == [APITimeoutError]
    assert others[0].cancelled()


async def test_a_cancel_scope_of_anyio_keeps_its_meaning(server, hero):
    hold(server)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:

            async def cancel():
                await server.has_arrived()
                scope.cancel()

            group.start_soon(cancel)
            await hero.messages.send(**SMS)
    assert scope.cancelled_caught
    assert asyncio.current_task().cancelling() == 0


async def test_a_cancel_scope_of_anyio_that_ends_with_the_deadline_keeps_its_meaning(server, hero, loop_time):
    hold(server)
    arrived = asyncio.ensure_future(server.has_arrived())
    arrived.add_done_callback(lambda _: loop_time.advance(31))
    with anyio.move_on_after(30) as scope:
        await hero.messages.send(**SMS)
    assert scope.cancelled_caught
    assert asyncio.current_task().cancelling() == 0


async def test_a_user_who_cancels_gets_a_cancelled_task(server, hero):
    hold(server)
    sending = asyncio.ensure_future(hero.messages.send(**SMS))
    await server.has_arrived()
    sending.cancel("enough")
    with pytest.raises(asyncio.CancelledError, match="enough"):
        await sending
    assert sending.cancelled()


async def test_a_user_who_cancels_as_time_runs_out_gets_a_cancelled_task(server, hero, loop_time):
    hold(server)
    sending = asyncio.ensure_future(hero.messages.send(**SMS))
    await server.has_arrived()
    loop_time.advance(31)
    asyncio.get_running_loop().call_at(loop_time(), sending.cancel)
    await asyncio.wait([sending])
    assert sending.cancelled()


async def test_in_a_task_that_is_being_cancelled_a_deadline_is_still_a_deadline(server, hero, loop_time):
    hold(server)
    seen = []

    async def work():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            try:
                await hero.messages.send(**SMS)  # tidies up
            except APITimeoutError as error:
                seen.append(error.delivery)
            raise

    task = asyncio.ensure_future(work())
    await turns()
    task.cancel()
    await server.has_arrived()
    loop_time.advance(31)
    await asyncio.wait([task])
    assert seen == [Delivery.UNKNOWN]
    assert task.cancelled()


async def test_a_guard_that_keeps_the_deadline_to_itself_leaves_no_cancel_behind(server, hero, loop_time):
    running = asyncio.Event()

    async def stubborn():
        running.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    async def work():
        await hero.execute(hero.messages.send.build(**SMS), guard=stubborn)
        return asyncio.current_task().cancelling()

    task = asyncio.ensure_future(work())
    await running.wait()
    loop_time.advance(31)
    assert await task == 0


async def test_an_answer_in_time_is_an_answer(server, hero, loop_time):
    done = asyncio.Event()
    server.script(when(done, answer()))
    sending = asyncio.ensure_future(hero.messages.send(**SMS))
    await server.has_arrived()
    loop_time.advance(29)
    await turns()
    done.set()
    assert (await sending).message_id == "1"
    loop_time.advance(31)
    await turns()
    assert (await hero.messages.send(**SMS)).message_id == "1"
