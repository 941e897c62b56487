"""Headers and raw body in, an event or one error out."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import pickle
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from starlette.datastructures import Headers as StarletteHeaders
from werkzeug.datastructures import Headers as WerkzeugHeaders

from hero_async import ConfigurationError, HeroError, WebhookVerificationError
from hero_async.clock import VirtualClock
from hero_async.webhooks import AppointmentConfirmedEvent, Verifier, sign
from hero_async.webhooks import verify as verify_module

pytestmark = pytest.mark.usefixtures("now")
Make = Callable[..., bytes]

NINE = "1767603600"  # 2026-01-05T09:00:00Z


def by_hand(key: str, timestamp: str, body: bytes) -> bytes:
    """What the reference says, written down without the SDK."""
    return hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).digest()


def refused(verifier: Verifier, headers: Any, body: Any) -> str:
    with pytest.raises(WebhookVerificationError) as failure:
        verifier.verify(headers, body)
    assert failure.value.__cause__ is None
    assert failure.value.__context__ is None
    return failure.value.reason


@pytest.mark.parametrize("prefix", ["", "sha256=", "SHA256="])
@pytest.mark.parametrize(
    "write",
    [
        bytes.hex,
        lambda digest: digest.hex().upper(),
        lambda digest: base64.b64encode(digest).decode(),
        lambda digest: base64.b64encode(digest).decode().rstrip("="),
        lambda digest: base64.urlsafe_b64encode(digest).decode(),
        lambda digest: base64.urlsafe_b64encode(digest).decode().rstrip("="),
    ],
    ids=["hex", "HEX", "base64", "base64 unpadded", "base64url", "base64url unpadded"],
)
def test_every_usual_form_of_a_signature_is_read(
    write: Callable[[bytes], str], prefix: str, key: str, body: Make
) -> None:
    for number in range(20):  # among twenty digests there are some with + and / in base64
        raw = body(id=str(number))
        headers = {
            "X-Herohealth-Timestamp": NINE,
            "X-Herohealth-Signature": prefix + write(by_hand(key, NINE, raw)),
        }
        assert Verifier(key).verify(headers, raw).id == str(number)


@pytest.mark.parametrize(
    "timestamp",
    [
        "1767603600",
        "1767603600.25",
        "1767603600000",
        "2026-01-05T09:00:00Z",
        "2026-01-05T09:00:00.123Z",
        "2026-01-05t09:00:00z",
        "2026-01-05T10:00:00+01:00",
        "2026-01-05T09:00:00",
        "2026-01-05 09:00:00",
        "20260105T090000Z",
    ],
)
def test_every_usual_form_of_a_timestamp_is_read_and_its_text_is_what_is_signed(
    timestamp: str, verifier: Verifier, key: str, body: Make
) -> None:
    headers = {"X-Herohealth-Timestamp": timestamp, "X-Herohealth-Signature": by_hand(key, timestamp, body()).hex()}
    event = verifier.verify(headers, body())
    assert event.proof is not None
    assert event.proof.signed_at.replace(microsecond=0) == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert event.proof.signed_at.utcoffset() == timedelta(0)
    another = {**headers, "X-Herohealth-Timestamp": "2026-01-05T09:00:01Z"}
    assert refused(verifier, another, body()) == "signature"


@pytest.mark.parametrize(
    "timestamp",
    ["", " 1767603600", "1767603600 ", "-1767603600", "1e9", "0x10", "nan", "inf", "１７６７６０３６００",
     "1767603600,1767603600", "1767603600000000000", "2026-01-05", "2026-13-05T09:00:00Z", "0001-01-01T00:00:00+23:59",
     "9999-12-31T23:59:59-23:59", "Mon, 05 Jan 2026 09:00:00 GMT", "9" * 5000, "\ud800", "\x00"],
)  # fmt: skip
def test_a_timestamp_in_no_known_form_is_refused(timestamp: str, verifier: Verifier, body: Make) -> None:
    headers = {"X-Herohealth-Timestamp": timestamp, "X-Herohealth-Signature": "0" * 64}
    assert refused(verifier, headers, body()) == "timestamp_format"


@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", "0" * 63, "0" * 65, "g" * 64, "A" * 42, "A" * 44, "=" * 44, "A" * 43 + "==", "sha1=" + "0" * 40,
     "sha256=sha256=" + "0" * 64, f"{'0' * 64},{'0' * 64}", " " + "0" * 64, "é" * 64, "０" * 64, "\ud800" * 64,
     "0" * 100_000],
)  # fmt: skip
def test_a_signature_in_no_known_form_is_refused(signature: str, verifier: Verifier, body: Make) -> None:
    headers = {"X-Herohealth-Timestamp": NINE, "X-Herohealth-Signature": signature}
    assert refused(verifier, headers, body()) == "signature_format"


@pytest.mark.parametrize("signature", ["0" * 64, "A" * 43 + "="])
def test_a_wrong_signature_is_refused(signature: str, verifier: Verifier, body: Make) -> None:
    headers = {"X-Herohealth-Timestamp": NINE, "X-Herohealth-Signature": signature}
    assert refused(verifier, headers, body()) == "signature"


def test_any_change_of_the_body_is_refused(verifier: Verifier, key: str, body: Make) -> None:
    headers = sign(key, body())
    for place in range(len(body())):
        changed = bytearray(body())
        changed[place] ^= 1
        assert refused(verifier, headers, bytes(changed)) == "signature"
    assert refused(verifier, headers, body() + b"\n") == "signature"


@pytest.mark.parametrize("tolerance", [300, 300.0, timedelta(minutes=5)])
@pytest.mark.parametrize(
    ("seconds", "reason"), [(0, None), (299, None), (300, None), (-300, None), (301, "stale"), (-301, "future")]
)
def test_the_tolerance_holds_in_both_directions(
    tolerance: Any, seconds: int, reason: str | None, key: str, body: Make, now: VirtualClock
) -> None:
    headers = sign(key, body(), timestamp=str(1767603600 - seconds))
    verifier = Verifier(key, tolerance=tolerance)
    if reason is None:
        assert isinstance(verifier.verify(headers, body()), AppointmentConfirmedEvent)
    else:
        assert refused(verifier, headers, body()) == reason


def test_staleness_is_told_of_a_right_signature_only(verifier: Verifier, key: str, body: Make) -> None:
    headers = sign(key, body(), timestamp="1000000000")
    assert refused(verifier, headers, body()) == "stale"
    assert refused(verifier, headers | {"X-Herohealth-Signature": "0" * 64}, body()) == "signature"


@pytest.mark.parametrize("drop", ["X-Herohealth-Timestamp", "X-Herohealth-Signature"])
def test_a_missing_header_is_refused(drop: str, verifier: Verifier, key: str, body: Make) -> None:
    headers = sign(key, body())
    del headers[drop]
    assert refused(verifier, headers, body()) == "missing_header"
    assert refused(verifier, {}, body()) == "missing_header"


@pytest.mark.parametrize("twice", ["X-Herohealth-Timestamp", "X-Herohealth-Signature"])
@pytest.mark.parametrize("spell", [str, str.lower, str.encode])
def test_a_header_that_is_there_twice_is_refused_even_if_both_are_the_same(
    twice: str, spell: Callable[[str], Any], verifier: Verifier, key: str, body: Make
) -> None:
    headers = sign(key, body())
    pairs = [*headers.items(), (spell(twice), headers[twice])]
    assert refused(verifier, pairs, body()) == "duplicate_header"
    assert refused(verifier, {**headers, twice.upper(): headers[twice]}, body()) == "duplicate_header"
    mapping = CIMultiDict(headers)
    mapping.add(twice, headers[twice])
    assert refused(verifier, mapping, body()) == "duplicate_header"


def in_a_message(headers: dict[str, str]) -> Message:
    message = Message()
    for name, value in headers.items():
        message[name] = value
    return message


@pytest.mark.parametrize(
    "shape",
    [
        dict,
        lambda headers: {name.lower(): value for name, value in headers.items()},
        lambda headers: {name.upper().encode(): value.encode() for name, value in headers.items()},
        lambda headers: list(headers.items()),
        lambda headers: iter(headers.items()),
        lambda headers: [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        lambda headers: [("Accept", "*/*"), ("Accept", "*/*"), *headers.items()],
        CIMultiDict,
        lambda headers: CIMultiDictProxy(CIMultiDict(headers)),
        StarletteHeaders,
        lambda headers: WerkzeugHeaders(list(headers.items())),
        in_a_message,
    ],
    ids=["dict", "lower", "UPPER bytes", "pairs", "iterator", "ASGI", "others twice", "multidict", "aiohttp",
         "Starlette", "Werkzeug", "http.server"],
)  # fmt: skip
def test_headers_may_come_in_any_shape(
    shape: Callable[[dict[str, str]], Any], verifier: Verifier, key: str, body: Make
) -> None:
    assert verifier.verify(shape(sign(key, body())), body()).id == "4711"


class Hostile:
    def items(self) -> Any:
        raise KeyError("boo")


class HostileText(str):
    def encode(self, *_: Any, **__: Any) -> bytes:
        raise SystemError("boo")


@pytest.mark.parametrize(
    "headers",
    [None, 7, "text", b"bytes", object(), Hostile(), [None], [("one",)], [("a", "b", "c")], {"a": 1} | {None: "x"},
     [("X-Herohealth-Timestamp", None)], {"X-Herohealth-Timestamp": ["1"]}, {HostileText("x"): "y"},
     {"X-Herohealth-Signature": HostileText("y")}],
)  # fmt: skip
def test_headers_that_are_none_are_refused(headers: Any, verifier: Verifier, body: Make) -> None:
    assert refused(verifier, headers, body()) == "headers"


class Bytes(bytes):
    def __len__(self) -> int:
        raise SystemError("boo")


@pytest.mark.parametrize(
    "wrong",
    [None, "text", 1, bytearray(b"{}"), memoryview(b"{}"), {}, Bytes(b"{}")],
    ids=lambda wrong: str(type(wrong)),
)
def test_a_body_that_is_not_bytes_is_refused(wrong: Any, verifier: Verifier, key: str) -> None:
    assert refused(verifier, sign(key, b"{}"), wrong) == "body_type"


def test_a_body_over_the_cap_is_refused_before_anything_is_computed(
    key: str, body: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = body()
    exact = Verifier(key, max_body_bytes=len(raw))
    assert exact.verify(sign(key, raw), raw).id == "4711"
    small = Verifier(key, max_body_bytes=len(raw) - 1)
    monkeypatch.setattr(verify_module, "digest", None)
    assert refused(small, sign(key, raw), raw) == "body_size"


def test_several_keys_and_the_one_that_matched_is_told_by_name(body: Make) -> None:
    raw = body()
    keys = {"new": "the new key", "old": b"the old key"}
    for name, key in keys.items():
        proof = Verifier(keys).verify(sign(key, raw), raw).proof
        assert proof is not None
        assert proof.key == name
    places = []
    for key in ("one", "two", "three"):
        proof = Verifier(["one", "two", "three"]).verify(sign(key, raw), raw).proof
        assert proof is not None
        places.append(proof.key)
    assert places == ["0", "1", "2"]
    assert refused(Verifier(keys), sign("another key", raw), raw) == "signature"


@pytest.mark.parametrize("right", ["one", "two", "three", "none of them"])
def test_every_key_is_compared_in_constant_time_whichever_is_right(
    right: str, body: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def spy(ours: bytes, shown: bytes) -> bool:
        compared.append((ours, shown))
        return hmac.compare_digest(ours, shown)

    assert verify_module.compare_digest is hmac.compare_digest
    monkeypatch.setattr(verify_module, "compare_digest", spy)
    verifier = Verifier(["one", "two", "three"])
    raw = body()
    try:
        verifier.verify(sign(right, raw), raw)
    except WebhookVerificationError:
        assert right == "none of them"
    assert [ours for ours, _ in compared] == [by_hand(key, NINE, raw) for key in ("one", "two", "three")]
    assert {shown for _, shown in compared} == {by_hand(right, NINE, raw)}


def test_a_fingerprint_is_of_one_delivery_however_it_is_written(verifier: Verifier, key: str, body: Make) -> None:
    def fingerprint(raw: bytes, **form: Any) -> str:
        proof = verifier.verify(sign(key, raw, **form), raw).proof
        assert proof is not None
        return proof.fingerprint

    one = fingerprint(body())
    assert fingerprint(body(), encoding="base64", prefix="sha256=") == one
    assert fingerprint(body(), timestamp="1767603601") != one
    assert fingerprint(body(id="4712")) != one
    assert sign(key, body())["X-Herohealth-Signature"] != one  # a store of fingerprints holds no signatures


@pytest.mark.parametrize(
    "keys", ["", b"", [], {}, ["good", ""], None, 7, [None], {1: "key"}, "key\n", b" key", [["key"]]]
)
def test_keys_that_cannot_be_right_are_refused_at_once(keys: Any) -> None:
    with pytest.raises(ConfigurationError) as failure:
        Verifier(keys)
    assert "good" not in str(failure.value)


@pytest.mark.parametrize("tolerance", [0, -1, float("nan"), float("inf"), True, "300", None, timedelta(0)])
def test_a_tolerance_that_cannot_work_is_refused(tolerance: Any) -> None:
    with pytest.raises(ConfigurationError):
        Verifier("key", tolerance=tolerance)


@pytest.mark.parametrize("cap", [0, -1, 1.5, True, None])
def test_a_cap_that_cannot_work_is_refused(cap: Any) -> None:
    with pytest.raises(ConfigurationError):
        Verifier("key", max_body_bytes=cap)


def test_no_key_and_no_value_is_shown(key: str, body: Make) -> None:
    verifier = Verifier({"first": key})
    assert key not in repr(verifier)
    with pytest.raises(TypeError):
        pickle.dumps(verifier)
    with pytest.raises(TypeError):
        copy.deepcopy(verifier)
    raw = body(id="canary-1", note="canary-2")
    event = verifier.verify(sign(key, raw), raw)
    assert "canary-2" not in repr(event)
    headers = {"X-Herohealth-Timestamp": "canary-3", "X-Herohealth-Signature": "canary-4"}
    with pytest.raises(WebhookVerificationError) as failure:
        verifier.verify(headers, b"canary-5")
    assert "canary" not in str(failure.value) + repr(failure.value)


def test_the_error_is_one_of_the_tree_and_pickles_with_its_reason(verifier: Verifier, body: Make) -> None:
    with pytest.raises(HeroError) as failure:
        verifier.verify({}, body())
    again = pickle.loads(pickle.dumps(failure.value))  # noqa: S301  # our own
    assert isinstance(again, WebhookVerificationError)
    assert again.reason == "missing_header"
    assert str(again) == str(failure.value)


@pytest.fixture
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="needs tzset")
@pytest.mark.usefixtures("in_new_york")
@pytest.mark.parametrize("stamp", ["2026-01-05T09:00:00", "2026-01-05T14:30:00+05:30", NINE])
def test_the_zone_of_this_machine_changes_nothing(stamp: str, verifier: Verifier, key: str, body: Make) -> None:
    assert verifier.verify(sign(key, body(), timestamp=stamp), body()).id == "4711"
