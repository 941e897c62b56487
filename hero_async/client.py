"""`AsyncHero`: settings in, resources out."""

from __future__ import annotations

import warnings
from collections.abc import Coroutine, Mapping
from os import getpid  # by name: a destructor may ask when Python has cleared `os`
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import attrs

from hero_async.errors import ConfigurationError, InvalidArgumentError
from hero_async.resources import Async, Resources
from hero_async.retries import RetryPolicy
from hero_async.settings import KeySource, Settings, check_headers
from hero_async.throttle import RateLimit

if TYPE_CHECKING:
    import ssl

    from hero_async.calls import Call, Response
    from hero_async.pages import Page, Pages
    from hero_async.pipeline import Pipeline, Runtime
    from hero_async.signing import Key
    from hero_async.transport import Guard, Transport

T = TypeVar("T")

Environment = Literal["production", "staging"]


_left_to_parents: list[Runtime] = []
"""Runtimes that a fork inherited: collecting them would close sockets that the parent process uses."""


class _Shared:
    """What all views of one client share. The runtime belongs to one event loop and is made at the first call."""

    __slots__ = ("closed", "key", "runtime", "settings", "transport")

    def __init__(self, settings: Settings, transport: Transport | None) -> None:
        self.settings = settings
        self.transport = transport
        self.key: Key | None = None
        self.runtime: Runtime | None = None
        self.closed = False


class AsyncHero(Resources[Async]):
    """The Hero Health Public API, for asyncio.

        async with AsyncHero(api_key="…", practice_group_id="42", environment="staging") as hero:
            sent = await hero.messages.send(patient_id="123", message_type="sms", message_string="…")

    Settings come from the arguments, else from HERO_* variables, else from a profile file; there is no default
    environment. One client holds one pool of connections: make one and share it; `with_options` gives cheap views.

    Every operation may raise, besides what it tells itself: `InvalidArgumentError` before anything is sent,
    `APIConnectionError`, `APITimeoutError`, an `APIStatusError` of the answer's status, `ResponseDecodeError`,
    `ResponseTooLargeError`. Each tells by `.delivery` whether the request was processed.

    Args:
        api_key: The partner's key: text, a `Path` to a file that holds it, or a callable, sync or async. A file or
            callable is asked at the first call and once more after a 401.
        practice_group_id: The practice that is acted for.
        environment: "production" or "staging"; or give `base_url`.
        base_url: Another address, https; plain http is for loopback only.
        timeout: Seconds for a whole call: waits, retries and body. Default 30.
        connect_timeout: Seconds for DNS, connect and TLS of one connection. Default 5.
        retries: How many times to try again, or a `RetryPolicy`. Default 2.
        rate_limit: A pace such as `RateLimit("20/s")` or "20/s". Default: free until a 429, then adaptive.
        max_connections: Connections at once. Default 100.
        keep_alive: Seconds that an idle connection is kept; 0: a new one for each request. Default 15.
        fresh_for: A call that is not idempotent takes no connection idle for longer, in seconds. Default 2; set it
            below the server's own limit.
        max_response_bytes: The longest answer, counted after decompression. Default 16 MiB.
        proxy: Address of an HTTP proxy. Variables such as HTTPS_PROXY are not read.
        ssl_context: A context of your own, such as one with a client certificate.
        headers: Extra headers of every request. Credentials cannot be replaced.
        transport: Carries attempts instead of aiohttp: any callable, see `hero_async.transport.Transport`.

    Raises:
        ConfigurationError: A setting is missing or cannot work.
    """

    def __init__(
        self,
        *,
        api_key: KeySource | None = None,
        practice_group_id: str | None = None,
        environment: Environment | None = None,
        base_url: str | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        retries: RetryPolicy | int | None = None,
        rate_limit: RateLimit | str | None = None,
        max_connections: int | None = None,
        keep_alive: float | None = None,
        fresh_for: float | None = None,
        max_response_bytes: int | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        headers: Mapping[str, str] | None = None,
        transport: Transport | None = None,
    ) -> None:
        given = {name: value for name, value in locals().items() if name in _SETTINGS}
        words = ""
        settings: Settings | None = None
        try:
            settings = Settings.resolve(given)
        except ConfigurationError as refused:
            words = str(refused)
        finally:
            del given, api_key, proxy, headers
        if settings is None:
            raise ConfigurationError(words)  # afresh: the frames that refused hold the key
        self._begin(settings, transport)

    def _begin(self, settings: Settings, transport: Transport | None) -> None:
        self._settings = settings
        self._shared = _Shared(settings, transport)
        self._is_view = False
        self._pipeline: Pipeline | None = None

    @classmethod
    def from_env(cls) -> Self:
        """A client from HERO_* variables and the profile file alone."""
        return cls()

    @classmethod
    def from_settings(cls, settings: Settings, *, transport: Transport | None = None) -> Self:
        """A client of settings that are resolved: no variable and no file is read.

        Args:
            settings: What `Settings.resolve` gave, or another client's `settings`.
            transport: As for `AsyncHero`.
        """
        client = object.__new__(cls)
        client._begin(settings, transport)
        return client

    @property
    def is_open(self) -> bool:
        """Whether there are connections to close."""
        return self._shared.runtime is not None and not self._shared.closed

    @property
    def settings(self) -> Settings:
        """What this client or view works with."""
        return self._settings

    def with_options(
        self,
        *,
        timeout: float | None = None,
        retries: RetryPolicy | int | None = None,
        practice_group_id: str | None = None,
        rate_limit: RateLimit | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """A view with other options on the same connections. Cheap; closing it does nothing.

        Args:
            timeout: Seconds for a whole call.
            retries: How many times to try again, or a `RetryPolicy`.
            practice_group_id: The practice that is acted for.
            rate_limit: The pace of this view's practice group.
            headers: Extra headers, added to those of the client.

        Raises:
            ConfigurationError: One of them cannot work.
        """
        given = {
            "timeout": timeout,
            "retries": retries,
            "practice_group_id": practice_group_id,
            "rate_limit": rate_limit,
        }
        changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        words = ""
        try:
            if headers is not None:
                changes["headers"] = {**self._settings.headers, **check_headers(headers)}
            settings = attrs.evolve(self._settings, **changes)  # it checks what changed
        except ConfigurationError as refused:
            words = str(refused)
        else:
            return self._view(settings)
        finally:
            del given, changes, headers
        raise ConfigurationError(words)  # afresh: the frames that refused hold the key

    def _view(self, settings: Settings) -> Self:
        # Not a copy: resources that were touched belong to this client, and would act for the old practice.
        view = object.__new__(type(self))
        # It holds this client, which would close the connections were it collected before its views.
        view.__dict__.update(_settings=settings, _shared=self._shared, _is_view=True, _pipeline=None, _root=self)
        return view

    async def __aenter__(self) -> Self:
        self._check_open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections. Calls in flight are cut. A view closes nothing."""
        if self._is_view:
            return
        runtime = self._shared.runtime
        if runtime is None or runtime.pid != getpid() or not runtime.is_here():
            self.abandon()  # a parent's connections, or those of another loop, are not ours to wait for
            return
        self._shared.closed = True
        self._shared.runtime = None
        await runtime.close()

    def __del__(self) -> None:
        shared: _Shared | None = self.__dict__.get("_shared")
        if shared is None or self._is_view or shared.closed or shared.runtime is None:
            return
        if shared.runtime.pid == getpid():
            warnings.warn(
                f"unclosed {type(self).__name__}: use 'async with' or close()",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )
        self.abandon()

    def abandon(self) -> None:
        """Let go of the connections without waiting: for a client that is no longer wanted, on any thread."""
        self._shared.closed = True
        runtime, self._shared.runtime = self._shared.runtime, None
        if runtime is None:
            return
        if runtime.pid == getpid():
            runtime.discard()
        else:
            _left_to_parents.append(runtime)

    def leave_to_parent(self) -> None:
        """After a fork: start afresh, and leave the connections to the process that opened them."""
        runtime = self._shared.runtime
        if runtime is not None and runtime.pid != getpid():
            self._shared.runtime = None
            _left_to_parents.append(runtime)

    def __repr__(self) -> str:
        settings: Settings | None = self.__dict__.get("_settings")  # none yet while it is made
        return f"<{type(self).__name__} practice_group_id={settings and settings.practice_group_id!r}>"

    def execute(self, call: Call[T], *, guard: Guard | None = None) -> Coroutine[Any, Any, T]:
        """Send a call that was built before.

        Args:
            call: What `build` gave.
            guard: Awaited once an attempt, after all waits and the connect, directly before the first byte. If it
                raises, nothing is sent and its exception comes out as it is.
        """
        return self._running().value(call, guard)

    def execute_raw(self, call: Call[T], *, guard: Guard | None = None) -> Coroutine[Any, Any, Response[T]]:
        """Like `execute`, answered with the whole `Response`."""
        return self._running().response(call, guard)

    def request(
        self,
        verb: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        idempotent: bool | None = None,
        into: type[T] = dict,  # type: ignore[assignment]  # the default of T
    ) -> Coroutine[Any, Any, T]:
        """Call what the SDK does not know yet; with the same credentials, retries, limits and errors.

        Args:
            verb: The HTTP method.
            path: The path, starting with "/", encoded where it must be.
            query: Query parameters; several values as a list; None leaves one out.
            json: The JSON body; None sends none.
            idempotent: Whether it is safe to repeat when the outcome is unknown. Default: for GET only.
            into: The type of the answer: `dict`, `list`, or a model.
        """
        from hero_async.requests import build_request

        try:
            call = build_request(verb, path, query=query, json=json, idempotent=idempotent, into=into)
        finally:
            del path, query, json  # a traceback that shows locals must not show them
        return self.execute(call)

    def _running(self) -> Pipeline:
        pipeline = self._pipeline
        if pipeline is not None and pipeline.runtime is self._shared.runtime and pipeline.runtime.is_here():
            return pipeline
        from hero_async.pipeline import Pipeline

        pipeline = self._pipeline = Pipeline(self._runtime(), self._settings)
        return pipeline

    def _runtime(self) -> Runtime:
        from hero_async.pipeline import Runtime
        from hero_async.signing import Key

        self._check_open()
        shared = self._shared
        runtime = shared.runtime
        if runtime is not None and not runtime.is_here():
            if runtime.pid != getpid():
                self.leave_to_parent()
            elif runtime.loop.is_closed():
                runtime.discard()
            else:
                raise ConfigurationError("this client belongs to another event loop that still runs: make one a loop")
            runtime = None
        if runtime is None:
            if shared.key is None:
                shared.key = Key(shared.settings.api_key)
            runtime = shared.runtime = Runtime(shared.settings, shared.key, shared.transport)
        return runtime

    def _check_open(self) -> None:
        if self._shared.closed:
            raise ConfigurationError("this client is closed")

    # What a resource asks of its client.

    def _start(self, call: Call[Any]) -> Any:
        return self._running().value(call, None)

    def _start_raw(self, call: Call[Any]) -> Any:
        return self._running().response(call, None)

    def list_pages(self, call: Call[Page[T]]) -> Pages[T]:
        """The pages of a list call that was built before."""
        from hero_async.operations import Listing
        from hero_async.pages import Pages

        operation = call.operation
        if not isinstance(operation, Listing):
            raise InvalidArgumentError("not a list operation")

        async def fetch(index: int | None) -> Page[T]:
            page: Page[T] = await self._running().value(operation.page(call, index), None)
            return page

        return Pages(fetch, call.arguments.get("page_index"), operation.is_paged)

    def _start_listing(self, call: Call[Any]) -> Pages[Any]:
        return self.list_pages(call)

    def _start_flow(self, started: Any, resource: Any) -> Any:
        return started(resource)


_SETTINGS = frozenset(field.name for field in attrs.fields(Settings)) - {"sources"}
