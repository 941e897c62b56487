"""The ASGI application: for Starlette, FastAPI, or a server alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any, Final

from hero_async.webhooks.receiver import Answer, OnLoop

if TYPE_CHECKING:
    from hero_async.webhooks.receiver import Receiver

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_ON_LOOP: Final = OnLoop()


class ASGIReceiver:
    """An ASGI application. An object and not a method, because Starlette's `Route` takes a method for a view."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            answer = await self._answer(scope, receive)
            if answer is not None:
                await _send(answer, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer | None:
        headers: list[tuple[bytes, bytes]] = list(scope["headers"])
        length = next((value.decode("latin-1") for name, value in headers if name.lower() == b"content-length"), None)
        early = self._receiver.refuse_early(scope["method"], length)
        if early is not None:
            return early
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None  # nobody is there to be answered
            body += message.get("body", b"")
            if len(body) > self._receiver.verifier.max_body_bytes:
                return self._receiver.too_large()
            more = message.get("more_body", False)
        return await self._receiver.receive(headers, bytes(body), _ON_LOOP)


async def _send(answer: Answer, send: Send) -> None:
    headers: Iterable[tuple[str, str]] = answer.headers.items()
    if answer.status == 413:
        headers = [*headers, ("Connection", "close")]  # the rest of the body is not read
    if answer.status != 204:
        headers = [*headers, ("Content-Length", "0")]
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    await send({"type": "http.response.body", "body": b""})


async def _live(receive: Receive, send: Send) -> None:
    """A server that runs this application alone asks it to start and to stop."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
