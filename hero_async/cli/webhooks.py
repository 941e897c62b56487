"""`hero webhooks`: receive deliveries on this machine, or send a sample to your endpoint."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import aiohttp
import anyio
import msgspec
from aiohttp import web
from cyclopts import App, Parameter

from hero_async import clock
from hero_async.cli import output
from hero_async.cli.failures import Exit, UsageError
from hero_async.cli.loop import Stops, run, until_stopped
from hero_async.cli.options import COMMON, Common
from hero_async.errors import WebhookReason, WebhookVerificationError
from hero_async.settings import is_loopback
from hero_async.webhooks import Event, EventName, Events, OnLoop, Receiver, Verifier, sign
from hero_async.webhooks.aiohttp_web import UNREADABLE, read_body, response

app: App = App(name="webhooks", help_format="markdown", default_parameter=Parameter(negative=(), show_default=False))

VARIABLE: Final = "HERO_SIGNING_KEY"
_ON_LOOP: Final = OnLoop()
_MOST: Final = 1000
_HINTS: Final[dict[WebhookReason, str]] = {
    "missing_header": "was the subscription made with a signing_key?",
    "signature": "another signing key, or the body was changed on its way",
    "stale": "delivered late, or a clock is wrong; --tolerance lets more in",
    "future": "a clock is wrong",
}
_MEANINGS: Final = {
    200: "handled",
    204: "nothing to do: handled before, or nobody hears of it",
    400: "it could not be read",
    401: "its signature or time was not accepted",
    404: "there is no such path",
    405: "no POST is taken there",
    409: "another worker is at it",
    413: "it is too long",
    500: "a handler failed",
    503: "the replay store failed, or nobody is there",
}
_UNREAD: Final = {
    401: "refused: the body broke off, or is compressed",
    405: "refused: not a POST",
    413: "refused: the body is too long",
}
_OBJECTS: Final = {
    "appointment": "Appointment",
    "form-submission": "FormSubmission",
    "patient": "Patient",
    "prescription": "Prescription",
    "write-to-record": "Message",
}


@app.command
def listen(
    *,
    port: int = 8000,
    path: str = "/webhooks/hero",
    signing_key_file: Path | None = None,
    tolerance: float = 300.0,
    common: Common = COMMON,
) -> int:
    """Receive deliveries on this machine until Ctrl-C, verify them, and print a line for each. Nothing is kept.

    A line tells type, practice and the id of what it is about; of a body nothing else is shown.

    Args:
        port: Where it listens, on loopback; 0 for any free port. A tunnel of your own may lead there.
        path: The path that is posted to.
        signing_key_file: A file that holds the signing key. Else HERO_SIGNING_KEY.
        tolerance: Seconds that a delivery may be old.
    """
    if not path.startswith("/") or not path.isprintable() or set(path) & set(" {}?#"):
        raise UsageError("path: must begin with / and hold no spaces, braces, ? or #")
    ears = _Ears(Verifier(_key(signing_key_file), tolerance=tolerance))
    run(lambda: _listen(ears, port, path))
    output.say(
        f"webhooks: {output.count(ears.handled, 'delivery', 'deliveries')}, "
        f"{output.count(ears.copies, 'copy', 'copies')}, {ears.refused:,} refused"
    )
    return Exit.OK


class _Ears:
    """Answers as your endpoint would, and prints."""

    def __init__(self, verifier: Verifier) -> None:
        events = Events()
        events.on(Event)(_heard)
        self.receiver = Receiver(verifier, events)
        self.handled = self.copies = self.refused = 0

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """One delivery."""
        receiver = self.receiver
        answer = receiver.refuse_early(request.method, request.headers.get("Content-Length"))
        body = None
        if answer is None:
            try:
                body = await read_body(request, receiver.verifier.max_body_bytes)
                answer = receiver.too_large() if body is None else None
            except UNREADABLE:
                answer = receiver.unreadable()
        if body is None:
            answer = answer or receiver.unreadable()
            words = _UNREAD[answer.status]
        else:
            answer = await receiver.receive(request.headers, body, _ON_LOOP)
            words = self._words(request, body, answer.status)
        self.handled += answer.status == 200
        self.copies += answer.status == 204
        self.refused += answer.status >= 400
        output.answer(f"{clock.now():%H:%M:%S} {answer.status} {words}")
        return response(answer)

    def _words(self, request: web.Request, body: bytes, status: int) -> str:
        try:
            event = self.receiver.verifier.verify(request.headers, body)
        except WebhookVerificationError as error:
            hint = _HINTS.get(error.reason)
            return f"refused: {error.reason}" + (f" ({hint})" if hint else "")
        return tell(event) + (", a copy" if status == 204 else "")


def _heard(event: Event) -> None:
    """What the receiver needs, so that copies are known."""


def tell(event: Event) -> str:
    """A line on an event, without anything that a stranger or a patient wrote."""
    kind = event.event.value if event.event.is_known else "an event of an unknown type"
    key = f", key {event.proof.key}" if event.proof and event.proof.key != "0" else ""
    return f"{kind} id={_id(event.id)} practice={_id(event.practice_group_id)}{key}"


def _id(text: str | None) -> str:
    """An id as the reference has them; what is anything else might say something."""
    return text if text is not None and len(text) < 20 and text.isdigit() else "***"


async def _listen(ears: _Ears, port: int, path: str) -> None:
    application = web.Application()
    application.router.add_route("*", path, ears.receive)
    # What strangers send to it is told by us, in a line: aiohttp would quote it, with a traceback.
    quiet = logging.getLogger("hero_async.webhooks")
    runner = web.AppRunner(application, access_log=None, logger=quiet, shutdown_timeout=0.05)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        output.say(f"webhooks: http://127.0.0.1:{runner.addresses[0][1]}{path}, until Ctrl-C")
        with anyio.CancelScope() as scope, Stops(scope.cancel, scope.cancel):
            await anyio.sleep_forever()
    finally:
        await runner.cleanup()


@app.command
def send(
    url: str,
    *,
    event: EventName = "appointment.confirmed",
    id: Annotated[str, Parameter(help="Of what it is about. Default 1: nothing that there is.")] = "1",
    practice_group: str | None = None,
    signing_key_file: Path | None = None,
    copies: int = 1,
    bad_signature: bool = False,
    age: float = 0.0,
    timeout: float = 10.0,
    common: Common = COMMON,
) -> int:
    """Sign a sample event and post it to your endpoint. Ends with 0 if all were answered 2xx.

    Your endpoint takes it for Hero's: let it be one that does no harm with an id that is not there.

    Args:
        url: Your endpoint: https, or http on this machine.
        event: What is to have happened.
        practice_group: The practice it is of. Else HERO_PRACTICE_GROUP_ID, else 1.
        signing_key_file: A file that holds the signing key. Else HERO_SIGNING_KEY.
        copies: How many of the very same delivery are posted at once.
        bad_signature: Sign with another key: it should be answered 401.
        age: How many seconds ago it is to have been signed.
        timeout: Seconds for an answer.
    """
    _check(url)
    if not 1 <= copies <= _MOST:
        raise UsageError(f"copies: must be from 1 to {_MOST}")
    if not 0 < timeout <= 600 or not -1e9 < age < 1e9:
        raise UsageError("timeout: must be from 0 to 600 seconds; age: must be seconds")
    practice = practice_group or os.environ.get("HERO_PRACTICE_GROUP_ID") or "1"
    fields = {"object": _OBJECTS[event.partition(".")[0]], "id": id, "practice_group_id": practice, "event": event}
    body = msgspec.json.encode(fields)
    key = _key(signing_key_file) + ("-bad" if bad_signature else "")
    headers = sign(key, body, timestamp=str(int(clock.now().timestamp() - age)))
    answers = run(lambda: until_stopped(lambda: _post(url, body, headers, copies, timeout)))
    for answer in answers:
        output.answer(answer)
    return Exit.OK if all(answer.startswith("2") for answer in answers) else Exit.SOME


async def _post(url: str, body: bytes, headers: dict[str, str], copies: int, timeout: float) -> list[str]:
    """What each copy was answered: a status, or why there is none."""
    limits = aiohttp.ClientTimeout(total=timeout)
    kept = {**headers, "Content-Type": "application/json"}
    async with aiohttp.ClientSession(timeout=limits, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def once() -> str:
            try:
                async with session.post(url, data=body, headers=kept, allow_redirects=False) as answer:
                    return f"{answer.status} {_MEANINGS.get(answer.status, '')}".rstrip()
            except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is one too
                return f"no answer: {type(error).__name__}"

        return await asyncio.gather(*(once() for _ in range(copies)))


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isascii() and url.isprintable()
        _ = parts.port
    except ValueError:
        raise UsageError("url: must be an address, such as https://example.org/webhooks/hero") from None
    if not good or parts.username is not None or " " in url:
        raise UsageError("url: must be an address, such as https://example.org/webhooks/hero")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise UsageError("url: must be https://; plain http:// is for this machine (loopback) only")


def _key(file: Path | None) -> str:
    """The signing key. Never an argument: arguments can be seen by everyone on the machine."""
    found = file.read_text("utf-8").strip() if file is not None else os.environ.get(VARIABLE, "").strip()
    if not found:
        raise UsageError(f"the signing key is missing: set {VARIABLE}, or name a file", hint="--signing-key-file FILE")
    return found
