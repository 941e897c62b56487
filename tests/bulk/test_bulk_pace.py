"""The rate of a practice group, shared by campaigns; the share of errors that stops one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest
from bulk_support import SEND, Gate, Make, Server, accept, counts, patients_csv, run, status, write_csv

from hero_async import clock
from hero_async.bulk import Campaign, CampaignStoppedError, State
from hero_async.bulk.decide import ErrorRate
from hero_async.client import AsyncHero
from hero_async.clock import VirtualClock
from hero_async.transport import Attempt, Loss, Reply


@pytest.mark.anyio
@pytest.mark.parametrize("limit", ["10/s", None], ids=str)
async def test_two_campaigns_of_a_practice_group_share_its_pace(
    make: Make, tmp_path: Path, server: Server, no_waiting: VirtualClock, limit: str | None
) -> None:
    moments: list[float] = []

    async def note(server: Server, attempt: Attempt, body: dict[str, object]) -> Reply | Loss:
        await attempt.leave()
        moments.append(clock.monotonic())
        if limit is None and len(moments) == 1:  # without a limit the first 429 tells the pace, to both
            attempt.status = 429
            return Reply(429, {"Retry-After": "30"}, b"")
        attempt.status = 200
        return Reply(200, {}, server.process(attempt, body))

    server.always[SEND] = note
    async with AsyncHero(
        api_key="k",
        practice_group_id="1",
        base_url="http://127.0.0.1:1",
        transport=server,
        rate_limit=limit,
        timeout=600,
    ) as hero:
        one = make(patients_csv(tmp_path / "one.csv", 20), outbox=tmp_path / "one.outbox", concurrency=2)
        two = make(patients_csv(tmp_path / "two.csv", 20), outbox=tmp_path / "two.outbox", concurrency=2)
        async with anyio.create_task_group() as group:
            group.start_soon(run, one, hero)
            group.start_soon(run, two, hero)
    if limit is None:
        assert sorted(moments)[4] >= 30.0  # four workers may have been on their way; no fifth call came before
    else:
        span = max(moments) - min(moments)
        assert 3.4 < span < 4.2  # 40 messages at 10 a second; at a pace each it would be 2
    assert len(server.processed) == 40


def test_the_share_of_errors_is_of_the_last_rows() -> None:
    rate = ErrorRate()
    assert [rate.add(State.REJECTED) for _ in range(19)] == [0.0] * 19
    assert rate.add(State.UNKNOWN) == 1.0
    assert rate.add(State.SENT, 20) == 0.5
    assert rate.add(State.SENT, 160) == pytest.approx(0.1)
    assert rate.add(State.SENT, 20) == 0.0
    assert rate.add(State.REJECTED, 1000) == 1.0


@pytest.mark.anyio
async def test_it_stops_when_too_many_of_the_last_rows_failed(
    make: Make, tmp_path: Path, server: Server, hero: AsyncHero
) -> None:
    path = patients_csv(tmp_path / "r.csv", 300)
    server.script[SEND] += [status(400)] * 4
    campaign = make(path, concurrency=1, pause_on=0.15)
    with pytest.raises(CampaignStoppedError) as stopped:
        await run(campaign, hero)
    assert stopped.value.reason == "error_rate"
    assert await counts(campaign) == {"rejected": 4, "sent": 16, "ready": 280}
    await run(make(path, pause_on=0.15), hero)
    assert await counts(campaign) == {"rejected": 4, "sent": 296}


@pytest.mark.anyio
async def test_fewer_errors_than_that_do_not_stop_it(
    make: Make, tmp_path: Path, server: Server, hero: AsyncHero
) -> None:
    server.script[SEND] += [status(400)] * 4
    campaign = make(patients_csv(tmp_path / "r.csv", 100), concurrency=1, pause_on=0.2)
    await run(campaign, hero)
    assert await counts(campaign) == {"rejected": 4, "sent": 96}


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1])
def test_a_share_out_of_range_is_refused(make: Make, tmp_path: Path, share: float) -> None:
    with pytest.raises(ValueError, match="pause_on: must be a share above 0, up to 1"):
        make(patients_csv(tmp_path / "r.csv", 1), pause_on=share)


def test_a_campaign_says_which_hours_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="between: must be two times of day"):
        Campaign(patients_csv(tmp_path / "r.csv", 1), text="t", channel="sms", between="8 to 8")


@pytest.mark.anyio
async def test_a_practice_that_is_held_up_does_not_hold_up_the_others(
    make: Make, tmp_path: Path, server: Server, hero: AsyncHero
) -> None:
    rows = [f"{number},Sample,8" for number in range(1, 1001)] + [f"{number},Sample,9" for number in range(1, 51)]
    path = write_csv(tmp_path / "r.csv", "patient_id,first_name,practice_group_id", rows)
    gate = Gate(before_leaving=True)

    async def hold_up_8(server: Server, attempt: Attempt, body: dict[str, object]) -> Reply | Loss:
        if attempt.headers["x-practice-group-id"] == "9":
            return await accept(server, attempt, body)
        return await gate(server, attempt, body)

    server.always[SEND] = hold_up_8
    campaign = make(path, concurrency=6)
    nine = 0
    async with aclosing(campaign.run(hero)) as outcomes:
        async for outcome in outcomes:
            if outcome.line <= 1001:
                assert nine == 50
                continue
            nine += 1
            if nine == 50:
                assert len(server.processed) == 50
                gate.open()
    assert await counts(campaign) == {"sent": 1050}
    assert server.doubled() == []


@pytest.mark.anyio
async def test_a_drain_cuts_the_first_pass_short_and_the_next_run_starts_it_again(
    make: Make, tmp_path: Path, server: Server, hero: AsyncHero
) -> None:
    campaign: Campaign

    class Rows:
        """Drains the campaign while it is read."""

        def __init__(self) -> None:
            self.drains = True
            self.read = 0

        def __iter__(self) -> Iterator[dict[str, str]]:
            for number in range(1, 20_001):
                self.read = number
                if number == 2000 and self.drains:
                    campaign.drain()
                yield {"reference": str(number), "patient_id": str(number), "first_name": "Sample"}

    rows = Rows()
    campaign = make(rows)
    assert await run(campaign, hero) == []
    assert rows.read <= 6000  # what was being read, and a chunk ahead
    assert not (await campaign.status()).filled
    assert server.attempts[SEND] == 0
    rows.drains = False
    again = make(rows, limit=3)
    assert len(await run(again, hero)) == 3
    assert (await again.status()).rows == 20_000
