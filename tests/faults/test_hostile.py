"""Answers and arguments made to do harm: a typed error or a value, at little cost of memory; and no line is split."""

from __future__ import annotations

import asyncio
import json
import sys
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs import run
from scripted import SMS, ScriptedServer, answer, head, says

from hero_async import AsyncHero, ConfigurationError, Delivery, InvalidArgumentError, ResponseDecodeError

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024
UNPACKED = 200 * MIB

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="its peak is read from /proc")


@cache
def bomb(encoding: str) -> bytes:
    """Spaces, packed: what JSON may have in any number before its end."""
    if encoding == "br":
        brotli = pytest.importorskip("brotli", reason="aiohttp reads br only with brotli")
        packer = brotli.Compressor(quality=5)
        return b"".join(packer.process(b" " * MIB) for _ in range(UNPACKED // MIB)) + bytes(packer.finish())
    if encoding == "zstd":
        zstd = pytest.importorskip("backports.zstd", reason="aiohttp reads zstd only with backports.zstd")
        frame = zstd.ZstdCompressor()
        return b"".join(frame.compress(b" " * MIB) for _ in range(UNPACKED // MIB)) + bytes(frame.flush())
    squeezer = zlib.compressobj(9, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
    return b"".join(squeezer.compress(b" " * MIB) for _ in range(UNPACKED // MIB)) + squeezer.flush()


MEASURE = """
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
CAP = int(sys.argv[2])
async def main():
    async with AsyncHero(**OPTIONS, retries=0, max_response_bytes=CAP) as hero:
        await hero.messages.send(**SMS)
        with open("/proc/self/clear_refs", "w") as peak_is_now:
            peak_is_now.write("5")
        before = peak()
        try:
            await hero.messages.send(**SMS)
        except (ResponseTooLargeError, ResponseDecodeError) as error:
            print(type(error).__name__, error.delivery.value, peak() - before)
asyncio.run(main())
"""


def growth(outside: ScriptedServer, encoding: str, cap: int) -> tuple[str, str, int]:
    """What a process of its own came to that read a bomb, and by how much its peak grew, in bytes."""
    data = bomb(encoding)
    assert len(data) < MIB
    with outside.running_in_thread():
        outside.script(answer(), says(head(200, [("Content-Encoding", encoding)], len(data)), data, then="hold"))
        [line] = run(MEASURE, outside.url, arguments=[str(cap)])
    error, delivery, grown = line.split()
    return error, delivery, int(grown)


@on_linux
@pytest.mark.parametrize("cap", [16 * MIB, 64 * MIB])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_costs_at_most_twice_the_cap(outside: ScriptedServer, encoding: str, cap: int) -> None:
    """200 MiB in one answer. With a cap of a few MiB, what an unpacker needs for itself (br: 8 MB) is more."""
    error, delivery, grown = growth(outside, encoding, cap)
    assert (error, delivery) == ("ResponseTooLargeError", "yes")
    assert grown <= 2 * cap


@on_linux
def test_without_the_cap_it_would_cost_all_of_it(outside: ScriptedServer) -> None:
    error, _, grown = growth(outside, "gzip", 2 * UNPACKED)
    assert error == "ResponseDecodeError"
    assert grown >= UNPACKED


@pytest.fixture
def outside() -> ScriptedServer:
    """A server that runs on a thread of its own when it is told to."""
    return asyncio.run(_made())


async def _made() -> ScriptedServer:
    return ScriptedServer()


def body(id: bytes = b'"1"', content: bytes = b"c", more: bytes = b"") -> bytes:
    """What `messages.send` can read, if its parts can be."""
    return b'{"message_id": %b, "content": "%b", "created_at": "2026-01-05"%b}' % (id, content, more)


GOOD = body()
DEEP = b"[" * 100_000 + b"]" * 100_000
TEXT = "Prävention".encode("latin-1")
UNREADABLE: dict[str, tuple[list[tuple[str, str]], bytes]] = {
    "HTML of a gateway": ([("Content-Type", "text/html")], b"<html><body>It works!</body></html>"),
    "empty": ([("Content-Type", "application/json")], b""),
    "100,000 lists deep": ([], DEEP),
    "100,000 objects deep": ([], b'{"message_id":' * 100_000 + b"1" + b"}" * 100_000),
    "deep in a field that nobody reads": ([], body(more=b', "x": ' + DEEP)),
    "a number of 5,000 digits": ([], body(b"7" * 5_000)),
    "NaN": ([], body(b"NaN")),
    "Infinity": ([], body(b"Infinity")),
    "latin-1, and it says so": (
        [("Content-Type", "application/json; charset=latin-1")],
        body(content=TEXT),
    ),
    "latin-1, and it says UTF-8": ([("Content-Type", "application/json; charset=utf-8")], body(content=TEXT)),
    "UTF-16": ([("Content-Type", "application/json; charset=utf-16")], GOOD.decode().encode("utf-16")),
    "JSON by the line": ([("Content-Type", "application/x-ndjson")], GOOD + b"\n" + GOOD),
    "JSONP": ([("Content-Type", "text/javascript")], b"f(" + GOOD + b")"),
    "a guard before it": ([], b")]}',\n" + GOOD),
}


@pytest.mark.parametrize("headers, data", UNREADABLE.values(), ids=UNREADABLE)
async def test_a_200_that_is_no_answer_is_processed_and_told(
    server: ScriptedServer, connect: Callable[..., AsyncHero], headers: list[tuple[str, str]], data: bytes
) -> None:
    server.script(answer(200, data, headers))
    hero = connect()
    with pytest.raises(ResponseDecodeError) as raised:
        await hero.messages.send(**SMS)
    assert (raised.value.delivery, raised.value.attempts) == (Delivery.YES, 1)
    assert raised.value.body == data
    assert raised.value.problems
    await hero.messages.send(**SMS)
    assert server.connections == 1  # the answer was whole: the connection is as good as before


READABLE: dict[str, tuple[list[tuple[str, str]], bytes]] = {
    "no content type": ([], GOOD),
    "another content type": ([("Content-Type", "text/html; charset=x-unknown")], GOOD),
    "a content type of rubbish": ([("Content-Type", ";;;\t=")], GOOD),
    "duplicate keys": ([], body(b'"9"', more=b', "message_id": "1"')),
    "fields that nobody knows": ([], body(more=b', "x": {"y": [1, null, 1e300]}, "": 0')),
    "a number of 5,000 digits in a field that nobody reads": ([], body(more=b', "x": ' + b"7" * 5_000)),
    "an id that is a number": ([], body(b"1")),
}


@pytest.mark.parametrize("headers, data", READABLE.values(), ids=READABLE)
async def test_an_answer_that_is_only_strange_is_read(
    server: ScriptedServer, connect: Callable[..., AsyncHero], headers: list[tuple[str, str]], data: bytes
) -> None:
    server.script(answer(200, data, headers))
    assert (await connect().messages.send(**SMS)).message_id == "1"


@pytest.mark.parametrize("status", [201, 202, 204, 205, 206])
async def test_a_2xx_without_a_body_is_processed(
    server: ScriptedServer, connect: Callable[..., AsyncHero], status: int
) -> None:
    hero = connect()
    server.script(says(head(status, length=None if status == 204 else 0), then="go on"))
    with pytest.raises(ResponseDecodeError) as raised:
        await hero.messages.send(**SMS)
    assert raised.value.delivery is Delivery.YES
    server.script(says(head(status, length=None if status == 204 else 0), then="go on"))
    assert (await hero.appointments.book("7")).raw == {}  # where the reference shows no fields, none are missed
    assert server.connections == 1


SPLITS = st.text("\r\n\x00\u2028\x85:a 9", min_size=1, max_size=20).filter(lambda text: set("\r\n\x00") & set(text))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(SPLITS)
def test_a_line_break_is_refused_wherever_it_could_split_one(text: str) -> None:
    good: dict[str, Any] = {"api_key": "k", "practice_group_id": "1", "environment": "staging"}
    for wrong in (
        {"api_key": f"a{text}b"},
        {"practice_group_id": f"1{text}"},
        {"headers": {"X-Trace": f"a{text}b"}},
        {"headers": {f"X{text}": "a"}},
        {"environment": None, "base_url": f"https://hero.example/{text}x"},
        {"proxy": f"http://proxy.example/{text}x"},
    ):
        with pytest.raises(ConfigurationError):
            AsyncHero(**{**good, **wrong})
    hero = AsyncHero(**good)
    for options in ({"practice_group_id": f"1{text}"}, {"headers": {"X": f"a{text}b"}}):
        with pytest.raises(ConfigurationError):
            hero.with_options(**options)
    with pytest.raises(InvalidArgumentError):
        hero.messages.get.build(f"a{text}b")
    with pytest.raises(InvalidArgumentError):
        hero.request("GET", f"/v1/{text}")
    with pytest.raises(InvalidArgumentError):
        hero.request(f"GET{text}", "/v1/x")
    message = hero.messages.send.build(patient_id="1", message_type="sms", message_string=text)
    assert message.body is not None
    assert not {13, 10, 0} & set(message.body)  # in JSON they are escaped
    assert json.loads(message.body)["message_string"] == text
    listed = hero.patients.list.build(first_name=text)
    assert not set("\r\n\x00") & set(listed.target)
