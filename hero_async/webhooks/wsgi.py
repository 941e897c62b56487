"""The WSGI application, and how a raw body is read from a WSGI server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from hero_async.webhooks.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER

if TYPE_CHECKING:
    from hero_async.webhooks.receiver import Answer, Receiver

_HEADERS: Final = tuple(
    (name, "HTTP_" + name.upper().replace("-", "_")) for name in (TIMESTAMP_HEADER, SIGNATURE_HEADER)
)


def receive(receiver: Receiver, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """One request."""
    answer = answer_to(receiver, environ)
    headers = list(answer.headers.items())
    if answer.status != 204:
        headers.append(("Content-Length", "0"))
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
    return []


def answer_to(receiver: Receiver, environ: Mapping[str, Any]) -> Answer:
    """The answer to a request whose body nobody has read."""
    answer = receiver.refuse_early(environ["REQUEST_METHOD"], environ.get("CONTENT_LENGTH"))
    if answer is not None:
        return answer
    body = read(environ, receiver.verifier.max_body_bytes)
    return receiver.too_large() if body is None else receiver.receive_blocking(signed_headers(environ), body)


def signed_headers(environ: Mapping[str, Any]) -> list[tuple[str | bytes, str | bytes]]:
    """The two headers that matter. A server joins those that came twice with a comma: no form that is known."""
    return [(name, environ[variable]) for name, variable in _HEADERS if variable in environ]


def read(environ: Mapping[str, Any], most: int) -> bytes | None:
    """The raw body, or None if it is longer than `most` bytes.

    A body without a length (chunked) is there only if the server ends the stream itself, as gunicorn does and
    Django's own server does not: reading on would wait for ever, so then there is none.
    """
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isascii() and length.isdigit():
        left = min(int(length), most + 1)
    elif environ.get("wsgi.input_terminated"):
        left = most + 1
    else:
        left = 0
    stream = environ["wsgi.input"]
    body = bytearray()
    while left:
        chunk = stream.read(left)
        if not chunk:
            break
        body += chunk
        left -= len(chunk)
    return bytes(body) if len(body) <= most else None
