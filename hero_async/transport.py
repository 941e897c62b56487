"""The only module that touches the network: one attempt on aiohttp.

An attempt ends in a `Reply`, or in a `Loss` that says where it was lost and whether it was processed. Nothing is
repeated here, no redirect is followed, no cookie is kept, and an answer is read only up to the cap.
"""

from __future__ import annotations

import asyncio
import math
import os
import ssl
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context, ContextVar
from functools import partial
from io import SEEK_END, BytesIO
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpProcessingError
from yarl import URL

from hero_async import clock
from hero_async.delivery import Delivery, of_loss
from hero_async.sending import IS_KNOWN, PARSING, SHORT, Where, payload, request
from hero_async.settings import Settings

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

Guard = Callable[[], Awaitable[None]]


class Attempt:
    """One attempt: what is sent, and how far it came. Its repr shows nothing of it."""

    __slots__ = (
        "began",
        "body",
        "constant",
        "guard",
        "guard_error",
        "headers",
        "leave_by",
        "left",
        "phase",
        "protocol",
        "repeatable",
        "status",
        "target",
        "verb",
    )

    def __init__(
        self,
        verb: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        repeatable: bool,
        guard: Guard | None = None,
        constant: bool = False,
        leave_by: float = math.inf,
    ) -> None:
        self.verb: str = verb
        self.target: str = target
        self.headers: Mapping[str, str] = headers
        self.body: bytes | None = body
        self.repeatable: bool = repeatable
        self.constant: bool = constant
        self.leave_by: float = leave_by
        self.guard: Guard | None = guard
        self.guard_error: BaseException | None = None
        self.began: float = clock.monotonic()
        self.left: bool = False
        self.status: int | None = None
        self.phase: str = "pool"
        self.protocol: Any = None

    @property
    def delivery(self) -> Delivery:
        """What would be known, were it lost now."""
        return of_loss(left=self.left, status=self.status)

    async def leave(self) -> None:
        """Run the guard, then count as sent. A transport calls it directly before the first byte."""
        if self.guard is not None:
            guard, self.guard = self.guard, None
            self.phase = "guard"
            try:
                await guard()
            except BaseException as error:
                self.guard_error = error
                raise
        self.left = True
        self.phase = "wait"

    def __repr__(self) -> str:
        return f"<Attempt in {self.phase}>"


class Reply:
    """A whole answer. Its repr shows nothing of it."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status: int = status
        self.headers: Mapping[str, str] = headers
        self.body: bytes = body

    def __repr__(self) -> str:
        return f"<Reply {self.status}>"


class Loss:
    """An attempt without a whole answer."""

    __slots__ = ("kind", "permanent", "phase", "timeout")

    def __init__(self, kind: str, phase: str, *, permanent: bool = False, timeout: bool = False) -> None:
        self.kind: str = kind
        """What happened, in words without values."""
        self.phase: str = phase
        self.permanent: bool = permanent
        self.timeout: bool = timeout


class TooLarge(Loss):
    """The answer is over the cap."""

    __slots__ = ()


class Transport(Protocol):
    """Carries one attempt. Yours may be any callable of this form, for tests or for another engine.

    It must `await attempt.leave()` directly before the first byte can leave, set `attempt.status` when the
    status line is read, and raise nothing but `asyncio.CancelledError` and what `leave` raises.
    """

    async def __call__(self, attempt: Attempt, /) -> Reply | Loss: ...


_NO_TRACES: Final[list[Trace]] = []
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=None)

_ATTEMPT: ContextVar[Attempt] = ContextVar("hero_attempt")


class Connected(ResponseHandler):
    """aiohttp's protocol, which leaves who reads a body waiting for ever when the body cannot be parsed."""

    idle_since: float | None = None
    """When an answer was read to its end, or when it was given back before its first use."""

    def give_back(self) -> None:
        """It was not used. A server counts from its last use, and so do we."""
        if self.idle_since is None:
            self.idle_since = monotonic()

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """The connection is of no more use."""
        body = self._payload
        super().set_exception(exc, exc if exc_cause is None else exc_cause)  # "caused by itself": has no cause
        if body is not None and not body.is_eof() and body.exception() is None:
            body.set_exception(aiohttp.ClientPayloadError())


class Connector(aiohttp.TCPConnector):
    """Knows when an attempt leaves, and keeps what must not be repeated off connections idle for long."""

    def __init__(self, *, fresh_for: float, connect_timeout: float, **options: Any) -> None:
        super().__init__(**options)  # pyright: ignore[reportUnknownMemberType]  # aiohttp's own signature
        self._factory = partial(Connected, loop=asyncio.get_running_loop())  # type: ignore[assignment]  # it is a subtype
        self._fresh_for = fresh_for
        self._most_idle = self.limit + 3  # so many may turn out to be unusable, one after the other
        self._connect_timeout = connect_timeout

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        """A connection for the attempt of this task. When it is given out, the attempt has left."""
        attempt = _ATTEMPT.get()
        for _ in range(self._most_idle):
            attempt.phase = "pool"
            connection = await self._connection(req, traces, timeout)
            protocol = cast("Connected", connection.protocol)
            if clock.monotonic() > attempt.leave_by:
                protocol.give_back()
                connection.release()
                raise _TooLateError
            if attempt.guard is not None and self._usable(protocol, attempt):
                try:
                    await attempt.leave()
                except BaseException:
                    protocol.give_back()
                    connection.release()
                    raise
            if self._usable(protocol, attempt):
                attempt.protocol = protocol
                attempt.left = True
                attempt.phase = "wait"
                return connection
            attempt.left = False
            connection.close()
        raise aiohttp.ClientConnectionError

    async def _connection(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        try:
            return await super().connect(req, traces, timeout)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self.closed or (task is not None and task.cancelling()):
                raise
        raise aiohttp.ClientConnectionError  # aiohttp cancels who waits for the pool when that closes; nobody meant it

    def _usable(self, protocol: Connected, attempt: Attempt) -> bool:
        # should_close: bytes came that nobody asked for. The next call would take them for its answer.
        if not protocol.is_connected() or protocol.should_close:
            return False
        since = protocol.idle_since
        return since is None or attempt.repeatable or monotonic() - since < self._fresh_for

    async def _create_connection(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Any:
        attempt = _ATTEMPT.get()
        attempt.phase = "connect"
        try:
            async with asyncio.timeout(self._connect_timeout):
                return await super()._create_connection(req, traces, timeout)
        except TimeoutError:
            raise _ConnectTimeoutError from None

    async def _resolve_host(self, host: str, port: int, traces: Any = None) -> Any:
        attempt = _ATTEMPT.get()
        attempt.phase = "dns"
        try:
            resolved = await super()._resolve_host(host, port, traces)
        except RuntimeError:  # what aiohttp makes of a name without any address, and would remember
            self.clear_dns_cache(host, port)
            raise aiohttp.ClientConnectionError from None
        attempt.phase = "connect"
        return resolved

    def take(self) -> list[Any]:
        """All connections, no longer this connector's."""
        taken = [protocol for pool in self._conns.values() for protocol, _ in pool]
        taken += [protocol for protocol in self._acquired if protocol.transport is not None]
        self._conns.clear()
        self._acquired.clear()
        self._closed = True
        return taken


class _TooLateError(aiohttp.ClientConnectionError):
    """The connection came when too little time was left for an answer."""


class _ConnectTimeoutError(aiohttp.ClientConnectionError):
    """The connect limit passed."""


class AiohttpTransport:
    """Attempts on one aiohttp session."""

    def __init__(self, settings: Settings) -> None:
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self._base = URL(settings.base_url)
        self._prefix = self._base.raw_path.rstrip("/")
        self._proxy = settings.proxy
        self._cap = settings.max_response_bytes
        self._urls: dict[str, URL] = {}
        self._connector = Connector(
            fresh_for=settings.fresh_for,
            connect_timeout=settings.connect_timeout,
            limit=settings.max_connections,
            **({"keepalive_timeout": settings.keep_alive} if settings.keep_alive else {"force_close": True}),
            ssl=settings.ssl_context if settings.ssl_context is not None else True,
        )
        self._session = aiohttp.ClientSession(
            connector=self._connector,
            timeout=_NO_TIMEOUT,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        self._where = Where("GET", self._base.origin(), loop=self.loop, session=self._session)
        self._host = self._where.host_line
        self._is_direct = IS_KNOWN and self._proxy is None and bool(settings.keep_alive)
        # aiohttp would repeat GET, PUT and DELETE by itself after a disconnect. It has no public switch for that;
        # tests/transport shows that it is off.
        self._session._retry_connection = False  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        _open.add(self)

    async def __call__(self, attempt: Attempt) -> Reply | Loss:
        """Carry one attempt."""
        if self._session.closed:
            return Loss("the client was closed", "pool", permanent=True)
        token = _ATTEMPT.set(attempt)
        connection: Connection | None = None
        message: Any = None
        content: Any = None
        loss: Loss | None = None
        try:
            if not self._is_direct or (attempt.body is not None and len(attempt.body) > SHORT):
                reply = await self._by_session(attempt)
            else:
                connection = await self._connector.connect(self._where, _NO_TRACES, _NO_TIMEOUT)
                protocol = attempt.protocol
                protocol.set_response_params(**PARSING)
                protocol.transport.write(
                    request(attempt.verb, self._prefix + attempt.target, self._host, attempt.headers, attempt.body)
                )
                message, content = await protocol.read()
                while message.code < 200 and message.code != 101:
                    message, content = await protocol.read()
                attempt.status = message.code
                attempt.phase = "body"
                if content.is_eof():  # all of it came with its head
                    reply = self._whole(message.code, message.headers, content.read_nowait())
                else:
                    reply = await self._read(message.code, message.headers, content)
            if reply is not None:
                attempt.protocol.idle_since = monotonic()
                if connection is not None:
                    connection.release()
                    connection = None
                return reply
            loss = TooLarge("the answer is too large", "body", permanent=True)
        except (aiohttp.ClientError, HttpProcessingError, OSError, TimeoutError, ValueError) as error:
            if attempt.guard_error is None:
                loss = _loss(error, attempt)
        finally:
            _ATTEMPT.reset(token)
            if connection is not None:
                connection.close()
            message = content = None  # their repr has the server's words: a traceback that shows locals must not
        if loss is None:
            raise cast("BaseException", attempt.guard_error)
        return loss

    async def _by_session(self, attempt: Attempt) -> Reply | None:
        response: aiohttp.ClientResponse | None = None
        try:
            response = await self._session.request(
                attempt.verb,
                self._url(attempt),
                data=payload(attempt.body),
                headers=attempt.headers,
                allow_redirects=False,
                proxy=self._proxy,
            )
            attempt.status = response.status
            attempt.phase = "body"
            return await self._read(response.status, response.headers, response.content)
        finally:
            if response is not None and not response.closed:
                response.close()
            response = None  # its repr has the address: a traceback that shows locals must not show it

    def _url(self, attempt: Attempt) -> URL:
        target = attempt.target
        url = self._urls.get(target)
        if url is None:
            path, _, query = target.partition("?")
            url = self._base.with_path(self._prefix + path, encoded=True)
            if query:
                url = URL.build(
                    scheme=url.scheme,
                    authority=url.raw_authority,
                    path=url.raw_path,
                    query_string=query,
                    encoded=True,
                )
            elif attempt.constant:
                self._urls[target] = url  # a URL remembers its parts: worth microseconds a call
        return url

    def _whole(self, status: int, headers: Mapping[str, str], body: bytes) -> Reply | None:
        return Reply(status, headers, body) if len(body) <= self._cap else None

    async def _read(self, status: int, headers: Mapping[str, str], content: aiohttp.StreamReader) -> Reply | None:
        """The answer, its body decompressed; None when it is over the cap."""
        body = await content.readany()
        if content.at_eof():
            return self._whole(status, headers, body)
        kept = BytesIO(body)  # not a list of bytes: a traceback that shows locals must show no answer
        kept.seek(0, SEEK_END)
        del body
        while kept.tell() <= self._cap:
            if not kept.write(await content.readany()):
                return Reply(status, headers, kept.getvalue())
        return None

    async def close(self) -> None:
        """Close all connections."""
        _open.discard(self)
        await self._session.close()

    def discard(self) -> None:
        """Cut connections whose loop is closed."""
        taken = self.take()
        if sys.is_finalizing():
            return
        loop: Any = self.loop
        loop.call_soon = _at_once  # the loop will never run again: what a transport puts off to it must be done now
        for protocol in taken:
            if protocol.transport is not None:
                protocol.transport.abort()
        del loop.call_soon

    def take(self) -> list[Any]:
        """All connections: from now on this transport has none, and closes none when it goes."""
        _open.discard(self)
        self._session.detach()
        return self._connector.take()


def _at_once(callback: Callable[..., object], *args: Any, context: Context | None = None) -> None:
    callback(*args)


async def close_all() -> None:
    """Close every transport of the running loop, because the loop is about to end."""
    loop = asyncio.get_running_loop()
    for transport in [one for one in _open if one.loop is loop]:
        await transport.close()


_open: set[AiohttpTransport] = set()
"""Held until they are closed or let go of: a collector that came upon them would end the sockets before the client."""

_inherited: list[Any] = []


def _after_fork() -> None:
    """Leave what a child inherited to its parent.

    Closing a connection takes it out of the poller that both processes share, and the parent would never hear of its
    answer. aiohttp's destructors close, so they must find nothing, also in a child that never uses the SDK.
    """
    for transport in list(_open):
        _inherited.extend(transport.take())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _loss(error: Exception, attempt: Attempt) -> Loss:
    """What happened, without a word of the error: it may hold values."""
    phase = attempt.phase
    if isinstance(error, _TooLateError):
        return Loss("too little time was left to wait for an answer", phase, permanent=True, timeout=True)
    if isinstance(error, _ConnectTimeoutError):
        return Loss("connecting took too long", phase, timeout=True)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Loss("the host name could not be resolved", "dns")
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError | ssl.CertificateError) and not attempt.left:
        return Loss("the TLS handshake was refused", "tls", permanent=True)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return Loss("the proxy refused", "proxy", permanent=error.status < 500)  # a gateway that is down comes back
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return Loss("the proxy cannot be reached", "proxy")
    if isinstance(error, TimeoutError):
        return Loss("it took too long", phase, timeout=True)
    if attempt.status is not None:
        return Loss("the answer was cut or cannot be read", "body")
    if attempt.left:
        return Loss("the connection was lost before an answer", "wait")
    return Loss("the connection failed", phase)
