"""Every rule, as a full table: each state and each answer has its line."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from hero_async.bulk.decide import (
    FINAL,
    MOVES,
    Action,
    Answer,
    Patience,
    State,
    after_cancel,
    after_claim,
    after_crash,
    after_register,
    after_send,
    after_word,
    brake,
    may_start,
    read_error,
    reason_of,
)
from hero_async.delivery import Delivery
from hero_async.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    ConfigurationError,
    HeroError,
    InvalidArgumentError,
    ResponseDecodeError,
    ResponseTooLargeError,
    class_for,
)
from hero_async.retries import RetryPolicy

READY, SENDING, SENT, REJECTED, UNKNOWN = State

SENDS: dict[tuple[State, Answer], tuple[State, Action, str | None]] = {
    # The guard had committed the intent.
    (SENDING, Answer.ACCEPTED): (SENT, Action.SETTLE, None),
    (SENDING, Answer.UNREADABLE): (SENT, Action.SETTLE, "code"),
    (SENDING, Answer.VERIFY): (SENT, Action.SETTLE, "code"),
    (SENDING, Answer.IN_DOUBT): (UNKNOWN, Action.SETTLE, "code"),
    (SENDING, Answer.THROTTLED): (READY, Action.REPEAT, "code"),
    (SENDING, Answer.NOT_NOW): (READY, Action.REPEAT, "code"),
    (SENDING, Answer.REFUSED): (REJECTED, Action.SETTLE, "code"),
    (SENDING, Answer.NOT_FOUND): (READY, Action.STOP, "code"),
    (SENDING, Answer.DENIED): (READY, Action.STOP, "code"),
    # The attempt never came as far as the guard.
    (READY, Answer.ACCEPTED): (SENT, Action.SETTLE, None),
    (READY, Answer.UNREADABLE): (SENT, Action.SETTLE, "code"),
    (READY, Answer.VERIFY): (SENT, Action.SETTLE, "code"),
    (READY, Answer.IN_DOUBT): (READY, Action.REPEAT, "code"),
    (READY, Answer.THROTTLED): (READY, Action.REPEAT, "code"),
    (READY, Answer.NOT_NOW): (READY, Action.REPEAT, "code"),
    (READY, Answer.REFUSED): (REJECTED, Action.SETTLE, "code"),
    (READY, Answer.NOT_FOUND): (READY, Action.STOP, "code"),
    (READY, Answer.DENIED): (READY, Action.STOP, "code"),
}

REGISTRATIONS: dict[Answer, tuple[State, Action, str | None]] = {
    Answer.ACCEPTED: (READY, Action.SEND, None),
    Answer.UNREADABLE: (READY, Action.REPEAT, "code"),
    Answer.VERIFY: (REJECTED, Action.SETTLE, "verification_required"),
    Answer.IN_DOUBT: (READY, Action.REPEAT, "code"),
    Answer.THROTTLED: (READY, Action.REPEAT, "code"),
    Answer.NOT_NOW: (READY, Action.REPEAT, "code"),
    Answer.REFUSED: (REJECTED, Action.SETTLE, "code"),
    Answer.NOT_FOUND: (REJECTED, Action.SETTLE, "no_patient_found"),
    Answer.DENIED: (READY, Action.STOP, "code"),
}


@pytest.mark.parametrize(("state", "answer"), list(itertools.product((READY, SENDING), Answer)))
def test_what_a_row_becomes_after_an_attempt_to_send(state: State, answer: Answer) -> None:
    step = after_send(state, answer, "code")
    assert (step.state, step.action, step.reason) == SENDS[state, answer]


@pytest.mark.parametrize(("state", "answer"), list(itertools.product((SENT, REJECTED, UNKNOWN), Answer)))
def test_a_settled_row_is_never_sent(state: State, answer: Answer) -> None:
    assert not may_start(state)
    with pytest.raises(ValueError, match="is not sent"):
        after_send(state, answer)


@pytest.mark.parametrize("answer", Answer)
def test_what_a_row_becomes_after_a_registration(answer: Answer) -> None:
    step = after_register(answer, "code")
    assert (step.state, step.action, step.reason) == REGISTRATIONS[answer]


@pytest.mark.parametrize(
    ("state", "crash", "cancel"),
    [
        (READY, (READY, None), (READY, None)),
        (SENDING, (UNKNOWN, "interrupted"), (UNKNOWN, "cancelled")),
        (SENT, (SENT, None), None),
        (REJECTED, (REJECTED, None), None),
        (UNKNOWN, (UNKNOWN, None), None),
    ],
)
def test_what_a_row_becomes_after_a_crash_or_a_cancel(state: State, crash: Any, cancel: Any) -> None:
    assert (after_crash(state).state, after_crash(state).reason) == crash
    if cancel is not None:
        assert (after_cancel(state).state, after_cancel(state).reason) == cancel


@pytest.mark.parametrize("state", State)
def test_a_persons_word_moves_unknown_rows_alone(state: State) -> None:
    if state is UNKNOWN:
        assert after_word(state, "sent").state is SENT
        assert after_word(state, "unsent").state is READY
        return
    for word in ("sent", "unsent"):
        with pytest.raises(ValueError, match="only an unknown row"):
            after_word(state, word)


def test_the_second_row_of_a_patient_is_rejected() -> None:
    assert after_claim(taken=False).action is Action.SEND
    taken = after_claim(taken=True)
    assert (taken.state, taken.action, taken.reason) == (REJECTED, Action.SETTLE, "duplicate_person")


def test_every_move_that_a_rule_makes_is_allowed_and_no_rule_leaves_a_final_state() -> None:
    for (state, answer), (target, _, _) in SENDS.items():
        if state is READY and answer is Answer.IN_DOUBT:
            continue
        assert target in MOVES[state]
    for target, _, _ in REGISTRATIONS.values():
        assert target in MOVES[READY]
    assert MOVES[SENT] == MOVES[REJECTED] == frozenset()
    assert MOVES[UNKNOWN] == {after_word(UNKNOWN, "sent").state, after_word(UNKNOWN, "unsent").state}
    assert frozenset({SENT, REJECTED, UNKNOWN}) == FINAL


def failed(kind: type[HeroError], **context: Any) -> HeroError:
    return kind("…", operation="messages.send", **context)


def of_status(code: int) -> HeroError:
    processed = Delivery.NO if 400 <= code < 500 and code != 408 else Delivery.UNKNOWN
    return failed(class_for(code), status=code, delivery=processed)


STATUSES = {
    **dict.fromkeys((400, 409, 413, 422), Answer.REFUSED),
    **dict.fromkeys((401, 402, 403, 405, 406, 407, 410, 411, 415, 417, 421, 426, 431, 451), Answer.DENIED),
    **dict.fromkeys((301, 302, 304, 307, 308, 408, 500, 501, 502, 503, 504, 520), Answer.IN_DOUBT),
    404: Answer.NOT_FOUND,
    429: Answer.THROTTLED,
}


@pytest.mark.parametrize(("code", "answer"), list(STATUSES.items()))
def test_what_a_status_shows(code: int, answer: Answer) -> None:
    error = of_status(code)
    assert read_error(error) is answer
    assert reason_of(error) == f"http_{code}"


@pytest.mark.parametrize(
    ("error", "answer", "reason"),
    [
        (failed(APIConnectionError, phase="dns"), Answer.NOT_NOW, "not_sent_dns"),
        (failed(APIConnectionError, phase="connect"), Answer.NOT_NOW, "not_sent_connect"),
        (failed(APITimeoutError, phase="pool"), Answer.NOT_NOW, "not_sent_pool"),
        (failed(APITimeoutError, phase="guard"), Answer.NOT_NOW, "not_sent_guard"),
        (failed(APITimeoutError, phase="throttle"), Answer.THROTTLED, "not_sent_throttle"),
        (failed(APIConnectionError, phase="tls"), Answer.DENIED, "not_sent_tls"),
        (failed(APIConnectionError, phase="wait", delivery=Delivery.UNKNOWN), Answer.IN_DOUBT, "no_answer"),
        (failed(APITimeoutError, phase="wait", delivery=Delivery.UNKNOWN), Answer.IN_DOUBT, "no_answer"),
        (failed(APIConnectionError, phase="body", delivery=Delivery.YES), Answer.UNREADABLE, "answer_unreadable"),
        (failed(ResponseDecodeError, delivery=Delivery.YES), Answer.UNREADABLE, "answer_unreadable"),
        (failed(ResponseTooLargeError, delivery=Delivery.YES), Answer.UNREADABLE, "answer_unreadable"),
        (failed(ResponseTooLargeError, delivery=Delivery.UNKNOWN), Answer.IN_DOUBT, "no_answer"),
        (failed(InvalidArgumentError), Answer.REFUSED, "invalid_argument"),
        (failed(ConfigurationError), Answer.DENIED, "not_possible"),
        (failed(HeroError), Answer.DENIED, "not_possible"),
        (failed(APIStatusError, status=499), Answer.DENIED, "http_499"),
    ],
)
def test_what_an_error_shows(error: HeroError, answer: Answer, reason: str) -> None:
    assert read_error(error) is answer
    assert reason_of(error) == reason


def calm(patience: Patience, answer: Answer, *, tries: int = 0, throttled: int = 0, after: float | None = None) -> Any:
    return patience.wait(answer, tries=tries, throttled=throttled, retry_after=after)


PATIENCE = Patience(tries=3, throttled_tries=5, policy=RetryPolicy(retries=3, uniform=lambda low, high: high))


@pytest.mark.parametrize(
    ("answer", "tries", "throttled", "after", "wait"),
    [
        (Answer.NOT_NOW, 1, 0, None, 0.5),
        (Answer.NOT_NOW, 2, 0, None, 1.0),
        (Answer.NOT_NOW, 3, 0, None, None),
        (Answer.IN_DOUBT, 2, 4, None, 1.0),
        (Answer.THROTTLED, 2, 1, None, 1.5),
        (Answer.THROTTLED, 2, 4, 20.0, 22.0),
        (Answer.THROTTLED, 2, 5, 20.0, None),
        (Answer.THROTTLED, 0, 1, 3600.0, 60.0),
    ],
)
def test_how_long_a_refused_row_waits(
    answer: Answer, tries: int, throttled: int, after: float | None, wait: float | None
) -> None:
    assert calm(PATIENCE, answer, tries=tries, throttled=throttled, after=after) == wait


@pytest.mark.parametrize(
    ("doubts", "given_up", "concurrency", "reason"),
    [
        (99, 0, 1, None),
        (100, 0, 1, "too_many_unknown"),
        (199, 0, 100, None),
        (200, 0, 100, "too_many_unknown"),
        (0, 9, 50, None),
        (0, 10, 50, "unreachable"),
        (0, 1, 1, "unreachable"),
        (0, 0, 50, None),
    ],
)
def test_when_the_campaign_stops_though_no_answer_says_so(
    doubts: int, given_up: int, concurrency: int, reason: str | None
) -> None:
    assert brake(doubts=doubts, given_up=given_up, concurrency=concurrency) == reason
