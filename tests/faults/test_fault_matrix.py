"""Every phase of an attempt, every fault: the class, the verdict, the attempts, and nothing left behind.

The judge is the origin behind the proxy: what a client calls NO it never processed, what it calls YES it did.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from typing import Any

import pytest
import trustme
from cells import CELLS, LATE, LOST, NO, Cell
from faulty import FaultProxy, pass_on
from scripted import ScriptedServer, turns

from hero_async import AsyncHero, Delivery, HeroError, RateLimit

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_waiting")]

AUTHORITY = trustme.CA()
each_kind = pytest.mark.parametrize("repeatable", [False, True], ids=["once", "repeatable"])


def serving() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    return context


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


@pytest.fixture
async def proxy(server: ScriptedServer, loop_time: Any) -> AsyncGenerator[FaultProxy, None]:
    async with FaultProxy(server.port, loop_time.advance).running() as running:
        yield running


async def post(hero: AsyncHero, repeatable: bool, size: int = 1) -> dict[str, Any]:
    return await hero.request("POST", "/v1/anything", json={"text": "x" * size}, idempotent=repeatable)


async def failing(hero: AsyncHero, repeatable: bool, size: int = 1) -> HeroError | None:
    failed: HeroError | None = None
    try:
        await post(hero, repeatable, size)
    except HeroError as error:
        failed = error
    assert failed is None or failed.__cause__ is failed.__context__ is None
    return failed


def judge(error: HeroError | None, server: ScriptedServer, before: int, repeatable: bool) -> None:
    """What the origin processed, against what the client says of it."""
    processed = server.processed - before
    verdict = Delivery.YES if error is None else error.delivery
    assert processed == 0 if verdict is Delivery.NO else processed >= (verdict is Delivery.YES)
    assert repeatable or processed <= 1


def check_whole(hero: AsyncHero) -> None:
    """The pool and the limiter have all that they had."""
    runtime = hero._shared.runtime
    connector = runtime.own_transport._connector
    assert not connector._acquired
    assert not connector._waiters
    assert not any(deadline._live for deadline in runtime._deadlines.values())
    assert not any(lane._turn.locked() for lane in runtime.throttle._lanes.values())


@each_kind
@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.wire != "tls"], ids=lambda cell: cell.name)
async def test_a_fault_on_the_way(server, proxy, connect, cell: Cell, repeatable: bool):
    url = f"http://127.0.0.1:{proxy.port}"
    way: dict[str, Any] = {"base_url": url}
    if cell.wire == "tunnel":
        way = {"base_url": "https://hero.invalid", "proxy": url}
    hero = connect(**way, retries=1, max_connections=1, rate_limit=RateLimit("1000/s"))
    proxy.fault = cell.act
    if cell.served_before:
        await post(hero, repeatable)
        await turns()
    before = server.processed
    await check(cell, repeatable, server, before, hero, proxy)
    if cell.wire != "tunnel":
        await check_serves(hero, server)


@each_kind
@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.wire == "tls"], ids=lambda cell: cell.name)
async def test_a_fault_in_the_handshake(connect, loop_time, cell: Cell, repeatable: bool):
    async with (
        ScriptedServer().running(serving()) as server,
        FaultProxy(server.port, loop_time.advance).running() as proxy,
    ):
        proxy.fault = cell.act
        hero = connect(base_url=f"https://127.0.0.1:{proxy.port}", ssl_context=trusting(), retries=1, max_connections=1)
        await check(cell, repeatable, server, 0, hero, proxy)
        await hero.close()


def resolver(fault: str, answers: asyncio.Event) -> Any:
    """What the loop asks for addresses. A look-up that is slow goes on, whoever has lost patience with it."""

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        if fault == "delay":
            await answers.wait()
        if fault == "reset":
            raise socket.gaierror(socket.EAI_AGAIN, "for now")
        if fault == "close":
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        if fault == "cut":
            return []
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    return getaddrinfo


DNS = {"delay": (LATE, "dns"), "reset": (LOST, "dns"), "close": (LOST, "dns"), "cut": (LOST, "dns")}
"""By fault: the class and the phase. "wrong" is an address that nothing listens on."""


@each_kind
@pytest.mark.parametrize("fault", [*DNS, "wrong"])
async def test_a_fault_of_the_resolver(server, connect, closed_port, loop_time, monkeypatch, fault, repeatable):
    loop = asyncio.get_running_loop()
    answers = asyncio.Event()
    monkeypatch.setattr(loop, "getaddrinfo", resolver(fault, answers))
    hero = connect(base_url=f"https://hero.example:{closed_port}", retries=1, max_connections=1)
    kind, told = DNS.get(fault, (LOST, "connect"))
    failed = asyncio.ensure_future(failing(hero, repeatable))
    while fault == "delay" and not failed.done():  # the second attempt joins the look-up of the first
        await turns()
        loop_time.advance(5.1)
    error = await failed
    assert type(error) is kind
    assert (error.delivery, error.phase, error.attempts) == (NO, told, 2)
    judge(error, server, 0, repeatable)
    await turns()
    check_whole(hero)
    answers.set()
    await turns()
    monkeypatch.setattr(loop, "getaddrinfo", resolver("", answers))
    error = await failing(hero, repeatable)
    assert error is not None  # it goes on to the next phase: the slot was given back
    assert error.phase == "connect"


@each_kind
async def test_a_refused_connection(server, connect, closed_port, repeatable):
    hero = connect(base_url=f"http://127.0.0.1:{closed_port}", retries=1, max_connections=1)
    for _ in range(2):
        error = await failing(hero, repeatable)
        assert type(error) is LOST
        assert (error.delivery, error.phase, error.attempts) == (NO, "connect", 2)
        judge(error, server, 0, repeatable)
        check_whole(hero)


@each_kind
async def test_a_connection_that_nobody_accepts(connect, loop_time, repeatable):
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):  # its queue is full: further connects hang
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        hero = connect(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", retries=1, max_connections=1)
        failed = asyncio.ensure_future(failing(hero, repeatable))
        while not failed.done():
            await turns()
            loop_time.advance(5.1)
        error = await failed
        assert type(error) is LATE
        assert error.delivery is NO
        assert error.phase == "connect"
        await turns()
        check_whole(hero)


def test_the_matrix_has_no_hole():
    phases = {cell.phase for cell in CELLS} | {"DNS"}
    assert len(CELLS) + len(DNS) + 3 >= 60
    assert phases == {
        "DNS", "connect", "TLS", "proxy", "headers out", "body out", "waiting", "status line", "headers in", "body in",
        "idle", "reuse",
    }  # fmt: skip
    assert len({cell.name for cell in CELLS}) == len(CELLS)


async def check(cell, repeatable, server, before, hero, proxy):
    error = await failing(hero, repeatable, cell.size)
    if cell.error is None or (repeatable and cell.heals):
        assert error is None
    else:
        assert error is not None
        assert type(error) is cell.error
        attempts = cell.repeated if repeatable else cell.attempts
        told = getattr(error, "phase", None)
        assert (error.delivery, told, error.attempts) == (cell.delivery, cell.told, attempts)
    judge(error, server, before, repeatable)
    await proxy.has_open(1 if error is None or cell.keeps else 0)  # the socket of each attempt that failed is closed
    await turns()
    check_whole(hero)
    proxy.fault = pass_on


async def check_serves(hero, server):
    """One connection is all that the client may have: were it not given back, this would wait for ever."""
    before = server.processed
    await post(hero, repeatable=False)
    assert server.processed == before + 1
