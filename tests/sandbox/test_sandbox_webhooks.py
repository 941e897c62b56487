"""What happens in the sandbox is told: signed, tried again, and to this machine only."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest
from aiohttp import web
from booking import MORNING, act

from hero_async import InvalidArgumentError
from hero_async.clock import VirtualClock
from hero_async.hiding import hidden
from hero_async.sandbox import Quirks, Sandbox, SandboxClock
from hero_async.webhooks import EventName, Verifier

pytestmark = pytest.mark.anyio

ODD_KEY = "kéy of nobody"


@hidden
@attrs.define
class Ears:
    """An endpoint that keeps what came, and answers as it is told."""

    url: str
    heard: list[tuple[dict[str, str], bytes]] = attrs.field(factory=list)
    answers: list[int] = attrs.field(factory=list)

    async def receive(self, request: web.Request) -> web.Response:
        self.heard.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response(status=self.answers.pop(0) if self.answers else 200, headers={"Location": self.url})

    @property
    def events(self) -> list[tuple[str, str]]:
        return [(event["event"], event["id"]) for event in (json.loads(body) for _, body in self.heard)]


@pytest.fixture
async def ears() -> AsyncIterator[Ears]:
    made = Ears("")
    application = web.Application()
    application.router.add_post("/hear", made.receive)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hear"
    yield made
    await runner.cleanup()


async def book(raw: Any) -> str:
    made = await raw("POST", "/v1/appointments", json=MORNING)
    assert (await act(raw, "PATCH", made.json["id"], "book")).status == 200
    return made.json["id"]


def signed_by_hand(headers: dict[str, str], body: bytes, key: str) -> bool:
    stamp = headers["x-herohealth-timestamp"]
    made = hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return made == headers["x-herohealth-signature"]


async def test_a_life_of_an_appointment_is_told(raw: Any, sandbox: Sandbox, ears: Ears) -> None:
    sandbox.webhooks.subscribe(ears.url)
    which = await book(raw)
    await sandbox.webhooks.settled()
    later = {"start_time": "2026-01-06T10:30:00Z"}
    assert (await act(raw, "PATCH", which, "reschedule", **later)).status == 200
    await sandbox.webhooks.settled()
    assert (await act(raw, "PATCH", which, "cancel", suppress_cancellation_policy=True)).status == 200
    await sandbox.webhooks.settled()
    assert ears.events == [(f"appointment.{what}", which) for what in ("confirmed", "rescheduled", "cancelled")]
    for headers, body in ears.heard:
        assert signed_by_hand(headers, body, sandbox.signing_key)
        assert body == json.dumps(json.loads(body), separators=(",", ":")).encode()  # compact, as the guide says
        assert json.loads(body).keys() == {"object", "id", "practice_group_id", "event"}
    assert [one.statuses for one in sandbox.webhooks.sent] == [(200,)] * 3
    assert all(one.is_handled for one in sandbox.webhooks.sent)


async def test_a_subscription_hears_what_it_subscribed_to_with_its_own_key_and_headers(
    raw: Any, sandbox: Sandbox, ears: Ears
) -> None:
    fields = {"url": ears.url, "signing_key": ODD_KEY, "headers": {"X-Mine": "yes", "X-Herohealth-Signature": "no"}}
    made = await raw("POST", "/v1/webhooks", json={"event_type": "appointment.confirmed", **fields})
    await raw("POST", "/v1/webhooks", json={"event_type": "appointment.cancelled", **fields})
    other = {"event_type": "appointment.confirmed", "url": ears.url}
    await raw("POST", "/v1/webhooks", json=other, headers={"x-practice-group-id": "2"})
    which = await book(raw)
    await sandbox.webhooks.settled()
    assert ears.events == [("appointment.confirmed", which)]
    headers, body = ears.heard[0]
    assert headers["x-mine"] == "yes"
    assert signed_by_hand(headers, body, ODD_KEY)
    await raw("DELETE", f"/v1/webhooks/{made.json['id']}")
    await act(raw, "PATCH", await self_booked(raw), "book")
    await sandbox.webhooks.settled()
    assert len(ears.heard) == 1


async def self_booked(raw: Any) -> str:
    return (await raw("POST", "/v1/appointments", json=MORNING | {"start_time": "2026-01-06T10:00:00Z"})).json["id"]


async def test_without_a_key_nothing_is_signed(raw: Any, sandbox: Sandbox, ears: Ears) -> None:
    await raw("POST", "/v1/webhooks", json={"event_type": "appointment.confirmed", "url": ears.url})
    await book(raw)
    await sandbox.webhooks.settled()
    assert not any("herohealth" in name for name in ears.heard[0][0])


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
async def test_the_outcome_of_a_write_to_the_record_is_told_and_shown(
    raw: Any, sandbox: Sandbox, ears: Ears, outcome: Any
) -> None:
    sandbox.webhooks.subscribe(ears.url)
    sandbox.quirks = Quirks(record_outcome=outcome)
    asked = (await raw.send(write_to_record=True)).json["message_id"]
    automatic = (await raw.send(write_to_record=True, auto_write_to_record=True)).json["message_id"]
    plain = (await raw.send()).json["message_id"]
    await sandbox.webhooks.settled()
    assert ears.events == [(f"write-to-record.{outcome}", automatic)]
    shown = (await raw("GET", f"/v1/messages/{automatic}")).json["write_to_record"]
    assert shown["status"] == outcome
    assert ("failure_reason" in shown) is (outcome == "failed")
    assert "status" not in (await raw("GET", f"/v1/messages/{asked}")).json["write_to_record"]
    sandbox.write_to_record(asked, failure_reason=None if outcome == "succeeded" else "The record is locked")
    await sandbox.webhooks.settled()
    assert ears.events[1:] == [(f"write-to-record.{outcome}", asked)]
    for wrong in (plain, "7"):
        with pytest.raises(KeyError):
            sandbox.write_to_record(wrong)


async def test_a_form_that_is_filled_in_is_told(raw: Any, sandbox: Sandbox, ears: Ears) -> None:
    sandbox.webhooks.subscribe(ears.url, events=("form-submission.created",))
    made = await raw("POST", "/v1/form_links", json={"form_id": "1501"})
    assert made.status == 200
    sandbox.use_link(sandbox.ledger.changed("form_links.create")[-1])
    await book(raw)
    await sandbox.webhooks.settled()
    [(event, response)] = ears.events
    assert event == "form-submission.created"
    assert (await raw("GET", f"/v1/form_response/{response}")).status == 200


async def test_every_documented_event_can_be_told(sandbox: Sandbox, ears: Ears) -> None:
    from typing import get_args

    sandbox.webhooks.subscribe(ears.url)
    for number, event in enumerate(get_args(EventName)):
        sandbox.webhooks.emit(event, str(number), practice_group_id="2")
        await sandbox.webhooks.settled()
    assert [event for event, _ in ears.events] == [*get_args(EventName)]
    with pytest.raises(InvalidArgumentError, match="event: must be one of"):
        sandbox.webhooks.emit("message.sent", "1")


async def test_a_delivery_that_is_not_answered_well_is_tried_again_on_the_sandboxs_clock(
    raw: Any, sandbox: Sandbox, clock: SandboxClock, ears: Ears
) -> None:
    sandbox.quirks = Quirks(webhook_retries=(5.0, 60.0))
    sandbox.webhooks.subscribe(ears.url)
    ears.answers = [500, 302]
    await book(raw)
    await sandbox.webhooks.settled()
    assert len(ears.heard) == 1
    clock.advance(5)
    await sandbox.webhooks.settled()
    assert len(ears.heard) == 2
    clock.advance(60)
    await sandbox.webhooks.settled()
    [delivery] = sandbox.webhooks.sent
    assert delivery.statuses == (500, 302, 200)
    assert ears.heard[0] == ears.heard[1] == ears.heard[2]  # a copy to the byte


async def test_a_retry_that_is_signed_anew_has_its_own_time(
    raw: Any, sandbox: Sandbox, clock: SandboxClock, ears: Ears
) -> None:
    sandbox.quirks = Quirks(webhook_retries=(5.0,), webhook_resigned=True)
    sandbox.webhooks.subscribe(ears.url)
    ears.answers = [503, 503]
    await book(raw)
    await sandbox.webhooks.settled()
    clock.advance(5)
    await sandbox.webhooks.settled()
    assert sandbox.webhooks.sent[0].statuses == (503, 503)  # and given up
    assert not sandbox.webhooks.sent[0].is_handled
    times = [int(headers["x-herohealth-timestamp"]) for headers, _ in ears.heard]
    assert times[1] - times[0] == 5
    assert all(signed_by_hand(headers, body, sandbox.signing_key) for headers, body in ears.heard)


async def test_copies_and_repeats_are_the_same_to_the_byte(
    raw: Any, sandbox: Sandbox, clock: SandboxClock, ears: Ears
) -> None:
    sandbox.quirks = Quirks(webhook_copies=3)
    sandbox.webhooks.subscribe(ears.url)
    await book(raw)
    await sandbox.webhooks.settled()
    clock.advance(3600)
    sandbox.webhooks.repeat(sandbox.webhooks.sent[0])
    await sandbox.webhooks.settled()
    proofs = {
        (headers["x-herohealth-signature"], headers["x-herohealth-timestamp"], body) for headers, body in ears.heard
    }
    assert (len(ears.heard), len(proofs)) == (4, 1)


@pytest.mark.parametrize("stamp", ["seconds", "milliseconds", "iso"])
@pytest.mark.parametrize("form", ["hex", "sha256=hex", "base64", "base64url"])
async def test_in_every_form_the_verifier_knows_it(ears: Ears, stamp: Any, form: Any) -> None:
    quirks = Quirks(webhook_timestamp=stamp, webhook_signature=form)
    async with Sandbox(patients=1, quirks=quirks, webhook=ears.url, signing_key=ODD_KEY) as sandbox:
        sandbox.webhooks.emit("prescription.issued", "7")
        await sandbox.webhooks.settled()
    [(headers, body)] = ears.heard
    assert Verifier(ODD_KEY).verify(headers, body).id == "7"


@pytest.mark.parametrize(
    "url",
    ["https://example.com/hear", "http://10.0.0.1/hear", "http://127.0.0.1.example.com/", "http://u:p@127.0.0.1/",
     "ftp://127.0.0.1/", "http://[::1", "", "http://127.0.0.1:99999/"],
)  # fmt: skip
async def test_no_other_machine_is_ever_told(raw: Any, sandbox: Sandbox, url: str) -> None:
    with pytest.raises(InvalidArgumentError, match="webhook: must be"):
        sandbox.webhooks.subscribe(url)
    if (await raw("POST", "/v1/webhooks", json={"event_type": "appointment.confirmed", "url": url})).status == 200:
        await book(raw)
        await sandbox.webhooks.settled()
        [delivery] = sandbox.webhooks.sent
        assert (delivery.is_local, delivery.statuses) == (False, ())


async def test_an_endpoint_that_is_not_there_or_a_header_that_cannot_be_sent_is_no_answer(
    raw: Any, sandbox: Sandbox, ears: Ears
) -> None:
    sandbox.quirks = Quirks(webhook_retries=())
    sandbox.webhooks.subscribe("http://127.0.0.1:1/", events=("appointment.confirmed",))
    bad = {"event_type": "appointment.confirmed", "url": ears.url, "headers": {"X-Mine": "a\r\nb: c"}}
    await raw("POST", "/v1/webhooks", json=bad)
    await book(raw)
    await sandbox.webhooks.settled()
    assert [one.statuses for one in sandbox.webhooks.sent] == [(None,), (None,)]
    assert ears.heard == []


async def test_it_ends_with_a_retry_still_to_come_and_begins_again(ears: Ears) -> None:
    sandbox = Sandbox(patients=1, clock=SandboxClock(frozen=True), webhook=ears.url)
    ears.answers = [500]
    async with sandbox:
        sandbox.webhooks.emit("prescription.issued", "7")
        await sandbox.webhooks.settled()
    sandbox.webhooks.wait()
    assert sandbox.clock.sleeping == 0
    sandbox.webhooks.emit("prescription.issued", "8")  # nobody is there to tell it
    async with sandbox:
        sandbox.webhooks.emit("prescription.issued", "9")
        await sandbox.webhooks.settled()
    assert [which for _, which in ears.events] == ["7", "9"]


async def test_on_the_sandboxs_own_loop_one_awaits(sandbox: Sandbox) -> None:
    with pytest.raises(RuntimeError, match=r"await settled\(\)"):
        sandbox.webhooks.wait()


async def test_on_a_shared_clock_that_sleeps_by_moving_retries_follow_at_once(ears: Ears) -> None:
    clock = VirtualClock()
    ears.answers = [500, 500]
    async with Sandbox(patients=1, clock=clock, webhook=ears.url) as sandbox:
        sandbox.webhooks.emit("prescription.issued", "7")
        await sandbox.webhooks.settled()
        assert sandbox.webhooks.sent[0].statuses == (500, 500, 200)
    assert clock.slept == [1.0, 10.0]


async def test_nothing_shows_the_key_or_the_address(sandbox: Sandbox, ears: Ears) -> None:
    sandbox.webhooks.subscribe(ears.url, signing_key=ODD_KEY)
    sandbox.webhooks.emit("prescription.issued", "7")
    await sandbox.webhooks.settled()
    text = repr(sandbox.webhooks) + repr(sandbox.webhooks.sent) + repr(sandbox)
    assert "prescription.issued" in text
    for secret in (ODD_KEY, ears.url, sandbox.webhooks.sent[0].headers["X-Herohealth-Signature"]):
        assert secret not in text
