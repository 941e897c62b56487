"""One call, from the inert `Call` to its answer: sign, throttle, guard, attempt, decide, and again."""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import os
import re
import secrets
from typing import Any

from hero_async import clock, observe
from hero_async.calls import Call, Response, Route
from hero_async.codec import read, read_issues
from hero_async.deadline import Deadline, Entry
from hero_async.delivery import Delivery, of_status
from hero_async.errors import (
    APIConnectionError,
    APITimeoutError,
    BadRequestError,
    HeroError,
    RateLimitError,
    ResponseDecodeError,
    ResponseTooLargeError,
    class_for,
)
from hero_async.retries import Failure, RetryBudget, parse_retry_after
from hero_async.settings import Settings
from hero_async.signing import Headers, Key, sign
from hero_async.throttle import Lane, Throttle
from hero_async.transport import AiohttpTransport, Attempt, Guard, Loss, Reply, TooLarge, Transport


class Runtime:
    """What all views of a client share while it runs on one event loop."""

    def __init__(self, settings: Settings, key: Key, transport: Transport | None) -> None:
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self.pid: int = os.getpid()
        self.key = key
        self.throttle: Throttle = Throttle()
        self.budget: RetryBudget = RetryBudget()
        self.telemetry: observe.Telemetry | None = observe.telemetry(settings.base_url)
        self.own_transport: AiohttpTransport | None = AiohttpTransport(settings) if transport is None else None
        self.transport: Transport = transport if transport is not None else self.own_transport  # type: ignore[assignment]
        self._deadlines: dict[float, Deadline] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._prefix = secrets.token_hex(4)
        self.numbers: itertools.count[int] = itertools.count(1)
        """The numbers of calls."""

    def is_here(self) -> bool:
        """Whether this is the running loop, in the process that made it."""
        return self.loop is asyncio.get_running_loop()

    def call_id(self, number: int) -> str:
        """The id of a call, as text."""
        return f"{self._prefix}-{number}"

    def deadline(self, limit: float) -> Deadline | None:
        """The one timer of all calls of this limit."""
        if limit == math.inf:
            return None
        deadline = self._deadlines.get(limit)
        if deadline is None:
            deadline = self._deadlines[limit] = Deadline(self.loop, limit)
        return deadline

    def discard(self) -> None:
        """Let go without waiting; from any thread, also when the loop is closed."""
        if self.own_transport is None:
            return
        if self.loop.is_closed():
            self.own_transport.discard()
        else:
            self.loop.call_soon_threadsafe(self._close_soon)

    def _close_soon(self) -> None:
        task = self.loop.create_task(self.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Stop the timers and close the connections."""
        for deadline in self._deadlines.values():
            deadline.stop()
        if self.own_transport is not None:
            await self.own_transport.close()


class Pipeline:
    """Runs calls with one view's settings."""

    __slots__ = ("_headers", "_signed", "_with_body", "deadline", "lane", "runtime", "settings")

    def __init__(self, runtime: Runtime, settings: Settings) -> None:
        self.runtime: Runtime = runtime
        self.settings: Settings = settings
        self.lane: Lane = runtime.throttle.lane(settings.practice_group_id, settings.rate_limit)
        self.deadline: Deadline | None = runtime.deadline(settings.timeout)
        self._signed = -1
        self._headers = self._with_body = Headers({})

    async def value(self, call: Call[Any], guard: Guard | None) -> Any:
        """The decoded answer."""
        run = _Run(self, call, guard)
        return run.decode(await run.go())

    async def response(self, call: Call[Any], guard: Guard | None) -> Response[Any]:
        """The decoded answer, with all that came with it."""
        run = _Run(self, call, guard)
        reply = await run.go()
        return Response(
            status=reply.status,
            headers=reply.headers,
            body=reply.body,
            value=run.decode(reply),
            attempts=run.number,
            call_id=run.call_id,
            request_id=_request_id(reply),
            elapsed=clock.monotonic() - run.begun,
        )

    def headers(self, *, has_body: bool) -> Headers:
        """The signed headers. The key must be known. Keep them in no local: a traceback may show locals."""
        key = self.runtime.key
        if key.version != self._signed:
            self._headers = sign(key.text or "", self.settings.practice_group_id, self.settings.headers)
            self._with_body = Headers({**self._headers, "Content-Type": "application/json"})
            self._signed = key.version
        return self._with_body if has_body else self._headers


class _Run:
    """One call on its way. Its repr shows nothing of it."""

    __slots__ = (
        "attempt",
        "begun",
        "call",
        "delivery",
        "guard",
        "id",
        "leave_by",
        "number",
        "pipeline",
        "refreshed",
        "span",
        "until",
    )

    def __init__(self, pipeline: Pipeline, call: Call[Any], guard: Guard | None) -> None:
        self.pipeline = pipeline
        self.call = call
        self.guard = guard
        self.id = next(pipeline.runtime.numbers)
        self.number = 0
        self.begun = clock.monotonic()
        timeout = pipeline.settings.timeout
        self.until = self.begun + timeout
        # With little time left for an answer, what must not be repeated would end in doubt: it does not leave at all.
        self.leave_by = self.until if call.operation.idempotent else self.until - timeout / 4
        self.attempt: Attempt | None = None
        self.delivery = Delivery.NO
        self.refreshed = False
        self.span: Any = None

    @property
    def call_id(self) -> str:
        return self.pipeline.runtime.call_id(self.id)

    async def go(self) -> Reply:
        """Attempts until one is answered with 2xx, the policy gives up, or time is over."""
        deadline = self.pipeline.deadline
        entry: Entry | None = None
        if deadline is not None:
            task = asyncio.current_task(self.pipeline.runtime.loop)
            if task is not None:
                entry = deadline.begin(task)
        try:
            if self.pipeline.runtime.telemetry is None:
                return await self._attempts()
            return await self._observed(self.pipeline.runtime.telemetry)
        except asyncio.CancelledError:
            if entry is None or not entry.passed():
                self._settle(self._running(), None)
                raise
        finally:
            if deadline is not None and entry is not None:
                deadline.end(entry)
        raise self._out_of_time()

    async def _observed(self, telemetry: observe.Telemetry) -> Reply:
        operation = self.call.operation
        self.span = telemetry.call(operation)
        replied = False
        error: str | None = None
        try:
            reply = await self._attempts()
            replied = True
            return reply
        except BaseException as failed:
            error = type(failed).__name__
            raise
        finally:
            delivery = Delivery.YES if replied else self._known()
            seconds = clock.monotonic() - self.begun
            telemetry.call_done(self.span, operation, error=error, delivery=delivery, seconds=seconds)

    async def _attempts(self) -> Reply:
        pipeline = self.pipeline
        lane = pipeline.lane
        key = pipeline.runtime.key
        call = self.call
        operation = call.operation
        has_body = call.body is not None
        last: HeroError | None = None
        while True:
            self.attempt = None
            if key.text is None:
                await key.fetch(key.version)
            if not lane.try_enter(clock.monotonic()):
                try:
                    waited = await lane.enter(until=self.leave_by)
                except TimeoutError:
                    last = last or self._out_of_time("throttle")
                    raise last from None
                if pipeline.runtime.telemetry is not None:
                    pipeline.runtime.telemetry.waited(operation, waited)
            self.number += 1
            attempt = self.attempt = Attempt(
                operation.verb,
                call.target,
                pipeline.headers(has_body=has_body),
                call.body,
                operation.idempotent,
                self.guard,
                not operation.in_path,
                self.leave_by,
            )
            outcome = await (self._watched(attempt) if self._is_watched() else pipeline.runtime.transport(attempt))
            if type(outcome) is Reply:
                attempt.status = outcome.status
                if 200 <= outcome.status < 300:
                    pipeline.runtime.budget.refund()
                    return outcome
            self._settle(attempt.delivery, outcome)
            if await self._refresh_key(outcome):
                continue
            failure = self._failure(outcome)
            last = self._error(outcome, failure)
            wait = self._wait(failure)
            if wait is None:
                raise last
            observe.retrying(operation, self.call_id, self.number, outcome=_words(outcome), wait=wait)
            if pipeline.runtime.telemetry is not None:
                pipeline.runtime.telemetry.retried(operation, _error_type(outcome) or "")
            if failure.status != 429:  # a 429 waits in the lane, with all other calls of the practice group
                self.attempt = None
                await clock.sleep(wait)

    def _is_watched(self) -> bool:
        return self.pipeline.runtime.telemetry is not None or observe.log.isEnabledFor(logging.DEBUG)

    async def _watched(self, attempt: Attempt) -> Reply | Loss:
        telemetry = self.pipeline.runtime.telemetry
        operation = self.call.operation
        began = clock.monotonic()
        span = telemetry.attempt(self.span, operation, self.number) if telemetry is not None else None
        words = "ended by an exception"
        error: str | None = None
        try:
            outcome = await self.pipeline.runtime.transport(attempt)
            words = _words(outcome)
            error = _error_type(outcome)
            return outcome
        except BaseException:
            error = attempt.phase
            raise
        finally:
            seconds = clock.monotonic() - began
            delivery = attempt.delivery
            if telemetry is not None:
                telemetry.attempt_done(
                    span, operation, status=attempt.status, error=error, delivery=delivery, seconds=seconds
                )
            observe.attempt_done(
                operation, self.call_id, self.number, outcome=words, ms=seconds * 1000, delivery=delivery
            )

    async def _refresh_key(self, outcome: Reply | Loss) -> bool:
        """After a 401 a key that can change is asked for once more; the refused attempt was not processed."""
        key = self.pipeline.runtime.key
        if not isinstance(outcome, Reply) or outcome.status != 401 or self.refreshed or not key.can_change:
            return False
        self.refreshed = True
        refused, self.attempt = self.attempt, None
        if refused is None:
            return False
        if key.text == refused.headers["x-api-key"]:  # else another call has asked since this attempt left
            await key.fetch(key.version)
        return key.text != refused.headers["x-api-key"]

    def _settle(self, delivery: Delivery, outcome: Reply | Loss | None) -> None:
        """Remember the worst: once an attempt may have been processed, a later NO does not undo it."""
        if delivery is Delivery.UNKNOWN:
            self.delivery = Delivery.UNKNOWN
            words = _words(outcome) if outcome is not None else "cancelled"
            observe.outcome_unknown(self.call.operation, self.call_id, self.number, outcome=words)
        elif delivery is Delivery.YES:
            self.delivery = Delivery.YES

    def _running(self) -> Delivery:
        """What would be known, were the running attempt lost now."""
        return self.attempt.delivery if self.attempt is not None else Delivery.NO

    def _known(self) -> Delivery:
        """What is known of the call in all: the running attempt, and those before."""
        running = self._running()
        return running if self.delivery is Delivery.NO else self.delivery

    def _failure(self, outcome: Reply | Loss) -> Failure:
        idempotent = self.call.operation.idempotent
        if isinstance(outcome, Loss):
            status = self.attempt.status if self.attempt is not None else None  # it decides, though its body was lost
            return Failure(delivery=self._running(), idempotent=idempotent, status=status, permanent=outcome.permanent)
        retry_after = parse_retry_after(
            outcome.headers.get("Retry-After"), now=clock.now(), server_date=outcome.headers.get("Date")
        )
        return Failure(
            delivery=of_status(outcome.status),
            idempotent=idempotent,
            status=outcome.status,
            retry_after=retry_after,
        )

    def _wait(self, failure: Failure) -> float | None:
        """Seconds until the next attempt, or None to give up. A 429 pauses the practice group either way."""
        policy = self.pipeline.settings.retries
        if failure.status == 429:
            pause = policy.wait(self.number, failure)
            self.pipeline.lane.cool_down(pause, sent_at=self.attempt.began if self.attempt is not None else self.begun)
            observe.cooling_down(self.call.operation, pause)
            wait = pause if self.number <= policy.retries and failure.may_repeat else None
        else:
            wait = policy.delay(self.number, failure)
        if wait is None or clock.monotonic() + wait >= self.until:
            return None
        return wait if self.pipeline.runtime.budget.spend(failure) else None

    def _context(self) -> dict[str, Any]:
        return {"operation": self.call.operation.name, "attempts": self.number, "call_id": self.call_id}

    def _out_of_time(self, phase: str | None = None) -> APITimeoutError:
        phase = phase or (self.attempt.phase if self.attempt is not None else "throttle")
        limit = self.pipeline.settings.timeout
        return APITimeoutError(
            f"the deadline of {limit:g} s passed ({phase})",
            phase=phase,
            delivery=self._known(),
            **self._context(),
        )

    def _error(self, outcome: Reply | Loss, failure: Failure) -> HeroError:
        context: dict[str, Any] = {**self._context(), "delivery": self._known()}
        if isinstance(outcome, TooLarge):
            limit = self.pipeline.settings.max_response_bytes
            return ResponseTooLargeError(f"the answer is over max_response_bytes ({limit})", limit=limit, **context)
        if isinstance(outcome, Loss):
            kind = APITimeoutError if outcome.timeout else APIConnectionError
            return kind(outcome.kind, phase=outcome.phase, **context)
        status = outcome.status
        context |= {"status": status, "body": outcome.body, "request_id": _request_id(outcome)}
        words = f"the server answered {status}"
        if 300 <= status < 400:
            words += ": redirects are not followed, so that the key and the message go nowhere else"
        made = class_for(status)
        if made is RateLimitError:
            return RateLimitError(words, retry_after=failure.retry_after, **context)
        if made is BadRequestError:
            places = _places(outcome.body, self.call.operation)
            words += f": {', '.join(places)}" if places else ""
            return BadRequestError(words, places=places, **context)
        return made(words, **context)

    def decode(self, reply: Reply) -> Any:
        """The value of a 2xx answer."""
        try:
            return read(reply.body, self.call.into)
        except ResponseDecodeError as error:
            words, problems = str(error), error.problems
        # Raised afresh: the frames of the decoder hold the body.
        raise ResponseDecodeError(
            words,
            problems=problems,
            body=reply.body,
            delivery=Delivery.YES,
            request_id=_request_id(reply),
            **self._context(),
        )


def _words(outcome: Reply | Loss) -> str:
    return f"status {outcome.status}" if isinstance(outcome, Reply) else outcome.kind


def _error_type(outcome: Reply | Loss) -> str | None:
    """What a span or metric calls it: where it was lost, or the status; None for a 2xx."""
    if not isinstance(outcome, Reply):
        return outcome.phase
    return None if 200 <= outcome.status < 300 else str(outcome.status)


_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


def _request_id(reply: Reply) -> str | None:
    found = reply.headers.get("x-request-id")
    return found if found and _REQUEST_ID.fullmatch(found) else None


def _places(body: bytes, operation: Route) -> tuple[str, ...]:
    """Which arguments a 400 names. Only names that the operation has: a server may put values into a path."""
    known = operation.wire_names
    places: list[str] = []
    for issue in read_issues(body)[:20]:
        text = ""
        for step in issue.path:
            if isinstance(step, int):
                text += f"[{step}]"
            else:
                text += ("." if text else "") + (step if step in known else "?")
        if text:
            places.append(text)
    return tuple(dict.fromkeys(places))
