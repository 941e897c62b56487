"""Every list: read whole by the SDK, however the sandbox counts its pages."""

from collections.abc import Awaitable, Callable
from operator import attrgetter
from typing import get_origin

import pytest

from hero_async import OPERATIONS, AsyncHero
from hero_async.api.batch_messages import BatchRecipientByNhsNumber
from hero_async.pages import Page
from hero_async.sandbox import Quirks

pytestmark = pytest.mark.anyio

LISTS = [operation for operation in OPERATIONS if get_origin(operation.into) is Page]
PAGED = [operation for operation in LISTS if "page_index" in operation.parameters]
WHOLE = [operation for operation in LISTS if operation not in PAGED]


@pytest.fixture
async def hero(sandbox):
    async with AsyncHero(api_key=sandbox.api_key, practice_group_id="1", base_url=sandbox.url, retries=0) as hero:
        yield hero


async def a_batch(hero, sandbox) -> str:
    who = [BatchRecipientByNhsNumber(nhs_number=one.nhs_number, dob=one.dob) for one in sandbox.patients[:5]]
    return (await hero.batch_messages.create(name="n", channel="SMS", content="c", recipients=who)).id


async def in_a_batch(hero, sandbox):
    batch = await a_batch(hero, sandbox)
    await hero.batch_messages.send(batch)
    return {"id": batch}


async def some_batches(hero, sandbox):
    for _ in range(5):
        await a_batch(hero, sandbox)
    return {}


async def some_links(hero, sandbox):
    for _ in range(5):
        await hero.video_links.create()
        await hero.webhooks.create(event_type="appointment.confirmed", url="https://example.com")
        await hero.booking_links.create()
    return {}


async def named_patients(hero, sandbox):
    for name in "ABCDE":  # the SDK knows no id of an item: those who look alike would be one page, twice
        await hero.patients.register(dob=sandbox.patients[0].dob, first_name="Ann", last_name=name, mobile="1")
    return {"first_name": "Ann"}


async def customers(hero, sandbox):
    for _ in range(3):
        await hero.customers.create(name="A customer")
    return {"query": "customer"}


async def pharmacies(hero, sandbox):
    for _ in range(3):
        await hero.pharmacies.create(name="P", email="p@example.com", mobile="07700 900000", prescriber_id="1401")
    return {"id": "1401"}


async def patient(hero, sandbox):
    return {"id": sandbox.patients[0].patient_id}


SCENES: dict[str, Callable[..., Awaitable[dict[str, str]]]] = {
    "batch_messages.list": some_batches,
    "batch_messages.messages": in_a_batch,
    "batch_messages.recipients": in_a_batch,
    "booking_links.list": some_links,
    "customers.list": customers,
    "patients.attachments": patient,
    "patients.ehr_candidates": patient,
    "patients.list": named_patients,
    "patients.payment_methods": patient,
    "prescribers.pharmacies": pharmacies,
    "short_links.list": some_links,
    "webhooks.list": some_links,
}
"""What must be done to have something to list, by operation; gives the arguments."""


async def scene(operation, hero, sandbox):
    return await SCENES[operation.name](hero, sandbox) if operation.name in SCENES else {}


def test_there_are_lists_of_both_kinds():
    assert len(PAGED) == 9
    assert len(WHOLE) == 19


@pytest.mark.parametrize("count", ["total", "page"])
@pytest.mark.parametrize("pages", ["from_zero", "from_one", "none"])
@pytest.mark.parametrize("operation", PAGED, ids=attrgetter("name"))
async def test_each_item_of_a_paged_list_comes_once(hero, sandbox, operation, pages, count):
    arguments = await scene(operation, hero, sandbox)
    listing = attrgetter(operation.name)(hero)
    sandbox.quirks = Quirks(pages="none")
    everything = list(await listing(**arguments))
    assert len(everything) >= 3

    sandbox.quirks = Quirks(pages=pages, count=count, default_page_size=2)
    assert [item async for item in listing(**arguments)] == everything
    assert [item async for item in listing(**arguments, page_size=1)] == everything
    assert await listing(**arguments, page_size=2).collect(limit=3) == everything[:3]


@pytest.mark.parametrize("operation", PAGED, ids=attrgetter("name"))
async def test_a_page_is_what_was_asked_for(hero, sandbox, operation):
    arguments = await scene(operation, hero, sandbox)
    listing = attrgetter(operation.name)(hero)
    sandbox.quirks = Quirks(pages="none")
    everything = list(await listing(**arguments))
    sandbox.quirks = Quirks()
    second = await listing(**arguments, page_size=2, page_index=1)
    assert list(second.data) == everything[2:4]
    assert second.count == len(everything)
    assert (await listing(**arguments, page_size=2, page_index=10**17)).data == ()
    sandbox.quirks = Quirks(count="page")
    assert (await listing(**arguments, page_size=2)).count == 2


@pytest.mark.parametrize("count", ["total", "page"])
@pytest.mark.parametrize("pages", ["from_zero", "from_one", "none"])
@pytest.mark.parametrize("operation", WHOLE, ids=attrgetter("name"))
async def test_a_list_without_pages_is_one_page(hero, sandbox, operation, pages, count):
    arguments = await scene(operation, hero, sandbox)
    sandbox.quirks = Quirks(pages=pages, count=count, default_page_size=1)
    page = await attrgetter(operation.name)(hero)(**arguments)
    assert len(page.data) == page.count or operation.name == "slots.list"
    assert len(page.data) > 1 or operation.name in ONE_OR_NONE
    items = [item async for item in attrgetter(operation.name)(hero)(**arguments)]
    assert items == list(page.data)
    assert sandbox.ledger.count(operation.name) == 2


ONE_OR_NONE = {"patients.ehr_candidates", "patients.payment_methods", "practice_group.elements"}


@pytest.mark.parametrize("operation", WHOLE, ids=attrgetter("name"))
async def test_a_list_without_pages_does_not_look_at_page_parameters(raw, hero, sandbox, operation):
    arguments = await scene(operation, hero, sandbox)
    target = operation.make((), arguments).target
    whole = (await raw("GET", target)).json
    sign = "&" if "?" in target else "?"
    assert (await raw("GET", f"{target}{sign}page_index=3&page_size=1")).json == whole


@pytest.mark.parametrize("operation", PAGED, ids=attrgetter("name"))
@pytest.mark.parametrize("query", ["page_index=-1", "page_index=x", "page_size=1.5", f"page_index={'9' * 5000}"])
async def test_a_page_that_is_no_number_is_a_400(raw, hero, sandbox, operation, query):
    arguments = await scene(operation, hero, sandbox)
    target = operation.make((), arguments).target
    answer = await raw("GET", f"{target}{'&' if '?' in target else '?'}{query}")
    assert (answer.status, [issue["path"] for issue in answer.json["message"]]) == (400, [[query.partition("=")[0]]])
