"""`hero webhooks` and `hero sandbox --webhook`: deliveries seen on the command line."""

from __future__ import annotations

import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream
from cli_support import Hero, command, environment

from hero_async import AsyncHero
from hero_async.sandbox import Sandbox
from hero_async.webhooks import Verifier, sign

SIGNING_KEY = "canary-signing-key"
BODY = b'{"object":"Appointment","id":"4711","practice_group_id":"42","event":"appointment.confirmed"}'
ODD = b'{"id":"canary name","practice_group_id":"42","event":"canary.event","name":"canary"}'


class Endpoint(HTTPServer):
    """A user's endpoint."""

    def __init__(self, statuses: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), Post)
        self.statuses = statuses
        self.heard: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hear?from=hero"


class Post(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((dict(self.headers.items()), body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Location", "https://example.com/")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(*statuses: int) -> Iterator[Endpoint]:
    with Endpoint([*statuses]) as endpoint:
        thread = threading.Thread(target=endpoint.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield endpoint
        finally:
            endpoint.shutdown()
            thread.join()


@pytest.fixture
def signing_key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HERO_SIGNING_KEY", SIGNING_KEY)
    return SIGNING_KEY


def test_a_sample_is_signed_and_posted(hero: Hero, signing_key: str) -> None:
    with serving(200, 204) as endpoint:
        ran = hero("webhooks", "send", endpoint.url, "--event", "write-to-record.failed", "--practice-group", 42)
        again = hero("webhooks", "send", endpoint.url, "--id", 7)
    assert (ran.code, ran.out) == (0, "200 handled\n")
    assert (again.code, again.out) == (0, "204 nothing to do: handled before, or nobody hears of it\n")
    events = [Verifier(signing_key).verify(headers, body) for headers, body in endpoint.heard]
    assert [(event.event, event.id, event.practice_group_id) for event in events] == [
        ("write-to-record.failed", "1", "42"),
        ("appointment.confirmed", "7", "1"),
    ]


def test_copies_are_the_same_to_the_byte(hero: Hero, signing_key: str) -> None:
    with serving(200, 409, 204) as endpoint:
        ran = hero("webhooks", "send", endpoint.url, "--copies", 3)
    assert (ran.code, len(ran.out.splitlines())) == (1, 3)
    assert len({(headers["X-Herohealth-Signature"], body) for headers, body in endpoint.heard}) == 1


@pytest.mark.parametrize(("words", "reason"), [(("--bad-signature",), "signature"), (("--age", "3600"), "stale")])
def test_a_sample_that_must_be_refused(hero: Hero, signing_key: str, words: tuple[str, ...], reason: str) -> None:
    from hero_async import WebhookVerificationError

    with serving(401) as endpoint:
        ran = hero("webhooks", "send", endpoint.url, *words)
    assert (ran.code, ran.out) == (1, "401 its signature or time was not accepted\n")
    with pytest.raises(WebhookVerificationError) as failure:
        Verifier(signing_key).verify(*endpoint.heard[0])
    assert failure.value.reason == reason


def test_a_redirect_is_not_followed_and_nobody_there_is_said(hero: Hero, signing_key: str) -> None:
    with serving(307) as endpoint:
        assert hero("webhooks", "send", endpoint.url).out == "307\n"
    ran = hero("webhooks", "send", endpoint.url)
    assert (ran.code, ran.out) == (1, "no answer: ClientConnectorError\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("send", "http://example.org/hook"), "url: must be https://; plain http:// is for this machine"),
        (("send", "http://127.0.0.1.example.org/"), "url: must be https://; plain http:// is for this machine"),
        (("send", "ftp://127.0.0.1/"), "url: must be an address"),
        (("send", "https://canary:pass@example.org/"), "url: must be an address"),
        (("send", "https://[::1"), "url: must be an address"),
        (("send", "http://127.0.0.1:99999/"), "url: must be an address"),
        (("send", "http://127.0.0.1/ canary"), "url: must be an address"),
        (("send", "http://127.0.0.1:1/", "--copies", "0"), "copies: must be from 1 to"),
        (("send", "http://127.0.0.1:1/", "--timeout", "0"), "timeout: must be"),
        (("send", "http://127.0.0.1:1/", "--age", "nan"), "age: must be"),
        (("listen", "--path", "hook"), "path: must begin with /"),
        (("listen", "--path", "/{canary}"), "path: must begin with /"),
        (("listen", "--tolerance", "-1"), "tolerance: must be"),
    ],
)
def test_what_cannot_be_done_is_one_line(hero: Hero, signing_key: str, words: tuple[str, ...], said: str) -> None:
    ran = hero("webhooks", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.error
    assert "canary" not in ran.err


@pytest.mark.parametrize("words", [("send", "http://127.0.0.1:1/"), ("listen",)])
def test_without_a_key_nothing_begins(hero: Hero, words: tuple[str, ...]) -> None:
    ran = hero("webhooks", *words)
    assert ran.code == 2
    assert "the signing key is missing: set HERO_SIGNING_KEY" in ran.error


def test_a_port_that_is_taken_is_one_line(hero: Hero, signing_key: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = hero("webhooks", "listen", "--port", taken.getsockname()[1])
    assert (ran.code, ran.out) == (2, "")
    assert "address already in use" in ran.error.lower()


@pytest.mark.anyio
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_listening_tells_of_each_delivery_and_of_no_patient(tmp_path: Path, number: int) -> None:
    file = tmp_path / "key"
    file.write_text(SIGNING_KEY + "\n")
    words = command("webhooks", "listen", "--port", 0, "--signing-key-file", file)
    with anyio.fail_after(30):
        async with await anyio.open_process(words) as process, aiohttp.ClientSession() as session:
            assert process.stdout is not None
            assert process.stderr is not None
            said = BufferedByteReceiveStream(process.stderr)
            told = BufferedByteReceiveStream(process.stdout)
            url = re.search(rb"http://\S+(?=,)", await said.receive_until(b"Ctrl-C\n", 9999))
            assert url is not None

            async def post(body: bytes, headers: dict[str, str]) -> tuple[int, str]:
                async with session.post(url[0].decode(), data=body, headers=headers) as answer:
                    line = await told.receive_until(b"\n", 9999)
                return answer.status, re.sub(r"^\d\d:\d\d:\d\d ", "", line.decode())

            good = sign(SIGNING_KEY, BODY)
            assert await post(BODY, good) == (200, "200 appointment.confirmed id=4711 practice=42")
            assert await post(BODY, good) == (204, "204 appointment.confirmed id=4711 practice=42, a copy")
            assert await post(ODD, sign(SIGNING_KEY, ODD)) == (
                200,
                "200 an event of an unknown type id=*** practice=42",
            )
            assert await post(BODY, sign("canary", BODY)) == (
                401, "401 refused: signature (another signing key, or the body was changed on its way)",
            )  # fmt: skip
            assert await post(b"canary", sign(SIGNING_KEY, b"canary")) == (400, "400 refused: body_format")
            assert await post(b"x" * 300_000, good) == (413, "413 refused: the body is too long")
            assert (await post(BODY, {}))[1].startswith("401 refused: missing_header (was the subscription")
            process.send_signal(number)
            assert await process.wait() == 0
            last = await said.receive_until(b" refused\n", 9999)
    assert last.endswith(b"2 deliveries, 1 copy, 4")
    assert b"canary" not in said.buffer + told.buffer


@pytest.mark.anyio
async def test_a_sandbox_tells_an_address_what_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as endpoint, anyio.fail_after(30):
        words = command("sandbox", "--port", 0, "--patients", 2, "--webhook", endpoint.url)
        async with await anyio.open_process(words, env=environment({})) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            said = await BufferedByteReceiveStream(process.stdout).receive_until(b"-signing-key\n", 9999)
            exports = dict(re.findall(r"^export (\w+)=(\S+)$", (said + b"-signing-key").decode(), re.MULTILINE))
            assert exports.pop("HERO_SIGNING_KEY") == "sandbox-signing-key"
            for name, value in exports.items():
                monkeypatch.setenv(name, value)
            async with AsyncHero.from_env() as hero:
                await hero.messages.send(
                    patient_id=Sandbox(patients=2).patients[0].patient_id, message_type="sms", message_string="x",
                    write_to_record=True, auto_write_to_record=True,
                )  # fmt: skip
            while not endpoint.heard:
                await anyio.sleep(0.001)
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
            told = await BufferedByteReceiveStream(process.stderr).receive_until(b" answered 2xx\n", 9999)
    assert told.endswith(b"webhooks: 1 event told, 1")
    assert Verifier("sandbox-signing-key").verify(*endpoint.heard[0]).event == "write-to-record.succeeded"


def test_a_sandbox_tells_no_other_machine(hero: Hero) -> None:
    ran = hero("sandbox", "--port", "0", "--webhook", "https://example.org/")
    assert (ran.code, ran.out) == (2, "")
    assert "webhook: must be an http address on this machine" in ran.error
