"""A fast HTTP server in a process of its own, so that what is measured is the client.

uvloop and httptools, one canned answer a route. It counts what arrives per patient: `GET /counts`.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import multiprocessing.connection
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, ClassVar

import httptools
import uvloop

SENT = json.dumps(
    {"message_id": "700001", "content": "Your flu jab is due", "created_at": "2026-01-05T09:00:00Z"}
).encode()
REGISTERED = json.dumps({"patient_id": "98765"}).encode()


class Protocol(asyncio.Protocol):
    """One connection."""

    counts: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.url = b""
        self.body = b""
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.url = self.body = b""

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        path = self.url.partition(b"?")[0]
        if path == b"/v1/messages/send":
            body = SENT
            start = self.body.find(b'"patient_id":"') + 14
            self.counts[self.body[start : self.body.find(b'"', start)].decode()] += 1
        elif path == b"/v1/patients/register_pds":
            body = REGISTERED
        elif path == b"/counts":
            doubled = sum(1 for count in self.counts.values() if count > 1)
            body = json.dumps({"sent": self.counts.total(), "people": len(self.counts), "doubled": doubled}).encode()
            self.counts.clear()
        else:
            body = b"{}"
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self.transport.write(head + body)


def _serve(pipe: multiprocessing.connection.Connection) -> None:
    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1", 0, backlog=1024)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(main())


@contextmanager
def running() -> Generator[str, None, None]:
    """The server's address."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.kill()
        process.join()
