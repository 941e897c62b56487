"""Webhooks: signed deliveries of what happens in the sandbox, to this machine only.

    async with Sandbox(webhook="http://127.0.0.1:8000/webhooks/hero") as sandbox:
        ...                                     # book an appointment
        await sandbox.webhooks.settled()        # whoever was to be told has been
        assert sandbox.webhooks.sent[0].statuses == (200,)

Subscriptions made by `webhooks.create` hear of what they subscribed to; an address given to the sandbox hears of
everything. Nothing is ever posted to another machine: what such a subscription would hear is noted, undelivered.

Not confirmed: everything but the two headers, the four fields and the HMAC. What Hero does may differ in how it writes
signature and time, whether it tries again, what of, and when: `Quirks.webhook_…` chooses.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import attrs
import msgspec

from hero_async.errors import InvalidArgumentError
from hero_async.fields import Ref, describe
from hero_async.hiding import hidden
from hero_async.sandbox.ledger import Change
from hero_async.settings import is_loopback

if TYPE_CHECKING:
    from hero_async.sandbox.server import Sandbox

TELLS: Mapping[str, tuple[str, str]] = {
    "appointments.book": ("appointment.confirmed", "Appointment"),
    "appointments.cancel": ("appointment.cancelled", "Appointment"),
    "appointments.reschedule": ("appointment.rescheduled", "Appointment"),
    "form_links.use": ("form-submission.created", "FormSubmission"),
    "messages.write_to_record.succeeded": ("write-to-record.succeeded", "Message"),
    "messages.write_to_record.failed": ("write-to-record.failed", "Message"),
}
"""By what the ledger notes: the event, and the kind of thing. All others are told by `emit` alone."""

OBJECTS: Mapping[str, str] = {
    **dict(TELLS.values()),
    "prescription.issued": "Prescription",
    "patient.medical-record-updated": "Patient",
    "patient.added-to-sequence": "Patient",
}
"""Every event, and the kind of thing that it is of."""

_PATIENCE = aiohttp.ClientTimeout(total=10)


@hidden
@attrs.define(kw_only=True, repr=False, eq=False)
class Delivery:
    """One event for one address, with all its attempts."""

    event: Ref
    id: Ref
    """Of what it is about."""

    practice_group_id: Ref
    url: str
    at: datetime
    """When it happened."""

    body: bytes
    statuses: tuple[int | None, ...] = ()
    """What each attempt was answered; None: nothing."""

    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """What the last attempt was sent with."""

    is_local: bool = True
    """Whether the address is on this machine. Another is not posted to."""

    signing_key: str | None = None
    """What it is signed with; None: it is not."""

    more_headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """What the subscription adds."""

    @property
    def is_handled(self) -> bool:
        """Whether the last attempt was answered 2xx."""
        return bool(self.statuses) and 200 <= (self.statuses[-1] or 0) < 300

    __repr__ = describe


class Deliveries:
    """What the sandbox tells, to whom, and what it was answered. Made by `Sandbox`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._told: list[Delivery] = []
        self._addresses: list[tuple[str, str | None, frozenset[str]]] = []
        self._changed = threading.Condition()
        self._posting = 0
        self._resting: dict[object, float] = {}
        """When the next attempts are due that wait for their time, on the sandbox's monotonic clock."""

        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"Deliveries({len(self._told)} told)"

    @property
    def sent(self) -> tuple[Delivery, ...]:
        """Everything that was told, in order; a copy of this moment."""
        return tuple(self._told)

    def subscribe(self, url: str, *, signing_key: str | None = None, events: tuple[str, ...] = ()) -> None:
        """Tell an address on this machine of what happens in every practice group.

        Args:
            url: An http address on loopback.
            signing_key: Default: the sandbox's own, `Sandbox.signing_key`.
            events: Which events. Default: all.

        Raises:
            InvalidArgumentError: It is on another machine, or there is no such event.
        """
        if not _is_local(url):
            raise InvalidArgumentError("webhook: must be an http address on this machine (loopback)")
        if not OBJECTS.keys() >= set(events):
            raise InvalidArgumentError(f"events: must be of {', '.join(OBJECTS)}")
        self._addresses.append((url, signing_key or self._sandbox.signing_key, frozenset(events or OBJECTS)))

    def hear(self, change: Change) -> None:
        """Tell of a change, if it is one that is told. For the ledger."""
        if change.what in TELLS:
            event, kind = TELLS[change.what]
            self._tell(event, kind, change.id, change.practice_group_id, change.at)

    def emit(self, event: str, id: str, *, practice_group_id: str | None = None) -> None:
        """Tell of something that need not have happened.

        Args:
            event: Such as "prescription.issued".
            id: Of what it is about.
            practice_group_id: Default: the sandbox's first.

        Raises:
            InvalidArgumentError: There is no such event.
        """
        if event not in OBJECTS:
            raise InvalidArgumentError(f"event: must be one of {', '.join(OBJECTS)}")
        practice = practice_group_id or self._sandbox.practice_group_ids[0]
        self._tell(event, OBJECTS[event], id, practice, self._sandbox.clock.now())

    def repeat(self, delivery: Delivery) -> None:
        """Post a delivery once more, with the very bytes and headers of its last attempt: a copy, or a replay."""
        self._begin(delivery, again=True)

    def wait(self, timeout: float = 30.0) -> None:
        """Block until nothing is on its way: each delivery is handled, given up, or waits for a retry not yet due.

        Raises:
            TimeoutError: Something still is.
            RuntimeError: Called on the sandbox's own event loop: await `settled` there.
        """
        if self._loop is not None and _running_loop() is self._loop:
            raise RuntimeError("this is the sandbox's event loop: await settled() instead")
        with self._changed:
            if not self._changed.wait_for(self._is_quiet, timeout):
                raise TimeoutError("deliveries are still on their way")

    async def settled(self, timeout: float = 30.0) -> None:
        """`wait`, on any event loop.

        Raises:
            TimeoutError: Something is still on its way.
        """
        await asyncio.to_thread(self.wait, timeout)

    async def start(self) -> None:
        """Begin to post. Called by the sandbox."""
        self._loop = asyncio.get_running_loop()
        self._session = aiohttp.ClientSession(timeout=_PATIENCE, cookie_jar=aiohttp.DummyCookieJar())

    async def stop(self) -> None:
        """Stop posting; what waits for a retry is given up. Called by the sandbox."""
        tasks, self._loop = [*self._tasks], None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        session, self._session = self._session, None
        if session is not None:
            await session.close()
        with self._changed:
            self._posting = 0
            self._resting.clear()
            self._changed.notify_all()

    def _tell(self, event: str, kind: str, id: str, practice: str, at: datetime) -> None:
        body = msgspec.json.encode({"object": kind, "id": id, "practice_group_id": practice, "event": event})
        subscribed = [(url, key, _NONE) for url, key, events in self._addresses if event in events]
        subscribed += _subscriptions(self._sandbox, practice, event)
        for url, key, more in subscribed:
            delivery = Delivery(
                event=event, id=id, practice_group_id=practice, url=url, at=at, body=body,
                is_local=_is_local(url), signing_key=key, more_headers=more,
            )  # fmt: skip
            self._told.append(delivery)
            for _ in range(self._sandbox.quirks.webhook_copies):
                self._begin(delivery)

    def _begin(self, delivery: Delivery, *, again: bool = False) -> None:
        """From any thread: what happens by `use_link` happens on the caller's."""
        loop = self._loop
        if loop is None or not delivery.is_local:
            return
        with self._changed:
            self._posting += 1
        loop.call_soon_threadsafe(self._spawn, delivery, again)

    def _spawn(self, delivery: Delivery, again: bool) -> None:
        if self._session is None:
            return
        task = asyncio.ensure_future(self._deliver(self._session, delivery, again))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, session: aiohttp.ClientSession, delivery: Delivery, again: bool) -> None:
        sandbox, turn = self._sandbox, object()
        waits = () if again else sandbox.quirks.webhook_retries
        for number, wait in enumerate((None, *waits)):
            if wait is not None:
                due = sandbox.clock.monotonic() + wait
                resting = asyncio.ensure_future(sandbox.clock.sleep(wait))
                for _ in range(2):  # a clock that sleeps by moving has moved then: it is due, and not at rest
                    await asyncio.sleep(0)
                self._note(turn, posting=-1, due=due)
                await resting
                self._note(turn, posting=1)
            if not delivery.headers or (number and sandbox.quirks.webhook_resigned):
                delivery.headers = _headers(delivery, sandbox)
            status = await _post(session, delivery)
            delivery.statuses = (*delivery.statuses, status)
            if status is not None and 200 <= status < 300:
                break
        self._note(turn, posting=-1)

    def _note(self, turn: object, *, posting: int, due: float | None = None) -> None:
        with self._changed:
            self._posting += posting
            self._resting.pop(turn, None)
            if due is not None:
                self._resting[turn] = due
            self._changed.notify_all()

    def _is_quiet(self) -> bool:
        now = self._sandbox.clock.monotonic()
        return not self._posting and all(due > now for due in self._resting.values())


_NONE: Mapping[str, str] = {}


def _is_local(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and is_loopback(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return False


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _subscriptions(sandbox: Sandbox, practice: str, event: str) -> list[tuple[str, str | None, Mapping[str, str]]]:
    kept = sandbox.subscriptions(practice)
    return [
        (one["url"], one.get("signing_key"), one.get("headers", _NONE)) for one in kept if one["event_type"] == event
    ]


def _headers(delivery: Delivery, sandbox: Sandbox) -> Mapping[str, str]:
    """Written by hand, and not with the SDK's `sign`, so that the two cannot agree by mistake."""
    made = {**delivery.more_headers, "Content-Type": "application/json"}
    if not delivery.signing_key:
        return made  # whether Hero adds the headers then is not confirmed
    stamp = _TIMESTAMPS[sandbox.quirks.webhook_timestamp](sandbox.clock.now())
    proof = hmac.digest(delivery.signing_key.encode(), f"{stamp}.".encode() + delivery.body, "sha256")
    text = _SIGNATURES[sandbox.quirks.webhook_signature](proof)
    return {**made, "X-Herohealth-Timestamp": stamp, "X-Herohealth-Signature": text}


_TIMESTAMPS: Mapping[str, Callable[[datetime], str]] = {
    "seconds": lambda now: str(int(now.timestamp())),
    "milliseconds": lambda now: str(int(now.timestamp() * 1000)),
    "iso": lambda now: now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
}
_SIGNATURES: Mapping[str, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "sha256=hex": lambda proof: f"sha256={proof.hex()}",
    "base64": lambda proof: base64.b64encode(proof).decode(),
    "base64url": lambda proof: base64.urlsafe_b64encode(proof).decode().rstrip("="),
}


async def _post(session: aiohttp.ClientSession, delivery: Delivery) -> int | None:
    request: Any = {"data": delivery.body, "headers": delivery.headers, "allow_redirects": False}
    try:
        async with session.post(delivery.url, **request) as answer:
            return answer.status
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):  # of a header that cannot be sent, the last
        return None
