"""Was it processed? Every way in which an attempt can end, with the class, the verdict and the phase of its error."""

import asyncio
import socket
from contextlib import ExitStack

import pytest
from scripted import (
    EVERYTHING,
    SMS,
    answer,
    hangs_up,
    head,
    loses,
    says,
    turns,
)

from hero_async import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    Delivery,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)

pytestmark = pytest.mark.anyio


async def failure(hero, kind=APIConnectionError):
    with pytest.raises(kind) as raised:
        await hero.messages.send(**SMS)
    assert type(raised.value) is kind
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    return raised.value


async def test_a_host_that_does_not_exist_is_not_processed(connect):
    error = await failure(connect(base_url="https://hero.invalid", retries=0))
    assert (error.delivery, error.phase, error.attempts) == (Delivery.NO, "dns", 1)
    assert "invalid" not in str(error)


async def test_a_refused_connection_is_not_processed(connect, closed_port):
    error = await failure(connect(base_url=f"http://127.0.0.1:{closed_port}", retries=0))
    assert (error.delivery, error.phase) == (Delivery.NO, "connect")


async def test_a_server_that_accepts_no_connection_runs_into_the_connect_limit(connect, loop_time):
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):  # its queue is full: further connects hang
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        hero = connect(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", retries=0)
        sending = asyncio.ensure_future(failure(hero, APITimeoutError))
        await turns()
        loop_time.advance(4.9)
        await turns()
        assert not sending.done()
        loop_time.advance(0.2)
        error = await sending
    assert (error.delivery, error.phase) == (Delivery.NO, "connect")


async def test_a_server_that_never_answers_the_tls_handshake_runs_into_the_connect_limit(connect, loop_time):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        hero = connect(base_url=f"https://127.0.0.1:{listening.getsockname()[1]}", retries=0)
        sending = asyncio.ensure_future(failure(hero, APITimeoutError))
        await turns()
        loop_time.advance(5.1)
        error = await sending
    assert (error.delivery, error.phase) == (Delivery.NO, "connect")


async def test_a_call_that_never_gets_a_connection_from_the_pool_is_not_processed(server, connect, loop_time):
    server.script(loses("hold", processed=True))
    hero = connect(max_connections=1, retries=0)
    first = asyncio.ensure_future(failure(hero, APITimeoutError))
    await server.has_arrived()
    second = asyncio.ensure_future(failure(hero.with_options(timeout=3.0), APITimeoutError))
    await turns()
    loop_time.advance(3.1)
    error = await second
    assert (error.delivery, error.phase) == (Delivery.NO, "pool")
    loop_time.advance(27)
    error = await first
    assert (error.delivery, error.phase) == (Delivery.UNKNOWN, "wait")
    assert len(server.arrivals) == 1


async def test_a_server_that_hangs_up_on_every_connection_is_given_up_on_soon(server, connect):
    server.greet(*[hangs_up] * 1000)
    error = await failure(connect(retries=0))
    assert error.delivery is not Delivery.YES
    assert server.connections <= 3
    assert not server.arrivals


@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize("processed", [False, True])
async def test_a_connection_lost_before_an_answer_leaves_it_unknown(server, connect, how, processed):
    server.script(loses(how, processed=processed))
    error = await failure(connect())
    assert (error.delivery, error.phase, error.attempts) == (Delivery.UNKNOWN, "wait", 1)
    assert len(server.arrivals) == 1


NO_STATUS = {
    "half a status line": b"HTTP/1.1 20",
    "half the headers": b"HTTP/1.1 200 OK\r\nContent-Le",
    "no HTTP at all": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "HTTP of another world": b"HTTP/9.9 200 OK\r\n\r\n",
    "a status of letters": b"HTTP/1.1 OK 200\r\n\r\n",
    "a status of six digits": b"HTTP/1.1 200200 OK\r\n\r\n",
    "a negative length": head(200, [("Content-Length", "-5")]) + b"{}",
    "two lengths": head(200, [("Content-Length", "2"), ("Content-Length", "9")]) + b"{}",
    "length and chunks": head(200, [("Transfer-Encoding", "chunked")], length=2) + b"2\r\n{}\r\n0\r\n\r\n",
    "a header without end": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20_000,
    "a thousand headers": head(200, [(f"X-{n}", "y") for n in range(1000)], length=2) + b"{}",
    "a header with a line break": b"HTTP/1.1 200 OK\r\nX: y\rContent-Length: 2\r\n\r\n{}",
    "a NUL in a header": b"HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.parametrize("data", NO_STATUS.values(), ids=NO_STATUS)
async def test_an_answer_whose_head_cannot_be_read_leaves_it_unknown(server, connect, data):
    server.script(says(data))
    error = await failure(connect())
    assert (error.delivery, error.phase, error.attempts) == (Delivery.UNKNOWN, "wait", 1)
    assert len(server.arrivals) == 1


async def test_after_an_answer_of_garbage_the_next_call_gets_a_new_connection(server, hero):
    server.script(says(b"no HTTP\r\n\r\n", then="hold"))
    await failure(hero)
    assert (await hero.messages.send(**SMS)).message_id == "1"
    assert [arrival.connection for arrival in server.arrivals] == [1, 2]


@pytest.mark.parametrize(
    "status, kind, delivery",
    [
        (400, BadRequestError, Delivery.NO),
        (401, AuthenticationError, Delivery.NO),
        (403, PermissionDeniedError, Delivery.NO),
        (404, NotFoundError, Delivery.NO),
        (408, APIStatusError, Delivery.UNKNOWN),
        (409, ConflictError, Delivery.NO),
        (413, APIStatusError, Delivery.NO),
        (418, APIStatusError, Delivery.NO),
        (422, UnprocessableEntityError, Delivery.NO),
        (429, RateLimitError, Delivery.NO),
        (101, APIStatusError, Delivery.UNKNOWN),
        (304, APIStatusError, Delivery.UNKNOWN),
        (500, InternalServerError, Delivery.UNKNOWN),
        (502, InternalServerError, Delivery.UNKNOWN),
        (503, InternalServerError, Delivery.UNKNOWN),
        (504, InternalServerError, Delivery.UNKNOWN),
        (599, InternalServerError, Delivery.UNKNOWN),
        (999, InternalServerError, Delivery.UNKNOWN),
    ],
)
async def test_a_status_decides(server, connect, status, kind, delivery):
    server.script(says(head(status, length=0)))
    error = await failure(connect(retries=0), kind)
    assert (error.status, error.delivery, error.attempts) == (status, delivery, 1)
    assert len(server.arrivals) == 1


@pytest.mark.parametrize("how", ["reset", "close", "hold"])
@pytest.mark.parametrize(
    "status, delivery",
    [(200, Delivery.YES), (201, Delivery.YES), (404, Delivery.NO), (408, Delivery.UNKNOWN), (502, Delivery.UNKNOWN)],
)
async def test_once_a_status_line_was_read_it_decides_however_the_body_ends(
    server, connect, loop_time, status, delivery, how
):
    server.script(says(head(status, length=1000), b'{"message_id":', then=how))
    kind = APITimeoutError if how == "hold" else APIConnectionError
    sending = asyncio.ensure_future(failure(connect(retries=0), kind))
    await server.has_arrived()
    await turns()
    loop_time.advance(31)
    error = await sending
    assert (error.delivery, error.phase) == (delivery, "body")


CUT = {
    "length too long": (head(200, length=len(EVERYTHING) + 1), EVERYTHING),
    "no last chunk": (head(200, [("Transfer-Encoding", "chunked")]), b"2\r\n{}\r\n"),
    "a chunk of no size": (head(200, [("Transfer-Encoding", "chunked")]), b"ZZ\r\n{}\r\n0\r\n\r\n"),
    "a chunk longer than it says": (head(200, [("Transfer-Encoding", "chunked")]), b"1\r\n{}\r\n0\r\n\r\n"),
    "no gzip": (head(200, [("Content-Encoding", "gzip")], length=5), b"hello"),
    "no deflate": (head(200, [("Content-Encoding", "deflate")], length=5), b"\xff\xff\xff\xff\xff"),
}


@pytest.mark.parametrize("parts", CUT.values(), ids=CUT)
async def test_a_200_whose_body_is_cut_or_unreadable_is_processed(server, connect, parts):
    async def in_two_packets(peer, arrival):
        await peer.send(parts[0])
        await turns()
        await peer.send(parts[1])
        peer.close()

    server.script(in_two_packets)
    error = await failure(connect())
    assert (error.delivery, error.phase, error.attempts) == (Delivery.YES, "body", 1)
    assert len(server.arrivals) == 1


@pytest.mark.parametrize("parts", CUT.values(), ids=CUT)
async def test_a_200_that_comes_broken_in_one_packet_is_never_told_as_not_processed(server, connect, parts):
    server.script(says(parts[0] + parts[1]))
    error = await failure(connect())
    assert error.delivery is not Delivery.NO
    assert len(server.arrivals) == 1


async def test_a_body_behind_its_length_does_not_become_the_answer_of_the_next_call(server, hero):
    other = EVERYTHING.replace(b'"1"', b'"666"')
    two = head(200, length=len(EVERYTHING)) + EVERYTHING + head(200, length=len(other)) + other
    server.script(says(two, then="hold"))
    await hero.messages.send(**SMS)
    assert (await hero.messages.send(**SMS)).message_id == "1"
    assert len(server.arrivals) == 2


async def test_an_answer_that_nobody_asked_for_does_not_become_the_answer_of_the_next_call(server, hero):
    other = EVERYTHING.replace(b'"1"', b'"666"')
    quiet = asyncio.Event()

    async def one_too_many(peer, arrival):
        await answer()(peer, arrival)
        await quiet.wait()
        await answer(body=other)(peer, arrival)

    server.script(one_too_many)
    await hero.messages.send(**SMS)
    quiet.set()
    await turns()
    assert (await hero.messages.send(**SMS)).message_id == "1"
    assert [arrival.connection for arrival in server.arrivals] == [1, 2]


async def test_answers_that_only_announce_are_passed_over(server, hero):
    server.script(says(head(100) + head(103, [("Link", "x")]) + head(200, length=len(EVERYTHING)) + EVERYTHING))
    assert (await hero.messages.send(**SMS)).message_id == "1"


async def test_an_answer_without_a_length_ends_with_the_connection(server, hero):
    server.script(says(head(200) + EVERYTHING))
    assert (await hero.messages.send(**SMS)).message_id == "1"


async def test_a_server_that_closes_after_its_answer_is_no_fault(server, hero):
    server.otherwise = says(head(200, [("Connection", "close")], len(EVERYTHING)) + EVERYTHING)
    for _ in range(3):
        await hero.messages.send(**SMS)
    assert [arrival.connection for arrival in server.arrivals] == [1, 2, 3]


async def test_a_proxy_that_refuses_is_not_processed(connect, closed_port):
    hero = connect(base_url="https://hero.invalid", proxy=f"http://127.0.0.1:{closed_port}", retries=0)
    error = await failure(hero)
    assert (error.delivery, error.phase) == (Delivery.NO, "proxy")


async def test_a_proxy_that_wants_a_password_is_not_processed_and_never_asked_again(server, connect):
    server.otherwise = answer(407, b"", [("Proxy-Authenticate", "Basic")])
    error = await failure(connect(base_url="https://hero.invalid", proxy=server.url))
    assert (error.delivery, error.phase, error.attempts) == (Delivery.NO, "proxy", 1)
    assert [arrival.verb for arrival in server.arrivals] == ["CONNECT"]
    assert "x-api-key" not in server.arrivals[0].headers
