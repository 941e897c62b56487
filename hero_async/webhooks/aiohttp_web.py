"""The handler of aiohttp.web."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import ClientPayloadError, web

from hero_async.webhooks.receiver import Answer, OnLoop

if TYPE_CHECKING:
    from hero_async.webhooks.receiver import Receiver

_ON_LOOP: Final = OnLoop()

UNREADABLE: Final = (web.RequestPayloadError, ClientPayloadError, ConnectionError)
"""A body that breaks off, or that aiohttp tried to inflate: anyone can send `Content-Encoding`, so it is no 500."""

_INFLATED: Final = frozenset(("gzip", "deflate", "br", "zstd"))
"""What aiohttp inflates by itself: then no one can have the bytes that were signed. It leaves who reads such a body
waiting until the peer goes, if it cannot be inflated."""


async def receive(receiver: Receiver, request: web.Request) -> web.Response:
    """One request."""
    answer = receiver.refuse_early(request.method, request.headers.get("Content-Length"))
    if answer is None:
        try:
            body = await read_body(request, receiver.verifier.max_body_bytes)
        except UNREADABLE:
            answer = receiver.unreadable()
        else:
            answer = receiver.too_large() if body is None else await receiver.receive(request.headers, body, _ON_LOOP)
    return response(answer)


def response(answer: Answer) -> web.Response:
    """It, for aiohttp."""
    made = web.Response(status=answer.status, headers=answer.headers)
    if answer.status == 413:
        made.force_close()  # the rest of the body is not read
    return made


async def read_body(request: web.Request, most: int) -> bytes | None:
    """The raw body, or None if it is longer than `most` bytes. The application's `client_max_size` plays no part."""
    if request.headers.get("Content-Encoding", "").strip().lower() in _INFLATED:
        raise web.RequestPayloadError
    if request.content.at_eof():
        return await request.read()  # there is none, or a middleware has read it
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)
