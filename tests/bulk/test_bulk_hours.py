"""Hours of the day in which patients may be written to; right on the days that the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from batch_support import TEXT, BatchServer, people_csv
from bulk_support import SEND, Make, Server, patients_csv, run
from hypothesis import given
from hypothesis import strategies as st

from hero_async import clock
from hero_async.bulk import Campaign, MissingExtraError
from hero_async.bulk.hours import Hours
from hero_async.client import AsyncHero
from hero_async.clock import VirtualClock
from hero_async.transport import Attempt, Loss, Reply

LONDON = ZoneInfo("Europe/London")

OPENINGS = {
    "in winter, before": ("08:00-20:00", "2026-01-05T07:59:30+00:00", "2026-01-05T08:00:00+00:00"),
    "in winter, open": ("08:00-20:00", "2026-01-05T08:00:00+00:00", "2026-01-05T08:00:00+00:00"),
    "in winter, at the end": ("08:00-20:00", "2026-01-05T20:00:00+00:00", "2026-01-06T08:00:00+00:00"),
    "in summer, before": ("08:00-20:00", "2026-07-05T06:30:00+00:00", "2026-07-05T07:00:00+00:00"),
    "in summer, at the end": ("08:00-20:00", "2026-07-05T19:00:00+00:00", "2026-07-06T07:00:00+00:00"),
    "the night the clocks go forward": ("08:00-20:00", "2026-03-28T21:00:00+00:00", "2026-03-29T07:00:00+00:00"),
    "the night the clocks go back": ("08:00-20:00", "2026-10-24T20:00:00+00:00", "2026-10-25T08:00:00+00:00"),
    "begins in the hour that is skipped": ("01:30-05:00", "2026-03-29T00:59:00+00:00", "2026-03-29T01:00:00+00:00"),
    "is the hour that is skipped": ("01:00-02:00", "2026-03-29T00:59:00+00:00", "2026-03-30T00:00:00+00:00"),
    "ends in the hour that comes twice": ("00:30-01:30", "2026-10-25T00:45:00+00:00", "2026-10-25T01:00:00+00:00"),
    "over midnight, in the day": ("22:00-06:00", "2026-01-05T12:00:00+00:00", "2026-01-05T22:00:00+00:00"),
    "over midnight, in the night": ("22:00-06:00", "2026-01-05T03:00:00+00:00", "2026-01-05T03:00:00+00:00"),
    "to the end of the day": ("18:00-24:00", "2026-01-05T23:59:59+00:00", "2026-01-05T23:59:59+00:00"),
}


@pytest.mark.parametrize(("span", "now", "opens"), OPENINGS.values(), ids=OPENINGS)
def test_when_it_opens(span: str, now: str, opens: str) -> None:
    hours = Hours.parse(span)
    assert hours.opens_at(datetime.fromisoformat(now)) == datetime.fromisoformat(opens)
    assert hours.is_open(datetime.fromisoformat(now)) == (now == opens)


MINUTES = st.integers(0, 1439).map(lambda minute: time(minute // 60, minute % 60))


@given(
    start=MINUTES,
    end=MINUTES,
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # the zone comes beside
)
def test_what_opens_is_open_by_the_wall_and_nothing_before_it_is(start: time, end: time, now: datetime) -> None:
    if start == end:
        return
    hours = Hours(start, end)
    opens = hours.opens_at(now)
    wall = opens.astimezone(LONDON).time()
    assert (start <= wall < end) if start < end else (wall >= start or wall < end)
    assert now <= opens <= now + timedelta(hours=49)
    if opens > now:
        assert not hours.is_open(now)
        assert not hours.is_open(opens - timedelta(microseconds=1))


@pytest.mark.parametrize("text", ["", "8-20", "08:00", "25:00-26:00", "08:60-09:00", "08:00-20:00 UTC", "24:00-08:00"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="between: must be two times of day, such as 08:00-20:00"):
        Hours.parse(text)


def test_hours_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="begin and end at the same time"):
        Hours.parse("08:00-08:00")
    with pytest.raises(ValueError, match="whole minutes"):
        Hours(time(8, 0, 1), time(9))
    with pytest.raises(MissingExtraError, match="tzdata"):
        Hours(time(8), time(9), "Atlantis/Capital")
    assert str(Hours.parse(" 8:00 - 20:30 ")) == "08:00-20:30"


def sent_at(server: Server, moments: list[datetime], *, minutes: float) -> None:
    """Note when each message was processed; and let time go by with each."""

    async def answer(server: Server, attempt: Attempt, body: dict[str, object]) -> Reply | Loss:
        await attempt.leave()
        moments.append(clock.now())
        attempt.status = 200
        reply = Reply(200, {}, server.process(attempt, body))
        await clock.sleep(60 * minutes)
        return reply

    server.always[SEND] = answer


@pytest.mark.anyio
async def test_nothing_is_sent_outside_of_the_hours_and_the_rest_goes_out_the_next_day(
    make: Make, tmp_path: Path, server: Server
) -> None:
    virtual = VirtualClock(datetime(2026, 3, 28, 18, 30, tzinfo=UTC))  # the night before the clocks go forward
    moments: list[datetime] = []
    sent_at(server, moments, minutes=40)
    with clock.use(virtual):
        async with AsyncHero(
            api_key="k", practice_group_id="1", base_url="http://127.0.0.1:1", transport=server, timeout=36000
        ) as hero:
            campaign = make(patients_csv(tmp_path / "r.csv", 6), concurrency=1, between="08:00-20:00")
            await run(campaign, hero)
    walls = [f"{moment.astimezone(LONDON):%d %H:%M}" for moment in moments]
    assert walls[:3] == ["28 18:30", "28 19:10", "28 19:50"]
    assert walls[3].startswith("29 08:0")
    assert len(moments) == len(set(server.patients)) == 6
    assert campaign.progress.opens_at is None


@pytest.mark.anyio
async def test_hours_that_end_while_a_call_waits_for_its_turn_hold_it_back(
    make: Make, tmp_path: Path, server: Server
) -> None:
    virtual = VirtualClock(datetime(2026, 1, 5, 19, 59, 59, tzinfo=UTC))
    moments: list[datetime] = []
    sent_at(server, moments, minutes=0)
    with clock.use(virtual):
        async with AsyncHero(
            api_key="k", practice_group_id="1", base_url="http://127.0.0.1:1", transport=server, rate_limit="1/s"
        ) as hero:
            await run(make(patients_csv(tmp_path / "r.csv", 4), concurrency=1, between="08:00-20:00"), hero)
    assert len(moments) == 4
    assert all(8 <= moment.astimezone(LONDON).hour < 20 for moment in moments)
    assert [moment.day for moment in moments] == [5, 6, 6, 6]


@pytest.mark.anyio
async def test_batches_are_sent_within_the_hours_too(tmp_path: Path) -> None:
    virtual = VirtualClock(datetime(2026, 1, 5, 21, 0, tzinfo=UTC))
    batches = BatchServer()
    with clock.use(virtual):
        async with AsyncHero(
            api_key="k", practice_group_id="1", base_url="http://127.0.0.1:1", transport=batches
        ) as hero:
            campaign = Campaign(
                people_csv(tmp_path / "r.csv", 4),
                text=TEXT,
                channel="sms",
                route="batch",
                outbox=tmp_path / "it.outbox",
                between="08:00-20:00",
                collect=None,
            )
            await run(campaign, hero)
    assert [made.sent_at for made in batches.batches.values()] == [11 * 3600.0]
