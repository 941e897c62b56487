"""The batch route against a server in memory that counts who was sent to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from batch_support import (
    TEXT,
    BatchServer,
    everyone,
    lost,
    nhs_numbers,
    people_csv,
    process,
    status,
    unreachable,
)
from bulk_support import Make, counts, names, run, stored, write_csv

from hero_async.bulk import Campaign, CampaignStoppedError, InputError, OutboxMismatchError, State
from hero_async.client import AsyncHero
from hero_async.transport import Attempt, Loss, Reply

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_waiting")]


@pytest.fixture
async def hero(batches: BatchServer) -> AsyncIterator[AsyncHero]:
    async with AsyncHero(
        api_key="test-key", practice_group_id="1", base_url="http://127.0.0.1:1", transport=batches
    ) as hero:
        yield hero


async def test_everyone_is_sent_to_once_in_chunks_with_names_that_can_be_foretold(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    campaign = batch(people_csv(tmp_path / "r.csv", 7))
    outcomes = await run(campaign, hero)
    assert batches.got == everyone(7)
    assert batches.names("create") == batches.names("send") == ["0001", "0002", "0003"]
    assert {outcome.state for outcome in outcomes} == {State.SENT}
    assert [outcome.batch_id for outcome in outcomes] == ["1"] * 3 + ["2"] * 3 + ["3"]
    assert campaign.progress.sent == campaign.progress.settled == 7
    assert (campaign.progress.ready, campaign.progress.sending) == (0, 0)
    body = batches.batches["1"].body
    assert {key: body[key] for key in ("channel", "content")} == {"channel": "SMS", "content": TEXT}
    assert body["recipients"][0] == {"nhs_number": nhs_numbers(1)[0], "dob": "1980-02-01"}


async def test_what_the_server_shows_of_each_recipient_is_collected(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    campaign = batch(people_csv(tmp_path / "r.csv", 4))
    await run(campaign, hero)
    await campaign.results(tmp_path / "out.csv")
    lines = (tmp_path / "out.csv").read_text("utf-8").splitlines()
    assert lines[1] == f"{nhs_numbers(1)[0]},1980-02-01,sent,,m1-0,1"
    assert batches.count("recipients") >= 2


async def test_without_collect_the_lists_are_not_read(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    await run(batch(people_csv(tmp_path / "r.csv", 4), collect=None), hero)
    assert (batches.count("recipients"), batches.count("messages"), batches.count("get")) == (0, 0, 0)


async def test_a_recipient_that_cannot_be_matched_changes_nothing(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    async def strangers(server: BatchServer, attempt: Attempt) -> Reply | Loss:
        await attempt.leave()
        attempt.status = 200
        return Reply(200, {}, b'{"data":[{"id":"x","nhs_number":"9990009996"},{"id":7},{"nhs_number":"no"}],"count":3}')

    batches.always |= {"recipients": strangers, "messages": strangers}
    campaign = batch(people_csv(tmp_path / "r.csv", 4))
    await run(campaign, hero)
    assert {(o.state, o.reason, o.message_id) async for o in campaign.outcomes()} == {(State.SENT, None, None)}


async def test_lists_that_cannot_be_read_change_nothing_and_a_later_run_reads_them(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    path = people_csv(tmp_path / "r.csv", 3)
    batches.always["recipients"] = status(403)
    await run(batch(path), hero)
    assert await counts(batch(path)) == {"sent": 3}
    del batches.always["recipients"]
    await run(batch(path), hero)
    assert {outcome.message_id is not None async for outcome in batch(path).outcomes()} == {True}
    assert batches.got == everyone(3)


@pytest.mark.parametrize("tells_path", [True, False])
async def test_a_bad_recipient_stands_alone_in_the_end(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer, tells_path: bool
) -> None:
    batches.tells_path = tells_path
    batches.bad = {nhs_numbers(6)[4]}
    campaign = batch(people_csv(tmp_path / "r.csv", 6), chunk_size=6)
    await run(campaign, hero)
    assert (await stored(campaign))[6] == ("rejected", "http_400")
    assert await counts(campaign) == {"sent": 5, "rejected": 1}
    assert batches.got == {who: 1 for who in everyone(6) if who[1] not in batches.bad}
    assert campaign.progress.settled == 6
    assert campaign.progress.ready == campaign.progress.sending == 0


async def test_too_large_a_batch_is_halved(batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer) -> None:
    batches.most = 2
    await run(batch(people_csv(tmp_path / "r.csv", 7), chunk_size=7), hero)
    assert batches.got == everyone(7)
    assert batches.names("send") == ["0001.1.1", "0001.1.2", "0001.2.1", "0001.2.2"]


async def test_a_text_that_is_refused_stops_the_campaign_and_rejects_nobody(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    body = b'{"error":true,"statusCode":400,"message":[{"code":"c","expected":"e","path":["content"]}]}'
    batches.always["create"] = status(400, body=body)
    campaign = batch(people_csv(tmp_path / "r.csv", 4))
    with pytest.raises(CampaignStoppedError) as stopped:
        await run(campaign, hero)
    assert stopped.value.reason == "http_400"
    assert await counts(campaign) == {"ready": 4}
    assert batches.count("create") == 1


async def test_when_everything_is_refused_without_a_word_it_stops_before_all_rows_are_lost(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    batches.always["create"] = status(400)
    campaign = batch(people_csv(tmp_path / "r.csv", 60), chunk_size=60)
    with pytest.raises(CampaignStoppedError) as stopped:
        await run(campaign, hero)
    assert stopped.value.reason == "all_refused"
    assert (await counts(campaign))["ready"] >= 40


@pytest.mark.parametrize("operation", ["create", "send", "get"])
@pytest.mark.parametrize("code", [401, 403])
async def test_a_refused_key_stops_it_with_its_rows_ready(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer, operation: str, code: int
) -> None:
    path = people_csv(tmp_path / "r.csv", 6)
    if operation == "get":  # a batch that was created by an earlier run is looked at first
        batches.script["send"].append(status(403))
        with pytest.raises(CampaignStoppedError):
            await run(batch(path), hero)
    batches.script[operation].append(status(code))
    with pytest.raises(CampaignStoppedError) as stopped:
        await run(batch(path), hero)
    assert stopped.value.reason == f"http_{code}"
    assert await counts(batch(path)) == {"ready": 6}
    await run(batch(path), hero)
    assert batches.got == everyone(6)
    assert len(batches.batches) == 2


@pytest.mark.parametrize("operation", ["create", "send"])
async def test_a_route_that_is_not_there_stops_it(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer, operation: str
) -> None:
    path = people_csv(tmp_path / "r.csv", 3)
    batches.script[operation].append(status(404))
    with pytest.raises(CampaignStoppedError):
        await run(batch(path), hero)
    assert await counts(batch(path)) == {"ready": 3}
    await run(batch(path), hero)
    assert batches.got == everyone(3)


async def test_a_server_that_cannot_be_reached_stops_it(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    batches.always["create"] = unreachable
    campaign = batch(people_csv(tmp_path / "r.csv", 30))
    with pytest.raises(CampaignStoppedError) as stopped:
        await run(campaign, hero)
    assert stopped.value.reason == "unreachable"
    assert await counts(campaign) == {"ready": 30}


async def test_a_limit_takes_up_so_many_rows_and_no_more(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    path = people_csv(tmp_path / "r.csv", 10)
    await run(batch(path, limit=4), hero)
    assert len(batches.got) == 4
    await run(batch(path), hero)
    assert batches.got == everyone(10)


async def test_a_limit_cuts_a_chunk_that_an_earlier_run_left(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    path = people_csv(tmp_path / "r.csv", 6)
    batches.script["create"].append(status(403))
    with pytest.raises(CampaignStoppedError):
        await run(batch(path, chunk_size=6), hero)
    await run(batch(path, chunk_size=6, limit=2), hero)
    assert len(batches.got) == 2
    await run(batch(path, chunk_size=6), hero)
    assert batches.names("send") == ["0001.1", "0001.2"]
    assert batches.got == everyone(6)


async def test_practices_have_their_own_chunks(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    await run(batch(people_csv(tmp_path / "r.csv", 8, practices=("7", "8"))), hero)
    assert [(made.practice, len(made.numbers)) for made in batches.batches.values()] == [
        ("7", 3),
        ("8", 3),
        ("7", 1),
        ("8", 1),
    ]
    assert set(batches.got.values()) == {1}
    assert len(batches.got) == 8


async def test_many_practices_do_not_gather_without_end(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hero_async.bulk.chunk_feed.MOST_GATHERED", 4)
    monkeypatch.setattr("hero_async.bulk.chunk_feed.CHUNK", 5)
    await run(batch(people_csv(tmp_path / "r.csv", 20, practices=[str(n) for n in range(1, 11)])), hero)
    assert set(batches.got.values()) == {1}
    assert len(batches.got) == 20
    assert len(batches.batches) > 10


async def test_a_drain_leaves_the_rest_ready(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    path = people_csv(tmp_path / "r.csv", 12)
    campaign = batch(path)

    async def then_drain(server: BatchServer, attempt: Attempt) -> Reply | Loss:
        reply = await process(server, attempt)
        campaign.drain()
        return reply

    batches.script["send"].append(then_drain)
    await run(campaign, hero)
    assert await counts(campaign) == {"sent": 3, "ready": 9}
    await run(batch(path), hero)
    assert batches.got == everyone(12)


async def test_an_email_needs_and_sends_a_subject(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    path = people_csv(tmp_path / "r.csv", 2)
    await run(batch(path, channel="email", subject="Flu"), hero)
    assert batches.batches["1"].body["subject"] == "Flu"
    with pytest.raises(OutboxMismatchError) as mismatch:
        await run(batch(path, channel="email", subject="Other"), hero)
    assert mismatch.value.differs == ("subject",)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"channel": "hero"}, "channel: must be one of sms, email, nhs_app on the batch route"),
        ({"text": "Dear {first_name}"}, "fields on the batch route"),
        ({"options": {"write_to_record": True}}, "options: are arguments of messages.send"),
        ({"channel": "email"}, "subject: is needed"),
        ({"channel": "email", "subject": "  "}, "subject: is needed"),
        ({"subject": "Flu"}, "subject: is for email only"),
        ({"route": "personal", "subject": "Flu"}, "subject: is for the batch route only"),
        ({"route": "pigeon"}, "route: must be one of personal, batch"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_what_a_batch_cannot_do_is_refused_before_anything(
    batch: Make, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        batch(people_csv(tmp_path / "r.csv", 1), **changes)


@pytest.mark.parametrize(
    ("name", "value"), [("chunk_size", 0), ("settle", -1.0), ("settle", float("inf")), ("collect", 0.0)]
)
def test_numbers_out_of_range_are_refused(batch: Make, tmp_path: Path, name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name}: must be"):
        batch(people_csv(tmp_path / "r.csv", 1), **{name: value})


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("patient_id", "needs the columns nhs_number and dob"),
        ("nhs_number", "needs the columns nhs_number and dob"),
        ("nhs_number,dob,recipient_contact_detail", "recipient_contact_detail cannot be used"),
    ],
)
async def test_columns_that_do_not_fit_are_refused(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer, header: str, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        await run(batch(write_csv(tmp_path / "r.csv", header, ["1,2,3"])), hero)
    assert batches.asked == []


async def test_rows_need_an_nhs_number_and_a_date_of_birth_even_with_a_patient_id(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    number = nhs_numbers(1)[0]
    rows = [f"5,{number},1980-02-01", "6,,1980-02-01", f"7,{nhs_numbers(2)[1]},", "x,9990000018,1980-02-01"]
    campaign = batch(write_csv(tmp_path / "r.csv", "patient_id,nhs_number,dob", rows))
    await run(campaign, hero)
    assert await stored(campaign) == {
        2: ("sent", None),
        3: ("rejected", "nhs_number_missing"),
        4: ("rejected", "dob_missing"),
        5: ("rejected", "patient_id_not_digits"),
    }


async def test_the_outbox_is_opened_again_with_its_route(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    await run(batch(people_csv(tmp_path / "r.csv", 5), channel="email", subject="Flu", limit=2), hero)
    again = await Campaign.open(tmp_path / "it.outbox", chunk_size=3)
    await run(again, hero)
    assert batches.got == everyone(5)
    assert {made.body["subject"] for made in batches.batches.values()} == {"Flu"}


async def test_the_same_file_on_another_route_has_another_outbox(batch: Make, tmp_path: Path, hero: AsyncHero) -> None:
    path = people_csv(tmp_path / "r.csv", 1)
    await run(batch(path, outbox=None), hero)
    await batch(path, outbox=None, route="personal").prepare(hero.settings)
    assert len(names(tmp_path, "*.outbox")) == 2


async def test_nothing_of_a_patient_is_in_the_outbox(
    batch: Make, tmp_path: Path, hero: AsyncHero, batches: BatchServer
) -> None:
    batches.script["create"].append(lost(processed=True))
    await run(batch(people_csv(tmp_path / "r.csv", 2)), hero)
    held = b"".join((tmp_path / name).read_bytes() for name in names(tmp_path, "it.outbox*"))
    for secret in (*nhs_numbers(2), "1980-02-01"):
        assert secret.encode() not in held
