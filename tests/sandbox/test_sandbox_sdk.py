"""The SDK against the sandbox: every operation that is served, and the quirks that a client must live with."""

import pytest

from hero_async import (
    NULL,
    APIConnectionError,
    AsyncHero,
    BadRequestError,
    Delivery,
    NotFoundError,
    RateLimitError,
    ResponseDecodeError,
)
from hero_async.api.batch_messages import BatchRecipientByNhsNumber
from hero_async.clock import VirtualClock, use
from hero_async.sandbox import CutBody, Garbage, Quirks, RateLimited, Reset, Sandbox
from hero_sync import Hero

pytestmark = pytest.mark.anyio


@pytest.fixture
async def hero(sandbox):
    async with AsyncHero(api_key=sandbox.api_key, practice_group_id="1", base_url=sandbox.url, retries=0) as hero:
        yield hero


def flu_jab(sandbox, index=0):
    patient_id = sandbox.patients[index].patient_id
    return {"patient_id": patient_id, "message_type": "sms", "message_string": "Your flu jab is due"}


async def test_patients_and_messages(hero, sandbox):
    patient = sandbox.patients[0]
    found = await hero.patients.register_pds(nhs_number=patient.nhs_number, dob=patient.dob)
    assert found.patient_id == patient.patient_id
    verify = await hero.patients.register_pds(nhs_number=patient.nhs_number, dob=NULL)
    assert verify.login_url.endswith(patient.patient_id)
    made = await hero.patients.register(
        dob=patient.dob, first_name="A", last_name="B", mobile="07700 900001", nhs_number="9990000018"
    )
    assert [item.last_name async for item in hero.patients.list(nhs_number="9990000018")] == ["B"]
    sent = await hero.messages.send(**flu_jab(sandbox) | {"patient_id": made.patient_id})
    assert (sent.content, sent.created_at) == ("Your flu jab is due", "2026-01-05T09:00:00Z")
    assert (await hero.messages.get(sent.message_id)).id == sent.message_id
    assert (await hero.access_tokens.create()).access_token.count(".") == 2
    with pytest.raises(NotFoundError):
        await hero.messages.get("1")


async def make_batch(hero, sandbox, count=5):
    recipients = [
        BatchRecipientByNhsNumber(nhs_number=patient.nhs_number, dob=patient.dob)
        for patient in sandbox.patients[:count]
    ]
    return await hero.batch_messages.create(name="flu", channel="SMS", content="Flu jab", recipients=recipients)


async def test_a_batch_from_its_creation_to_its_end(hero, sandbox, clock):
    batch = await make_batch(hero, sandbox)
    assert [other.id async for other in hero.batch_messages.list()] == [batch.id]
    await hero.batch_messages.send(batch.id)
    clock.advance(2)
    assert (await hero.batch_messages.get(batch.id)).status == "COMPLETED"
    sends = [item.raw["status"] async for item in hero.batch_messages.messages(batch.id)]
    assert sends == ["SUCCESS"] * 5
    assert not sandbox.ledger.doubled()


@pytest.mark.parametrize("count", ["total", "page"])
@pytest.mark.parametrize("pages", ["from_zero", "from_one", "none"])
async def test_iteration_gives_each_item_once_however_pages_count(hero, sandbox, pages, count):
    batch = await make_batch(hero, sandbox)
    sandbox.quirks = Quirks(pages=pages, count=count)
    items = [item.raw["patient_id"] async for item in hero.batch_messages.recipients(batch.id, page_size=2)]
    assert items == [patient.patient_id for patient in sandbox.patients[:5]]


async def test_a_list_that_is_one_object_and_an_empty_answer_are_read(hero, sandbox):
    sandbox.quirks = Quirks(batch_list="object", send_answer="empty")
    batch = await make_batch(hero, sandbox)
    assert [other.id async for other in hero.batch_messages.list()] == [batch.id]
    assert (await hero.batch_messages.send(batch.id)).raw == {}


async def test_unknown_fields_and_values_never_fail(hero, sandbox):
    sandbox.quirks = Quirks(extra_fields=True, unknown_values=True)
    batch = await make_batch(hero, sandbox)
    assert not batch.status.is_known
    assert [item.status async for item in hero.batch_messages.list()] == [batch.status]
    found = [item async for item in hero.patients.list(nhs_number=sandbox.patients[0].nhs_number)]
    assert not found[0].sex.is_known


@pytest.mark.parametrize(
    "fault, error, delivery, accepted",
    [
        (Reset(after_processing=False), APIConnectionError, Delivery.UNKNOWN, 0),
        (Reset(after_processing=True), APIConnectionError, Delivery.UNKNOWN, 1),
        (CutBody(5), APIConnectionError, Delivery.YES, 1),
        (Garbage(), ResponseDecodeError, Delivery.YES, 1),
        (RateLimited(3), RateLimitError, Delivery.NO, 0),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_the_clients_verdict_agrees_with_the_ledger(hero, sandbox, fault, error, delivery, accepted):
    sandbox.faults.add("messages.send", fault)
    with pytest.raises(error) as failure:
        await hero.messages.send(**flu_jab(sandbox))
    assert failure.value.delivery is delivery
    assert len(sandbox.ledger.messages) == accepted
    assert sandbox.ledger.count("messages.send") == 1


async def test_the_sandbox_can_refuse_what_the_sdk_lets_through(hero, sandbox):
    with pytest.raises(BadRequestError) as refused:
        await hero.messages.send(**flu_jab(sandbox) | {"send_at": "tomorrow"})
    assert [issue.path for issue in refused.value.issues] == [("send_at",)]


async def test_a_rate_limit_and_its_waits_on_one_clock():
    with use(VirtualClock()) as clock:
        async with Sandbox(patients=5, rate_limit=2, clock=clock) as sandbox:
            async with AsyncHero(api_key=sandbox.api_key, practice_group_id="1", base_url=sandbox.url) as hero:
                for index in range(5):
                    await hero.messages.send(**flu_jab(sandbox, index))
            assert sandbox.ledger.count("messages.send", status=429) >= 1
            assert len(sandbox.ledger.messages) == 5
            assert not sandbox.ledger.doubled()


def test_the_blocking_client_and_the_blocking_sandbox():
    with Sandbox(patients=3, quirks=Quirks(default_page_size=2)) as sandbox:
        with Hero(api_key=sandbox.api_key, practice_group_id="1", base_url=sandbox.url) as hero:
            hero.messages.send(**flu_jab(sandbox))
            found = hero.patients.list(first_name=sandbox.patients[0].first_name)
            assert [item.last_name for item in found] == [sandbox.patients[0].last_name]
        assert len(sandbox.ledger.messages) == 1
