"""The example applications, each on its real server in a process of its own, with the sandbox for a Hero."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from hero_async.sandbox import Quirks, RateLimited, Reset, Sandbox, Status

EXAMPLES = Path(__file__).parents[2] / "examples"
KEY = "canary-signing-key"

SERVERS = {
    "fastapi on uvicorn": ("-m", "uvicorn", "--fd", "{fd}", "--app-dir", str(EXAMPLES), "fastapi_booking:app"),
    "django on gunicorn": (
        "-m", "gunicorn", "-b", "fd://{fd}", "--chdir", str(EXAMPLES), "--threads", "4", "django_booking:application",
    ),
}  # fmt: skip


@attrs.frozen
class Service:
    url: str
    sandbox: Sandbox

    def ask(self, path: str, body: Any = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})  # noqa: S310  # ours
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # ours
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def free(self) -> list[str]:
        """Ids of times that can be booked, on the next working day but one."""
        day = self.sandbox.clock.now().date() + timedelta(days=2)
        while day.weekday() > 4:
            day += timedelta(days=1)
        status, found = self.ask(f"/slots?day={day}")
        assert status == 200
        return [slot["id"] for slot in found]

    def book(self, slot: str, patient: int = 0) -> tuple[int, Any]:
        wanted = {"patient_id": self.sandbox.patients[patient].patient_id, "slot_id": slot}
        return self.ask("/bookings", wanted)

    @property
    def texted(self) -> list[str]:
        return [message.patient_id for message in self.sandbox.ledger.messages]


@pytest.fixture(params=SERVERS)
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening, (tmp_path / "log").open("wb") as log:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with Sandbox(patients=5, webhook=f"{url}/webhooks/hero", signing_key=KEY) as sandbox:
            mine = {
                "HERO_API_KEY": sandbox.api_key,
                "HERO_PRACTICE_GROUP_ID": "1",
                "HERO_BASE_URL": sandbox.url,
                "HERO_SIGNING_KEY": KEY,
                "HERO_RETRIES": "0",
                "DATA_DIR": str(tmp_path),
            }
            others = {name: value for name, value in os.environ.items() if not name.startswith("HERO_")}
            process = subprocess.Popen(
                [sys.executable, *(part.format(fd=listening.fileno()) for part in SERVERS[request.param])],
                env={**others, **mine, "PYTHONPATH": str(EXAMPLES.parent)},
                cwd=tmp_path,
                pass_fds=[listening.fileno()],
                stdout=log,
                stderr=log,
            )
            try:
                yield Service(url, sandbox)
            finally:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
    told = (tmp_path / "log").read_text()
    assert not [word for word in (KEY, "sandbox-key", "Your appointment") if word in told]


def test_an_appointment_is_booked_and_the_patient_is_texted_once(service: Service) -> None:
    sandbox = service.sandbox
    first = service.free()[0]
    status, made = service.book(first)
    assert status == 201
    sandbox.webhooks.wait()
    assert [one.statuses for one in sandbox.webhooks.sent] == [(200,)]
    assert service.texted == [sandbox.patients[0].patient_id]
    assert sandbox.ledger.changed("appointments.book") == (made["appointment_id"],)

    for delivery in sandbox.webhooks.sent * 3:  # copies
        sandbox.webhooks.repeat(delivery)
    sandbox.webhooks.wait()
    assert sandbox.webhooks.sent[0].statuses == (200, 204, 204, 204)
    sandbox.webhooks.emit("appointment.confirmed", made["appointment_id"])  # told again, signed anew or not
    sandbox.webhooks.wait()
    assert len(service.texted) == 1

    assert service.book(first, patient=1)[0] == 409  # it is taken
    assert service.book(service.free()[0], patient=1)[0] == 201
    sandbox.webhooks.wait()
    assert service.texted == [patient.patient_id for patient in sandbox.patients[:2]]
    assert sandbox.ledger.doubled() == {}


def test_what_is_told_many_times_at_once_is_texted_once(service: Service) -> None:
    sandbox = service.sandbox
    sandbox.quirks = Quirks(webhook_copies=20, webhook_retries=())
    assert service.book(service.free()[0])[0] == 201
    sandbox.webhooks.wait()
    [delivery] = sandbox.webhooks.sent
    assert len(delivery.statuses) == 20
    assert delivery.statuses.count(200) == 1
    assert set(delivery.statuses) <= {200, 204, 409}
    assert len(service.texted) == 1


def test_a_text_that_was_not_sent_is_sent_by_the_retry(service: Service) -> None:
    sandbox = service.sandbox
    sandbox.quirks = Quirks(webhook_retries=(300.0,), webhook_resigned=True)
    sandbox.faults.add("messages.send", RateLimited())
    assert service.book(service.free()[0])[0] == 201
    sandbox.webhooks.wait()
    assert sandbox.webhooks.sent[0].statuses == (500,)
    assert service.texted == []
    sandbox.webhooks.emit("appointment.confirmed", sandbox.webhooks.sent[0].id)
    sandbox.webhooks.wait()
    assert len(service.texted) == 1


def test_a_text_that_may_have_been_sent_is_not_sent_again(service: Service) -> None:
    sandbox = service.sandbox
    sandbox.quirks = Quirks(webhook_retries=())
    sandbox.faults.add("messages.send", Reset(after_processing=True))
    assert service.book(service.free()[0])[0] == 201
    sandbox.webhooks.wait()
    sandbox.webhooks.repeat(sandbox.webhooks.sent[0])
    sandbox.webhooks.wait()
    assert sandbox.webhooks.sent[0].statuses == (500, 200)
    assert len(service.texted) == 1


def test_what_goes_wrong_with_a_booking_is_said(service: Service) -> None:
    sandbox = service.sandbox
    slot = service.free()[0]
    assert service.ask("/bookings", {"slot_id": slot})[0] == 422
    assert service.ask("/bookings", {"slot_id": slot, "patient_id": "999999999"})[0] == 409
    assert service.ask("/bookings", {"slot_id": "1", "patient_id": "100001"})[0] == 409
    assert service.ask("/bookings", {"slot_id": "..", "patient_id": "100001"})[0] == 409
    assert service.ask("/slots?day=tomorrow")[0] == 422
    sandbox.faults.add("slots.get", Status(503))
    assert service.book(slot)[0] == 503
    sandbox.faults.add("appointments.create", Reset(after_processing=False))
    assert service.book(slot)[0] == 502
    assert sandbox.ledger.changed("appointments.book") == ()
    assert service.ask("/webhooks/hero", {"event": "appointment.confirmed"})[0] == 401
