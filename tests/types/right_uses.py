"""Right uses of the SDK: every checker must accept every line and infer what `assert_type` says. Never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Generator, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, assert_type

from hero_async import NULL, OPERATIONS, AsyncHero, Call, OpenEnum, Page, Pages, RateLimit, Response, RetryPolicy
from hero_async.api.batch_messages import (
    BatchMessage,
    BatchMessageRecipient,
    BatchMessageSent,
    BatchMessageStatus,
    BatchRecipientByNhsNumber,
)
from hero_async.api.messages import Message, Messages, SentMessage
from hero_async.api.patients import PatientId, Patients, PatientV3, PatientVerificationRequired
from hero_async.bulk import Outcome, Preflight, State, Status
from hero_async.calls import AnyOperation
from hero_async.operations import Listing, Operation
from hero_async.settings import Settings
from hero_sync import Hero, SyncPages
from hero_sync.bulk import Campaign


async def with_await() -> None:
    async with AsyncHero(api_key="k", practice_group_id="1", environment="staging") as hero:
        assert_type(hero, AsyncHero)
        sent = await hero.messages.send(patient_id="1", message_type="sms", message_string="m")
        assert_type(sent, SentMessage)
        assert_type(sent.send_at, datetime | None)
        assert_type(sent.write_to_record, bool | None)

        begun = hero.messages.send(
            patient_id="1",
            message_type="nhs_app",
            message_string="m",
            fallback_message_type="sms",
            encrypted="yes",
            assignee_id=7,
            send_at=datetime(2026, 3, 1, tzinfo=UTC),
        )
        assert_type(await assert_type(begun, Coroutine[Any, Any, SentMessage]), SentMessage)

        reply = await hero.messages.send.raw(patient_id="1", message_type="email", message_string="m", send_at="noon")
        assert_type(reply, Response[SentMessage])
        assert_type(reply.value, SentMessage)
        assert_type(reply.value.content, str)
        assert_type(reply.status, int)

        call = hero.messages.send.build(patient_id="1", message_type="hero", message_string="m")
        assert_type(call, Call[SentMessage])
        assert_type(await hero.execute(call), SentMessage)
        assert_type(await hero.execute_raw(call), Response[SentMessage])
        assert_type(hero.messages.send.operation, AnyOperation)

        assert_type(await hero.messages.get("1"), Message)
        assert_type(await hero.messages.get(id="1"), Message)
        assert_type(await hero.batch_messages.send("7"), BatchMessageSent)

        batch = await hero.batch_messages.create(
            name="n",
            channel="SMS",
            content="c",
            recipients=[BatchRecipientByNhsNumber(nhs_number="9990000018", dob=date(1990, 2, 28))],
        )
        assert_type(batch, BatchMessage)
        assert_type(batch.status, BatchMessageStatus)
        assert_type(batch.status.is_known, bool)
        known: OpenEnum = batch.status
        text: str = batch.status
        del known, text

        person = await hero.patients.register_pds(nhs_number="9990000018", dob=NULL)
        assert_type(person, PatientId | PatientVerificationRequired)
        if isinstance(person, PatientId):
            assert_type(person.patient_id, str)
        else:
            assert_type(person.login_url, str | None)


async def lists() -> None:
    hero = AsyncHero.from_env()
    pages = hero.batch_messages.list(page_size=10, status="CREATED")
    assert_type(pages, Pages[BatchMessage])
    first = await pages
    assert_type(first, Page[BatchMessage])
    assert_type(first.data, tuple[BatchMessage, ...])
    assert_type(await pages.first(), Page[BatchMessage])
    assert_type(await pages.collect(limit=5), list[BatchMessage])
    assert_type(pages.pages(), AsyncIterator[Page[BatchMessage]])
    async for batch in pages:
        assert_type(batch, BatchMessage)
    async for page in pages.pages():
        assert_type(page, Page[BatchMessage])
        for one in page:
            assert_type(one, BatchMessage)
    async for recipient in hero.batch_messages.recipients("7"):
        assert_type(recipient, BatchMessageRecipient)
        assert_type(recipient.raw, dict[str, Any])
    async for patient in hero.patients.list(dob=date(1990, 2, 28)):
        assert_type(patient, PatientV3)
        assert_type(patient.dob, date | None)
    reply = await hero.batch_messages.list.raw(page_index=3)
    assert_type(reply, Response[Page[BatchMessage]])
    call = hero.batch_messages.list.build()
    assert_type(call, Call[Page[BatchMessage]])
    assert_type(await hero.execute(call), Page[BatchMessage])


async def options_and_requests() -> None:
    hero = AsyncHero(
        api_key=Path("/run/key"),
        practice_group_id="1",
        base_url="https://hero.example",
        retries=RetryPolicy(retries=5),
        rate_limit=RateLimit("20/s"),
    )
    view = hero.with_options(
        timeout=2.0, retries=0, practice_group_id="43", rate_limit="20/s", headers={"X-Trace": "1"}
    )
    assert_type(view, AsyncHero)
    assert_type(await view.messages.get("1"), Message)
    assert_type(hero.settings, Settings)
    assert_type(await hero.request("GET", "/v1/any", query={"a": [1, 2]}, into=PatientId), PatientId)
    assert_type(await hero.request("POST", "/v1/any", json={"a": 1}, idempotent=True, into=str), str)

    async def key() -> str:
        return "k"

    AsyncHero(api_key=key, practice_group_id="1", environment="production", timeout=5)
    AsyncHero(api_key=lambda: "k", practice_group_id="1", environment="production", retries=2)


class Mine(AsyncHero):
    """A client of the user's own."""


async def a_subclass_stays_one(mine: Mine) -> None:
    assert_type(mine.with_options(timeout=1), Mine)
    async with mine as same:
        assert_type(same, Mine)


def blocking() -> None:
    with Hero(api_key="k", practice_group_id="1", environment="staging", timeout=3) as hero:
        assert_type(hero, Hero)
        sent = hero.messages.send(patient_id="1", message_type="sms", message_string="m")
        assert_type(sent, SentMessage)
        reply = hero.messages.send.raw(patient_id="1", message_type="sms", message_string="m")
        assert_type(reply, Response[SentMessage])
        call = hero.messages.send.build(patient_id="1", message_type="sms", message_string="m")
        assert_type(call, Call[SentMessage])
        assert_type(hero.execute(call), SentMessage)
        assert_type(hero.execute_raw(call), Response[SentMessage])
        assert_type(hero.messages.get("1"), Message)
        person = hero.patients.register_pds(nhs_number="9990000018", dob=date(1990, 2, 28))
        assert_type(person, PatientId | PatientVerificationRequired)

        pages = hero.batch_messages.list(page_size=10)
        assert_type(pages, SyncPages[BatchMessage])
        assert_type(pages.first(), Page[BatchMessage])
        assert_type(pages.collect(limit=5), list[BatchMessage])
        assert_type(pages.pages(), Generator[Page[BatchMessage], None, None])
        assert_type(iter(pages), Iterator[BatchMessage])
        for batch in pages:
            assert_type(batch, BatchMessage)
        for page in pages.pages():
            assert_type(page.count, float | None)
        assert_type(hero.batch_messages.list.raw(), Response[Page[BatchMessage]])

        view = hero.with_options(timeout=2.0, practice_group_id="43")
        assert_type(view, Hero)
        assert_type(view.messages.get("1"), Message)
        assert_type(hero.request("GET", "/v1/any", into=PatientId), PatientId)


def campaigns(hero: Hero) -> None:
    campaign = Campaign("recipients.csv", text="t", channel="sms", concurrency=5)
    assert_type(campaign, Campaign)
    assert_type(campaign.run(hero), Generator[Outcome, None, None])
    for outcome in campaign.run(hero):
        assert_type(outcome, Outcome)
        assert_type(outcome.state, State)
    assert_type(campaign.status(), Status)
    assert_type(campaign.check(hero.settings), Preflight)
    assert_type(campaign.reconcile("sent", lines=[2]), int)
    assert_type(campaign.results(Path("results.csv"), with_input=False), int)
    assert_type(list(campaign.outcomes([State.UNKNOWN])), list[Outcome])
    assert_type(campaign.progress.sent, int)
    assert_type(Campaign.open("it.outbox", limit=5), Campaign)
    campaign.drain()
    campaign.purge()


def unbound() -> None:
    call = Messages.send.build(patient_id="1", message_type="sms", message_string="m")
    assert_type(call, Call[SentMessage])
    assert_type(Patients.list.build(first_name="f"), Call[Page[PatientV3]])
    assert_type(Messages.send.idempotent, bool)
    one: Operation[Any, SentMessage] = Messages.send
    many: Listing[Any, PatientV3] = Patients.list
    del one, many
    assert_type(OPERATIONS, tuple[AnyOperation, ...])
    for operation in OPERATIONS:
        assert_type(operation.name, str)
