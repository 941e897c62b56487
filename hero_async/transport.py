"""The only module that touches the network: one attempt on aiohttp.

An attempt ends in a `Reply`, or in a `Loss` that says where it was lost and whether it was processed. Nothing is
repeated here, no redirect is followed, no cookie is kept, and an answer is read only up to the cap.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol, cast

import aiohttp
from yarl import URL

from hero_async import clock
from hero_async.delivery import Delivery, of_loss
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
    ) -> None:
        self.verb = verb
        self.target = target
        self.headers = headers
        self.body = body
        self.repeatable = repeatable
        self.constant = constant
        self.guard = guard
        self.guard_error: BaseException | None = None
        self.began = clock.monotonic()
        self.left = False
        self.status: int | None = None
        self.phase = "pool"
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
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:
        return f"<Reply {self.status}>"


class Loss:
    """An attempt without a whole answer."""

    __slots__ = ("kind", "permanent", "phase", "timeout")

    def __init__(self, kind: str, phase: str, *, permanent: bool = False, timeout: bool = False) -> None:
        self.kind = kind
        """What happened, in words without values."""
        self.phase = phase
        self.permanent = permanent
        self.timeout = timeout


class TooLarge(Loss):
    """The answer is over the cap."""

    __slots__ = ()


class Transport(Protocol):
    """Carries one attempt. Yours may be any callable of this form, for tests or for another engine.

    It must `await attempt.leave()` directly before the first byte can leave, set `attempt.status` when the
    status line is read, and raise nothing but `asyncio.CancelledError` and what `leave` raises.
    """

    async def __call__(self, attempt: Attempt, /) -> Reply | Loss: ...


_ATTEMPT: ContextVar[Attempt] = ContextVar("hero_attempt")


class Connector(aiohttp.TCPConnector):
    """Knows when an attempt leaves, and keeps what must not be repeated off connections idle for long."""

    def __init__(self, *, fresh_for: float, connect_timeout: float, **options: Any) -> None:
        super().__init__(**options)  # pyright: ignore[reportUnknownMemberType]  # aiohttp's own signature
        self._fresh_for = fresh_for
        self._connect_timeout = connect_timeout

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        """A connection for the attempt of this task. When it is given out, the attempt has left."""
        attempt = _ATTEMPT.get()
        for _ in range(self.limit + 3):
            attempt.phase = "pool"
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if attempt.guard is not None:
                try:
                    await attempt.leave()
                except BaseException:
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

    def _usable(self, protocol: Any, attempt: Attempt) -> bool:
        if not protocol.is_connected():
            return False
        since: float | None = getattr(protocol, "idle_since", None)
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
        resolved = await super()._resolve_host(host, port, traces)
        attempt.phase = "connect"
        return resolved

    def take(self) -> list[Any]:
        """All idle connections, no longer this connector's."""
        taken = [protocol for pool in self._conns.values() for protocol, _ in pool]
        self._conns.clear()
        self._closed = True
        return taken


class _ConnectTimeoutError(aiohttp.ClientConnectionError):
    """The connect limit passed."""


class AiohttpTransport:
    """Attempts on one aiohttp session."""

    def __init__(self, settings: Settings) -> None:
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
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        # aiohttp would repeat GET, PUT and DELETE by itself after a disconnect. It has no public switch for that;
        # tests/transport shows that it is off.
        self._session._retry_connection = False  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    async def __call__(self, attempt: Attempt) -> Reply | Loss:
        """Carry one attempt."""
        token = _ATTEMPT.set(attempt)
        response: aiohttp.ClientResponse | None = None
        loss: Loss | None = None
        try:
            response = await self._session.request(
                attempt.verb,
                self._url(attempt),
                data=attempt.body,
                headers=attempt.headers,
                allow_redirects=False,
                proxy=self._proxy,
            )
            attempt.status = response.status
            attempt.phase = "body"
            body = await self._read(response)
            if body is not None:
                attempt.protocol.idle_since = monotonic()
                return Reply(response.status, response.headers, body)
            loss = TooLarge("the answer is too large", "body", permanent=True)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            if attempt.guard_error is None:
                loss = _loss(error, attempt)
        finally:
            _ATTEMPT.reset(token)
            if response is not None and not response.closed:
                response.close()
        if loss is None:
            raise cast("BaseException", attempt.guard_error)
        return loss

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

    async def _read(self, response: aiohttp.ClientResponse) -> bytes | None:
        """The body, decompressed; None when it is over the cap, and then the connection is closed."""
        content = response.content
        body = await content.readany()
        if content.at_eof() and len(body) <= self._cap:
            return body
        chunks = [body]
        size = len(body)
        while size <= self._cap:
            chunk = await content.readany()
            if not chunk:
                return b"".join(chunks)
            chunks.append(chunk)
            size += len(chunk)
        response.close()
        return None

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    def discard(self) -> None:
        """Let go of connections whose loop is closed: there is nothing left that could close them in order."""
        self._session.detach()
        for protocol in self._connector.take():
            transport = getattr(protocol, "transport", None)
            if transport is not None:
                transport.abort()


def _loss(error: Exception, attempt: Attempt) -> Loss:
    """What happened, without a word of the error: it may hold values."""
    phase = attempt.phase
    if isinstance(error, _ConnectTimeoutError):
        return Loss("connecting took too long", phase, timeout=True)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Loss("the host name could not be resolved", "dns")
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError | ssl.CertificateError) and not attempt.left:
        return Loss("the TLS handshake was refused", "tls", permanent=True)
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return Loss("the proxy refused", "proxy", permanent=isinstance(error, aiohttp.ClientHttpProxyError))
    if isinstance(error, TimeoutError):
        return Loss("it took too long", phase, timeout=True)
    if attempt.status is not None:
        return Loss("the answer was cut or cannot be read", "body")
    if attempt.left:
        return Loss("the connection was lost before an answer", "wait")
    return Loss("the connection failed", phase)
