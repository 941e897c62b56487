"""What is declared once answers alike in both worlds: every operation, lists, flows, and a day at the sandbox."""

import asyncio
import inspect
from datetime import date
from operator import attrgetter

import pytest
from sample_values import arguments, body_of
from scripted import SMS, answer

import hero_async.operations as op
from hero_async import OPERATIONS, AsyncHero, NotFoundError, Page
from hero_async.api.batch_messages import BatchRecipientByNhsNumber
from hero_async.api.messages import Message
from hero_async.operations import Listing, Resource
from hero_async.resources import Async, Mode
from hero_async.sandbox import Sandbox, SandboxClock
from hero_sync import Hero

SETTINGS = {"api_key": "test-key", "practice_group_id": "1"}


def on(hero, operation):
    """The operation on a client."""
    return attrgetter(operation.name)(hero)


async def in_the_async_world(server, act):
    async with AsyncHero(**SETTINGS, base_url=server.url) as hero:
        return await act(hero)


def sent(server):
    """What arrived, without what differs from connection to connection; then forget it."""
    arrived = [(arrival.verb, arrival.target, arrival.headers, arrival.body) for arrival in server.arrivals]
    server.arrivals.clear()
    return arrived


@pytest.mark.parametrize("operation", OPERATIONS, ids=attrgetter("name"))
def test_blocking_sends_and_answers_as_async(operation, server, hero):
    server.otherwise = answer(body=body_of(operation))
    kwargs = arguments(operation)
    theirs = asyncio.run(in_the_async_world(server, lambda hero: on(hero, operation).raw(**kwargs)))
    sent_by_them = sent(server)
    ours = on(hero, operation).raw(**kwargs)
    assert sent(server) == sent_by_them
    assert len(sent_by_them) == 1
    assert (ours.status, ours.body, ours.attempts, ours.value) == (theirs.status, theirs.body, 1, theirs.value)
    assert type(ours.value) is type(theirs.value)
    assert ours.value is not None


@pytest.mark.parametrize("operation", OPERATIONS, ids=attrgetter("name"))
def test_a_plain_call_gives_the_value_alone_in_both_worlds(operation, server, hero):
    server.otherwise = answer(body=body_of(operation))
    kwargs = arguments(operation)
    if isinstance(operation, Listing):
        theirs = asyncio.run(in_the_async_world(server, lambda hero: on(hero, operation)(**kwargs).first()))
        ours = on(hero, operation)(**kwargs).first()
        assert isinstance(ours, Page)
    else:
        theirs = asyncio.run(in_the_async_world(server, lambda hero: on(hero, operation)(**kwargs)))
        ours = on(hero, operation)(**kwargs)
    assert ours == theirs


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if isinstance(one, Listing)], ids=attrgetter("name"))
def test_a_list_walks_alike_in_both_worlds(operation, server, hero):
    one, empty = body_of(operation), b'{"data": [], "count": 0}'
    bodies = [one, one.replace(b"7", b"8").replace(b"text", b"next").replace(b'"a": 1', b'"a": 2'), empty, empty]
    kwargs = {name: value for name, value in arguments(operation).items() if name != "page_index"}

    async def walk(hero):
        pages = on(hero, operation)(**kwargs)
        return [item async for item in pages], await pages.collect(limit=1), [page async for page in pages.pages()]

    server.otherwise = answer(body=empty)
    results = []
    for world in ("async", "blocking"):
        for _ in range(3):
            server.script(*(answer(body=body) for body in (bodies if operation.is_paged else bodies[:1])))
        if world == "async":
            results.append(asyncio.run(in_the_async_world(server, walk)))
        else:
            pages = on(hero, operation)(**kwargs)
            results.append((list(pages), pages.collect(limit=1), list(pages.pages())))
        server.steps.clear()
    assert results[0][0] == results[1][0]
    assert len(results[0][0]) == (2 if operation.is_paged else 1)
    assert results[0][1] == results[1][1]
    assert [page.data for page in results[0][2]] == [page.data for page in results[1][2]]


class Greetings(Resource[Mode]):
    """A resource of ours with flows: none is declared in the package yet."""

    @op.get("/v1/messages/{id}", id="getGreeting")
    def get(self, id: str) -> Message:
        """Get one."""

    @op.flow
    async def several(self: "Greetings[Async]", id: str, *, times: int = 2) -> list[Message]:
        """Get it several times over."""
        return [await self.get(id) for _ in range(times)]

    @op.flow
    async def at_once(self: "Greetings[Async]", ids: list[str]) -> list[Message]:
        """Get several at the same time."""
        return await asyncio.gather(*map(self.get, ids))


def test_a_flow_runs_in_both_worlds(server, hero):
    async def flow(hero):
        greetings = Greetings(hero)
        return await greetings.several("5", times=3), await greetings.at_once(["1", "2"])

    theirs = asyncio.run(in_the_async_world(server, flow))
    sent_by_them = sorted(target for _, target, _, _ in sent(server))
    greetings = Greetings(hero)
    assert (greetings.several("5", times=3), greetings.at_once(["1", "2"])) == theirs
    assert sorted(target for _, target, _, _ in sent(server)) == sent_by_them
    assert len(sent_by_them) == 5


def test_a_flow_of_a_view_acts_for_its_practice(server, hero):
    Greetings(hero.with_options(practice_group_id="9")).several("5")
    assert {arrival.headers["x-practice-group-id"] for arrival in server.arrivals} == {"9"}


def test_an_error_comes_out_of_a_flow(server, hero):
    server.script(answer(), answer(404))
    with pytest.raises(NotFoundError) as raised:
        Greetings(hero).several("5", times=5)
    assert raised.value.operation == "greetings.get"
    assert len(server.arrivals) == 2


def test_a_flow_shows_its_signature_and_its_docstring(hero):
    several = Greetings(hero).several
    assert list(inspect.signature(several).parameters) == ["id", "times"]
    assert several.__doc__ == "Get it several times over."
    with pytest.raises(TypeError):
        several()


async def day_in_async(hero, person):
    registered = await hero.patients.register_pds(nhs_number=person.nhs_number, dob=person.dob)
    message = await hero.messages.send(**{**SMS, "patient_id": registered.patient_id})
    batch = await hero.batch_messages.create(name="Flu", channel="SMS", content="x", recipients=[recipient(person)])
    return (
        registered,
        message,
        await hero.messages.get(message.message_id),
        batch,
        await hero.batch_messages.get(batch.id),
        await hero.batch_messages.send(batch.id),
        await hero.batch_messages.recipients(batch.id).collect(),
        await hero.patients.list(last_name=person.last_name).collect(),
    )


def day_in_blocking(hero, person):
    registered = hero.patients.register_pds(nhs_number=person.nhs_number, dob=person.dob)
    message = hero.messages.send(**{**SMS, "patient_id": registered.patient_id})
    batch = hero.batch_messages.create(name="Flu", channel="SMS", content="x", recipients=[recipient(person)])
    return (
        registered,
        message,
        hero.messages.get(message.message_id),
        batch,
        hero.batch_messages.get(batch.id),
        hero.batch_messages.send(batch.id),
        hero.batch_messages.recipients(batch.id).collect(),
        hero.patients.list(last_name=person.last_name).collect(),
    )


def recipient(person):
    assert isinstance(person.dob, date)
    return BatchRecipientByNhsNumber(nhs_number=person.nhs_number, dob=person.dob)


def test_a_day_at_the_sandbox_is_the_same_in_both_worlds():
    days = []
    for world in ("async", "blocking"):
        with Sandbox(patients=50, clock=SandboxClock(frozen=True)) as sandbox:
            settings = {"api_key": sandbox.api_key, "practice_group_id": "1", "base_url": sandbox.url}
            if world == "async":
                days.append(asyncio.run(a_day(settings, sandbox.patients[3])))
            else:
                with Hero(**settings) as hero:
                    days.append(day_in_blocking(hero, sandbox.patients[3]))
    assert days[0] == days[1]
    assert days[0][-1]


async def a_day(settings, person):
    async with AsyncHero(**settings) as hero:
        return await day_in_async(hero, person)
