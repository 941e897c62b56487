"""How a run ends before its rows do: by a refusal of the whole, a drain, a cancel, or a broken outbox."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest
from bulk_support import (
    NHS_NUMBERS,
    REGISTER,
    SEND,
    Behaviour,
    Gate,
    Make,
    Server,
    accept,
    counts,
    lost,
    patients_csv,
    run,
    status,
    unreachable,
    write_csv,
)

from hero_async.bulk import CampaignStoppedError, OutboxBusyError, OutboxError, Outcome, Patience, State
from hero_async.bulk.sqlite import SQLiteHold
from hero_async.client import AsyncHero
from hero_async.clock import VirtualClock

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("path", "behaviour", "reason"),
    [
        (SEND, status(401), "http_401"),
        (SEND, status(403), "http_403"),
        (SEND, status(404), "http_404"),
        (SEND, status(405), "http_405"),
        (SEND, unreachable("tls", permanent=True), "not_sent_tls"),
        (REGISTER, status(401), "http_401"),
        (REGISTER, status(403), "http_403"),
    ],
)
async def test_a_refusal_of_the_whole_stops_with_the_rows_back_at_ready(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server, path: str, behaviour: Behaviour, reason: str
) -> None:
    server.always[path] = behaviour
    rows = [f",{number},1980-02-01,Ann" for number in NHS_NUMBERS] + [f"{number},,,Ann" for number in range(1, 7)]
    if path == SEND:
        rows = rows[6:]
    campaign = make(write_csv(tmp_path / "r.csv", "patient_id,nhs_number,dob,first_name", rows), concurrency=2)
    with pytest.raises(CampaignStoppedError) as failure:
        await run(campaign, hero)
    assert failure.value.reason == reason
    assert server.attempts[path] <= 2
    left = await counts(campaign)
    assert left.get("sending", 0) == left.get("unknown", 0) == 0
    assert left["ready"] + left.get("sent", 0) == len(rows)
    server.always[path] = accept
    await run(campaign, hero)
    assert await counts(campaign) == {"sent": len(rows)}
    assert server.doubled() == []


async def test_the_sends_under_way_are_finished_when_one_is_refused_for_all(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    gate = Gate()
    server.script[SEND].extend([gate, gate, status(401)])
    campaign = make(patients_csv(tmp_path / "r.csv", 20), concurrency=3)
    async with anyio.create_task_group() as group:

        async def go() -> None:
            with pytest.raises(CampaignStoppedError):
                await run(campaign, hero)

        group.start_soon(go)
        await gate.arrivals(2)
        while campaign._sender is None or not campaign._sender.stopping:
            await anyio.lowlevel.checkpoint()
        gate.open()
    assert await counts(campaign) == {"sent": 2, "ready": 18}


async def test_a_drain_finishes_what_is_under_way_and_starts_nothing_new(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    gate = Gate()
    server.always[SEND] = gate
    campaign = make(patients_csv(tmp_path / "r.csv", 20), concurrency=4)
    found: list[Outcome] = []
    async with anyio.create_task_group() as group:

        async def go() -> None:
            found.extend(await run(campaign, hero))

        group.start_soon(go)
        await gate.arrivals(4)
        campaign.drain()
        campaign.drain()
        gate.open()
    assert [outcome.state for outcome in found] == [State.SENT] * 4
    assert len(server.processed) == 4
    assert await counts(campaign) == {"sent": 4, "ready": 16}
    assert campaign.progress.ready == 16
    assert campaign.progress.sending == 0
    server.always[SEND] = accept
    await run(campaign, hero)
    assert await counts(campaign) == {"sent": 20}
    assert server.doubled() == []


async def test_a_drain_does_not_wait_for_rows_that_only_wait(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    before_leaving = Gate(before_leaving=True)
    server.always[SEND] = before_leaving  # as in the throttle, the pool, or a slow connect: nothing has left
    campaign = make(patients_csv(tmp_path / "r.csv", 20), concurrency=4)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(run, campaign, hero)
            await before_leaving.arrivals(4)
            campaign.drain()
    assert await counts(campaign) == {"ready": 20}
    assert server.processed == []


async def test_a_drain_ends_a_wait_between_attempts(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    server.always[SEND] = status(429, headers={"Retry-After": "3600"})
    campaign = make(patients_csv(tmp_path / "r.csv", 3), concurrency=3)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(run, campaign, hero)
            while campaign.progress.repeated < 3:
                await anyio.lowlevel.checkpoint()
            campaign.drain()
    assert await counts(campaign) == {"ready": 3}


async def test_a_drain_before_the_run_has_begun_sends_nothing(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    campaign = make(patients_csv(tmp_path / "r.csv", 20))
    async with anyio.create_task_group() as group:
        group.start_soon(run, campaign, hero)
        await anyio.lowlevel.checkpoint()
        campaign.drain()
    assert server.processed == []


async def test_leaving_the_loop_drains(make: Make, tmp_path: Path, hero: AsyncHero, server: Server) -> None:
    campaign = make(patients_csv(tmp_path / "r.csv", 500), concurrency=4)
    async with aclosing(campaign.run(hero)) as outcomes:
        async for _ in outcomes:
            break
    left = await counts(campaign)
    assert set(left) == {"sent", "ready"}
    assert left["sent"] == len(server.processed) < 500
    assert not (await campaign.status()).running


async def test_a_reader_who_is_slow_slows_the_sending(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    campaign = make(patients_csv(tmp_path / "r.csv", 4000), concurrency=10)
    async with aclosing(campaign.run(hero)) as outcomes:
        await anext(outcomes)
        while campaign.progress.sending or len(server.processed) < 1000:  # until all workers are idle
            await anyio.lowlevel.checkpoint()
        assert len(server.processed) < 3500
        rest = [outcome async for outcome in outcomes]
    assert len(rest) == 3999


@pytest.mark.parametrize("way", ["scope", "task"])
async def test_a_cancel_leaves_what_was_under_way_unknown_and_the_rest_ready(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server, way: str
) -> None:
    gate, early = Gate(), Gate(before_leaving=True)
    server.script[SEND].extend([gate, gate, early])
    campaign = make(patients_csv(tmp_path / "r.csv", 20), concurrency=3)
    if way == "scope":
        async with anyio.create_task_group() as group:
            group.start_soon(run, campaign, hero)
            await gate.arrivals(2)
            await early.arrivals(1)
            group.cancel_scope.cancel()
    else:
        task = asyncio.create_task(run(campaign, hero))
        await gate.arrivals(2)
        await early.arrivals(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await counts(campaign) == {"unknown": 2, "ready": 18}
    assert (await campaign.status()).reasons == {"cancelled": 2}
    await run(campaign, hero)
    assert await counts(campaign) == {"unknown": 2, "sent": 18}
    assert server.doubled() == []


@pytest.mark.parametrize("steps", range(0, 40, 2))
async def test_a_cancel_at_any_moment_leaves_the_outbox_right(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server, steps: int
) -> None:
    server.patient_of = {number: f"9{number[-4:]}" for number in NHS_NUMBERS}
    rows = [f",{number},1980-02-01,Ann" for number in NHS_NUMBERS]
    rows += [f"{number},,,Ann" for number in range(1, 30)]
    path = write_csv(tmp_path / "r.csv", "patient_id,nhs_number,dob,first_name", rows)
    await make(path).prepare(hero.settings)
    campaign = make(path, concurrency=8)
    async with anyio.create_task_group() as group:
        group.start_soon(run, campaign, hero)
        for _ in range(steps):
            await anyio.lowlevel.checkpoint()
            await anyio.to_thread.run_sync(list)
        group.cancel_scope.cancel()
    left = await counts(campaign)
    assert left.get("sending", 0) == 0
    assert left.get("unknown", 0) <= 8
    sent = {outcome.line async for outcome in campaign.outcomes([State.SENT])}
    assert len(sent) <= len(server.processed) <= len(sent) + left.get("unknown", 0)
    await run(campaign, hero)
    assert server.doubled() == []
    final = await counts(campaign)
    assert final.get("sent", 0) + final.get("unknown", 0) == len(rows)
    assert len(server.processed) >= final.get("sent", 0)


async def test_two_runs_of_one_outbox_at_once_are_refused(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    gate = Gate()
    server.always[SEND] = gate
    path = patients_csv(tmp_path / "r.csv", 5)
    first = make(path)
    async with anyio.create_task_group() as group:
        group.start_soon(run, first, hero)
        await gate.arrivals(5)
        with pytest.raises(OutboxBusyError):
            await run(make(path), hero)
        with pytest.raises(OutboxBusyError):
            await make(path).reconcile("sent", lines=None)
        with pytest.raises(OutboxBusyError):
            await make(path).purge()
        seen = await make(path).status()
        assert (seen.running, seen.states[State.SENDING]) == (True, 5)
        gate.open()
    assert len(server.processed) == 5


async def test_a_server_that_answers_nothing_clear_does_not_park_the_whole_list(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    server.always[SEND] = status(502)
    campaign = make(patients_csv(tmp_path / "r.csv", 1000), concurrency=10)
    with pytest.raises(CampaignStoppedError) as failure:
        await run(campaign, hero)
    assert failure.value.reason == "too_many_unknown"
    left = await counts(campaign)
    assert 100 <= left["unknown"] <= 110
    assert left["ready"] == 1000 - left["unknown"]


async def test_now_and_then_an_unknown_row_stops_nothing(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    behaviours = [lost(processed=True) if number % 2 else accept for number in range(1000)]
    server.script[SEND].extend(behaviours)
    campaign = make(patients_csv(tmp_path / "r.csv", 1000), concurrency=10)
    await run(campaign, hero)
    assert await counts(campaign) == {"sent": 500, "unknown": 500}


async def test_a_server_that_cannot_be_reached_stops_the_campaign_before_long(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server, no_waiting: VirtualClock
) -> None:
    server.always[SEND] = unreachable()
    campaign = make(patients_csv(tmp_path / "r.csv", 1000), patience=Patience(tries=4))
    with pytest.raises(CampaignStoppedError) as failure:
        await run(campaign, hero)
    assert failure.value.reason == "unreachable"
    assert server.attempts[SEND] <= 4 * 60
    assert await counts(campaign) == {"ready": 1000}


async def test_an_outbox_that_breaks_stops_before_anything_is_sent_without_it(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = make(patients_csv(tmp_path / "r.csv", 100), concurrency=5)
    write, writes = SQLiteHold.write, Counter[str]()

    async def breaks(hold: SQLiteHold, *args: object) -> object:
        writes["all"] += 1
        if writes["all"] > 4:
            raise OutboxError("it.outbox: cannot be written: database or disk is full")
        return await write(hold, *args)  # type: ignore[arg-type]  # passed on as they are

    monkeypatch.setattr(SQLiteHold, "write", breaks)
    with pytest.raises(OutboxError, match="disk is full"):
        await run(campaign, hero)
    monkeypatch.undo()
    sent_in_doubt = len(server.processed)
    assert sent_in_doubt < 100
    await run(campaign, hero)
    assert server.doubled() == []
    final = await counts(campaign)
    assert final["sent"] + final.get("unknown", 0) == 100
    assert final.get("unknown", 0) <= 5


async def test_a_bug_in_an_outbox_hangs_nothing(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bug(hold: SQLiteHold, *args: object) -> object:
        raise RuntimeError("a bug")

    monkeypatch.setattr(SQLiteHold, "write", bug)
    with anyio.fail_after(10), pytest.raises(RuntimeError, match="a bug"):
        await run(make(patients_csv(tmp_path / "r.csv", 100)), hero)
    assert server.processed == []


async def test_an_error_of_the_readers_ends_the_run_in_order(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    campaign = make(patients_csv(tmp_path / "r.csv", 300))

    async def read() -> None:
        async with aclosing(campaign.run(hero)) as outcomes:
            async for _ in outcomes:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await read()
    left = await counts(campaign)
    assert left.get("unknown", 0) == left.get("sending", 0) == 0
    assert left.get("sent", 0) == len(server.processed)


async def test_recipients_that_fail_on_the_way_stop_the_run_and_cut_no_send(
    make: Make, hero: AsyncHero, server: Server
) -> None:
    gate = Gate()
    server.always[SEND] = gate

    class Rows:
        passes = 0

        def __iter__(self) -> Iterator[dict[str, str]]:
            self.passes += 1
            for number in range(1, 3001):
                if self.passes == 3 and number == 700:  # the first pass to fill, one to compare, and one to send
                    raise ConnectionError("the database of the recipients went away")
                yield {"reference": str(number), "patient_id": str(number), "first_name": "Ann"}

    rows = Rows()
    await make(rows).prepare(hero.settings)
    campaign = make(rows, concurrency=5)
    async with anyio.create_task_group() as group:

        async def go() -> None:
            with pytest.raises(ConnectionError):
                await run(campaign, hero)

        group.start_soon(go)
        await gate.arrivals(5)
        while campaign._sender is None or not campaign._sender.stopping:
            await anyio.lowlevel.checkpoint()
        gate.open()
    assert await counts(campaign) == {"sent": 5, "ready": 2995}
