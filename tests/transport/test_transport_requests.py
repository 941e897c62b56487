"""A short body leaves at once with its head; what leaves is what aiohttp itself would send."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from scripted import EVERYTHING, SMS, Arrival, Peer, ScriptedServer, head

from hero_async import AsyncHero, sending, transport

pytestmark = pytest.mark.anyio


async def test_this_aiohttp_reads_answers_as_we_know() -> None:
    assert sending.IS_KNOWN


@pytest.mark.parametrize("length", [1, 1000, 60_000, 70_000, 1_000_000, 3_000_000])
async def test_the_same_leaves_as_by_aiohttps_own_request(
    server: ScriptedServer, connect: Callable[..., AsyncHero], length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = {**SMS, "message_string": "x" * length}
    await connect().messages.send(**message)
    monkeypatch.setattr(transport, "IS_KNOWN", False)
    await connect().messages.send(**message)
    ours, theirs = server.arrivals
    assert ours.body == theirs.body
    assert list(ours.headers.items()) == list(theirs.headers.items())
    assert (ours.verb, ours.target) == (theirs.verb, theirs.target)
    assert len(ours.body) > length


@pytest.mark.parametrize("verb", ["GET", "DELETE", "POST", "PUT", "PATCH"])
async def test_the_same_leaves_without_a_body_and_with_headers_of_ones_own(
    server: ScriptedServer, connect: Callable[..., AsyncHero], verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"accept": "text/plain", "X-Own": "a b", "accept-encoding": "identity"}
    await connect(headers=own).request(verb, "/v1/things/7", query={"a b": "ü&="})  # type: ignore[arg-type]
    monkeypatch.setattr(transport, "IS_KNOWN", False)
    await connect(headers=own).request(verb, "/v1/things/7", query={"a b": "ü&="})  # type: ignore[arg-type]
    ours, theirs = server.arrivals
    assert (ours.verb, ours.target, ours.body) == (theirs.verb, theirs.target, theirs.body)
    named_by_aiohttp = {"content-type": "application/octet-stream"}  # though there is nothing
    assert named_by_aiohttp.items() >= theirs.headers.items() - ours.headers.items()
    assert not ours.headers.items() - theirs.headers.items()


async def test_a_short_body_takes_no_task(server: ScriptedServer, connect: Callable[..., AsyncHero]) -> None:
    hero = connect()
    await hero.messages.send(**SMS)
    made: list[str] = []
    loop = asyncio.get_running_loop()

    def factory(loop: asyncio.AbstractEventLoop, coro: object, **options: object) -> asyncio.Task[object]:
        made.append(getattr(coro, "__qualname__", ""))
        return asyncio.Task(coro, loop=loop, **options)  # type: ignore[arg-type]

    loop.set_task_factory(factory)
    try:
        await hero.messages.send(**SMS)
    finally:
        loop.set_task_factory(None)
    assert made == []


async def test_an_answer_that_comes_before_a_long_body_was_read_is_read(
    server: ScriptedServer, connect: Callable[..., AsyncHero]
) -> None:
    async def refuse(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.send(head(413, length=2) + b"{}")
        await peer.gone()

    server.greet(refuse)
    with pytest.raises(Exception, match="413"):
        await connect().messages.send(**{**SMS, "message_string": "x" * 900_000})


async def test_without_keep_alive_the_head_says_so(server: ScriptedServer, connect: Callable[..., AsyncHero]) -> None:
    async def answer(peer: Peer, arrival: Arrival) -> None:
        await peer.send(head(200, length=len(EVERYTHING)) + EVERYTHING)

    server.script(answer)
    await connect(keep_alive=0.0).messages.send(**SMS)
    assert server.arrivals[0].headers["connection"] == "close"
