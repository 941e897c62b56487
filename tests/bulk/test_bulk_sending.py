"""Rows on their way, answer by answer. The server is the judge of what was sent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bulk_support import (
    NHS_NUMBERS,
    SEND,
    Behaviour,
    Make,
    Server,
    garbage,
    lost,
    lost_after_guard,
    names,
    patients_csv,
    run,
    status,
    stored,
    unreachable,
    write_csv,
)

from hero_async.bulk import (
    Campaign,
    InputChangedError,
    InputError,
    OutboxError,
    OutboxMismatchError,
    Patience,
    SQLiteOutbox,
    State,
)
from hero_async.client import AsyncHero
from hero_async.clock import VirtualClock
from hero_async.errors import InvalidArgumentError

pytestmark = pytest.mark.anyio


async def test_each_good_row_is_sent_once_with_its_own_text(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    campaign = make(patients_csv(tmp_path / "r.csv", 120), options={"write_to_record": True})
    outcomes = await run(campaign, hero)
    assert {outcome.state for outcome in outcomes} == {State.SENT}
    assert sorted(server.patients, key=int) == [str(number) for number in range(1, 121)]
    for message in server.processed:
        assert message.body == {
            "patient_id": message.patient_id,
            "message_type": "sms",
            "message_string": f"Dear Sample{message.patient_id}, your flu jab is due",
            "write_to_record": True,
        }
    by_line = {outcome.line: outcome.message_id for outcome in outcomes}
    for number, message in enumerate(server.processed, start=1):
        assert by_line[int(message.patient_id) + 1] == str(number)


async def test_the_same_campaign_again_sends_nothing(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    path = patients_csv(tmp_path / "r.csv", 10)
    await run(make(path), hero)
    assert await run(make(path), hero) == []
    assert server.attempts[SEND] == 10


async def test_by_default_the_outbox_lies_beside_the_file_and_is_found_again(
    tmp_path: Path, hero: AsyncHero, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = patients_csv(tmp_path / "r.csv", 3)
    await run(Campaign(path, text="Hello", channel="sms"), hero)
    monkeypatch.chdir(tmp_path.parent)
    await run(Campaign(str(path.relative_to(tmp_path.parent)), text="Hello", channel="sms"), hero)
    assert server.attempts[SEND] == 3
    assert len(names(tmp_path, "r-*.outbox")) == 1
    await run(Campaign(path, text="Another text", channel="sms"), hero)
    assert server.attempts[SEND] == 6


async def test_a_changed_file_is_refused_though_nothing_was_given_but_the_file(
    tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    path = patients_csv(tmp_path / "r.csv", 3)
    await run(Campaign(path, text="Hello", channel="sms"), hero)
    patients_csv(path, 4)
    with pytest.raises(InputChangedError):
        await run(Campaign(path, text="Hello", channel="sms"), hero)
    with pytest.raises(OutboxMismatchError, match="options"):
        await run(Campaign(path, text="Hello", channel="sms", allow_duplicates=True), hero)
    assert server.attempts[SEND] == 3


async def test_a_row_that_changed_under_the_run_stops_it(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = patients_csv(tmp_path / "r.csv", 5)
    campaign = make(path)
    await campaign.prepare(hero.settings)
    source = campaign._plan.source
    before = source.sha256()
    path.write_text(path.read_text().replace("Sample4", "Sample9"))
    monkeypatch.setattr(type(source), "sha256", lambda _: before)  # it changes after the file was compared
    with pytest.raises(InputChangedError, match="line 5"):
        await run(campaign, hero)
    assert "4" not in server.patients


BAD = [
    ("1,Ann", None),
    ("x,Ann", "patient_id_not_digits"),
    ("2,", "field_empty:first_name"),
    ("3", "columns"),
    ("1,Ann again", "duplicate_person"),
    ("01,Ann again", "duplicate_person"),
    ("4,Bob", None),
]


async def test_bad_rows_are_told_and_stop_no_good_one(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    campaign = make(write_csv(tmp_path / "r.csv", "patient_id,first_name", [cells for cells, _ in BAD]))
    found = await campaign.prepare(hero.settings)
    assert [(bad.line, bad.reason) for bad in found.bad] == [
        (line, reason) for line, (_, reason) in enumerate(BAD, start=2) if reason
    ]
    assert (found.rows, found.good, found.bad_rows, found.duplicates) == (7, 2, 5, 2)
    assert found.messages == {"1": 2}
    assert str(found.bad[-1]) == "line 7: is the same person as line 2"
    assert server.attempts == {}
    await run(campaign, hero)
    assert sorted(server.patients) == ["1", "4"]
    assert [reason for _, reason in (await stored(campaign)).values()] == [reason for _, reason in BAD]


async def test_duplicates_may_be_allowed(make: Make, tmp_path: Path, hero: AsyncHero, server: Server) -> None:
    path = write_csv(tmp_path / "r.csv", "patient_id,first_name", ["1,Ann", "1,Ann", "2,Bob"])
    await run(make(path, allow_duplicates=True), hero)
    assert sorted(server.patients) == ["1", "1", "2"]


async def test_a_dry_run_counts_and_leaves_nothing(make: Make, tmp_path: Path, hero: AsyncHero, server: Server) -> None:
    rows = ["1,Ann", "2," + "A" * 160, "2,Ann", "x,Ann"]
    campaign = make(write_csv(tmp_path / "r.csv", "patient_id,first_name", rows))
    found = await campaign.check(hero.settings)
    assert (found.rows, found.good, found.segments) == (4, 2, 3)
    assert names(tmp_path) == ["r.csv"]
    assert server.attempts == {}
    assert (await make(tmp_path / "r.csv", channel="email").check(hero.settings)).segments is None


@pytest.mark.parametrize(
    ("content", "text", "words"),
    [
        ("patient_id,first_name\n1,Ann\n", "Dear {first_nam}", "no column called 'first_nam'"),
        ("name\nAnn\n", "Hello", "line 1: needs a column patient_id"),
        ("patient_id,first_name\n1,Ann\n2,B\xffb\n", "Hello", "line 3: is not UTF-8"),
        ('patient_id,first_name\n1,Ann\n2,"Bob\n', "Hello", "line 3: the quotes"),
        ("", "Hello", "the file is empty"),
    ],
)
async def test_a_file_that_cannot_be_used_sends_nothing_and_can_be_mended(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server, content: str, text: str, words: str
) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(content.encode("latin-1"))
    campaign = make(path, text=text)
    for attempt in (lambda: run(campaign, hero), lambda: campaign.check(hero.settings)):
        with pytest.raises(InputError, match=words):
            await attempt()
    assert server.attempts == {}
    patients_csv(path, 2)
    await run(make(path, text="Hello", outbox=tmp_path / ("it.outbox" if text == "Hello" else "new.outbox")), hero)
    assert len(server.patients) == 2


async def test_a_file_of_good_header_and_no_rows_is_a_campaign_of_none(
    make: Make, tmp_path: Path, hero: AsyncHero
) -> None:
    campaign = make(write_csv(tmp_path / "r.csv", "patient_id,first_name", []))
    assert await run(campaign, hero) == []
    assert (await campaign.status()).complete


# One row, one answer: what the row becomes, how often it was tried, and whether the patient got a message.

ANSWERS: list[tuple[str, list[Behaviour], str, str | None, int, int]] = [
    ("reset before it was processed", [lost(processed=False)], "unknown", "no_answer", 1, 0),
    ("reset after it was processed", [lost(processed=True)], "unknown", "no_answer", 1, 1),
    ("500", [status(500)], "unknown", "http_500", 1, 0),
    ("500 after it was processed", [status(500, process=True)], "unknown", "http_500", 1, 1),
    ("503", [status(503)], "unknown", "http_503", 1, 0),
    ("408", [status(408)], "unknown", "http_408", 1, 0),
    ("302", [status(302)], "unknown", "http_302", 1, 0),
    ("an answer that cannot be read", [garbage], "sent", "answer_unreadable", 1, 1),
    ("400", [status(400)], "rejected", "http_400", 1, 0),
    ("422", [status(422)], "rejected", "http_422", 1, 0),
    ("409", [status(409)], "rejected", "http_409", 1, 0),
    ("413", [status(413)], "rejected", "http_413", 1, 0),
    ("429, then accepted", [status(429, headers={"Retry-After": "20"})], "sent", None, 2, 1),
    ("429 thrice, then accepted", [status(429)] * 3, "sent", None, 4, 1),
    ("not reached, then accepted", [unreachable()], "sent", None, 2, 1),
    ("no name, then accepted", [unreachable("dns")], "sent", None, 2, 1),
    ("lost between guard and first byte, then accepted", [lost_after_guard()], "sent", None, 2, 1),
    ("429, then reset", [status(429), lost(processed=True)], "unknown", "no_answer", 2, 1),
]


@pytest.mark.parametrize(
    ("script", "state", "reason", "attempts", "processed"),
    [answer[1:] for answer in ANSWERS],
    ids=[answer[0] for answer in ANSWERS],
)
async def test_what_an_answer_makes_of_a_row(
    make: Make,
    tmp_path: Path,
    hero: AsyncHero,
    server: Server,
    no_waiting: VirtualClock,
    script: list[Behaviour],
    state: str,
    reason: str | None,
    attempts: int,
    processed: int,
) -> None:
    server.script[SEND].extend(script)
    campaign = make(patients_csv(tmp_path / "r.csv", 1))
    (outcome,) = await run(campaign, hero)
    assert (outcome.state.value, outcome.reason) == (state, reason)
    assert await stored(campaign) == {2: (state, reason)}
    assert (server.attempts[SEND], len(server.processed)) == (attempts, processed)
    assert await run(campaign, hero) == []  # settled is settled
    assert server.attempts[SEND] == attempts


async def test_the_rest_goes_on_after_an_unknown_row(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server, no_waiting: VirtualClock
) -> None:
    server.script[SEND].extend([lost(processed=True), status(500), status(400), status(429), unreachable()])
    campaign = make(patients_csv(tmp_path / "r.csv", 40), concurrency=5)
    outcomes = await run(campaign, hero)
    assert len(outcomes) == 40
    assert [outcome.state for outcome in outcomes].count(State.UNKNOWN) == 2
    assert [outcome.state for outcome in outcomes].count(State.REJECTED) == 1
    assert len(server.processed) == 38
    assert server.doubled() == []


async def test_an_intent_is_on_disk_before_the_first_byte_and_a_refusal_before_the_wait(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server, no_waiting: VirtualClock
) -> None:
    seen: list[str] = []
    outbox = SQLiteOutbox(tmp_path / "it.outbox")

    async def state_on_disk() -> str:
        return next(iter([record.state.value async for record in outbox.records()]))

    async def look(server: Server, attempt: Any, body: Any) -> Any:
        seen.append(await state_on_disk())
        await attempt.leave()
        seen.append(await state_on_disk())
        attempt.status = 429
        return await status(429)(server, attempt, body)

    class Watching(VirtualClock):
        async def sleep(self, seconds: float) -> None:
            seen.append(await state_on_disk())
            await super().sleep(seconds)

    from hero_async import clock

    server.script[SEND].append(look)
    with clock.use(Watching()):
        await run(make(patients_csv(tmp_path / "r.csv", 1), outbox=outbox), hero)
    assert seen[:3] == ["ready", "sending", "ready"]
    assert "sending" not in seen[2:]


async def test_after_a_429_the_row_waits_as_long_as_the_server_asks(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server, no_waiting: VirtualClock
) -> None:
    server.script[SEND].append(status(429, headers={"Retry-After": "20"}))
    await run(make(patients_csv(tmp_path / "r.csv", 1)), hero)
    assert 20 <= no_waiting.monotonic() <= 45


async def test_a_row_that_no_attempt_gets_through_for_stays_ready(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server, no_waiting: VirtualClock
) -> None:
    server.script[SEND].extend([unreachable()] * 3)
    campaign = make(patients_csv(tmp_path / "r.csv", 5), patience=Patience(tries=3), concurrency=2, limit=1)
    assert await run(campaign, hero) == []
    assert server.attempts[SEND] == 3
    assert (await stored(campaign))[2] == ("ready", "not_sent_connect")
    assert not (await campaign.status()).complete
    await run(make(tmp_path / "r.csv"), hero)
    assert sorted(server.patients) == ["1", "2", "3", "4", "5"]


async def test_a_limit_takes_up_so_many_rows_a_run(make: Make, tmp_path: Path, hero: AsyncHero, server: Server) -> None:
    path = patients_csv(tmp_path / "r.csv", 25)
    for expected in (10, 20, 25, 25):
        campaign = make(path, limit=10)
        await run(campaign, hero)
        assert len(server.processed) == expected
    assert server.doubled() == []


async def test_no_more_rows_are_under_way_than_allowed(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    await run(make(patients_csv(tmp_path / "r.csv", 60), concurrency=7), hero)
    assert server.most_running == 7


async def test_options_are_checked_before_anything_is_read(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "there is no such file.csv"
    with pytest.raises(InputError, match="recipient_contact_detail differs from row to row"):
        make(path, options={"recipient_contact_detail": "07700 900123"})
    with pytest.raises(InputError, match="no argument called 'colour'"):
        make(path, options={"colour": "red"})
    with pytest.raises(InvalidArgumentError, match="send_at"):
        make(path, options={"send_at": datetime(2026, 3, 1, 9, 0)})  # noqa: DTZ001  # naive on purpose
    with pytest.raises(InvalidArgumentError, match="fallback_message_type"):
        make(path, options={"fallback_message_type": "pigeon"})
    with pytest.raises(InputError, match="channel: must be one of"):
        make(path, channel="pigeon")
    for wrong in ({"concurrency": 0}, {"limit": 0}):
        with pytest.raises(ValueError, match="must be 1 or more"):
            make(path, **wrong)


async def test_an_outbox_can_be_opened_by_itself_and_goes_on_alike(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    options = {"send_at": datetime(2026, 3, 1, 9, 0, tzinfo=UTC), "write_to_record": False, "assignee_id": 7}
    first = make(patients_csv(tmp_path / "r.csv", 4), limit=2, options=options)
    await run(first, hero)
    (tmp_path / "r.csv").rename(tmp_path / "moved.csv")
    with pytest.raises(InputError, match="cannot be read"):
        await run(await Campaign.open(tmp_path / "it.outbox"), hero)
    second = await Campaign.open(tmp_path / "it.outbox", recipients=tmp_path / "moved.csv")
    await run(second, hero)
    assert sorted(server.patients) == ["1", "2", "3", "4"]
    bodies = [message.body | {"patient_id": "", "message_string": ""} for message in server.processed]
    assert bodies.count(bodies[0]) == 4
    assert bodies[0]["send_at"].startswith("2026-03-01T09:00:00")
    with pytest.raises(OutboxError, match="no such outbox"):
        await Campaign.open(tmp_path / "none.outbox")


async def test_many_practices_in_one_campaign(make: Make, tmp_path: Path, hero: AsyncHero, server: Server) -> None:
    rows = ["1,Ann,1", "1,Ann,2", "2,Bob,2", "1,Ann,2"]
    campaign = make(write_csv(tmp_path / "r.csv", "patient_id,first_name,practice_group_id", rows))
    found = await campaign.prepare(hero.settings)
    assert found.messages == {"1": 1, "2": 2}
    await run(campaign, hero)
    assert sorted((message.practice, message.patient_id) for message in server.processed) == [
        ("1", "1"),
        ("2", "1"),
        ("2", "2"),
    ]


async def test_a_contact_of_the_row_goes_along(make: Make, tmp_path: Path, hero: AsyncHero, server: Server) -> None:
    rows = ["1,Ann,07700 900123", "2,Bob,"]
    await run(make(write_csv(tmp_path / "r.csv", "patient_id,first_name,recipient_contact_detail", rows)), hero)
    details = {message.patient_id: message.body.get("recipient_contact_detail") for message in server.processed}
    assert details == {"1": "07700 900123", "2": None}


class Rows:
    """Recipients that can be iterated again and again."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __iter__(self) -> Any:
        for number in range(self.count):
            yield {"reference": f"mine-{number}", "patient_id": 100 + number, "first_name": "Ann"}


async def test_rows_of_ones_own_with_references(make: Make, hero: AsyncHero, server: Server) -> None:
    campaign = make(Rows(5), limit=3)
    first = await run(campaign, hero)
    second = await run(make(Rows(5)), hero)
    assert sorted(outcome.reference or "" for outcome in [*first, *second]) == [f"mine-{number}" for number in range(5)]
    assert {outcome.reference async for outcome in campaign.outcomes([State.SENT])} == {
        f"mine-{number}" for number in range(5)
    }
    with pytest.raises(InputChangedError):
        await run(make(Rows(6)), hero)
    assert server.doubled() == []
    assert "mine" not in repr(first)


async def test_rows_without_references_are_bad_and_twice_the_same_one_is_refused(
    make: Make, tmp_path: Path, hero: AsyncHero
) -> None:
    one = {"reference": "a", "patient_id": "1", "first_name": "Ann"}
    found = await make([one, {**one, "reference": " ", "patient_id": "2"}]).check(hero.settings)
    assert [(bad.line, bad.rule) for bad in found.bad] == [(2, "reference_missing")]
    with pytest.raises(InputError, match="line 2: reference: is the same as in line 1"):
        await make([one, {**one, "patient_id": "2"}]).check(hero.settings)
    with pytest.raises(InputError, match="needs a column reference"):
        await make([{"patient_id": "1", "first_name": "Ann"}]).check(hero.settings)
    with pytest.raises(OutboxError, match="must be given when the recipients are not a file"):
        Campaign([one], text="Hello", channel="sms").outbox_for(hero.settings)


# A person's word


async def test_unknown_rows_are_marked_and_only_those_unsent_are_sent_again(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server, no_waiting: VirtualClock
) -> None:
    server.script[SEND].extend([lost(processed=True), lost(processed=False)])
    campaign = make(patients_csv(tmp_path / "r.csv", 6), concurrency=1)
    await run(campaign, hero)
    unknown = [outcome.line async for outcome in campaign.outcomes([State.UNKNOWN])]
    assert unknown == [2, 3]
    assert await campaign.reconcile("sent", lines=[2]) == 1
    assert await campaign.reconcile("unsent", lines=None) == 1
    (again,) = await run(campaign, hero)
    assert (again.line, again.state) == (3, State.SENT)
    assert server.doubled() == []
    assert sorted(server.patients) == ["1", "2", "3", "4", "5", "6"]


async def test_nothing_of_a_patient_is_in_the_outbox(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    header = "nhs_number,dob,first_name,recipient_contact_detail,surname"
    rows = [f"{NHS_NUMBERS[0]},1961-07-23,Zebedee,07700 900123,Quatermass"]
    await run(make(write_csv(tmp_path / "r.csv", header, rows)), hero)
    assert len(server.processed) == 1
    held = b"".join((tmp_path / name).read_bytes() for name in names(tmp_path, "it.outbox*"))
    for secret in (NHS_NUMBERS[0], "1961-07-23", "Zebedee", "07700 900123", "Quatermass"):
        assert secret.encode() not in held


async def test_progress_counts_what_earlier_runs_did_too(make: Make, tmp_path: Path, hero: AsyncHero) -> None:
    path = patients_csv(tmp_path / "r.csv", 10)
    await run(make(path, limit=4), hero)
    campaign = make(path)
    await campaign.prepare(hero.settings)
    progress = campaign.progress
    assert (progress.total, progress.ready, progress.sent, progress.settled, progress.rate) == (10, 6, 4, 0, 0.0)
    await run(campaign, hero)
    assert (progress.ready, progress.sending, progress.sent, progress.settled) == (0, 0, 10, 6)
    assert progress.rate > 0
    assert progress.seconds_left == 0
