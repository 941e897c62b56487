"""A fast HTTP server in a process of its own, so that what is measured is the client.

uvloop and httptools, one canned answer a route. It counts what arrives per patient (`GET /counts`), and holds
answers back until so many calls are in flight (`GET /hold/1000`), so that a client's memory can be read then.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import multiprocessing.connection
import os
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import Any, ClassVar

import httptools
import uvloop

SENT = json.dumps(
    {"message_id": "700001", "content": "Your flu jab is due", "created_at": "2026-01-05T09:00:00Z"}
).encode()
REGISTERED = json.dumps({"patient_id": "98765"}).encode()

PAGES = 1000
PAGE_SIZE = 100


def patient(number: int) -> dict[str, Any]:
    """A patient of a list: nobody's."""
    return {
        "id": str(number),  # not in the reference; openai's pager walks by it
        "ehr_partner_id": f"E{number}",
        "emis_id": None,
        "deceased_at": None,
        "ods_code": "A00000",
        "dob": f"{1930 + number % 80}-{1 + number % 12:02}-{1 + number % 28:02}",
        "title": "Dr",
        "first_name": "Sample",
        "last_name": f"Patient{number}",
        "sex": ("Male", "Female", "Not known")[number % 3],
    }


def page_body(first: int, items: int) -> bytes:
    """A page of patients, with what each of the pagers looks for."""
    data = [patient(number) for number in range(first, first + items)]
    return json.dumps({"data": data, "count": PAGES * PAGE_SIZE, "has_more": bool(items)}).encode()


@cache
def _page(index: int) -> bytes:
    return page_body(index * PAGE_SIZE, PAGE_SIZE if index < PAGES else 0)


def _page_asked_for(query: bytes) -> bytes:
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        if name == b"page_index":
            return _page(int(value))
        if name == b"after":  # openai's cursor: the last id of the page before
            return _page(int(value) // PAGE_SIZE + 1)
    return _page(0)


class Protocol(asyncio.Protocol):
    """One connection."""

    counts: ClassVar[Counter[str]] = Counter()
    held: ClassVar[list[Protocol]] = []
    hold: ClassVar[int] = 0

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
        path, _, query = self.url.partition(b"?")
        if path == b"/v1/messages/send":
            start = self.body.index(b'"', self.body.find(b'"patient_id":') + 13) + 1
            self.counts[self.body[start : self.body.find(b'"', start)].decode()] += 1
            if Protocol.hold:
                self.hold_back()
            else:
                self.answer(SENT)
        elif path == b"/v1/patients/register_pds":
            self.answer(REGISTERED)
        elif path == b"/v3/patients":
            self.answer(_page_asked_for(query))
        elif path == b"/counts":
            doubled = sum(1 for count in self.counts.values() if count > 1)
            counts = {"sent": self.counts.total(), "people": len(self.counts), "doubled": doubled}
            self.counts.clear()
            self.answer(json.dumps(counts).encode())
        elif path.startswith(b"/hold/"):
            Protocol.hold = int(path.rpartition(b"/")[2])
            self.answer(b"{}")
        else:
            self.answer(b"{}")

    def hold_back(self) -> None:
        """Answer nobody before all are here; then all, and hold no more."""
        self.held.append(self)
        if len(self.held) == Protocol.hold:
            Protocol.hold = 0
            for protocol in self.held:
                protocol.answer(SENT)
            self.held.clear()

    def answer(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self.transport.write(head + body)


def give_a_core(*, server: bool) -> None:
    """The server has the last core, who is measured has the others: a server that wakes up on the client's core would
    push the client off it in the middle of a call, which no server on another machine does."""
    if hasattr(os, "sched_setaffinity") and len(cores := sorted(os.sched_getaffinity(0))) > 1:
        os.sched_setaffinity(0, cores[-1:] if server else cores[:-1])


def _serve(pipe: multiprocessing.connection.Connection) -> None:
    give_a_core(server=True)

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1", 0, backlog=4096)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(main())


@contextmanager
def running() -> Generator[str, None, None]:
    """The server's address."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()  # else we would wait for ever for a server that could not start
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.kill()
        process.join()
