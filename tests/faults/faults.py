"""What goes wrong on the way, by phase. Each is one thing that a link does to the client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from faulty import A_BYTE, PATIENCE, Fault, Link, pass_on
from scripted import turns

CONNECT_PATIENCE = 5.1
"""Seconds that are longer than the limit for connecting."""

GARBAGE = b"\x00\xffSSH-2.0-OpenSSH_9.6\r\n\r\n"
LONG = 200 * b"x"


async def accept_and_close(link: Link) -> None:
    link.close()


async def accept_and_reset(link: Link) -> None:
    link.reset()


async def greet_with_garbage(link: Link) -> None:
    await link.say(GARBAGE)
    await link.gone()


# TLS: between the hello of the client and the end of the handshake.


async def hello_unanswered(link: Link) -> None:
    await link.reader.read(65536)
    await link.silence(CONNECT_PATIENCE)


async def hello_closed(link: Link) -> None:
    await link.reader.read(65536)


async def hello_reset(link: Link) -> None:
    await link.reader.read(65536)
    link.reset()


async def hello_cut(link: Link) -> None:
    flight = await link.first_flight()
    await link.say(flight[: len(flight) // 2])


async def hello_dripped(link: Link) -> None:
    await link.drip(await link.first_flight())


async def hello_garbage(link: Link) -> None:
    await link.reader.read(65536)
    await link.say(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


async def hello_of_a_wrong_length(link: Link) -> None:
    flight = await link.first_flight()
    await link.say(flight[:3] + b"\xff\xff" + flight[5:])


# The CONNECT of a proxy.


def proxy_says(data: bytes) -> Fault:
    async def fault(link: Link) -> None:
        await link.head()
        await link.say(data)

    return fault


async def proxy_silent(link: Link) -> None:
    await link.head()
    await link.silence(CONNECT_PATIENCE)


async def proxy_resets(link: Link) -> None:
    await link.head()
    link.reset()


async def proxy_drips(link: Link) -> None:
    await link.head()
    await link.drip(b"HTTP/1.1 200 Connection established\r\n\r\n")


# The request on its way out: taken in part, never whole, so the origin hears nothing.


def out(part: int, end: str) -> Fault:
    async def fault(link: Link) -> None:
        await link.reader.readexactly(part)
        if end == "reset":
            link.reset()
        elif end == "silence":
            link.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport is both
            await turns(100)
            link.proxy.advance(PATIENCE)
            await turns()
            link.writer.transport.resume_reading()  # type: ignore[attr-defined]
            await link.gone()
        elif end == "drip":
            for _ in range(20):
                await link.reader.read(1)
                await turns(3)
                link.proxy.advance(A_BYTE)
            await link.gone()
        elif end != "close":
            await link.say(end.encode("latin-1"))
            await link.gone()

    return fault


TOO_LARGE = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


# Between the last byte of the request and the first of the answer.


def waiting(end: str, *, processed: bool) -> Fault:
    async def fault(link: Link) -> None:
        request = await link.request()
        if request is None:
            return
        if processed:
            await link.origin(request)
        if end == "reset":
            link.reset()
        elif end == "silence":
            await link.silence()

    return fault


# The answer on its way in. The origin has processed by then.


def answered(change: Callable[[bytes], bytes], end: str = "close", at_once: int = 0) -> Fault:
    """The changed answer, then its end.

    Args:
        change: What of the origin's answer is said.
        end: "close", "reset", "silence", "drip", "hold" (until the client leaves) or "go on".
        at_once: How much of it is said at once, before a drip.
    """

    async def fault(link: Link) -> None:
        request = await link.request()
        if request is None:
            return
        said = change(await link.origin(request))
        if end == "drip":
            await link.say(said[:at_once])
            await turns()
            await link.drip(said[at_once:] + LONG)
            return
        head, mark, body = said.partition(b"\r\n\r\n")
        await link.say(head + mark)
        await turns()  # the head is read before the body comes
        await link.say(body)
        if end == "reset":
            await turns()
            link.reset()
        elif end == "silence":
            await link.silence()
        elif end == "hold":
            await link.gone()
        elif end == "go on":
            await pass_on(link)

    return fault


def first(count: int) -> Callable[[bytes], bytes]:
    return lambda answer: answer[:count]


def up_to_body(more: int = 0) -> Callable[[bytes], bytes]:
    return lambda answer: answer[: answer.index(b"\r\n\r\n") + 4 + more]


def instead(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(answer: bytes) -> bytes:
        assert old in answer
        return answer.replace(old, new, 1)

    return change


def with_head(*lines: bytes, body: bytes | None = None) -> Callable[[bytes], bytes]:
    """The head replaced, and the body too if one is given."""

    def change(answer: bytes) -> bytes:
        old = answer.partition(b"\r\n\r\n")[2]
        return b"\r\n".join([b"HTTP/1.1 200 OK", *lines]) + b"\r\n\r\n" + (old if body is None else body)

    return change


def longer_by(more: int) -> Callable[[bytes], bytes]:
    def change(answer: bytes) -> bytes:
        body = answer.partition(b"\r\n\r\n")[2]
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body) + more, body)

    return change


# A connection that served once, and is idle or used again.


Deed = Callable[[Link], Awaitable[None]]


def idle(then: Deed, *, used: bool = False) -> Fault:
    """Serve once; then do this, while the connection is idle or when it is used again."""

    async def fault(link: Link) -> None:
        request = await link.request()
        if request is None:
            return
        await link.say(await link.origin(request))
        await turns()
        if not used or await link.request() is not None:
            link.proxy.fault = pass_on
            await then(link)

    return fault


async def ends(link: Link) -> None:
    """FIN."""


async def resets(link: Link) -> None:
    link.reset()


async def says_garbage(link: Link) -> None:
    await link.say(GARBAGE)
    await link.gone()


async def says_an_answer(link: Link) -> None:
    await link.say(b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"message_id":"666"}')
    await link.gone()


async def says_half(link: Link) -> None:
    await link.say(b"HTTP/1.1 2")


async def is_silent(link: Link) -> None:
    await link.silence()


async def drips(link: Link) -> None:
    await link.drip(b"HTTP/1.1 200 OK\r\nX: " + LONG)
