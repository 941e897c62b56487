"""The batch route when answers are lost, late or refused: the server in memory counts who was sent to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from batch_support import (
    BatchServer,
    everyone,
    garbage,
    lost,
    nhs_numbers,
    people_csv,
    process,
    status,
    unreachable,
)
from bulk_support import Make, counts, run, stored

from hero_async.bulk import CampaignStoppedError, OutboxError, State
from hero_async.bulk.chunks import Advance
from hero_async.bulk.decide_batch import SENDS, ChunkState
from hero_async.bulk.sqlite_chunks import ChunkStore
from hero_async.client import AsyncHero
from hero_async.clock import VirtualClock
from hero_async.transport import Attempt, Loss, Reply

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_waiting")]


@pytest.fixture
async def hero(batches: BatchServer) -> AsyncIterator[AsyncHero]:
    async with AsyncHero(
        api_key="test-key", practice_group_id="1", base_url="http://127.0.0.1:1", transport=batches
    ) as hero:
        yield hero


async def test_a_create_whose_answer_is_lost_is_never_adopted(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    batches.script["create"] += [lost(processed=True), garbage, lost(processed=False)]
    campaign = batch(people_csv(tmp_path / "r.csv", 2))
    await run(campaign, hero)
    assert batches.names("create") == ["0001", "0001-r2", "0001-r3", "0001-r4"]
    assert batches.names("send") == ["0001-r4"]
    assert batches.got == everyone(2)
    drafts = (await campaign.status()).drafts
    assert [name.partition("-")[2] for name in drafts] == ["0001", "0001-r2", "0001-r3"]


async def test_a_create_that_did_not_happen_keeps_its_name(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    batches.script["create"] += [unreachable, status(429)]
    campaign = batch(people_csv(tmp_path / "r.csv", 2))
    await run(campaign, hero)
    assert set(batches.names("create")) == {"0001"}
    assert not (await campaign.status()).drafts


async def test_a_batch_that_is_gone_is_created_anew(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    path = people_csv(tmp_path / "r.csv", 3)
    batches.script["send"].append(status(403))
    with pytest.raises(CampaignStoppedError):
        await run(batch(path), hero)
    batches.batches.clear()
    await run(batch(path), hero)
    assert batches.names("create") == ["0001", "0001-r2"]
    assert batches.got == everyone(3)


async def test_a_batch_that_a_person_sent_meanwhile_is_not_sent_again(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer, no_waiting: VirtualClock
) -> None:
    path = people_csv(tmp_path / "r.csv", 3)
    batches.script["send"].append(status(403))
    with pytest.raises(CampaignStoppedError):
        await run(batch(path), hero)
    batches.batches["1"].sent_at = no_waiting.monotonic() - 10
    outcomes = await run(batch(path), hero)
    assert {(outcome.state, outcome.reason) for outcome in outcomes} == {(State.SENT, "sent_elsewhere")}
    assert batches.count("send") == 1


@pytest.mark.parametrize("answer", [lost(processed=True), status(500, processed=True), status(408, processed=True)])
async def test_an_ambiguous_send_that_was_processed_is_found_out(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer, answer: Any
) -> None:
    batches.script["send"].append(answer)
    campaign = batch(people_csv(tmp_path / "r.csv", 6))
    outcomes = await run(campaign, hero)
    assert {outcome.state for outcome in outcomes} == {State.SENT}
    assert batches.got == everyone(6)
    assert batches.count("send") == 2


async def test_an_ambiguous_send_that_was_not_processed_is_unknown_and_other_chunks_go_on(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer, no_waiting: VirtualClock
) -> None:
    batches.script["send"].append(lost(processed=False))
    campaign = batch(people_csv(tmp_path / "r.csv", 9), collect=None, settle=60.0)
    outcomes = await run(campaign, hero)
    assert await counts(campaign) == {"sent": 6, "unknown": 3}
    assert {outcome.line for outcome in outcomes if outcome.state is State.UNKNOWN} == {2, 3, 4}
    assert {reason for _, reason in (await stored(campaign)).values()} == {None, "status_created"}
    assert batches.count("get") == 3
    assert sum(no_waiting.slept) == pytest.approx(60.0)
    assert batches.doubled == []


async def test_unknown_rows_become_sent_when_the_server_proves_it_later(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer, no_waiting: VirtualClock
) -> None:
    path = people_csv(tmp_path / "r.csv", 3)
    batches.status_lag = 1000.0
    batches.script["send"].append(lost(processed=True))
    await run(batch(path), hero)
    assert await counts(batch(path)) == {"unknown": 3}
    no_waiting.advance(2000.0)
    campaign = batch(path)
    outcomes = await run(campaign, hero)
    assert [outcome.state for outcome in outcomes] == [State.SENT] * 3
    assert (campaign.progress.unknown, campaign.progress.sent) == (0, 3)
    assert batches.got == everyone(3)


async def test_a_batch_that_turns_pending_by_itself_is_not_taken_for_sent(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    batches.pending_before_send = True
    batches.script["send"].append(lost(processed=False))
    campaign = batch(people_csv(tmp_path / "r.csv", 3))
    await run(campaign, hero)
    assert set((await stored(campaign)).values()) == {("unknown", "status_pending")}
    assert batches.got == {}


async def test_pending_that_goes_on_to_sending_is_sent(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    batches.steps = (45.0, 500.0)
    batches.script["send"].append(lost(processed=True))
    campaign = batch(people_csv(tmp_path / "r.csv", 3), collect=None)
    await run(campaign, hero)
    assert await counts(campaign) == {"sent": 3}
    assert batches.count("get") == 3


async def test_created_throughout_is_sent_again_if_that_was_asked_for(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    batches.script["send"] += [lost(processed=False), unreachable, status(429), process]
    campaign = batch(people_csv(tmp_path / "r.csv", 3), resend_created=True)
    await run(campaign, hero)
    assert await counts(campaign) == {"sent": 3}
    assert batches.got == everyone(3)


async def test_a_second_send_that_is_refused_makes_it_read_the_status(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    batches.status_lag = 61.0  # sent, but shown late: the second send then conflicts
    batches.script["send"].append(lost(processed=True))
    campaign = batch(people_csv(tmp_path / "r.csv", 3), resend_created=True)
    await run(campaign, hero)
    assert batches.count("send") == 2
    assert await counts(campaign) == {"sent": 3}
    assert batches.got == everyone(3)


async def test_sending_again_ends(batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer) -> None:
    batches.always["send"] = lost(processed=False)
    campaign = batch(people_csv(tmp_path / "r.csv", 3), resend_created=True)
    await run(campaign, hero)
    assert await counts(campaign) == {"unknown": 3}
    assert batches.count("send") == SENDS


async def test_a_send_that_is_refused_for_now_is_looked_at_and_tried_again(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    batches.script["send"] += [status(409), status(400), process]
    campaign = batch(people_csv(tmp_path / "r.csv", 3), collect=None)
    await run(campaign, hero)
    assert await counts(campaign) == {"sent": 3}
    assert batches.count("get") == 2


async def test_when_no_send_is_answered_it_stops_with_few_chunks_in_doubt(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    batches.always["send"] = lost(processed=True)
    path = people_csv(tmp_path / "r.csv", 60)
    with pytest.raises(CampaignStoppedError) as stopped:
        await run(batch(path), hero)
    assert stopped.value.reason == "too_many_unknown"
    assert batches.count("send") == 3
    assert (await counts(batch(path)))["ready"] == 51
    del batches.always["send"]
    await run(batch(path), hero)
    assert await counts(batch(path)) == {"sent": 60}
    assert batches.got == everyone(60)


async def test_a_person_marks_rows_unsent_and_they_go_out_in_a_new_chunk(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    path = people_csv(tmp_path / "r.csv", 3)
    batches.script["send"].append(lost(processed=False))
    await run(batch(path), hero)
    campaign = batch(path)
    assert await campaign.reconcile("sent", lines=[2]) == 1
    assert await campaign.reconcile("unsent", lines=None) == 2
    await run(batch(path), hero)
    assert batches.names("send") == ["0001", "0002"]
    assert set(batches.got.values()) == {1}
    assert {number for _, number in batches.got} == set(nhs_numbers(3)[1:])


@pytest.mark.parametrize("processed", [True, False])
async def test_a_run_that_is_cancelled_in_a_send_is_settled_by_the_next_one(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer, processed: bool
) -> None:
    path = people_csv(tmp_path / "r.csv", 3)
    under_way = anyio.Event()

    async def never_answers(server: BatchServer, attempt: Attempt) -> Reply | Loss:
        await attempt.leave()
        if processed:
            server.handle(attempt)
        under_way.set()
        await anyio.sleep_forever()
        raise AssertionError

    batches.script["send"].append(never_answers)
    async with anyio.create_task_group() as group:
        group.start_soon(run, batch(path), hero)
        await under_way.wait()
        group.cancel_scope.cancel()
    assert await counts(batch(path)) == {"sending": 3}
    await run(batch(path), hero)
    assert await counts(batch(path)) == ({"sent": 3} if processed else {"unknown": 3})
    assert batches.got == (everyone(3) if processed else {})


@pytest.mark.parametrize("state", [ChunkState.CREATING, ChunkState.SENDING])
async def test_nothing_is_sent_when_the_intent_cannot_be_written(
    batch: Make,
    tmp_path: Path,
    hero: AsyncHero,
    batches: BatchServer,
    monkeypatch: pytest.MonkeyPatch,
    state: ChunkState,
) -> None:
    path = people_csv(tmp_path / "r.csv", 3)
    advance = ChunkStore.advance

    def full(self: ChunkStore, wanted: Advance) -> None:
        if wanted.state is state:
            raise OutboxError("it.outbox: cannot be written: database or disk is full")
        advance(self, wanted)

    with monkeypatch.context() as patched:
        patched.setattr(ChunkStore, "advance", full)
        with pytest.raises(OutboxError, match="disk is full"):
            await run(batch(path), hero)
    assert batches.got == {}
    assert len(batches.batches) == (state is ChunkState.SENDING)
    assert await counts(batch(path)) == {"ready": 3}
    await run(batch(path), hero)
    assert batches.got == everyone(3)
