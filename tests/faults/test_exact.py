"""What a small change to the verdicts, the pace, the signing or the verification would alter: told to the last figure.

Written against mutants (`nox -s mutation`): each line here is one that a mutant had survived.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import math
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hero_async import ConfigurationError, Delivery, RateLimit, WebhookVerificationError
from hero_async.clock import VirtualClock, use
from hero_async.delivery import of_loss, of_status
from hero_async.retries import RetryBudget, parse_retry_after
from hero_async.signing import USER_AGENT, Key, sign
from hero_async.throttle import Lane
from hero_async.webhooks import Verifier
from hero_async.webhooks import sign as sign_delivery
from hero_async.webhooks.signature import read_signature, read_timestamp

NO, YES, UNKNOWN = Delivery.NO, Delivery.YES, Delivery.UNKNOWN


# Verdicts


def test_the_verdict_of_every_status() -> None:
    processed = set(range(200, 300))
    refused = set(range(400, 500)) - {408}
    for status in range(100, 1000):
        assert of_status(status) is (YES if status in processed else NO if status in refused else UNKNOWN), status
        for left in (False, True):
            assert of_loss(left=left, status=status) is of_status(status)


def test_without_a_status_it_is_whether_it_left() -> None:
    assert of_loss(left=False, status=None) is NO
    assert of_loss(left=True, status=None) is UNKNOWN


# Retry-After, and the budget


NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_the_longest_text_that_is_read() -> None:
    assert parse_retry_after("1".rjust(100), now=NOW) == 1
    assert parse_retry_after("1".rjust(101), now=NOW) is None


def test_each_first_character_of_a_number() -> None:
    for text, seconds in (("+7", 7), ("-7", 0), (".7", 0.7), *((f"{digit}5", digit * 10 + 5) for digit in range(10))):
        assert parse_retry_after(text, now=NOW) == seconds
    assert parse_retry_after("X7", now=NOW) is None


def test_a_success_never_lifts_the_budget_over_its_capacity() -> None:
    budget = RetryBudget(10)
    budget.refund()
    assert budget.tokens == 10


# The headers


def test_the_headers_to_the_letter() -> None:
    assert sign("k", "42", {"X-Trace": "t"}) == {
        "Accept": "application/json",
        "User-Agent": USER_AGENT,
        "X-Trace": "t",
        "x-api-key": "k",
        "x-practice-group-id": "42",
    }
    assert list(sign("k", "42", {"x-api-key": "other"}).items())[-2:] == [
        ("x-api-key", "k"),
        ("x-practice-group-id", "42"),
    ]


async def versions(key: Key, times: int) -> list[int]:
    found = [key.version]
    for _ in range(times):
        await key.fetch(key.version)
        found.append(key.version)
    return found


def test_a_key_counts_how_often_it_was_asked_for(tmp_path: Path) -> None:
    key = Key(lambda: "text")
    assert (key.version, key.text) == (0, None)
    assert asyncio.run(versions(key, 3)) == [0, 1, 2, 3]
    assert repr(key) == "Key(***)"
    assert Key("text").text == "text"
    path = tmp_path / "key"
    path.write_bytes("ключ".encode())
    with pytest.raises(ConfigurationError) as refused:
        asyncio.run(Key(path).fetch(0))
    assert "cannot be read" not in str(refused.value)  # it was read as UTF-8; what it holds is no key


@pytest.mark.parametrize(
    "source, words",
    [
        (Path("/nowhere/at/all"), "api_key: the file cannot be read"),
        (lambda: 5, "api_key: the callable must give text"),
    ],
)
def test_a_key_that_cannot_be_had_is_told_in_these_words(source: Any, words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        asyncio.run(Key(source).fetch(0))
    assert str(refused.value) == words


@pytest.mark.anyio
async def test_two_who_ask_at_once_share_one_asking() -> None:
    asked = 0

    async def source() -> str:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return f"key-{asked}"

    key = Key(source)
    assert await asyncio.gather(key.fetch(0), key.fetch(0), key.fetch(0)) == ["key-1"] * 3
    assert asked == 1


def test_those_who_ask_at_once_in_another_loop_share_one_asking_there() -> None:
    asked = 0

    async def source() -> str:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return f"key-{asked}"

    async def three(key: Key) -> list[str]:
        seen = key.version
        return await asyncio.gather(*(key.fetch(seen) for _ in range(3)))

    key = Key(source)
    assert [asyncio.run(three(key)) for _ in range(2)] == [["key-1"] * 3, ["key-2"] * 3]


# The pace


@pytest.fixture
def time() -> Any:
    with use(VirtualClock()) as clock:
        yield clock


def test_a_free_lane_lets_in_at_once_until_it_is_paused(time: VirtualClock) -> None:
    lane = Lane()
    assert lane.try_enter(0.0)
    assert lane.try_enter(0.0)
    assert lane.rate == math.inf
    lane.pause(5.0)
    assert not lane.try_enter(4.999)
    assert lane.try_enter(5.0)
    assert not Lane(RateLimit("1/s")).try_enter(0.0)


@pytest.mark.anyio
async def test_a_free_lane_whose_turn_is_taken_makes_others_wait(time: VirtualClock) -> None:
    lane = Lane()
    async with lane._turn:
        assert not lane.try_enter(0.0)
    assert lane.try_enter(0.0)


@pytest.mark.parametrize(
    "sent, goal", [(1, 1.0), (2, 1.4), (10, 7.0), (100, 70.0)]
)  # seven tenths of what was counted, one at least
def test_the_first_429_sets_the_goal_and_starts_at_a_quarter(time: VirtualClock, sent: int, goal: float) -> None:
    lane = Lane()
    assert lane.try_enter(-10.0)  # fills a second, so that what follows is counted anew
    for _ in range(sent):
        assert lane.try_enter(-9.5)
    lane.cool_down(1.0, sent_at=0.0)
    assert lane._goal == pytest.approx(goal)
    assert lane.rate == pytest.approx(max(goal / 4, 1.0))
    assert (lane._count, lane._previous) == (0, 0)
    assert lane.paused_until == lane._free_at == lane._calm_since == lane._window == 1.0


def test_a_429_of_a_lane_that_paces_itself_halves_the_goal_at_most(time: VirtualClock) -> None:
    lane = Lane()
    lane.try_enter(-10.0)
    for _ in range(100):
        lane.try_enter(-9.5)
    lane.cool_down(0.0, sent_at=0.0)
    assert (lane._goal, lane.rate) == (pytest.approx(70.0), pytest.approx(17.5))
    lane.cool_down(0.0, sent_at=0.0)
    assert (lane._goal, lane.rate) == (pytest.approx(35.0), pytest.approx(8.75))  # 0.7 of 17.5 is less than half
    lane._rate = 60.0
    lane.cool_down(0.0, sent_at=0.0)
    assert (lane._goal, lane.rate) == (pytest.approx(42.0), pytest.approx(10.5))  # 0.7 of 60 is more
    for _ in range(9):
        lane.cool_down(0.0, sent_at=0.0)
    assert (lane._goal, lane.rate) == (1.0, 1.0)


def test_what_left_before_the_last_slow_down_slows_down_no_more(time: VirtualClock) -> None:
    lane = Lane()
    lane.try_enter(-10.0)
    for _ in range(100):
        lane.try_enter(-9.5)
    lane.cool_down(1.0, sent_at=0.0)
    lane.cool_down(3.0, sent_at=0.999)
    assert (lane._goal, lane.paused_until) == (pytest.approx(70.0), 3.0)
    lane.cool_down(3.0, sent_at=1.0)
    assert lane._goal == pytest.approx(35.0)


def test_the_slow_start_doubles_and_then_grows_by_a_tenth_or_by_one(time: VirtualClock) -> None:
    lane = Lane()
    lane._goal, lane._rate, lane._calm_since = 70.0, 17.5, 0.0
    found: list[float] = []
    for _ in range(5):
        lane._adapt(1.0)
        found.append(lane.rate)
    assert found == [35.0, 70.0, pytest.approx(77.0), pytest.approx(84.7), pytest.approx(93.17)]
    lane._goal = lane._rate = 4.0
    lane._adapt(1.0)
    assert lane.rate == 5.0
    lane._adapt(59.999)
    assert lane.rate == 6.0
    lane._adapt(60.0)
    assert lane.rate == lane._goal == math.inf


def test_a_second_is_full_after_a_second(time: VirtualClock) -> None:
    lane = Lane()
    assert lane._measure(0.0)
    assert [lane._measure(at) for at in (0.1, 0.999)] == [False, False]
    assert (lane._count, lane._previous) == (2, 1)
    assert lane._measure(1.0)
    assert (lane._count, lane._previous) == (0, 3)


@pytest.mark.anyio
async def test_a_turn_that_comes_just_in_time_is_taken(time: VirtualClock) -> None:
    lane = Lane()
    lane.pause(5.0)
    assert await lane.enter(until=5.0) == 5.0
    with pytest.raises(ValueError) as refused:
        RateLimit("soon")
    assert str(refused.value) == 'rate_limit must be a count and a unit, such as "20/s", "1200/min" or "5000/h"'


# Webhooks

BODY = b'{"object":"appointment","id":"1","practice_group_id":"42","event":"appointment.confirmed"}'
NINE = "1767603600"  # 2026-01-05T09:00:00Z, when the clock of the tests begins
STAMP, SIGNATURE = "X-Herohealth-Timestamp", "X-Herohealth-Signature"


def made(stamp: str, key: str = "k", body: bytes = BODY) -> bytes:
    """The digest, written down without the SDK."""
    return hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).digest()


@pytest.mark.parametrize(
    "encoding, write",
    [
        (None, bytes.hex),
        ("hex", bytes.hex),
        ("base64", lambda found: base64.b64encode(found).decode()),
        ("base64url", lambda found: base64.urlsafe_b64encode(found).decode()),
    ],
)
def test_a_delivery_is_signed_in_each_form(time: VirtualClock, encoding: Any, write: Any) -> None:
    options = {} if encoding is None else {"encoding": encoding}
    for n in range(40):  # + and / stand in some of them
        body = b"%d" % n
        headers = sign_delivery("k", body, **options)
        assert headers == {STAMP: NINE, SIGNATURE: write(made(NINE, body=body))}
        assert read_signature(headers[SIGNATURE].encode()) == made(NINE, body=body)
    assert sign_delivery(b"k", BODY, timestamp="7", prefix="sha256=") == {
        STAMP: "7",
        SIGNATURE: "sha256=" + made("7").hex(),
    }


def test_where_seconds_end_and_milliseconds_begin() -> None:
    assert read_timestamp(b"99999999999") == datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)
    assert read_timestamp(b"100000000000") == datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)
    moment = read_timestamp(b"2026-01-05T10:00:00+01:00")
    assert moment is not None
    assert (moment, moment.tzinfo) == (datetime(2026, 1, 5, 9, tzinfo=UTC), UTC)


def told(headers: Any, body: Any = BODY, **options: Any) -> tuple[str, str]:
    with pytest.raises(WebhookVerificationError) as refused:
        Verifier("k", **options).verify(headers, body)
    return refused.value.reason, str(refused.value)


def signed(stamp: str = NINE, **changes: Any) -> dict[str, Any]:
    return {STAMP: stamp, SIGNATURE: made(stamp).hex(), **changes}


def test_each_refusal_in_its_words(time: VirtualClock) -> None:
    class Text(bytes):
        pass

    both = [*signed().items(), (SIGNATURE.lower(), "0")]
    words = {
        "headers": (told(5), "the headers are not names and values"),
        "duplicate_header": (told(both), f"{STAMP} or {SIGNATURE} is there more than once"),
        "missing_header": (told({STAMP: NINE}), f"{STAMP} or {SIGNATURE} is missing"),
        "body_type": (told(signed(), Text(BODY)), "the body must be bytes, as it came"),
        "body_size": (told(signed(), max_body_bytes=len(BODY) - 1), f"the body is longer than {len(BODY) - 1} bytes"),
        "timestamp_format": (
            told(signed("soon")),
            "the timestamp is not epoch seconds, milliseconds or ISO 8601",
        ),
        "signature_format": (
            told(signed(**{SIGNATURE: "0"})),
            "the signature is not 32 bytes in hex or base64",
        ),
        "signature": (told(signed(), BODY + b" "), "the signature was made with none of the keys"),
        "stale": (told(signed(str(int(NINE) - 301))), "signed more than 300 s ago"),
        "future": (
            told(signed(str(int(NINE) + 301))),
            "signed more than 300 s in the future: check the clock",
        ),
    }
    for reason, (found, text) in words.items():
        assert found == (reason, f"webhook refused: {text}")
    nothing = b"[]"
    assert told({STAMP: NINE, SIGNATURE: made(NINE, body=nothing).hex()}, nothing) == (
        "body_format",
        "webhook refused: the signature is right, but the body is not the JSON of an event",
    )
    for reached in (-300, 300):
        assert Verifier("k").verify(signed(str(int(NINE) + reached)), BODY).id == "1"


def test_no_header_is_lost_behind_one_that_is_not_latin(time: VirtualClock) -> None:
    strange = {"X-\u20ac": "\u20ac", **signed()}
    assert Verifier("k").verify(strange, BODY).id == "1"
    assert told({**signed(), SIGNATURE: "\u20ac" * 64})[0] == "signature_format"
    longest = f"2026-01-05T{'9' * 200}"
    assert told(signed(longest))[0] == "timestamp_format"


CONFIGURATION: list[tuple[Any, dict[str, Any], str]] = [
    ("k", {"max_body_bytes": True}, "max_body_bytes: must be a whole number"),
    ("k", {"max_body_bytes": 1.0}, "max_body_bytes: must be a whole number"),
    ("k", {"max_body_bytes": 0}, "max_body_bytes: must be more than zero"),
    ("k", {"tolerance": "5"}, "tolerance: must be seconds, or a timedelta"),
    ("k", {"tolerance": True}, "tolerance: must be seconds, or a timedelta"),
    ("k", {"tolerance": 0}, "tolerance: must be more than zero, and finite"),
    ("k", {"tolerance": math.inf}, "tolerance: must be more than zero, and finite"),
    ([], {}, "keys: must be a signing key, or several"),
    (5, {}, "keys: must be a signing key, or several"),
    ([5], {}, "keys: must be text or bytes"),
    ({5: "k"}, {}, "keys: must be text or bytes"),
    ("", {}, "keys: a key must not be empty, nor begin or end with white space (of a file's last line?)"),
    (["k", "k\n"], {}, "keys: a key must not be empty, nor begin or end with white space (of a file's last line?)"),
]


@pytest.mark.parametrize("keys, options, words", CONFIGURATION)
def test_a_verifier_that_cannot_work_is_refused_in_these_words(keys: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Verifier(keys, **options)
    assert str(refused.value) == words


def test_the_smallest_and_the_usual_settings() -> None:
    assert Verifier("k", max_body_bytes=1).max_body_bytes == 1
    assert Verifier("k").max_body_bytes == 262_144
    assert Verifier("k", tolerance=0.5).tolerance == 0.5
    assert Verifier("k", tolerance=timedelta(minutes=1)).tolerance == 60.0
    assert repr(Verifier(["a", "b"], tolerance=7)) == "Verifier(2 keys, tolerance=7)"
    with pytest.raises(TypeError) as refused:
        pickle.dumps(Verifier("k"))
    assert str(refused.value) == "a Verifier holds keys: it is not pickled"


def test_which_key_matched_is_told_by_its_name(time: VirtualClock) -> None:
    assert Verifier("k").verify(signed(), BODY).proof.key == "0"
    assert Verifier(["a", "k"]).verify(signed(), BODY).proof.key == "1"
    event = Verifier({"old": "a", "new": "k"}).verify(signed(), BODY)
    assert (event.proof.key, event.proof.signed_at) == ("new", datetime(2026, 1, 5, 9, tzinfo=UTC))
    assert event.proof.fingerprint == hashlib.sha256(made(NINE)).hexdigest()
