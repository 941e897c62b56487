"""The view function of Flask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, request

from hero_async.webhooks.wsgi import signed_headers

if TYPE_CHECKING:
    from hero_async.webhooks.receiver import Receiver


def receive(receiver: Receiver) -> Any:
    """The request that Flask has in hand."""
    answer = receiver.refuse_early(request.method, request.environ.get("CONTENT_LENGTH"))
    if answer is None:
        body = _read(receiver.verifier.max_body_bytes)
        if body is None:
            answer = receiver.too_large()
        else:
            answer = receiver.receive_blocking(signed_headers(request.environ), body)
    return Response(status=answer.status, headers=answer.headers)


def _read(most: int) -> bytes | None:
    """The raw body, or None if it is longer than `most` bytes."""
    # If a hook of the application has asked for the body, Werkzeug keeps it, and the stream is at its end.
    body = bytearray()
    while len(body) <= most:
        chunk = request.stream.read(most + 1 - len(body))
        if not chunk:
            break
        body += chunk
    found = bytes(body) or request.get_data()
    return found if len(found) <= most else None
