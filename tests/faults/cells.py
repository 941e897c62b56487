"""The matrix: in which phase, which fault, and what a client must say of it."""

from __future__ import annotations

import attrs
import faults as f
from faulty import Fault
from scripted import head

from hero_async import APIConnectionError, APIStatusError, APITimeoutError, Delivery, HeroError, ResponseDecodeError

LOST, LATE, UNREADABLE, STATUS = APIConnectionError, APITimeoutError, ResponseDecodeError, APIStatusError
NO, YES, UNKNOWN = Delivery.NO, Delivery.YES, Delivery.UNKNOWN


@attrs.frozen
class Cell:
    """One fault in one phase."""

    phase: str
    fault: str
    act: Fault
    error: type[HeroError] | None
    """None: the call succeeds all the same."""

    delivery: Delivery = YES
    told: str | None = None
    """The phase that the error names."""

    attempts: int = 1
    """Of an operation that must not be repeated; one retry is allowed."""

    repeated: int = 2
    """Of one that may be."""

    wire: str = "plain"
    """How the client goes: "plain", "tls" or "tunnel" (TLS through a proxy)."""

    size: int = 1
    """Of the text in the body."""

    served_before: bool = False
    """Whether the connection has served one call."""

    keeps: bool = False
    """Whether the answer was whole, so that its connection is kept."""

    heals: bool = False
    """Whether the repeat of what may be repeated succeeds: it gets a connection of its own."""

    @property
    def name(self) -> str:
        return f"{self.phase}: {self.fault}"


def tls(fault: str, act: Fault, error=LOST, attempts=1, repeated=1, told="tls") -> Cell:
    return Cell("TLS", fault, act, error, NO, told, attempts, repeated, wire="tls")


def packed(lines: list[bytes], data: bytes, end: str = "hold") -> Fault:
    return f.answered(f.with_head(*lines, body=data), end)


CHUNKED = b"Transfer-Encoding: chunked"


def tunnel(fault: str, act: Fault, error=LOST, attempts=2, repeated=2, told="connect") -> Cell:
    return Cell("proxy", fault, act, error, NO, told, attempts, repeated, wire="tunnel")


def out(phase: str, fault: str, act: Fault, **more) -> Cell:
    size = 8_000_000 if phase == "body out" else 1
    return Cell(phase, fault, act, **{"error": LOST, "delivery": UNKNOWN, "told": "wait", "size": size, **more})


def wait(fault: str, act: Fault, error=LOST, repeated=2) -> Cell:
    return Cell("waiting", fault, act, error, UNKNOWN, "wait", 1, repeated)


def came_in(phase: str, fault: str, act: Fault, error=LOST, repeated=2) -> Cell:
    return Cell(phase, fault, act, error, UNKNOWN, "wait", 1, repeated)


def body(fault: str, act: Fault, error=LOST, told="body", keeps=False) -> Cell:
    return Cell("body in", fault, act, error, YES, told, 1, 1, keeps=keeps)


def idle(fault: str, act: f.Deed) -> Cell:
    return Cell("idle", fault, f.idle(act), None, served_before=True, keeps=True)


def reuse(fault: str, act: f.Deed, error=LOST) -> Cell:
    again = f.idle(act, used=True)
    return Cell("reuse", fault, again, error, UNKNOWN, "wait", 1, 1, served_before=True, heals=error is LOST)


CELLS = [
    Cell("connect", "close", f.accept_and_close, LOST, UNKNOWN, "wait"),
    Cell("connect", "reset", f.accept_and_reset, LOST, UNKNOWN, "wait"),
    Cell("connect", "garbage", f.greet_with_garbage, LOST, UNKNOWN, "wait"),
    tls("delay", f.hello_unanswered, LATE, 2, 2, "connect"),
    tls("reset", f.hello_reset, LOST, 2, 2, "connect"),
    tls("close", f.hello_closed, LOST, 2, 2, "connect"),
    tls("cut", f.hello_cut, LOST, 2, 2, "connect"),
    tls("drip", f.hello_dripped, LATE, 2, 2, "connect"),
    tls("garbage", f.hello_garbage),
    tls("wrong length", f.hello_of_a_wrong_length),
    tunnel("delay", f.proxy_silent, LATE),
    tunnel("reset", f.proxy_resets),
    tunnel("close", f.proxy_says(b"")),
    tunnel("cut", f.proxy_says(b"HTTP/1.1 20")),
    tunnel("drip", f.proxy_drips, LATE),
    tunnel("garbage", f.proxy_says(f.GARBAGE)),
    tunnel("wrong length", f.proxy_says(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")),
    tunnel("bad chunk", f.proxy_says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n")),
    tunnel("refusal", f.proxy_says(head(407, length=0)), LOST, 1, 1, "proxy"),
    tunnel("bad gateway", f.proxy_says(head(502, length=0)), LOST, 2, 2, "proxy"),
    *[
        cell
        for phase, part in (("headers out", 20), ("body out", 100_000))
        for cell in (
            out(phase, "delay", f.out(part, "silence"), error=LATE, repeated=1),
            out(phase, "reset", f.out(part, "reset")),
            out(phase, "close", f.out(part, "close")),
            out(phase, "drip", f.out(part, "drip"), error=LATE, repeated=1),
            out(phase, "garbage", f.out(part, f.GARBAGE.decode("latin-1"))),
            out(phase, "early answer", f.out(part, f.TOO_LARGE), error=STATUS, delivery=NO, told=None, repeated=1),
        )
    ],
    *[
        wait(f"{fault}, {'' if processed else 'not '}processed", f.waiting(fault, processed=processed), error, repeated)
        for processed in (False, True)
        for fault, error, repeated in (("silence", LATE, 1), ("reset", LOST, 2), ("close", LOST, 2))
    ],
    came_in("status line", "delay", f.answered(f.first(9), "silence"), LATE, 1),
    came_in("status line", "reset", f.answered(f.first(9), "reset")),
    came_in("status line", "close", f.answered(f.first(9))),
    came_in("status line", "drip", f.answered(f.first(999), "drip"), LATE, 1),
    came_in("status line", "wrong length", f.answered(f.instead(b"200 X", b"20000 X"))),
    came_in("status line", "garbage", f.answered(lambda answer: f.GARBAGE, "hold")),
    came_in("headers in", "delay", f.answered(f.first(25), "silence"), LATE, 1),
    came_in("headers in", "reset", f.answered(f.first(25), "reset")),
    came_in("headers in", "close", f.answered(f.first(25))),
    came_in("headers in", "drip", f.answered(f.with_head(b"X: " + f.LONG), "drip", 20), LATE, 1),
    came_in("headers in", "cut", f.answered(f.instead(b"\r\n\r\n", b"\r\n"))),
    came_in("headers in", "wrong length", f.answered(f.with_head(b"Content-Length: -5"), "hold")),
    came_in("headers in", "two lengths", f.answered(f.with_head(b"Content-Length: 2", b"Content-Length: 9"), "hold")),
    came_in("headers in", "bad chunk", f.answered(f.with_head(b"Content-Length: 9", b"Transfer-Encoding: chunked"))),
    came_in("headers in", "garbage", f.answered(f.with_head(f.GARBAGE[:9]), "hold")),
    body("delay", f.answered(f.up_to_body(), "silence"), LATE),
    body("reset", f.answered(f.up_to_body(9), "reset")),
    body("close", f.answered(f.up_to_body())),
    body("cut", f.answered(f.up_to_body(9))),
    body("drip", f.answered(f.longer_by(400), "drip", 60), LATE),
    body("wrong length", f.answered(f.longer_by(5))),
    body("wrong length, too short", f.answered(f.longer_by(-5), "hold"), UNREADABLE, None),
    body("bad chunk", packed([CHUNKED], b"ZZ\r\n{}\r\n0\r\n\r\n")),
    body("no last chunk", packed([CHUNKED], b"2\r\n{}\r\n", "close")),
    body(
        "bad packing", f.answered(f.with_head(b"Content-Length: 5", b"Content-Encoding: gzip", body=b"hello"), "hold")
    ),
    body("garbage", packed([b"Content-Length: 9"], f.GARBAGE[:9], "go on"), UNREADABLE, None, True),
    idle("close", f.ends),
    idle("reset", f.resets),
    idle("cut", f.says_half),
    idle("garbage", f.says_garbage),
    idle("an answer that nobody asked for", f.says_an_answer),
    reuse("close", f.ends),
    reuse("reset", f.resets),
    reuse("cut", f.says_half),
    reuse("garbage", f.says_garbage),
    reuse("delay", f.is_silent, LATE),
    reuse("drip", f.drips, LATE),
]
