"""Wrong uses of the SDK: every checker must report every line that ends in `# wrong`, and no other. Never run."""

# ruff: noqa: B018, DTZ011  # a wrong line may do nothing: it is never run

from __future__ import annotations

from datetime import date
from typing import Any, assert_type

from hero_async import AsyncHero, Page, RateLimit, RetryPolicy
from hero_async.api.batch_messages import BatchMessage, BatchRecipientByNhsNumber
from hero_async.api.messages import Messages, SentMessage
from hero_async.api.patients import PatientId
from hero_async.bulk import Campaign as AsyncCampaign
from hero_sync import Hero
from hero_sync.bulk import Campaign


async def send(hero: AsyncHero) -> None:
    await hero.messages.send(patient_id="1", message_type="sms")  # wrong
    await hero.messages.send(patient_id=1, message_type="sms", message_string="m")  # wrong
    await hero.messages.send(patient_id="1", message_type="fax", message_string="m")  # wrong
    await hero.messages.send("1", "sms", "m")  # wrong
    await hero.messages.send(patient_id="1", message_type="sms", message_string="m", colour="red")  # wrong
    await hero.messages.send(patient_id="1", message_type="sms", message_string="m", send_at=date.today())  # wrong
    await hero.messages.send.raw(patient_id="1", message_type="sms")  # wrong
    hero.messages.send.build(patient_id="1", message_type="sms", message_string=None)  # wrong
    await hero.messages.send.build(patient_id="1", message_type="sms", message_string="m")  # wrong
    hero.messages.sendd  # wrong
    hero.massages  # wrong
    sent = await hero.messages.send(patient_id="1", message_type="sms", message_string="m")
    sent.id  # wrong
    sent.message_id = "2"  # wrong
    number: int = sent.message_id  # wrong
    length = len(sent.send_at)  # wrong
    assert_type(sent, Any)  # wrong
    reply = await hero.messages.send.raw(patient_id="1", message_type="sms", message_string="m")
    assert_type(reply, SentMessage)  # wrong
    del number, length


async def without_await(hero: AsyncHero) -> None:
    begun = hero.messages.get("1")
    begun.status  # wrong
    await begun
    hero.messages.get("1").content  # wrong


async def models(hero: AsyncHero) -> None:
    who = BatchRecipientByNhsNumber(nhs_number="9990000018", dob=date(1990, 2, 28))
    await hero.batch_messages.create(name="n", channel="sms", content="c", recipients=[who])  # wrong
    await hero.batch_messages.create(name="n", channel="SMS", content="c", recipients=["9990000018"])  # wrong
    await hero.batch_messages.create(name="n", channel="SMS", content="c", recipients=who)  # wrong
    BatchRecipientByNhsNumber("9990000018", date(1990, 2, 28))  # wrong
    BatchRecipientByNhsNumber(nhs_number="9990000018", dob="1990-02-28")  # wrong
    BatchRecipientByNhsNumber(nhs_number="9990000018")  # wrong
    who.dob = None  # wrong
    person = await hero.patients.register_pds(nhs_number="9990000018", dob=date(1990, 2, 28))
    person.patient_id  # wrong


async def lists(hero: AsyncHero) -> None:
    pages = hero.batch_messages.list()
    for batch in pages:  # wrong
        del batch
    for batch in await pages:
        batch.colour  # wrong
    pages.first().data  # wrong
    len(pages)  # wrong
    hero.batch_messages.list(status="NEW")  # wrong
    hero.batch_messages.list(page_size="10")  # wrong
    hero.batch_messages.recipients()  # wrong
    hero.batch_messages.recipients(7)  # wrong
    assert_type(await pages, Page[SentMessage])  # wrong
    await pages.collect(5)  # wrong
    async for page in pages.pages():
        page.colour  # wrong


async def clients(hero: AsyncHero) -> None:
    AsyncHero(api_key="k", practice_group_id=42, environment="staging")  # wrong
    AsyncHero(api_key="k", practice_group_id="42", environment="test")  # wrong
    AsyncHero("k")  # wrong
    AsyncHero(api_key="k", practice_group_id="42", environment="staging", retry=2)  # wrong
    hero.with_options(timeout="2")  # wrong
    hero.with_options(api_key="k")  # wrong
    hero.with_options(retries="2")  # wrong
    RetryPolicy(5)  # wrong
    RateLimit("20/s", 5)  # wrong
    with hero:  # wrong
        pass
    hero.request("GET")  # wrong
    hero.request("GET", "/v1/any", {"a": 1})  # wrong
    found = await hero.request("GET", "/v1/any", into=PatientId)
    found.colour  # wrong
    hero.execute(SentMessage)  # wrong


def blocking(hero: Hero) -> None:
    hero.messages.send(patient_id="1", message_type="sms")  # wrong
    hero.messages.send(patient_id="1", message_type="fax", message_string="m")  # wrong
    hero.messages.send("1", "sms", "m")  # wrong
    sent = hero.messages.send(patient_id="1", message_type="sms", message_string="m")
    sent.id  # wrong
    sent.__await__  # wrong
    hero.messages.send.raw(patient_id="1", message_type="sms", message_string="m").content  # wrong
    pages = hero.batch_messages.list()
    pages.__aiter__  # wrong
    pages.first().colour  # wrong
    for batch in pages:
        assert_type(batch, Page[BatchMessage])  # wrong
    hero.with_options(timeout="2")  # wrong
    hero.request("GET", "/v1/any", into=PatientId).colour  # wrong
    Hero(api_key="k", practice_group_id="42", environment="test")  # wrong


def campaigns(hero: Hero, asynchronous: AsyncHero, campaign: AsyncCampaign) -> None:
    Campaign("p.csv", text="t", channel="pigeon")  # wrong
    Campaign("p.csv", channel="sms")  # wrong
    blocking = Campaign.open("it.outbox")
    Campaign.open("it.outbox", text="t")  # wrong
    blocking.run(asynchronous)  # wrong
    campaign.run(hero)  # wrong
    blocking.status().colour  # wrong
    blocking.reconcile("perhaps", lines=None)  # wrong
    blocking.run(hero).__aiter__  # wrong


async def await_of_a_blocking_call(hero: Hero) -> None:
    await hero.messages.get("1")  # wrong


def unbound() -> None:
    Messages.send.build(patient_id="1", message_type="fax", message_string="m")  # wrong
    Messages.send.build("1")  # wrong
    Messages.send.colour  # wrong
