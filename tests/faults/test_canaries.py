"""A canary in every field of every operation, in the key and in every answer: no log, error, span or repr shows one."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import ssl
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import canaries
import pytest
import trustme
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from scripted import Arrival, Peer, ScriptedServer, Step, answer, head, loses, says, tunnels_to
from showing import Watch

from hero_async import OPERATIONS, AsyncHero, HeroError
from hero_async.calls import AnyOperation
from hero_async.pages import Pages

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_waiting")]

each = pytest.mark.parametrize("operation", OPERATIONS, ids=attrgetter("name"))
WATCH = Watch([*canaries.SHOWN_NOWHERE, canaries.KEY, canaries.TOKEN])
IN_REPRS = Watch([*canaries.HIDDEN_IN_REPRS, canaries.KEY])
PASSWORD = "canarypassword"


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """All that is told while the test runs is looked through at its end: every logger at DEBUG, every span."""
    caplog.set_level(logging.DEBUG)
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    texts: list[str] = []
    yield texts
    records = caplog.get_records("call")  # `records` alone are those of the teardown: none
    texts += [f"{record.name}: {record.getMessage()} {record.args!r} {record.exc_info!r}" for record in records]
    spans = exporter.get_finished_spans()
    texts += [span.to_json() for span in spans]
    provider.shutdown()
    assert any(record.name == "hero_async" for record in records)
    assert spans
    assert [text for text in texts if WATCH.found_in(text)] == []


def echo(status: int) -> Step:
    """An answer that holds all that was asked."""

    async def step(peer: Peer, arrival: Arrival) -> None:
        body = json.dumps([arrival.target, arrival.body.decode(), arrival.headers]).encode()
        await answer(status, body, [("X-Request-Id", f"{canaries.WORD} id"), ("X-Echo", canaries.WORD)])(peer, arrival)

    return step


def issues(operation: AnyOperation) -> bytes:
    """A documented 400 whose paths, codes and expectations hold values."""
    paths = [[canaries.WORD, name, canaries.NHS] for name in sorted(operation.wire_names)] or [[canaries.WORD]]
    return json.dumps(
        {
            "error": True,
            "statusCode": 400,
            "message": [{"code": canaries.WORD, "expected": canaries.WORD, "path": path} for path in paths],
        }
    ).encode()


def answers(operation: AnyOperation) -> dict[str, Step]:
    good = json.dumps(canaries.answer(operation.into)).encode()
    broken = json.dumps(canaries.broken(canaries.answer(operation.into))).encode()
    return {
        "good": answer(body=good),
        "of other types": answer(body=broken),
        "cut in the midst of its JSON": answer(body=good[:-1]),
        "in bytes that are no text": answer(body=good + b"\xff"),
        "400": answer(400, issues(operation)),
        "401": echo(401),
        "409": echo(409),
        "429": echo(429),
        "500": echo(500),
        "302": answer(302, b"", [("Location", f"https://{canaries.WORD}.example/{canaries.NHS}")]),
        "200 of another kind": echo(200),
        "cut": says(head(200, length=len(good) + 1) + good),
        "garbage": says(canaries.WORD.encode() + b"\r\n\r\n"),
        "garbage in a header": says(f"HTTP/1.1 200 OK\r\nX {canaries.WORD}\r\n\r\n".encode()),
        "reset": loses("reset", processed=True),
    }


async def outcome(hero: AsyncHero, operation: AnyOperation) -> Any:
    made = attrgetter(operation.name)(hero)(**canaries.arguments(operation))
    try:
        return await (made.first() if isinstance(made, Pages) else made)
    except HeroError as error:
        return error


@each
async def test_no_field_of_an_operation_is_shown_whatever_the_server_says(
    operation: AnyOperation, server: ScriptedServer, connect: Callable[..., AsyncHero], told: list[str]
) -> None:
    asyncio.get_running_loop().set_debug(True)
    hero = connect(api_key=canaries.KEY, headers={"X-Trace": canaries.WORD})
    failed = 0
    for kind, step in answers(operation).items():
        hero = hero if kind != "429" else hero.with_options(practice_group_id="2")
        server.otherwise = step
        came = await outcome(hero, operation)
        if isinstance(came, HeroError):
            failed += 1
            WATCH.check(came)
            if kind in ("400", "500", "of other types"):  # rich takes its time
                assert [text for text in WATCH.shown_by_rich(came) if WATCH.found_in(text)] == []
        else:
            assert kind in ("good", "of other types", "200 of another kind", "cut in the midst of its JSON")
            assert not IN_REPRS.found_in(repr(came) + str(came))
    assert failed >= 10
    sent = b"".join(arrival.target.encode() + arrival.body for arrival in server.arrivals)
    given = WATCH.found_in(repr(canaries.arguments(operation)))
    assert not given or WATCH.found_in(sent.decode())  # they did go out
    call = attrgetter(operation.name)(hero).build(**canaries.arguments(operation))
    told.append(repr(call) + repr(hero) + repr(hero.settings) + str(hero.settings))
    with pytest.raises(TypeError):
        pickle.dumps(hero.settings)


@each
async def test_no_field_is_shown_when_nothing_can_be_reached(
    operation: AnyOperation, connect: Callable[..., AsyncHero], closed_port: int, told: list[str]
) -> None:
    hero = connect(api_key=canaries.KEY, base_url=f"http://127.0.0.1:{closed_port}", retries=1)
    came = await outcome(hero, operation)
    assert isinstance(came, HeroError)
    WATCH.check(came)


@pytest.mark.parametrize("status", [407, 403, 502, 200])
async def test_the_password_of_a_proxy_is_sent_to_it_and_shown_nowhere(
    server: ScriptedServer, connect: Callable[..., AsyncHero], told: list[str], status: int
) -> None:
    server.otherwise = echo(status) if status != 200 else says(head(200), b"no TLS")
    proxy = server.url.replace("http://", f"http://canaryuser:{PASSWORD}@")
    hero = connect(api_key=canaries.KEY, base_url="https://hero.invalid", proxy=proxy, retries=1)
    came = await outcome(hero, next(one for one in OPERATIONS if one.name == "messages.send"))
    assert isinstance(came, HeroError)
    WATCH.check(came)
    assert [text for text in WATCH.shown_by_rich(came) if WATCH.found_in(text)] == []
    told.append(repr(hero) + repr(hero.settings))
    assert {arrival.verb for arrival in server.arrivals} == {"CONNECT"}
    assert all(arrival.headers["proxy-authorization"].startswith("Basic ") for arrival in server.arrivals)
    assert all("x-api-key" not in arrival.headers and not arrival.body for arrival in server.arrivals)


async def test_through_a_proxy_that_works_the_password_goes_no_further(
    connect: Callable[..., AsyncHero], told: list[str]
) -> None:
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with ScriptedServer().running(serving) as origin, ScriptedServer().running() as proxy:
        proxy.otherwise = tunnels_to(origin.port)
        origin.otherwise = echo(500)
        hero = connect(
            api_key=canaries.KEY,
            base_url=origin.url,
            proxy=proxy.url.replace("http://", f"http://canaryuser:{PASSWORD}@"),
            ssl_context=trusting,
            retries=0,
        )
        came = await outcome(hero, next(one for one in OPERATIONS if one.name == "messages.send"))
        assert getattr(came, "status", None) == 500
        WATCH.check(came)
        assert len(origin.arrivals) == 1
        assert "proxy-authorization" not in origin.arrivals[0].headers
        assert "x-api-key" not in proxy.arrivals[0].headers
        await hero.close()
