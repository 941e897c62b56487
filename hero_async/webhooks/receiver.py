"""`Receiver`: a delivery in, a status out; and its face for each web framework.

One flow, written once as a coroutine that touches no event loop: an async server awaits it, a blocking server steps
through it. Frameworks are imported by the method that is of them, when it is first used.
"""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from enum import Enum
from functools import cache, cached_property, partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import attrs

from hero_async.errors import ConfigurationError, WebhookVerificationError
from hero_async.webhooks.events import Event
from hero_async.webhooks.replay import Claim, MemoryReplayStore, ReplayStore
from hero_async.webhooks.router import Events, Handler
from hero_async.webhooks.verify import Headers, Verifier

if TYPE_CHECKING:
    from aiohttp import web
    from anyio import CapacityLimiter
    from anyio.lowlevel import RunVar

    from hero_async.webhooks.asgi import ASGIReceiver

T = TypeVar("T")
OnError = Callable[[Exception, Event], object]

log: Final = logging.getLogger("hero_async.webhooks")


@attrs.frozen
class Answer:
    """What the sender is told: a status, and no body."""

    status: int

    @property
    def headers(self) -> dict[str, str]:
        """What goes with it."""
        return {"Allow": "POST"} if self.status == 405 else {}


class Outcome(Enum):
    """What became of a delivery at one handler."""

    HANDLED = "handled"
    DONE_BEFORE = "done before"
    BUSY = "busy"
    FAILED = "failed"
    NO_STORE = "no store"


class World(Protocol):
    """How things are run where the delivery came in."""

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Run what blocks."""
        ...

    async def settle(self, handler: Handler, settle: Callable[[World], Coroutine[Any, Any, T]]) -> T:
        """Run what settles one handler, in the world that suits it."""
        ...

    async def run(self, handler: Handler, event: Event) -> None:
        """Run the handler itself."""
        ...


class Inline:
    """A thread without an event loop: everything is run on the spot."""

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """On this thread."""
        return function(*args)

    async def settle(self, handler: Handler, settle: Callable[[World], Coroutine[Any, Any, T]]) -> T:
        """Here."""
        return await settle(self)

    async def run(self, handler: Handler, event: Event) -> None:
        """A sync handler on this thread, an async one on the background loop."""
        if handler.is_async:
            from hero_sync.loop import background

            background().run(handler.function, event)
            return
        found = handler.function(event)
        if isinstance(found, Coroutine):
            found.close()
            raise TypeError("the handler gave a coroutine: declare it `async def`")


class OnLoop:
    """An event loop: a handler that blocks is settled on a thread as a whole, so that nothing can cut it apart."""

    def __init__(self, in_thread: Callable[..., Awaitable[Any]] | None = None) -> None:
        self._for_store = in_thread or partial(_in_thread, "store")
        self._for_handlers = in_thread or partial(_in_thread, "handlers")

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """On a worker thread. It is short, and done to its end: a claim that a cancelled scope took is given back."""
        from anyio import CancelScope

        found: list[T] = []  # a scope may swallow what ends it, as far as a type checker knows
        with CancelScope(shield=True):
            found.append(await self._for_store(function, *args))
        return found[0]

    async def settle(self, handler: Handler, settle: Callable[[World], Coroutine[Any, Any, T]]) -> T:
        """Here, or stepped through on a worker thread."""
        if handler.is_async:
            return await settle(self)
        found: T = await self._for_handlers(lambda: step_through(settle(INLINE)))
        return found

    async def run(self, handler: Handler, event: Event) -> None:
        """On this loop."""
        await handler.function(event)


INLINE: Final = Inline()


_THREADS: Final = 40


async def _in_thread(whose: str, function: Callable[..., T], *args: Any) -> T:
    """On a thread of a pool of its own: handlers that hang hold up neither claims nor the application's own threads."""
    from anyio import to_thread

    return await to_thread.run_sync(function, *args, limiter=_limiters()[whose])


def _limiters() -> dict[str, CapacityLimiter]:
    from anyio import CapacityLimiter

    found = _pools().get(None)
    if found is None:
        found = {name: CapacityLimiter(_THREADS) for name in ("store", "handlers")}
        _pools().set(found)
    return found


@cache
def _pools() -> RunVar[dict[str, CapacityLimiter] | None]:
    from anyio.lowlevel import RunVar

    return RunVar("hero_async.webhooks")  # one for each event loop


def step_through(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        found: T = end.value
        return found
    work.close()
    raise RuntimeError("waited without an event loop")


class Receiver:
    """Receives deliveries: verifies, keeps copies out, and calls your handlers.

        receiver = Receiver(Verifier(KEY), events, replay=SQLiteReplayStore("deliveries.db"))

        Route("/webhooks/hero", receiver.asgi)                       # Starlette, FastAPI: a route of the router
        app.router.add_post("/webhooks/hero", receiver.aiohttp)      # aiohttp.web
        path("webhooks/hero", receiver.django)                       # Django; or receiver.django_async
        app.add_url_rule("/webhooks/hero", view_func=receiver.flask, methods=["POST"])
        application = receiver.wsgi                                  # any WSGI server

    The answer has no body. Its status:

        200  handlers did their work
        204  there was none to do: no handler hears of the event, or it was handled before
        400  it is proved to come from Hero, but cannot be read
        401  it is not proved, or not lately
        405  not a POST
        409  another worker is at this very delivery: if it fails, a later delivery is handled
        413  the body is over the verifier's cap; it is not read to its end
        500  one of your handlers failed
        503  the replay store failed: nothing runs without a claim

    Args:
        verifier: Proves deliveries.
        events: Your handlers.
        replay: What was handled. Default: a memory of this process; give a store that all workers share if there are
            several.
        on_error: Called with the exception and the event when a handler fails, as for an error tracker. The log
            tells only type and place, because an exception may quote a patient's details.

    Raises:
        ConfigurationError: The store forgets sooner than a delivery grows stale.
    """

    def __init__(
        self,
        verifier: Verifier,
        events: Events,
        *,
        replay: ReplayStore | None = None,
        on_error: OnError | None = None,
    ) -> None:
        self.verifier = verifier
        self.events = events
        self.replay: ReplayStore = MemoryReplayStore() if replay is None else replay
        self._on_error = on_error
        if not self.replay.retention > 2 * verifier.tolerance:
            raise ConfigurationError("replay: retention must be longer than twice the verifier's tolerance")

    def __repr__(self) -> str:
        return f"Receiver({self.verifier!r}, {self.events!r}, replay={self.replay!r})"

    def refuse_early(self, method: str, length: str | None) -> Answer | None:
        """What can be refused before the body is read.

        Args:
            method: The HTTP method.
            length: The Content-Length header, if there is one.
        """
        if method != "POST":
            return _refuse(405, "method")
        if length is not None and length.isascii() and length.isdigit():
            digits = length.lstrip("0")
            if len(digits) > 18 or int(digits or "0") > self.verifier.max_body_bytes:
                return self.too_large()
        return None

    def too_large(self) -> Answer:
        """The answer to a body that turned out longer than the cap."""
        return _refuse(413, "body_size")

    def unreadable(self) -> Answer:
        """The answer to a body that cannot be read as it came."""
        return _refuse(401, "body_type")

    async def receive(self, headers: Headers, body: bytes, world: World) -> Answer:
        """Verify a delivery and call its handlers.

        For a framework that is not here: read at most `verifier.max_body_bytes` and one more byte of the body first.

        Args:
            headers: The request's headers.
            body: The raw body.
            world: `INLINE`, or `OnLoop()`.
        """
        try:
            event = self.verifier.verify(headers, body)
        except WebhookVerificationError as error:
            return _refuse({"body_size": 413, "body_format": 400}.get(error.reason, 401), error.reason)
        handlers = self.events.matching(event)
        outcomes = [await world.settle(handler, partial(self._settle, handler, event)) for handler in handlers]
        answer = Answer(_status(outcomes))
        log.debug("webhook %s: %d handlers, answered %d", _told(event), len(handlers), answer.status)
        return answer

    def receive_blocking(self, headers: Headers, body: bytes) -> Answer:
        """`receive` for a thread without an event loop."""
        return step_through(self.receive(headers, body, INLINE))

    async def _settle(self, handler: Handler, event: Event, world: World) -> Outcome:
        fingerprint = event.proof.fingerprint if event.proof else ""
        key, owner = f"{fingerprint} {handler.name}", secrets.token_hex(8)
        try:
            claim = await self._ask(world, self.replay.claim, key, owner)
        except Exception as error:  # noqa: BLE001  # any store may be used, so anything may be raised
            log.error("webhook %s: the replay store failed with %s", _told(event), _place(error))
            return Outcome.NO_STORE
        if claim is not Claim.TAKEN:
            return Outcome.DONE_BEFORE if claim is Claim.DONE else Outcome.BUSY
        try:
            await world.run(handler, event)
        except BaseException as error:
            await self._end(world, self.replay.release, key, owner)
            if not isinstance(error, Exception):
                raise
            self._report(handler, event, error)
            return Outcome.FAILED
        await self._end(world, self.replay.finish, key, owner)
        return Outcome.HANDLED

    async def _ask(self, world: World, ask: Callable[[str, str], T], key: str, owner: str) -> T:
        if isinstance(self.replay, MemoryReplayStore):
            return ask(key, owner)  # waits for nothing
        return await world.call(ask, key, owner)

    async def _end(self, world: World, end: Callable[[str, str], None], key: str, owner: str) -> None:
        """End a claim. If that fails, the work was done or not all the same, and the lease ends the claim."""
        try:
            await self._ask(world, end, key, owner)
        except Exception as error:  # noqa: BLE001  # any store may be used, so anything may be raised
            log.error("the replay store failed with %s", _place(error))

    def _report(self, handler: Handler, event: Event, error: Exception) -> None:
        log.error("webhook %s: handler %s failed with %s", _told(event), handler.name, _place(error))
        if self._on_error is None:
            return
        try:
            self._on_error(error, event)
        except Exception as second:  # noqa: BLE001  # the sender is answered all the same
            log.error("webhook %s: on_error failed with %s", _told(event), _place(second))

    @cached_property
    def asgi(self) -> ASGIReceiver:
        """An ASGI application. Starlette and FastAPI: `app.router.routes.append(Route(path, receiver.asgi))`.

        A `Mount` would answer the path without a slash at its end with a redirect.
        """
        from hero_async.webhooks.asgi import ASGIReceiver

        return ASGIReceiver(self)

    async def aiohttp(self, request: web.Request) -> web.Response:
        """A handler of aiohttp.web."""
        from hero_async.webhooks.aiohttp_web import receive

        return await receive(self, request)

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """A WSGI application."""
        from hero_async.webhooks.wsgi import receive

        return receive(self, environ, start_response)

    def flask(self) -> Any:
        """A view function of Flask, which takes nothing from the route."""
        from hero_async.webhooks.flask_view import receive

        return receive(self)

    def django(self, request: Any) -> Any:
        """A view of Django, sync; exempt from CSRF checks and from ATOMIC_REQUESTS."""
        from hero_async.webhooks.django_view import receive

        return receive(self, request)

    async def django_async(self, request: Any) -> Any:
        """A view of Django, async; exempt from CSRF checks and from ATOMIC_REQUESTS."""
        from hero_async.webhooks.django_view import receive_async

        return await receive_async(self, request)


for _view in (Receiver.django, Receiver.django_async):
    vars(_view)["csrf_exempt"] = True  # the signature proves more than a CSRF token
    # A request's transaction would end after the claim is finished, and take the work of a good handler back when
    # another one fails. Handlers open their own: `with transaction.atomic()`.
    vars(_view)["_non_atomic_requests"] = {"default"}


def _status(outcomes: list[Outcome]) -> int:
    for outcome, status in (
        (Outcome.FAILED, 500),
        (Outcome.NO_STORE, 503),
        (Outcome.BUSY, 409),
        (Outcome.HANDLED, 200),
    ):
        if outcome in outcomes:
            return status
    return 204


def _refuse(status: int, reason: str) -> Answer:
    log.info("webhook refused: %s, answered %d", reason, status)
    return Answer(status)


def _told(event: Event) -> str:
    """The type, if it is one of ours: another is text that somebody sent."""
    return event.event.value if event.event.is_known else "of an unknown type"


def _place(error: BaseException) -> str:
    """Type and place of an error. Its text may quote a value, so it is not told."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
