"""The views of Django."""

# pyright: reportMissingTypeStubs=false
# (Django brings no types.)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.http import HttpResponse

from hero_async.webhooks.receiver import INLINE, Answer, OnLoop, World, step_through
from hero_async.webhooks.wsgi import read

if TYPE_CHECKING:
    from hero_async.webhooks.receiver import Receiver


def receive(receiver: Receiver, request: Any) -> HttpResponse:
    """One request, on a thread."""
    return _response(step_through(_answer(receiver, request, INLINE)))


async def receive_async(receiver: Receiver, request: Any) -> HttpResponse:
    """One request, on a loop."""
    return _response(await _answer(receiver, request, OnLoop(_on_djangos_thread)))


async def _on_djangos_thread(function: Any, *args: Any) -> Any:
    # Django's database connections belong to threads: this is the one that it runs blocking code on.
    return await sync_to_async(function, thread_sensitive=True)(*args)


async def _answer(receiver: Receiver, request: Any, world: World) -> Answer:
    early = receiver.refuse_early(request.method, request.META.get("CONTENT_LENGTH"))
    if early is not None:
        return early
    body = _read(request, receiver.verifier.max_body_bytes)
    if body is None:
        return receiver.too_large()
    return await receiver.receive(request.headers, body, world)


def _response(answer: Answer) -> HttpResponse:
    return HttpResponse(status=answer.status, headers=answer.headers)


def _read(request: Any, most: int) -> bytes | None:
    """The raw body, or None if it is longer than `most` bytes. Django's own limit plays no part.

    Under WSGI Django takes a body without a length (chunked) for none: it is read from the server. Under ASGI Django
    has read the whole body before a view is called, on disk if it is long: there the server must have the cap.
    """
    environ = getattr(request, "environ", None)
    if environ is not None and not environ.get("CONTENT_LENGTH"):
        return read(environ, most)
    body = bytes(request.read(most + 1))
    return body if len(body) <= most else None
