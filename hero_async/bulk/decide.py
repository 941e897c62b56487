"""Every rule of a campaign, as pure functions: what a row is and what came of it -> what it becomes.

    ready ──> sending ──> sent        accepted by Hero
      ^          │  ├───> rejected    will not be sent
      └── NO ────┘  └───> unknown     may have been sent: only a person's word moves it

`sending` is committed before the first byte of `messages.send`, so a row that is still `ready` was never sent.
The functions of this module are the rules of the personal route, one message a call. No I/O, no time, no chance.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Final, Literal

import attrs

from hero_async.delivery import Delivery
from hero_async.errors import (
    APIConnectionError,
    APIStatusError,
    HeroError,
    InvalidArgumentError,
    RateLimitError,
)
from hero_async.retries import Failure, RetryPolicy

Word = Literal["sent", "unsent"]


class State(StrEnum):
    """Where a row stands."""

    READY = "ready"
    """To be sent. Nothing has left for it, or the server proved that it refused it for now."""

    SENDING = "sending"
    """The intent is on disk; bytes may be under way."""

    SENT = "sent"
    """Accepted by Hero."""

    REJECTED = "rejected"
    """Will not be sent; the reason says why."""

    UNKNOWN = "unknown"
    """May or may not have been accepted. Never sent again by itself."""


FINAL: Final = frozenset({State.SENT, State.REJECTED, State.UNKNOWN})
"""States that a run does not leave by itself."""

MOVES: Final[Mapping[State, frozenset[State]]] = {
    State.READY: frozenset({State.READY, State.SENDING, State.SENT, State.REJECTED}),
    State.SENDING: frozenset({State.READY, State.SENT, State.REJECTED, State.UNKNOWN}),
    State.UNKNOWN: frozenset({State.SENT, State.READY}),
    State.SENT: frozenset(),
    State.REJECTED: frozenset(),
}
"""The moves an outbox allows. It refuses any other, whoever asks: the last line of defence.

`ready -> sent` is there for a client that did not await the guard: what was accepted is never forgotten."""


class Answer(Enum):
    """What an attempt showed, reduced to what the rules need."""

    ACCEPTED = "accepted"
    """2xx, read."""

    UNREADABLE = "unreadable"
    """2xx, but the body was cut or could not be read."""

    VERIFY = "verify"
    """2xx of a registration, with a `login_url` in place of a patient."""

    IN_DOUBT = "in doubt"
    """Delivery.UNKNOWN: a lost answer, a time-out after the first byte, 408, 3xx, 5xx, a cancel."""

    THROTTLED = "throttled"
    """429, or the wait for the practice's turn was longer than the call's deadline."""

    NOT_NOW = "not now"
    """Nothing was processed, and it can pass: DNS, connect, pool."""

    REFUSED = "refused"
    """Refused for what this row holds: 400, 409, 413, 422, or an argument that the SDK refuses."""

    NOT_FOUND = "not found"
    """404."""

    DENIED = "denied"
    """Refused whatever the row holds: 401, 403, any other 4xx, a certificate, a setting."""


class Action(Enum):
    """What to do with the row next."""

    SETTLE = "settle"
    """Nothing: its state is final."""

    SEND = "send"
    """Go on to `messages.send`."""

    REPEAT = "repeat"
    """The same call again, after a wait."""

    STOP = "stop"
    """Stop the campaign: the next row would fare the same."""


@attrs.frozen
class Step:
    """A rule's verdict."""

    state: State
    """What the row becomes."""

    action: Action
    reason: str | None = None
    """A code for the journal, the results and the eye; never a value."""


_SENT: Final = Step(State.SENT, Action.SETTLE)
_OF_THE_ROW: Final = frozenset({400, 409, 413, 422})


def read_error(error: HeroError) -> Answer:
    """What an error of a call shows."""
    if isinstance(error, RateLimitError) or getattr(error, "phase", None) == "throttle":
        return Answer.THROTTLED
    if error.delivery is Delivery.UNKNOWN:
        return Answer.IN_DOUBT
    if error.delivery is Delivery.YES:
        return Answer.UNREADABLE
    if isinstance(error, APIStatusError):
        if error.status in _OF_THE_ROW:
            return Answer.REFUSED
        return Answer.NOT_FOUND if error.status == 404 else Answer.DENIED
    if isinstance(error, InvalidArgumentError):
        return Answer.REFUSED
    if isinstance(error, APIConnectionError) and error.phase != "tls":
        return Answer.NOT_NOW
    return Answer.DENIED


def reason_of(error: HeroError) -> str:
    """A code for what went wrong, such as "http_400". No value."""
    if isinstance(error, APIStatusError):
        return f"http_{error.status}"
    if isinstance(error, InvalidArgumentError):
        return "invalid_argument"
    if error.delivery is not Delivery.NO:
        return "no_answer" if error.delivery is Delivery.UNKNOWN else "answer_unreadable"
    return f"not_sent_{error.phase}" if isinstance(error, APIConnectionError) else "not_possible"


def may_start(state: State) -> bool:
    """Whether a run may take the row up."""
    return state is State.READY


def after_send(state: State, answer: Answer, reason: str | None = None) -> Step:
    """What a row becomes after an attempt at `messages.send`.

    Args:
        state: `sending` if the guard had committed the intent, `ready` if the attempt never came so far.
        answer: What the attempt showed.
        reason: A code for it.
    """
    if state not in (State.READY, State.SENDING):
        raise ValueError(f"a row that is {state} is not sent")
    match answer:
        case Answer.ACCEPTED:
            return _SENT
        case Answer.UNREADABLE | Answer.VERIFY:
            return Step(State.SENT, Action.SETTLE, reason or "answer_unreadable")
        case Answer.IN_DOUBT if state is State.SENDING:
            return Step(State.UNKNOWN, Action.SETTLE, reason or "no_answer")
        case Answer.IN_DOUBT:  # the intent was never committed, so no byte of this row can have left
            return Step(State.READY, Action.REPEAT, reason)
        case Answer.THROTTLED | Answer.NOT_NOW:
            return Step(State.READY, Action.REPEAT, reason)
        case Answer.REFUSED:
            return Step(State.REJECTED, Action.SETTLE, reason or "refused")
        case Answer.NOT_FOUND | Answer.DENIED:
            return Step(State.READY, Action.STOP, reason)


def after_register(answer: Answer, reason: str | None = None) -> Step:
    """What a row becomes after an attempt at `patients.register_pds`. It is repeated freely: it is idempotent."""
    match answer:
        case Answer.ACCEPTED:
            return Step(State.READY, Action.SEND)
        case Answer.VERIFY:
            return Step(State.REJECTED, Action.SETTLE, "verification_required")
        case Answer.NOT_FOUND:
            return Step(State.REJECTED, Action.SETTLE, "no_patient_found")
        case Answer.REFUSED:
            return Step(State.REJECTED, Action.SETTLE, reason or "refused")
        case Answer.IN_DOUBT | Answer.UNREADABLE | Answer.THROTTLED | Answer.NOT_NOW:
            return Step(State.READY, Action.REPEAT, reason)
        case Answer.DENIED:
            return Step(State.READY, Action.STOP, reason)


def after_claim(*, taken: bool) -> Step:
    """What a row becomes when its patient is known: the second row of one patient is not sent."""
    if taken:
        return Step(State.REJECTED, Action.SETTLE, "duplicate_person")
    return Step(State.READY, Action.SEND)


def after_cancel(state: State) -> Step:
    """What a row becomes when its call was cancelled at `messages.send`."""
    if state is State.SENDING:
        return Step(State.UNKNOWN, Action.SETTLE, "cancelled")
    return Step(State.READY, Action.SETTLE)


def after_crash(state: State) -> Step:
    """What a row becomes when an outbox is taken up whose last run did not end."""
    if state is State.SENDING:
        return Step(State.UNKNOWN, Action.SETTLE, "interrupted")
    return Step(state, Action.SETTLE)


def after_word(state: State, word: Word) -> Step:
    """What a row becomes on a person's word. Only what is unknown can be marked.

    Raises:
        ValueError: The row is in another state.
    """
    if state is not State.UNKNOWN:
        raise ValueError(f"only an unknown row can be marked; this one is {state}")
    if word == "sent":
        return Step(State.SENT, Action.SETTLE, "marked_sent")
    return Step(State.READY, Action.SETTLE, "marked_unsent")


@attrs.frozen(kw_only=True)
class Patience:
    """How long one run keeps trying a row that is refused for now. Then the row stays `ready`, for the next run.

    A wait is `RetryPolicy`'s: Retry-After where the server says, else full jitter under a doubling ceiling.
    """

    tries: int = 8
    """Attempts that could not be made or, of a registration, were in doubt. About 25 seconds in all."""

    throttled_tries: int = 100
    """Attempts that met the rate limit. The practice is paused by the client; this only ends what never ends."""

    policy: RetryPolicy = attrs.field(factory=RetryPolicy)

    def wait(self, answer: Answer, *, tries: int, throttled: int, retry_after: float | None = None) -> float | None:
        """Seconds until the next attempt, or None: leave the row `ready`.

        Args:
            answer: What the last attempt showed.
            tries: Attempts so far that were not throttled, the last one included.
            throttled: Attempts so far that were.
            retry_after: What the server asked for.
        """
        limited = answer is Answer.THROTTLED
        done, most = (throttled, self.throttled_tries) if limited else (tries, self.tries)
        if done >= most:
            return None
        failure = Failure(Delivery.NO, idempotent=True, status=429 if limited else None, retry_after=retry_after)
        return self.policy.wait(done, failure)


class ErrorRate:
    """The share of the last rows that were rejected or became unknown."""

    __slots__ = ("_bad", "_last")

    MOST: Final = 200
    """Rows that are looked at."""

    LEAST: Final = 20
    """Below so many the share is 0: the first row would be all or nothing."""

    def __init__(self) -> None:
        self._last: deque[bool] = deque()
        self._bad = 0

    def add(self, state: State, rows: int = 1) -> float:
        """Count rows that were settled alike. Gives the share."""
        is_bad = state in (State.REJECTED, State.UNKNOWN)
        for _ in range(min(rows, self.MOST)):
            self._last.append(is_bad)
            self._bad += is_bad
            if len(self._last) > self.MOST:
                self._bad -= self._last.popleft()
        return self._bad / len(self._last) if len(self._last) >= self.LEAST else 0.0


def brake(*, doubts: int, given_up: int, concurrency: int) -> str | None:
    """Why the campaign must stop though no answer says so, or None.

    A server that answers nothing clear would park the whole list as unknown, for a person to sort out row by row.

    Args:
        doubts: Rows in a row that became unknown, with no clear answer between them.
        given_up: Rows in a row that no attempt got through for.
        concurrency: How many rows are under way at once: one cut can put that many in doubt.
    """
    if doubts >= max(100, 2 * concurrency):
        return "too_many_unknown"
    if given_up >= min(10, concurrency):
        return "unreachable"
    return None
