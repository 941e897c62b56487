"""Each receiver in its framework, on its real server, in a process of its own, spoken to byte by byte."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

from hero_async.webhooks import sign

HERE = Path(__file__).parent
PATH = "/webhooks/hero"
CAP = 20_000
Make = Callable[..., bytes]

UVICORN = ("-m", "uvicorn", "--fd", "{fd}", "--log-level", "debug", "--app-dir", str(HERE))
GUNICORN = ("-m", "gunicorn", "-b", "fd://{fd}", "--log-level", "debug", "--chdir", str(HERE))
THREADS = ("-k", "gthread", "--threads", "4")

SERVERS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "asgi on uvicorn": ((*UVICORN, "apps:asgi_app"), {}),
    "starlette on uvicorn": ((*UVICORN, "apps:starlette_app"), {"HANDLER": "async"}),
    "fastapi on uvicorn, httptools": ((*UVICORN, "--http", "httptools", "--loop", "uvloop", "apps:fastapi_app"), {}),
    "aiohttp": ((str(HERE / "apps.py"), "aiohttp", "{fd}"), {"HANDLER": "async"}),
    "wsgi on gunicorn": ((*GUNICORN, "apps:wsgi_app"), {}),
    "flask on gunicorn": ((*GUNICORN, *THREADS, "apps:flask_app"), {"HANDLER": "async"}),
    "flask, body asked for before": ((*GUNICORN, "apps:flask_peeking_app"), {}),
    "django on gunicorn": ((*GUNICORN, *THREADS, "apps:django_app"), {"HANDLER": "async"}),
    "django on its own server": ((str(HERE / "apps.py"), "django", "{fd}"), {}),
    "django async on uvicorn": ((*UVICORN, "apps:django_async_app"), {"DJANGO": "asgi"}),
    "django async on gunicorn": ((*GUNICORN, "apps:django_async_app"), {"HANDLER": "async"}),
}
NO_CHUNKS = ("django on its own server",)
"""They know no chunked bodies."""
WHOLE_BODY = ("django async on uvicorn",)
"""The framework reads the whole body before anybody is asked."""
READ_BEFORE = (*WHOLE_BODY, "flask, body asked for before")


@attrs.define
class Server:
    name: str
    port: int
    folder: Path

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def handled(self) -> list[str]:
        file = self.folder / "handled"
        return file.read_text().split() if file.exists() else []

    def exchange(self, *pieces: bytes) -> int:
        """Send a request in pieces, each in a packet of its own, and read the status.

        Nothing may be sent that a server would leave unread: closing then resets, and the answer can be lost.
        """
        with self.connect() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                connection.sendall(piece)
            answer = b""
            while b"\r\n\r\n" not in answer:
                part = connection.recv(65536)
                if not part:
                    break
                answer += part
        assert answer.startswith((b"HTTP/1.1 ", b"HTTP/1.0 400")), (self.name, answer)
        return int(answer[9:12])

    def post(self, body: bytes, headers: dict[str, str], *, split: int | None = None, chunked: bool = False) -> int:
        fields = {"Host": "localhost", "Content-Type": "application/json", "Connection": "close", **headers}
        if chunked:
            fields["Transfer-Encoding"] = "chunked"
            size = split or len(body) or 1
            parts = [body[at : at + size] for at in range(0, len(body), size)]
            pieces = [b"%x\r\n%b\r\n" % (len(part), part) for part in parts] + [b"0\r\n\r\n"]
        else:
            fields["Content-Length"] = str(len(body))
            size = split or len(body) or 1
            pieces = [body[at : at + size] for at in range(0, len(body), size)]
        return self.exchange(head("POST", fields), *pieces)


def head(verb: str, fields: dict[str, str]) -> bytes:
    lines = [f"{verb} {PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def start(name: str, folder: Path, *extra: str) -> tuple[subprocess.Popen[bytes], int]:
    """The socket listens before the server is there, so that nobody need wait for it."""
    command, environment = SERVERS[name]
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listening, (folder / "log").open("wb") as log:
        port = listening.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, *(part.format(fd=listening.fileno()) for part in command), *extra],
            env={**os.environ, "HANDLED": str(folder), "PYTHONDEVMODE": "", **environment},
            cwd=folder,
            pass_fds=[listening.fileno()],
            stdout=log,
            stderr=log,
        )
    return process, port


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    process, port = start(request.param, folder)
    try:
        yield Server(request.param, port, folder)
    finally:
        stop(process)
    log = (folder / "log").read_text()
    assert "canary" not in log
    assert "a signing key of nobody" not in log


@pytest.fixture
def delivery(body: Make, key: str, request: pytest.FixtureRequest) -> tuple[bytes, dict[str, str], str]:
    """A good one, with an id of its own."""
    name = f"canary-{abs(hash(request.node.nodeid))}"
    raw = body(id=name)
    return raw, sign(key, raw), name


Delivery = tuple[bytes, dict[str, str], str]


def test_a_good_delivery_is_handled_and_a_replayed_one_is_not(server: Server, delivery: Delivery) -> None:
    raw, headers, name = delivery
    assert server.post(raw, headers) == 200
    assert server.post(raw, headers) == 204
    assert server.post(raw, {name.lower(): value for name, value in headers.items()}) == 204
    assert server.handled().count(name) == 1


def test_an_event_that_nobody_hears_of(server: Server, body: Make, key: str) -> None:
    raw = body("appointment.cancelled")
    assert server.post(raw, sign(key, raw)) == 204


def test_a_bad_a_stale_and_an_unreadable_delivery(server: Server, delivery: Delivery, key: str) -> None:
    raw, headers, name = delivery
    assert server.post(raw, {}) == 401
    assert server.post(raw, headers | {"X-Herohealth-Signature": "0" * 64}) == 401
    assert server.post(raw + b" ", headers) == 401
    assert server.post(b"", headers) == 401
    stale = str(int(time.time()) - 600)
    assert server.post(raw, sign(key, raw, timestamp=stale)) == 401
    double = dict(headers, **{"x-herohealth-signature": headers["X-Herohealth-Signature"]})
    assert server.post(raw, double) == 401
    assert server.post(b"[]", sign(key, b"[]")) == 400
    assert name not in server.handled()


def test_hostile_headers(server: Server, delivery: Delivery) -> None:
    raw, headers, _ = delivery
    for text in ("\xff" * 44, "\xe9", "=" * 44, "9" * 5000, ""):
        for field in headers:
            assert server.post(raw, headers | {field: text}) == 401


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "canary"])
def test_a_body_that_says_it_is_compressed(server: Server, delivery: Delivery, encoding: str) -> None:
    raw, headers, name = delivery
    stranger, signed = (
        server.post(body, more | {"Content-Encoding": encoding}) for body, more in ((b"canary" * 9, {}), (raw, headers))
    )
    if server.name == "aiohttp":  # it inflates before anybody is asked, or refuses by itself: then with 400
        assert {stranger, signed} <= ({400, 401} if encoding != "canary" else {401, 200})
    else:
        assert (stranger, signed) == (401, 200)  # the body as it came
    assert server.post(raw, headers) in (200, 204)
    assert server.handled().count(name) == 1


def test_a_body_that_comes_byte_by_byte(server: Server, delivery: Delivery) -> None:
    raw, headers, name = delivery
    assert server.post(raw, headers, split=1) == 200
    assert server.handled().count(name) == 1


@pytest.mark.parametrize("split", [None, 7])
def test_a_chunked_body(server: Server, delivery: Delivery, split: int | None) -> None:
    raw, headers, name = delivery
    if server.name in NO_CHUNKS:
        assert server.exchange(head("POST", {"Host": "localhost", "Transfer-Encoding": "chunked", **headers})) == 401
    else:
        assert server.post(raw, headers, split=split, chunked=True) == 200
        assert server.handled().count(name) == 1


def test_a_body_at_the_cap_and_one_over_it(server: Server, body: Make, key: str) -> None:
    empty = body(id="1", note="")
    exact = body(id="1", note="x" * (CAP - len(empty)))
    assert len(exact) == CAP
    assert server.post(exact, sign(key, exact)) == 200
    over = exact + b" "
    if server.name in READ_BEFORE:
        assert server.post(over, sign(key, over)) == 413
        assert server.post(over, sign(key, over), chunked=True, split=5000) == 413
        return
    fields = {"Host": "localhost", **sign(key, over)}
    assert server.exchange(head("POST", fields | {"Content-Length": str(CAP + 1)})) == 413
    assert server.exchange(head("POST", fields | {"Content-Length": "1" + "0" * 18})) == 413
    if server.name not in NO_CHUNKS:  # there is no end to this one
        chunk = b"%x\r\n%b\r\n" % (CAP // 2, b"x" * (CAP // 2))
        start = head("POST", fields | {"Transfer-Encoding": "chunked"})
        assert server.exchange(start, chunk, chunk, b"1\r\nx\r\n") == 413


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE"])
def test_other_methods(server: Server, delivery: Delivery, verb: str) -> None:
    fields = {"Host": "localhost", "Connection": "close", "Content-Length": "0", **delivery[1]}
    assert server.exchange(head(verb, fields)) == 405


def test_a_failing_handler_is_500_and_the_next_delivery_is_handled(server: Server, body: Make, key: str) -> None:
    raw = body(id="fail")
    headers = sign(key, raw)
    assert [server.post(raw, headers) for _ in range(3)] == [500, 200, 204]
    assert server.handled().count("fail") == 2


def test_a_delivery_that_breaks_off_is_not_handled(server: Server, delivery: Delivery) -> None:
    raw, headers, name = delivery
    fields = {"Host": "localhost", "Content-Length": str(len(raw)), **headers}
    with server.connect() as connection:
        connection.sendall(head("POST", fields) + raw[:-1])
    assert server.post(raw, headers) == 200  # it left no claim behind
    assert server.handled().count(name) == 1


def test_fifty_deliveries_of_one_event_at_once_over_four_processes_are_handled_once(
    tmp_path: Path, body: Make, key: str
) -> None:
    process, port = start("wsgi on gunicorn", tmp_path, "--workers", "4", "--keep-alive", "0")
    server = Server("four workers", port, tmp_path)
    raw = body(id="one")
    headers = sign(key, raw)
    try:
        with ThreadPoolExecutor(50) as pool:
            statuses = list(pool.map(lambda _: server.post(raw, headers), range(50)))
        after = server.post(raw, headers)
    finally:
        stop(process)
    assert server.handled() == ["one"]
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 204, 409}
    assert after == 204
