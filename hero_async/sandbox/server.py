"""The sandbox itself: signed requests in, answers out, everything noted in the ledger."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Any, Self

import anyio
import anyio.from_thread
import msgspec
from aiohttp import ClientPayloadError, web

from hero_async.calls import AnyOperation
from hero_async.errors import InvalidArgumentError
from hero_async.sandbox.clock import SandboxClock, SettableClock
from hero_async.sandbox.deliveries import Deliveries
from hero_async.sandbox.faults import Faults
from hero_async.sandbox.ledger import Ledger
from hero_async.sandbox.limits import Buckets, retry_after
from hero_async.sandbox.quirks import Quirks
from hero_async.sandbox.rules import NO_BODY, Issue, is_object, issue
from hero_async.sandbox.serving import Call, RefusalError, Served, encode, error_body, served_by
from hero_async.sandbox.state import State
from hero_async.sandbox.synthetic import MOST, SyntheticPatient, make_patients
from hero_async.sandbox.wire import Answer, answer_through
from hero_async.settings import Settings

_READ_LIMIT = 256 * 1024 * 1024
_UNKNOWN = "unknown"
_NOTHING: Mapping[str, Sequence[str]] = {}
_NO_QUERY: Mapping[str, str] = {}


class Sandbox:
    """A stateful Hero on loopback. Use it with `async with`, or with `with` in blocking code.

    Entered again after it was left, it goes on with the state it had, as a server that was restarted.

    Args:
        host: A loopback address, or "localhost".
        port: 0 for any free one.
        seed: The same seed makes the same patients and the same chances.
        patients: How many synthetic patients there are.
        api_key: The key that is accepted.
        practice_group_ids: The practice groups that it may act for.
        rate_limit: Requests a second for each practice group; None for no limit.
        rate_burst: How many may come at once; by default one second's worth.
        quirks: What it does where the reference is silent.
        clock: Its time; real by default. Hand it the SDK's `VirtualClock` to let both live by one.
        keep_alive: Seconds after which an idle connection is closed.
        webhook: An address on this machine that is told of everything that happens; see `sandbox.webhooks`.
        signing_key: The key that it is signed with.

    Raises:
        InvalidArgumentError: An address that is not loopback, or a number out of its range.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 0,
        patients: int = 1000,
        api_key: str = "sandbox-key",
        practice_group_ids: Sequence[str] = ("1",),
        rate_limit: float | None = None,
        rate_burst: int | None = None,
        quirks: Quirks | None = None,
        clock: SettableClock | None = None,
        keep_alive: float = 75.0,
        webhook: str | None = None,
        signing_key: str = "sandbox-signing-key",
    ) -> None:
        self._host = _loopback(host)
        self._port = port
        if not 0 <= patients <= MOST:
            raise InvalidArgumentError(f"patients must be from 0 to {MOST}")
        if isinstance(practice_group_ids, str) or not practice_group_ids:
            raise InvalidArgumentError("practice_group_ids must be a sequence of at least one id")
        try:
            self._buckets = Buckets(rate_limit, rate_burst)
        except ValueError as problem:
            raise InvalidArgumentError(str(problem)) from None
        self.api_key = api_key
        self.practice_group_ids: tuple[str, ...] = tuple(practice_group_ids)
        self.quirks: Quirks = quirks or Quirks()
        """Can be replaced while it runs."""

        self.clock: SettableClock = clock or SandboxClock()
        self.faults: Faults = Faults(seed, lambda: frozenset(operation.name for operation in _operations()))
        self.signing_key: str = signing_key
        self.webhooks: Deliveries = Deliveries(self)
        """What is told, to whom, and what it was answered."""

        self.ledger: Ledger = Ledger(self.webhooks.hear)
        self.patients: tuple[SyntheticPatient, ...] = make_patients(patients, seed)
        """The seeded patients, in a fixed order."""

        self._state = State(self.patients, self.ledger, self.practice_group_ids)
        self._keep_alive = keep_alive
        self._runner: web.AppRunner | None = None
        self._thread: ExitStack | None = None
        self._url: str | None = None
        if webhook is not None:
            self.webhooks.subscribe(webhook)

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end.

        Raises:
            RuntimeError: The sandbox does not run.
        """
        if self._url is None:
            raise RuntimeError("the sandbox does not run: enter it first")
        return self._url

    @property
    def settings(self) -> Settings:
        """What leads a client here, for the first practice group: `AsyncHero.from_settings(sandbox.settings)`.

        Raises:
            RuntimeError: The sandbox does not run.
        """
        return Settings(api_key=self.api_key, practice_group_id=self.practice_group_ids[0], base_url=self.url)

    @property
    def variables(self) -> Mapping[str, str]:
        """The same as environment variables, for `from_env()` and for other processes."""
        return {
            "HERO_API_KEY": self.api_key,
            "HERO_PRACTICE_GROUP_ID": self.practice_group_ids[0],
            "HERO_BASE_URL": self.url,
        }

    def __repr__(self) -> str:
        return f"Sandbox({self._url or 'not running'}, {self.ledger!r})"

    def open_link(self, link: str) -> bool:
        """Open a link in a patient's place: `link` is its address or id.

        Returns:
            Whether it still works: False when it is expired or used up. It is counted either way.

        Raises:
            KeyError: There is no such link.
        """
        return self._follow(link, use=False)

    def use_link(self, link: str) -> bool:
        """Open a link and use it: a form is filled in, of any other kind the use is counted.

        Returns:
            Whether it was used: False when it is expired or used up.

        Raises:
            KeyError: There is no such link.
        """
        return self._follow(link, use=True)

    def _follow(self, link: str, *, use: bool) -> bool:
        from hero_async.sandbox.subjects.links import follow

        return follow(self._state, link, self.clock.now(), use=use)

    def write_to_record(self, message_id: str, *, failure_reason: str | None = None) -> None:
        """Approve a message's write to the record, in an admin's place.

        Args:
            message_id: Of a message that was sent with `write_to_record`.
            failure_reason: Let it fail, for this reason.

        Raises:
            KeyError: There is no such message, or it was not to be written.
        """
        from hero_async.sandbox.subjects.messages import file

        file(self._state, message_id, self.clock.now(), failure_reason)

    def subscriptions(self, practice_group_id: str) -> Sequence[Mapping[str, Any]]:
        """What `webhooks.create` made for a practice group, oldest first: `event_type`, `url`, `signing_key`, …"""
        from hero_async.sandbox.subjects.webhooks import Subscriptions

        return tuple(self._state.of(Subscriptions).of.get(practice_group_id, {}).values())

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            # The sandbox is aiohttp, so it lives on asyncio whatever the caller uses.
            portal = stack.enter_context(anyio.from_thread.start_blocking_portal("asyncio"))
            portal.call(self._start)
            stack.callback(portal.call, self._stop)
            self._thread = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.close()

    async def _start(self) -> None:
        if self._runner is not None:
            raise RuntimeError("the sandbox runs already")
        runner = self._runner = web.AppRunner(
            self._application(),
            access_log=None,
            keepalive_timeout=self._keep_alive,
            shutdown_timeout=0.05,  # a held answer does not hold up the end; 0 would mean no limit
        )
        try:
            await self.webhooks.start()
            await runner.setup()
            await web.TCPSite(runner, self._host, self._port, backlog=1024).start()
        except BaseException:
            await self._stop()
            raise
        host = f"[{self._host}]" if ":" in self._host else self._host
        self._url = f"http://{host}:{runner.addresses[0][1]}"

    async def _stop(self) -> None:
        runner, self._runner = self._runner, None
        self._url = None
        if runner is not None:
            with anyio.CancelScope(shield=True):  # it is short, and leaves nothing open
                await self.webhooks.stop()
                await runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=_READ_LIMIT)
        application.router.add_get("/_sandbox/ledger", self._show_ledger)
        for operation in _operations():
            application.router.add_route(operation.verb, operation.path, partial(self._arrive, operation.name))
        application.router.add_route("*", "/{path:.*}", partial(self._arrive, _UNKNOWN))
        return application

    async def _show_ledger(self, request: web.Request) -> web.StreamResponse:
        return Answer(200, msgspec.json.encode(self.ledger.summary())).response()

    async def _arrive(self, name: str, request: web.Request) -> web.StreamResponse:
        practice = request.headers.get("x-practice-group-id", "")
        try:
            sent = await request.read()
        except (ConnectionError, ClientPayloadError):  # half a request: the client has gone
            return web.Response()
        arrival = self.ledger.arrived(name, practice, self.clock.now())
        faults = self.faults.strike(name, practice)
        if faults:
            process = partial(self._process, name, practice, request, sent)
            return await answer_through(faults, request, arrival, self.clock, process)
        answer = self._process(name, practice, request, sent)
        arrival.status = answer.status
        return answer.response()

    def _process(self, name: str, practice: str, request: web.Request, sent: bytes) -> Answer:
        try:
            self._admit(practice, request, sent)
            if name == _UNKNOWN:
                raise RefusalError(404, "No such path")
            served = served_by(name)
            if served is None:
                raise RefusalError(501, f"The sandbox does not serve {name}")
            value = served.handler(self._call(served, practice, request, sent))
        except RefusalError as refusal:
            body = msgspec.json.encode(error_body(refusal.status, refusal.message))
            return Answer(refusal.status, body, refusal.headers)
        return Answer(served.status, encode(value, self.quirks))

    def _admit(self, practice: str, request: web.Request, sent: bytes) -> None:
        if request.headers.get("x-api-key") != self.api_key or not practice:
            raise RefusalError(401, "Unauthorised")
        if practice not in self.practice_group_ids:
            raise RefusalError(403, "The key does not open this practice group")
        wait = self._buckets.wait(practice, self.clock.monotonic())
        if wait:
            headers = retry_after(self.quirks.retry_after, wait, self.clock.now())
            raise RefusalError(429, "Too Many Requests", headers)
        if len(sent) > self.quirks.max_body_bytes:
            raise RefusalError(413, "Payload Too Large")

    def _call(self, served: Served, practice: str, request: web.Request, sent: bytes) -> Call:
        queries = _values(request) if request.query_string else _NOTHING
        body: object = NO_BODY
        issues: list[Issue] = []
        if sent and request.content_type == "application/json":
            try:
                body = msgspec.json.decode(sent)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                issues.append(issue("custom", "JSON", ()))
        if served.rule is not None and not issues:
            served.rule(queries if request.method in ("GET", "DELETE") else body, (), issues)
        if issues:
            raise RefusalError(400, issues)
        return Call(
            state=self._state,
            quirks=self.quirks,
            practice_group_id=practice,
            now=self.clock.now(),
            path=request.match_info,
            query={key: values[0] for key, values in queries.items()} if queries else _NO_QUERY,
            queries=queries,
            body=body if is_object(body) else {},
        )


async def serve(sandbox: Sandbox, ready: Callable[[Sandbox], None]) -> None:
    """Run the sandbox until cancelled; `ready` is called once it listens."""
    async with sandbox:
        ready(sandbox)
        await anyio.sleep_forever()


def _values(request: web.Request) -> Mapping[str, Sequence[str]]:
    return {key: request.query.getall(key) for key in request.query}


def _operations() -> tuple[AnyOperation, ...]:
    from hero_async import OPERATIONS  # reads every module of the API: not before it is needed

    return OPERATIONS


def _loopback(host: str) -> str:
    if host == "localhost":
        return "127.0.0.1"  # one address: "localhost" can be two, with a port each
    try:
        if ipaddress.ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise InvalidArgumentError("host must be a loopback address, such as 127.0.0.1: it serves no network")
