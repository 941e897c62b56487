"""From a delivery to a status, in both worlds: on an event loop and on a thread without one."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from hero_async import ConfigurationError
from hero_async.clock import VirtualClock
from hero_async.webhooks import (
    INLINE,
    Claim,
    Event,
    Events,
    MemoryReplayStore,
    OnLoop,
    Receiver,
    SQLiteReplayStore,
    Verifier,
    sign,
)
from hero_async.webhooks.receiver import step_through

pytestmark = [pytest.mark.usefixtures("now"), pytest.mark.anyio]
Make = Callable[..., bytes]
Send = Callable[..., Awaitable[int]]


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Any) -> Any:
    return MemoryReplayStore() if request.param == "memory" else SQLiteReplayStore(tmp_path / "replay.db")


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def receiver(verifier: Verifier, events: Events, store: Any) -> Receiver:
    return Receiver(verifier, events, replay=store)


@pytest.fixture(params=["loop", "thread"])
def send(request: pytest.FixtureRequest, receiver: Receiver, key: str, body: Make) -> Send:
    """Deliver an event; gives the status."""

    async def on_loop(event: str = "appointment.confirmed", *, to: Receiver = receiver, **changes: Any) -> int:
        raw = body(event, **changes)
        return (await to.receive(sign(key, raw), raw, OnLoop())).status

    async def on_thread(event: str = "appointment.confirmed", *, to: Receiver = receiver, **changes: Any) -> int:
        raw = body(event, **changes)
        return (await asyncio.to_thread(to.receive_blocking, sign(key, raw), raw)).status

    return on_loop if request.param == "loop" else on_thread


async def test_handlers_sync_and_async_hear_of_an_event_and_200_is_answered(send: Send, events: Events) -> None:
    heard: list[tuple[str, str | None]] = []

    @events.on("appointment.confirmed")
    def one(event: Event) -> None:
        heard.append(("one", event.id))

    @events.on(Event)
    async def two(event: Event) -> None:
        await asyncio.sleep(0)
        heard.append(("two", event.id))

    assert await send() == 200
    assert heard == [("one", "4711"), ("two", "4711")]


async def test_an_event_that_nobody_listens_for_is_answered_with_204(send: Send, events: Events) -> None:
    @events.on("appointment.cancelled")
    def never(event: Event) -> None:
        raise AssertionError

    assert await send() == 204
    assert await send("message.sent") == 204


async def test_the_same_delivery_is_handled_once(send: Send, events: Events) -> None:
    heard: list[str | None] = []

    @events.on(Event)
    def handler(event: Event) -> None:
        heard.append(event.id)

    assert [await send(), await send(), await send(id="4712"), await send()] == [200, 204, 200, 204]
    assert heard == ["4711", "4712"]


async def test_a_failure_is_500_and_lets_the_next_delivery_in_without_doing_again_what_was_done(
    send: Send, events: Events
) -> None:
    heard: list[str] = []
    broken = True

    @events.on(Event)
    async def first(event: Event) -> None:
        heard.append("first")

    @events.on(Event)
    def second(event: Event) -> None:
        heard.append("second")
        if broken:
            raise KeyError("boo")

    @events.on(Event)
    def third(event: Event) -> None:
        heard.append("third")

    assert await send() == 500
    assert await send() == 500
    broken = False
    assert await send() == 200
    assert await send() == 204
    assert heard == ["first", "second", "third", "second", "second"]


async def test_a_copy_that_comes_while_the_first_is_at_work_is_told_to_come_again(send: Send, events: Events) -> None:
    inside, leave = threading.Event(), threading.Event()
    heard: list[str | None] = []

    @events.on(Event)
    def slow(event: Event) -> None:
        inside.set()
        leave.wait(10)
        heard.append(event.id)

    first = asyncio.create_task(send())  # type: ignore[arg-type]  # it is a coroutine
    await asyncio.to_thread(inside.wait, 10)
    assert await send() == 409
    leave.set()
    assert await first == 200
    assert await send() == 204
    assert heard == ["4711"]


async def test_a_worker_that_died_is_followed_after_its_lease(
    send: Send, events: Events, receiver: Receiver, now: VirtualClock, key: str, body: Make
) -> None:
    heard: list[str | None] = []

    @events.on(Event)
    def handler(event: Event) -> None:
        heard.append(event.id)

    raw, headers = body(), sign(key, body())
    proof = receiver.verifier.verify(headers, raw).proof
    assert proof is not None
    name = f"{proof.fingerprint} {events.matching(receiver.verifier.verify(headers, raw))[0].name}"
    assert receiver.replay.claim(name, "the one that dies") is Claim.TAKEN
    assert receiver.receive_blocking(headers, raw).status == 409
    now.advance(299)
    assert receiver.receive_blocking(headers, raw).status == 409
    now.advance(1)
    assert receiver.receive_blocking(headers, raw).status == 200
    assert heard == ["4711"]


class Dead:
    """A store that is out of order: from the first call on, or from the end of a claim on."""

    retention = 86_400.0

    def __init__(self, claims: bool) -> None:
        self.claims = claims

    def claim(self, key: str, owner: str) -> Claim:
        if self.claims:
            return Claim.TAKEN
        raise OSError("disk full of 4711")

    def finish(self, key: str, owner: str) -> None:
        raise OSError("disk full of 4711")

    release = finish


async def test_without_a_claim_nothing_runs(
    send: Send, events: Events, verifier: Verifier, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str | None] = []

    @events.on(Event)
    def handler(event: Event) -> None:
        heard.append(event.id)

    assert await send(to=Receiver(verifier, events, replay=Dead(claims=False))) == 503
    assert heard == []
    # The work was done, so the sender need not come again, whatever became of the note of it.
    assert await send(to=Receiver(verifier, events, replay=Dead(claims=True))) == 200
    assert heard == ["4711"]
    assert caplog.text.count("the replay store failed with OSError at test_webhook_receiver.py:") == 2
    assert "4711" not in caplog.text


@pytest.mark.parametrize("kind", [asyncio.CancelledError, KeyboardInterrupt, SystemExit])
async def test_an_interrupted_handler_frees_its_claim_and_the_interruption_goes_on(
    kind: type[BaseException], events: Events, receiver: Receiver, key: str, body: Make
) -> None:
    interrupt = True

    @events.on(Event)
    def handler(event: Event) -> None:
        if interrupt:
            raise kind

    with pytest.raises(kind):
        receiver.receive_blocking(sign(key, body()), body())
    interrupt = False
    assert receiver.receive_blocking(sign(key, body()), body()).status == 200


async def test_a_cancelled_async_handler_frees_its_claim(
    events: Events, receiver: Receiver, key: str, body: Make
) -> None:
    inside = asyncio.Event()
    waits = True

    @events.on(Event)
    async def handler(event: Event) -> None:
        inside.set()
        if waits:
            await asyncio.Event().wait()

    task = asyncio.create_task(receiver.receive(sign(key, body()), body(), OnLoop()))
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    waits = False
    assert (await receiver.receive(sign(key, body()), body(), OnLoop())).status == 200


async def test_sync_handlers_that_hang_hold_up_neither_others_nor_the_application(
    events: Events, verifier: Verifier, key: str, body: Make, tmp_path: Path
) -> None:
    receiver = Receiver(verifier, events, replay=SQLiteReplayStore(tmp_path / "replay.db"))
    leave = threading.Event()
    hanging = threading.Semaphore(0)

    @events.on("appointment.confirmed")
    def hangs(event: Event) -> None:
        hanging.release()
        leave.wait(30)

    @events.on("appointment.cancelled")
    async def works(event: Event) -> None:
        pass

    async def deliver(raw: bytes) -> int:
        return (await receiver.receive(sign(key, raw), raw, OnLoop())).status

    many = [asyncio.create_task(deliver(body(id=str(number)))) for number in range(45)]
    try:
        with anyio.fail_after(20):
            for _ in range(40):
                assert await anyio.to_thread.run_sync(hanging.acquire, True, 20)  # the application's own thread
            assert await deliver(body("appointment.cancelled")) == 200
    finally:
        leave.set()
    assert await asyncio.gather(*many) == [200] * 45


async def test_a_handler_in_a_scope_that_stays_cancelled_frees_its_claim(
    events: Events, verifier: Verifier, key: str, body: Make, tmp_path: Path
) -> None:
    """As middleware of Starlette does when the client has gone: every further wait is cancelled too."""
    receiver = Receiver(verifier, events, replay=SQLiteReplayStore(tmp_path / "replay.db"))
    waits = True

    @events.on(Event)
    async def handler(event: Event) -> None:
        if waits:
            scope.cancel()
            await anyio.sleep_forever()

    with anyio.CancelScope() as scope:
        await receiver.receive(sign(key, body()), body(), OnLoop())
    assert scope.cancelled_caught
    waits = False
    assert (await receiver.receive(sign(key, body()), body(), OnLoop())).status == 200


async def test_a_sync_handler_that_is_cancelled_is_still_handled_once(
    events: Events, receiver: Receiver, key: str, body: Make
) -> None:
    inside, leave, done = threading.Event(), threading.Event(), threading.Event()
    heard: list[str | None] = []

    @events.on(Event)
    def handler(event: Event) -> None:
        heard.append(event.id)
        inside.set()
        leave.wait(10)

    finish = receiver.replay.finish

    def finished(key: str, owner: str) -> None:
        finish(key, owner)
        done.set()

    receiver.replay.finish = finished  # type: ignore[method-assign]  # to know when the thread is through
    task = asyncio.create_task(receiver.receive(sign(key, body()), body(), OnLoop()))
    await asyncio.to_thread(inside.wait, 10)
    task.cancel()  # a thread cannot be stopped: it goes on, and its claim with it
    await asyncio.sleep(0)
    assert receiver.receive_blocking(sign(key, body()), body()).status == 409
    leave.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(done.wait, 10)
    assert receiver.receive_blocking(sign(key, body()), body()).status == 204
    assert heard == ["4711"]


async def test_a_coroutine_from_a_function_that_is_not_async_is_a_failure(send: Send, events: Events) -> None:
    async def real(event: Event) -> None: ...

    events.on(Event)(lambda event: real(event))
    assert await send() == 500


async def test_failures_are_told_to_on_error_and_to_the_log_without_a_value(
    verifier: Verifier, send: Send, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    events, told = Events(), list[Any]()

    @events.on(Event)
    def handler(event: Event) -> None:
        raise ValueError(f"no patient {event.id}")

    def report(error: Exception, event: Event) -> None:
        told.append((str(error), event.id))
        raise RuntimeError("no tracker for canary")

    assert await send(to=Receiver(verifier, events, on_error=report), id="canary") == 500
    assert told == [("no patient canary", "canary")]
    assert re.search(r"handler \S+\.handler failed with ValueError at test_webhook_receiver\.py:\d+", caplog.text)
    assert "on_error failed with RuntimeError" in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"X-Herohealth-Signature": "0" * 64}, 401, "signature"),
        ({"X-Herohealth-Signature": "canary"}, 401, "signature_format"),
        ({"X-Herohealth-Timestamp": "canary"}, 401, "timestamp_format"),
    ],
)
async def test_what_is_not_proved_is_401_and_the_log_tells_the_reason_alone(
    change: dict[str, str], status: int, reason: str, receiver: Receiver, key: str, body: Make,
    caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    raw = body(id="canary")
    assert step_through(receiver.receive(sign(key, raw) | change, raw, INLINE)).status == status
    assert caplog.messages == [f"webhook refused: {reason}, answered {status}"]


async def test_stale_future_and_unreadable_deliveries(receiver: Receiver, key: str, body: Make) -> None:
    for timestamp in ("1767603000", "1767604000"):
        assert receiver.receive_blocking(sign(key, body(), timestamp=timestamp), body()).status == 401
    assert receiver.receive_blocking(sign(key, b"[]"), b"[]").status == 400
    big = b" " * (receiver.verifier.max_body_bytes + 1)
    assert receiver.receive_blocking(sign(key, big), big).status == 413


async def test_what_is_refused_before_the_body_is_read(receiver: Receiver) -> None:
    cap = receiver.verifier.max_body_bytes
    for method in ("GET", "HEAD", "PUT", "post", ""):
        refused = receiver.refuse_early(method, "10")
        assert refused is not None
        assert (refused.status, refused.headers) == (405, {"Allow": "POST"})
    for length in (str(cap + 1), "9" * 5000, f"000{cap + 1}"):
        refused = receiver.refuse_early("POST", length)
        assert refused is not None
        assert refused.status == 413
    for length in (None, "", str(cap), "0" * 50, "-5", "１２", "x"):
        assert receiver.refuse_early("POST", length) is None


@pytest.mark.parametrize("make", [MemoryReplayStore, lambda **options: SQLiteReplayStore("replay.db", **options)])
async def test_a_store_that_forgets_too_soon_is_refused(
    make: Callable[..., Any], events: Events, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    verifier = Verifier("key", tolerance=100)
    with pytest.raises(ConfigurationError, match="twice"):
        Receiver(verifier, events, replay=make(retention=200))
    assert Receiver(verifier, events, replay=make(retention=200.1)).replay.retention == 200.1


async def test_a_delivery_is_not_let_in_again_at_any_moment_of_its_life(
    receiver: Receiver, events: Events, now: VirtualClock, key: str, body: Make
) -> None:
    heard: list[str | None] = []

    @events.on(Event)
    def handler(event: Event) -> None:
        heard.append(event.id)

    headers = sign(key, body(), timestamp=str(1767603600 + 300))  # as early as it can be
    answers = []
    for _ in range(62):
        answers.append(receiver.receive_blocking(headers, body()).status)
        now.advance(10)
    assert answers == [200, *[204] * 60, 401]
    assert heard == ["4711"]
