"""Answers over the cap: reading stops there, whatever the server packed."""

import asyncio
import tracemalloc
import zlib
from functools import cache

import pytest
from scripted import EVERYTHING, PERSON, SMS, answer, head, says, turns

from hero_async import APIStatusError, Delivery, ResponseDecodeError, ResponseTooLargeError

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024
BOMB = 150 * MIB


@cache
def packed(encoding, size=BOMB):
    """Spaces, in a form that a JSON body may have before its end."""
    if encoding == "br":
        brotli = pytest.importorskip("brotli", reason="aiohttp reads br only with brotli")
        return brotli.compress(b" " * size)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
    block = b" " * MIB
    return b"".join(packer.compress(block) for _ in range(size // MIB)) + packer.flush()


async def too_large(hero, call):
    with pytest.raises(ResponseTooLargeError) as raised:
        await call
    assert raised.value.limit == hero.settings.max_response_bytes
    return raised.value


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_bomb_costs_little_memory(server, hero, encoding, chunked):
    data = packed(encoding)
    assert len(data) < 2 * MIB
    headers = [("Content-Encoding", encoding)]
    if chunked:
        data = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)
        server.script(says(head(200, [*headers, ("Transfer-Encoding", "chunked")]), data, then="hold"))
    else:
        server.script(says(head(200, headers, len(data)), data, then="hold"))
    tracemalloc.start()
    try:
        error = await too_large(hero, hero.messages.send(**SMS))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.delivery is Delivery.YES
    assert peak < 64 * MIB
    await turns()
    assert not server.open  # the rest is not read: the connection is gone
    await hero.messages.send(**SMS)


async def test_a_body_without_end_stops_at_the_cap(server, connect):
    hero = connect(max_response_bytes=100_000)

    async def endless(peer, arrival):
        await peer.send(head(200))
        while not peer.writer.is_closing():
            await peer.send(b" " * 10_000)
        peer.close()

    server.script(endless)
    error = await too_large(hero, hero.messages.send(**SMS))
    assert error.delivery is Delivery.YES
    assert error.attempts == 1


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("pieces", [1, 7])
async def test_the_cap_is_exact(server, connect, over, pieces):
    body = EVERYTHING + b" " * 100_000
    step = max(len(body) // pieces, 1)
    parts = [body[at : at + step] for at in range(0, len(body), step)]

    async def in_pieces(peer, arrival):
        await peer.send(head(200, length=len(body)))
        for part in parts:
            await peer.send(part)
            await turns(3)

    server.script(in_pieces)
    hero = connect(max_response_bytes=len(body) - over)
    if over:
        await too_large(hero, hero.messages.send(**SMS))
    else:
        assert (await hero.messages.send(**SMS)).message_id == "1"


@pytest.mark.parametrize(
    "status, delivery", [(200, Delivery.YES), (404, Delivery.NO), (500, Delivery.UNKNOWN), (429, Delivery.NO)]
)
async def test_over_the_cap_the_status_still_decides_and_nothing_is_repeated(server, connect, status, delivery):
    hero = connect(max_response_bytes=10)
    server.otherwise = answer(status)
    error = await too_large(hero, hero.patients.register_pds(**PERSON))
    assert (error.delivery, error.attempts) == (delivery, 1)
    assert len(server.arrivals) == 1


async def test_many_bombs_at_once_stay_within_the_cap_each(server, connect):
    hero = connect(max_response_bytes=MIB)
    data = packed("gzip", 100 * MIB)
    server.otherwise = says(head(200, [("Content-Encoding", "gzip")], len(data)), data, then="hold")
    tracemalloc.start()
    try:
        await asyncio.gather(*(too_large(hero, hero.messages.send(**SMS)) for _ in range(10)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 * MIB


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"text"', b"{}", b"{", b"\xff\xfe", b"[" * 100_000])
async def test_a_200_that_cannot_be_read_is_processed(server, hero, body):
    server.script(answer(body=body))
    with pytest.raises(ResponseDecodeError) as raised:
        await hero.messages.send(**SMS)
    assert (raised.value.delivery, raised.value.attempts) == (Delivery.YES, 1)
    assert raised.value.body == body


async def test_a_long_answer_comes_whole(server, hero):
    body = b'{"data": [' + b",".join(b'{"dob": "1990-01-02", "title": "Dr"}' for _ in range(20_000)) + b"]}"
    packer = zlib.compressobj(wbits=31)
    data = packer.compress(body) + packer.flush()
    server.script(answer(body=data, headers=[("Content-Encoding", "gzip")]))
    page = await hero.patients.list(first_name="x")
    assert len(page) == 20_000


async def test_an_error_body_is_kept_in_memory_only(server, hero):
    server.script(answer(418, b"secret"))
    with pytest.raises(APIStatusError) as raised:
        await hero.messages.send(**SMS)
    assert raised.value.body == b"secret"
    assert "secret" not in str(raised.value) + repr(raised.value)
