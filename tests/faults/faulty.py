"""A proxy of our own that does harm: it stands between the client and an origin, on real sockets.

What the origin really processed is the judge of what the client says. No fault sleeps: silence and drips move the
clock of the test on, so that they end on a limit of the client.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable

from scripted import turns

PIECE = 4096
PATIENCE = 31.0
"""Seconds that are longer than the deadline of a call."""

A_BYTE = 2.0
"""Seconds that a byte of a drip takes."""


class Link:
    """One connection of the client, and the origin behind it when it is asked."""

    def __init__(self, proxy: FaultProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.proxy = proxy
        self.reader = reader
        self.writer = writer

    async def request(self) -> bytes | None:
        """A whole request, or None at the end."""
        try:
            head = await self.head()
            return head + await self.reader.readexactly(length_of(head))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def origin(self, request: bytes) -> bytes:
        """Let the origin process the request. Gives its whole answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.origin_port)
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            return head + await reader.readexactly(length_of(head))
        finally:
            writer.close()

    async def first_flight(self) -> bytes:
        """What a TLS origin says to the client's hello."""
        hello = await self.reader.read(65536)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.origin_port)
        try:
            writer.write(hello)
            return await reader.read(65536)
        finally:
            writer.close()

    async def say(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def drip(self, data: bytes) -> None:
        """A byte at a time, slowly, until the client is gone."""
        for at in range(len(data)):
            if self.reader.at_eof() or self.writer.is_closing():
                return
            await self.say(data[at : at + 1])
            await turns(3)
            self.proxy.advance(A_BYTE)
        raise AssertionError("the client took it all: the drip is too short")

    async def silence(self, seconds: float = PATIENCE) -> None:
        """Say nothing for longer than the client waits."""
        await turns()
        self.proxy.advance(seconds)
        await self.gone()

    async def gone(self) -> None:
        """Until the client leaves."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass

    def reset(self) -> None:
        """TCP RST."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self) -> None:
        """TCP FIN."""
        self.writer.close()


Fault = Callable[[Link], Awaitable[None]]


def length_of(head: bytes) -> int:
    """Content-Length."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


async def pass_on(link: Link) -> None:
    """No fault: request after request."""
    while (request := await link.request()) is not None:
        await link.say(await link.origin(request))


class FaultProxy:
    """Each connection meets `fault`, and is closed at its end."""

    def __init__(self, origin_port: int, advance: Callable[[float], None]) -> None:
        self.origin_port = origin_port
        self.advance = advance
        self.fault: Fault = pass_on
        self.links: list[Link] = []
        self.open: set[Link] = set()
        self.port = 0
        self._ended = asyncio.Event()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(self, reader, writer)
        self.links.append(link)
        self.open.add(link)
        try:
            await self.fault(link)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            self.open.discard(link)
            self._ended.set()

    async def has_open(self, count: int) -> None:
        """Wait until no more than so many connections are open."""
        while len(self.open) > count:
            self._ended.clear()
            await self._ended.wait()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[FaultProxy, None]:
        """Listen until the block ends, with small buffers, so that a long body cannot all be under way."""
        tasks: list[asyncio.Task[None]] = []
        failures: list[BaseException] = []

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.append(asyncio.get_running_loop().create_task(self._serve(reader, writer)))

        listening = socket.create_server(("127.0.0.1", 0))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
        server = await asyncio.start_server(accept, sock=listening, limit=PIECE)
        self.port = listening.getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            failures += [result for result in results if isinstance(result, Exception)]
        if failures:
            raise failures[0]
