"""A short request, written directly on a connection of aiohttp's pool.

aiohttp makes a request object, an answer object and a task for every call, and writes its headers anew: half of what a
call costs. Here the headers of a view are written once. What is not short, or goes through a proxy, or meets an aiohttp
of another make, goes aiohttp's way. On the wire both look the same.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cached_property
from io import BytesIO
from typing import Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from multidict import CIMultiDict

from hero_async.signing import Headers

SHORT: Final = 65_536
"""Bytes that a connection takes at once: asyncio's own mark, over which a writer is to wait."""

PARSING: Final[Mapping[str, Any]] = {"read_until_eof": True, "read_bufsize": SHORT}
"""How aiohttp's protocol is to read an answer; the rest as it does by default."""

IS_KNOWN: Final = PARSING.keys() <= inspect.signature(ResponseHandler.set_response_params).parameters.keys()
"""Whether this aiohttp reads answers as we know it."""

_LENGTHLESS: Final = frozenset(("GET", "HEAD", "OPTIONS"))


def payload(body: bytes | None) -> bytes | BytesIO | None:
    """The body as aiohttp should have it: a long one in pieces, between which other calls get their turn."""
    return body if body is None or len(body) <= SHORT else BytesIO(body)


class Where(aiohttp.ClientRequest):
    """Tells the pool where to connect, for all calls of a client."""

    @cached_property
    def connection_key(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]  # a property all the same
        """The place of its connections in the pool; aiohttp would make it anew each time."""
        return super().connection_key

    @property
    def host_line(self) -> str:
        """Whom a request is for."""
        return self.headers["Host"]


def request(verb: str, target: str, host: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """A request as it is on the wire. Keep it in no local: a traceback may show locals."""
    start = f"{verb} {target} HTTP/1.1\r\nHost: {host}\r\n".encode()
    if body is None:
        end = b"\r\n" if verb in _LENGTHLESS else b"Content-Length: 0\r\n\r\n"
        return b"".join((start, _written(headers), end))
    return b"".join((start, _written(headers), b"Content-Length: %d\r\n\r\n" % len(body), body))


def _written(headers: Mapping[str, str]) -> bytes:
    if type(headers) is not Headers:
        return _lines(headers)
    if headers.lines is None:
        headers.lines = _lines(headers)
    return headers.lines


def _lines(headers: Mapping[str, str]) -> bytes:
    every = CIMultiDict[str]()
    for name, value in headers.items():
        every[name] = value  # the last one counts, however it is spelled
    for name, value in aiohttp.ClientRequest.DEFAULT_HEADERS.items():
        every.setdefault(name, value)
    if not all(name.isprintable() and value.isprintable() for name, value in every.items()):
        raise ValueError("headers: a name or a value has a character that no header may have")
    return "".join(f"{name}: {value}\r\n" for name, value in every.items()).encode()
