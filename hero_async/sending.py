"""A short body leaves at once with its head.

aiohttp starts a task for every body: a sixth of the cost of a call on Python 3.11. A body that is not short, a proxy,
or an aiohttp that makes its answers in another way: all go aiohttp's way.
"""

from __future__ import annotations

import inspect
from io import BytesIO
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.http import StreamWriter
from aiohttp.payload import BytesPayload

if TYPE_CHECKING:
    from aiohttp.connector import Connection

SHORT = 65_536
"""Bytes that a connection takes at once: asyncio's own mark, over which a writer is to wait."""

ANSWER_TAKES = frozenset(inspect.signature(aiohttp.ClientResponse).parameters)
ANSWER_KNOWN = frozenset(
    ("method", "url", "writer", "continue100", "timer", "request_info", "traces", "loop", "session", "stream_writer")
)

_writer_too = "stream_writer" in ANSWER_TAKES  # since aiohttp 3.14
_is_known = ANSWER_TAKES <= ANSWER_KNOWN


def payload(body: bytes | None) -> bytes | BytesIO | None:
    """The body as aiohttp should have it: a long one in pieces, between which other calls get their turn."""
    return body if body is None or len(body) <= SHORT else BytesIO(body)


class Request(aiohttp.ClientRequest):
    """aiohttp's request. It is not for connections that end with their answer: it does not write that they do."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Write the request; the answer has not begun."""
        body: Any = self.body
        protocol = conn.protocol
        if (
            type(body) is not BytesPayload
            or (body.size or 0) > SHORT
            or protocol is None
            or protocol.writing_paused
            or self.proxy is not None
            or not _is_known
        ):
            return await super().send(conn)
        writer = StreamWriter(protocol, self.loop)
        await writer.write_headers(f"{self.method} {self.url.raw_path_qs} HTTP/1.1", self.headers)
        await writer.write(await body.as_bytes(), drain=False)
        writer.set_eof()
        options: dict[str, Any] = {"stream_writer": writer} if _writer_too else {}
        answer = self.response_class(
            self.method,
            self.original_url,
            writer=None,
            continue100=None,
            timer=self._timer,
            request_info=self.request_info,
            traces=self._traces,
            loop=self.loop,
            session=self.session,
            **options,
        )
        self.response = answer  # type: ignore[assignment]  # aiohttp's hint is None alone
        return answer
