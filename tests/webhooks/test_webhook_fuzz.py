"""Whatever is thrown at `verify`, one kind of exception comes out. HERO_WEBHOOK_FUZZ says how many cases.

nox -s fuzz             # a million
nox -s fuzz -- 100000
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from typing import Any, TypeVar, get_args

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hero_async import WebhookVerificationError
from hero_async.errors import WebhookReason
from hero_async.webhooks import Event, Verifier, sign

CASES = int(os.environ.get("HERO_WEBHOOK_FUZZ", "20000"))
KEYS = ("first key", "second key")
VERIFIER = Verifier(KEYS, max_body_bytes=2000)
T = TypeVar("T")

NAMES = ("X-Herohealth-Timestamp", "X-Herohealth-Signature")
ODD_TEXT = (
    "", " ", "\x00", "\ud800", "nan", "-1", "1e308", "9" * 400, "٣" * 10, "sha256=", "=", "==", "A" * 43,
    "A" * 44 + "=", "0" * 64, "g" * 64, "İ", "é" * 44, "\r\nX: y", "1767603600", "1767603600000", "99999999999",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-02-30T00:00:00Z", "2026-01-05T24:00:00Z",
    "2026-W01-1T00:00:00", "2026-01-05T09:00:00Z",
)  # fmt: skip
ODD_BODY = (
    b'{"event":"a","event":"b"}', b'{"event":"a","x":' + b"[" * 900 + b"]" * 900 + b"}", b'{"a":' * 300, b"NaN",
    b'{"event":"\\ud800"}', b'{"event":1' + b"0" * 1500 + b"}", b"\xef\xbb\xbf{}", b"\xff\xfe", b'{"event":"a"}' * 200,
    b'{"event":"a","n":NaN}', b"", b"null", b"[]", b'{"event":"a"}',
    b'{"event":"a","x":[{"y":1,"y":1}]}',
)  # fmt: skip
ODD_THINGS = (None, 7, 1.5, True, b"", "", (), [], {}, object(), [None], ("a", "b"), [("a",)], bytearray(b"{}"))
KNOWN = ("appointment.confirmed", "write-to-record.failed", "message.sent")


class Chance:
    """Choices made from bytes. One draw of hypothesis a case: a strategy of parts takes twenty times as long."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1] if self.at <= len(self.data) else 0

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.byte() % len(choices)]

    def raw(self) -> bytes:
        length = self.byte() % 80
        self.at += length
        return self.data[self.at - length : self.at]

    def text(self) -> str:
        encoding = self.pick(("latin-1", "utf-8", "odd", "digits"))
        if encoding == "odd":
            return self.pick(ODD_TEXT)
        if encoding == "digits":
            return "".join("0123456789TZ:.+-"[byte % 16] for byte in self.raw())
        return self.raw().decode(encoding, "surrogateescape")

    def value(self) -> Any:
        return self.pick((self.text, self.raw, lambda: self.pick(ODD_THINGS), lambda: [self.text()]))()

    def name(self) -> Any:
        name = self.pick(NAMES)
        return self.pick((name, name.lower(), name.encode(), name.upper(), name.swapcase().encode(), self.value()))

    def headers(self) -> Any:
        kind = self.byte() % 8
        if kind == 0:
            return self.value()
        if kind < 4:
            return {NAMES[0]: self.text(), NAMES[1]: self.text()}
        pairs = [(self.name(), self.value()) for _ in range(self.byte() % 4)]
        if kind == 4:
            return [*pairs, self.value()]
        return dict(pairs) if kind == 5 and all(isinstance(name, str | bytes) for name, _ in pairs) else pairs

    def json(self, depth: int = 0) -> Any:
        kind = self.byte() % 8
        if kind == 0 and depth < 4:
            return [self.json(depth + 1) for _ in range(self.byte() % 4)]
        if kind == 1 and depth < 4:
            return {self.text(): self.json(depth + 1) for _ in range(self.byte() % 4)}
        return self.pick((None, True, 7, -1.5, float("nan"), 10**30, self.text(), self.pick(KNOWN)))

    def body(self) -> bytes:
        kind = self.byte() % 6
        if kind == 0:
            return self.raw()
        if kind == 1:
            return self.pick(ODD_BODY)
        fields = ("object", "id", "practice_group_id", "event", "event_type", self.text())
        made = {field: self.json() for field in fields if self.byte() % 8}
        if kind > 3:
            made |= {"id": "1", "practice_group_id": "2", "event": self.pick(KNOWN)}
        text = json.dumps(made).encode("utf-8", "surrogatepass")
        if kind == 2:
            place = self.byte() % (len(text) + 1)
            return text[:place] + self.raw() + text[place:]
        return text

    def delivery(self) -> tuple[Any, Any]:
        """Headers and body: anything at all, or signed, or signed and then changed a little."""
        kind = self.byte() % 8
        body = self.body()
        if kind < 3:
            return self.headers(), self.value() if kind == 0 else body
        form: Any = self.pick(("hex", "base64", "base64url"))
        stamp = self.text().encode("ascii", "ignore").decode() if self.byte() % 2 else None
        headers = sign(self.pick(KEYS), body, encoding=form, timestamp=stamp)
        if kind < 6:
            return headers, body
        name = self.pick(NAMES)
        text = headers[name]
        place = self.byte() % (len(text) + 1)
        return headers | {name: text[:place] + self.text() + text[place:]}, body


def is_signed(headers: Any, body: bytes) -> bool:
    """A second opinion, which knows nothing of the SDK."""
    stamp, shown = headers[NAMES[0]], headers[NAMES[1]]
    if shown.lower().startswith("sha256="):
        shown = shown[7:]
    plain = shown.rstrip("=").replace("+", "-").replace("/", "_")
    made = [hmac.new(key.encode(), f"{stamp}.".encode() + body, hashlib.sha256).digest() for key in KEYS]
    return any(
        shown.lower() == digest.hex() or plain == base64.urlsafe_b64encode(digest).decode().rstrip("=")
        for digest in made
    )


seen: set[str] = set()
EACH = 10
"""Deliveries from one draw: the drawing itself takes ten times as long as a delivery."""


@pytest.mark.timeout(0)
@settings(
    max_examples=max(CASES // EACH, 1),
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(st.binary(min_size=150 * EACH, max_size=150 * EACH))
def search(data: bytes) -> None:
    for start in range(0, len(data), 150):
        check(*Chance(data[start : start + 150]).delivery())


def check(headers: Any, body: Any) -> None:
    refusal = None
    try:
        event = VERIFIER.verify(headers, body)
    except WebhookVerificationError as error:
        refusal = error
    if refusal is not None:
        assert refusal.reason in get_args(WebhookReason)
        assert refusal.__context__ is None
        seen.add(refusal.reason)
        return
    assert isinstance(event, Event)
    assert is_signed(headers, body)
    seen.add(type(event).__name__)
    try:
        seen.add(type(event.raw).__name__)
    except WebhookVerificationError:
        seen.add("raw refused")


@pytest.mark.timeout(0)
def test_only_one_kind_of_exception_comes_out() -> None:
    search()
    # The search is worth something only if it comes to every corner.
    corners = {"AppointmentConfirmedEvent", "WriteToRecordFailedEvent", "UnknownEvent", "dict", "raw refused"}
    corners |= {*get_args(WebhookReason)}
    assert corners <= seen
