"""A server on loopback that does what a script says, to the byte, and counts what arrived and what it processed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from datetime import date

import anyio.from_thread
import anyio.lowlevel
import attrs

SMS = {"patient_id": "1", "message_type": "sms", "message_string": "x"}
"""The arguments of a message; `messages.send` must never be repeated."""

PERSON = {"nhs_number": "9990000018", "dob": date(1990, 1, 2)}
"""The arguments of `patients.register_pds`, a POST that is safe to repeat."""

EVERYTHING = (
    b'{"message_id": "1", "content": "c", "created_at": "2026-01-05", "patient_id": "7", "id": "5",'
    b' "access_token": "t", "data": []}'
)
"""An answer that every operation of the main job can read."""


@attrs.frozen
class Arrival:
    """A request that was read whole."""

    connection: int
    verb: str
    target: str
    headers: dict[str, str]
    """Names in lower case; those sent twice are joined by a comma."""

    body: bytes


class Peer:
    """One connection, seen from the server."""

    def __init__(
        self, server: ScriptedServer, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server = server
        self.number = number
        self.reader = reader
        self.writer = writer
        self.is_open = True

    async def request(self) -> Arrival | None:
        """Read one request, or None at the end."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")[:-2]
            headers: dict[str, str] = {}
            for line in lines:
                name, _, value = line.partition(": ")
                earlier = headers.get(name.lower())
                headers[name.lower()] = value if earlier is None else f"{earlier},{value}"
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        verb, target, _ = first.split(" ")
        return Arrival(self.number, verb, target, headers, body)

    def processed(self) -> None:
        """The request took effect."""
        self.server.processed += 1

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        with contextlib.suppress(ConnectionError):
            await self.writer.drain()

    def reset(self) -> None:
        """TCP RST: the peer learns nothing more."""
        self.is_open = False
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self) -> None:
        self.is_open = False
        self.writer.close()

    async def gone(self) -> None:
        """Hold the connection until the client leaves it."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass
        self.close()


Step = Callable[[Peer, Arrival], Awaitable[None]]
Greeting = Callable[[Peer], Awaitable[None]]


class ScriptedServer:
    """Each request that arrives takes the next step of the script; when it has run out, `otherwise`."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.processed = 0
        self.connections = 0
        self.open: set[Peer] = set()
        self.steps: deque[Step] = deque()
        self.otherwise: Step = answer()
        self.greetings: deque[Greeting] = deque()
        self.arrived = asyncio.Event()
        """Set whenever a request arrived; clear it yourself."""

        self.port = 0
        self._listening: asyncio.Server | None = None
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def script(self, *steps: Step) -> None:
        """What happens to the next requests."""
        self.steps.extend(steps)

    def greet(self, *greetings: Greeting) -> None:
        """What happens to the next connections before anything is read."""
        self.greetings.extend(greetings)

    async def has_arrived(self, count: int = 1) -> None:
        """Wait until so many requests arrived in all."""
        while len(self.arrivals) < count:
            self.arrived.clear()
            await self.arrived.wait()

    def stop_listening(self) -> None:
        """Refuse further connections."""
        if self._listening is not None:
            self._listening.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        peer = Peer(self, self.connections, reader, writer)
        self.open.add(peer)
        try:
            if self.greetings:
                await self.greetings.popleft()(peer)
            while peer.is_open and (arrival := await peer.request()) is not None:
                self.arrivals.append(arrival)
                self.arrived.set()
                step = self.steps.popleft() if self.steps else self.otherwise
                await step(peer, arrival)
        finally:
            self.open.discard(peer)
            with contextlib.suppress(RuntimeError):  # the loop may be closing
                writer.close()

    @contextlib.asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncGenerator[ScriptedServer, None]:
        """Listen until the block ends; then cut what is open."""
        tasks: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        self._listening = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls, backlog=1024, limit=2**20)
        self.scheme = "https" if tls else "http"
        self.port = self._listening.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self.stop_listening()
            for peer in list(self.open):
                peer.reset()
            for task in list(tasks):
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)

    @contextlib.contextmanager
    def running_in_thread(self) -> Generator[ScriptedServer, None, None]:
        """Listen on a thread of its own, for blocking tests."""
        with (
            anyio.from_thread.start_blocking_portal("asyncio") as portal,
            portal.wrap_async_context_manager(self.running()),
        ):
            yield self


def head(status: int | str = 200, headers: Sequence[tuple[str, str]] = (), length: int | None = None) -> bytes:
    """A status line and headers."""
    lines = [f"HTTP/1.1 {status}" + (" X" if isinstance(status, int) else "")]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    lines.extend(f"{name}: {value}" for name, value in headers)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def answer(
    status: int = 200, body: bytes = EVERYTHING, headers: Sequence[tuple[str, str]] = (), *, processed: bool = True
) -> Step:
    """A whole answer."""

    async def step(peer: Peer, arrival: Arrival) -> None:
        if processed and 200 <= status < 300:
            peer.processed()
        await peer.send(head(status, headers, len(body)) + body)

    return step


def says(*parts: bytes, then: str = "close", processed: bool = True) -> Step:
    """These bytes, then "close", "reset", "hold" (until the client leaves) or "go on" with the next request."""

    async def step(peer: Peer, arrival: Arrival) -> None:
        if processed:
            peer.processed()
        for part in parts:
            await peer.send(part)
        if then == "close":
            peer.close()
        elif then == "reset":
            await anyio.lowlevel.checkpoint()
            peer.reset()
        elif then == "hold":
            await peer.gone()

    return step


def loses(how: str, *, processed: bool) -> Step:
    """No answer at all: "close", "reset" or "hold"."""
    return says(then=how, processed=processed)


def when(event: asyncio.Event, step: Step) -> Step:
    """Hold the answer back until the event is set."""

    async def held(peer: Peer, arrival: Arrival) -> None:
        await event.wait()
        await step(peer, arrival)

    return held


def tunnels_to(port: int) -> Step:
    """What a proxy does that was asked to CONNECT."""

    async def step(peer: Peer, arrival: Arrival) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def back() -> None:
            while data := await reader.read(65536):
                await peer.send(data)
            peer.close()

        await peer.send(head(200))
        task = asyncio.ensure_future(back())
        try:
            with contextlib.suppress(ConnectionError):
                while data := await peer.reader.read(65536):
                    writer.write(data)
        finally:
            task.cancel()
            writer.close()
            peer.close()

    return step


async def hangs_up(peer: Peer) -> None:
    """Accept, and reset before anything is read."""
    peer.reset()


async def says_nothing(peer: Peer) -> None:
    """Accept, and never read."""
    await asyncio.Event().wait()


async def turns(count: int = 30) -> None:
    """Let the loop turn: what was written on loopback is read, and what follows from it is done."""
    for _ in range(count):
        await asyncio.sleep(0)
