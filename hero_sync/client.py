"""`Hero`: the surface of `AsyncHero`, blocking. It holds no operation code: all is declared once, in hero_async.api."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar

from hero_async.client import AsyncHero
from hero_async.resources import Blocking, Resources
from hero_async.retries import RetryPolicy
from hero_async.throttle import RateLimit
from hero_sync.loop import background, generation
from hero_sync.pages import SyncPages

if TYPE_CHECKING:
    from hero_async.calls import Call, Response
    from hero_async.settings import Settings
    from hero_async.transport import Guard, Transport

T = TypeVar("T")
P = ParamSpec("P")


def takes(
    original: Callable[Concatenate[Any, P], None],
) -> Callable[[Callable[..., None]], Callable[Concatenate[Any, P], None]]:
    """Give a method the parameters of another, for readers and type checkers alike."""

    def adopt(method: Callable[..., None]) -> Callable[Concatenate[Any, P], None]:
        method.__signature__ = inspect.signature(original)  # type: ignore[attr-defined]  # read by inspect
        return method

    return adopt


class Hero(Resources[Blocking]):
    """The Hero Health Public API, for blocking code.

        with Hero(api_key="…", practice_group_id="42", environment="staging") as hero:
            hero.messages.send(patient_id="123", message_type="sms", message_string="…")

    Takes what `AsyncHero` takes. All clients of a process share one event loop on a thread of its own, which starts
    with the first call. Threads may share a client; a forked child may use the client that it inherited.
    """

    @takes(AsyncHero.__init__)
    def __init__(self, **options: Any) -> None:
        try:
            inner = AsyncHero(**options)
        finally:
            del options  # a traceback that shows locals must not show the key
        self._begin(inner)

    def _begin(self, inner: AsyncHero) -> None:
        self._inner = inner
        self._generation = generation()
        self._is_view = False
        self._root: Hero | None = None

    @classmethod
    def from_env(cls) -> Self:
        """A client from HERO_* variables and the profile file alone."""
        return cls()

    @classmethod
    def from_settings(cls, settings: Settings, *, transport: Transport | None = None) -> Self:
        """A client of settings that are resolved: no variable and no file is read. See `AsyncHero`."""
        client = object.__new__(cls)
        client._begin(AsyncHero.from_settings(settings, transport=transport))
        return client

    @property
    def settings(self) -> Settings:
        """What this client or view works with."""
        return self._inner.settings

    def with_options(
        self,
        *,
        timeout: float | None = None,
        retries: RetryPolicy | int | None = None,
        practice_group_id: str | None = None,
        rate_limit: RateLimit | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """A view with other options on the same connections. Cheap; closing it does nothing. See `AsyncHero`."""
        view = object.__new__(type(self))
        view._inner = self._inner.with_options(
            timeout=timeout,
            retries=retries,
            practice_group_id=practice_group_id,
            rate_limit=rate_limit,
            headers=headers,
        )
        view._generation = self._generation
        view._is_view = True
        view._root = self  # it would close the connections were it collected before its views
        return view

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. A view closes nothing, nor does a client that was inherited by a fork."""
        if self._is_view:
            return
        if self._generation == generation() and self._inner.is_open:
            background().run(self._inner.close)
        else:
            self._inner.abandon()

    def __del__(self) -> None:
        inner = self.__dict__.get("_inner")
        if inner is None or self._is_view or not inner.is_open:
            return
        if self._generation == generation():
            warnings.warn(
                f"unclosed {type(self).__name__}: use 'with' or close()", ResourceWarning, stacklevel=2, source=self
            )
        inner.abandon()

    def __repr__(self) -> str:
        inner: AsyncHero | None = self.__dict__.get("_inner")  # none yet while it is made
        return f"<{type(self).__name__} practice_group_id={inner and inner.settings.practice_group_id!r}>"

    def execute(self, call: Call[T], *, guard: Guard | None = None) -> T:
        """Send a call that was built before.

        Args:
            call: What `build` gave.
            guard: An async function, awaited on the background loop directly before the first byte of each attempt.
        """
        value: T = self._run(_execute, self._inner, call, guard)
        return value

    def execute_raw(self, call: Call[T], *, guard: Guard | None = None) -> Response[T]:
        """Like `execute`, answered with the whole `Response`."""
        response: Response[T] = self._run(_execute_raw, self._inner, call, guard)
        return response

    def request(
        self,
        verb: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        idempotent: bool | None = None,
        into: type[T] = dict,  # type: ignore[assignment]  # the default of T
    ) -> T:
        """Call what the SDK does not know yet. See `AsyncHero.request`."""
        from hero_async.requests import build_request

        call: Call[T]
        try:
            call = build_request(verb, path, query=query, json=json, idempotent=idempotent, into=into)
        finally:
            del path, query, json  # a traceback that shows locals must not show them
        return self.execute(call)

    def _run(self, function: Callable[..., Coroutine[Any, Any, Any]], *args: Any) -> Any:
        self._at_work()
        return background().run(function, *args)

    def _at_work(self) -> AsyncHero:
        if self._generation != generation():
            self._generation = generation()
            self._inner.leave_to_parent()
        return self._inner

    # What a resource asks of its client.

    def _start(self, call: Call[Any]) -> Any:
        return self._run(_execute, self._inner, call, None)

    def _start_raw(self, call: Call[Any]) -> Any:
        return self._run(_execute_raw, self._inner, call, None)

    def _start_listing(self, call: Call[Any]) -> SyncPages[Any]:
        return SyncPages(self._inner.list_pages(call), self._run)

    def _start_flow(self, started: Any, resource: Any) -> Any:
        return self._run(started, type(resource)(self._inner))


def async_client(hero: Hero) -> AsyncHero:
    """The client that works for this one, on the background loop alone. A function, so that users see none of it."""
    return hero._at_work()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # this module's own


async def _execute(client: AsyncHero, call: Call[T], guard: Guard | None) -> T:
    return await client.execute(call, guard=guard)


async def _execute_raw(client: AsyncHero, call: Call[T], guard: Guard | None) -> Response[T]:
    return await client.execute_raw(call, guard=guard)
