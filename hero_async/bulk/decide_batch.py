"""Every rule of the batch route, as pure functions: a chunk of rows is one batch, created, then sent.

    planned ──> creating ──> created ──> sending ──> sent ──> done
       ^           │            ^          │  └────> unknown
       └── retry ──┘            └── NO ────┘

Creating a batch sends nothing. So a create whose answer was lost is never adopted: its draft is reported and left
alone, and the chunk is created anew under its next name. A chunk has one batch, committed before it is sent, and the
intent to send it, with the status that the batch had then, is committed before the first byte.

The rows of a chunk that is `planned`, `creating` or `created` are ready; else they are what the chunk is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, StrEnum
from typing import Final

import attrs

from hero_async.api.batch_messages import BatchMessageStatus
from hero_async.bulk.decide import Answer, State
from hero_async.errors import BadRequestError, HeroError

READS: Final = 3
"""How often the status is read in a settle window, before nothing is taken for an answer."""

SENDS: Final = 3
"""How often a chunk is sent at most, where it may be sent again."""


class ChunkState(StrEnum):
    """Where a chunk stands."""

    PLANNED = "planned"
    """Its rows are chosen. No batch of it will be used."""

    CREATING = "creating"
    """A create is under way."""

    CREATED = "created"
    """It has a batch, which was not sent, as far as the server showed."""

    SENDING = "sending"
    """The intent to send is on disk; the server may have acted on it."""

    SENT = "sent"
    """Accepted by Hero. What became of its recipients was not asked yet."""

    DONE = "done"
    """Accepted by Hero, and there is nothing more to ask."""

    UNKNOWN = "unknown"
    """May or may not have been accepted."""

    GONE = "gone"
    """Its rows were rejected, or went into smaller chunks."""


CHUNK_MOVES: Final[Mapping[ChunkState, frozenset[ChunkState]]] = {
    ChunkState.PLANNED: frozenset({ChunkState.CREATING, ChunkState.GONE}),
    ChunkState.CREATING: frozenset({ChunkState.PLANNED, ChunkState.CREATED, ChunkState.GONE}),
    ChunkState.CREATED: frozenset({ChunkState.PLANNED, ChunkState.SENDING, ChunkState.SENT, ChunkState.GONE}),
    ChunkState.SENDING: frozenset({ChunkState.SENDING, ChunkState.CREATED, ChunkState.SENT, ChunkState.UNKNOWN}),
    ChunkState.SENT: frozenset({ChunkState.DONE}),
    ChunkState.UNKNOWN: frozenset({ChunkState.SENT}),
    ChunkState.DONE: frozenset(),
    ChunkState.GONE: frozenset(),
}
"""The moves an outbox allows a chunk. It refuses any other."""

OPEN: Final = frozenset({ChunkState.PLANNED, ChunkState.CREATING, ChunkState.CREATED})
"""States of a chunk whose rows are ready."""

_ROWS: Final[Mapping[ChunkState, State]] = {
    ChunkState.SENDING: State.SENDING,
    ChunkState.SENT: State.SENT,
    ChunkState.DONE: State.SENT,
    ChunkState.UNKNOWN: State.UNKNOWN,
}


def row_state(state: ChunkState) -> State:
    """What the rows of a chunk are."""
    return _ROWS.get(state, State.READY)


class Do(Enum):
    """What to do with a chunk next."""

    CREATE = "create"
    """Create it, under the name that it has."""

    RENAME = "rename"
    """Create it under its next name, after a wait. The one before it may exist as a draft."""

    NARROW = "narrow"
    """Take the bad rows out, or halve it. See `narrow`."""

    SEND = "send"
    """Send its batch."""

    REPEAT = "repeat"
    """The same call again, after a wait."""

    LOOK = "look"
    """Read the status again, after a wait, and decide by `before_send`."""

    SETTLE = "settle"
    """Read the status in a settle window, and decide by `settle`."""

    END = "end"
    """Nothing: its state is final, for now."""

    STOP = "stop"
    """Stop the campaign: the next chunk would fare the same."""


@attrs.frozen
class ChunkStep:
    """A rule's verdict."""

    state: ChunkState
    """What the chunk becomes."""

    do: Do
    reason: str | None = None


def after_create(answer: Answer, *, rows: int, reason: str | None = None) -> ChunkStep:
    """What a chunk becomes after an attempt to create its batch.

    Args:
        answer: What the attempt showed.
        rows: How many recipients it had.
        reason: A code for it.
    """
    match answer:
        case Answer.ACCEPTED:
            return ChunkStep(ChunkState.CREATED, Do.SEND)
        case Answer.UNREADABLE | Answer.VERIFY | Answer.IN_DOUBT:
            return ChunkStep(ChunkState.PLANNED, Do.RENAME, reason)
        case Answer.THROTTLED | Answer.NOT_NOW:
            return ChunkStep(ChunkState.PLANNED, Do.REPEAT, reason)
        case Answer.REFUSED if reason == "http_409":  # a name that must be unique, in all likelihood
            return ChunkStep(ChunkState.PLANNED, Do.RENAME, reason)
        case Answer.REFUSED:
            return ChunkStep(ChunkState.PLANNED, Do.NARROW, reason or "refused")
        case Answer.NOT_FOUND | Answer.DENIED:
            return ChunkStep(ChunkState.PLANNED, Do.STOP, reason)


def leaves_draft(answer: Answer) -> bool:
    """Whether a create that was answered so may have made a batch that nobody will send."""
    return answer in (Answer.UNREADABLE, Answer.VERIFY, Answer.IN_DOUBT)


@attrs.frozen
class Narrowing:
    """How a chunk that was refused goes on. Rows are places in the chunk, from 0."""

    rejected: frozenset[int] = frozenset()
    """Rows that will not be sent."""

    parts: tuple[range, ...] = ()
    """The chunks that take its place, less what is rejected."""

    stop: bool = False
    """It was refused for what all chunks have alike: the text, the subject, the channel."""


def narrow(paths: Sequence[tuple[str | int, ...]], *, rows: int) -> Narrowing:
    """What to do with a chunk whose create was refused for what it holds.

    Args:
        paths: Where the server found faults. None, if it did not say, or if there was too much.
        rows: How many recipients the chunk has.
    """
    places = [_place(path) for path in paths]
    if any(place == _ELSEWHERE for place in places):
        return Narrowing(stop=True)
    rejected = frozenset(place for place in places if 0 <= place < rows)
    if rejected:
        return Narrowing(rejected, (range(rows),) if len(rejected) < rows else ())
    if rows == 1:
        return Narrowing(frozenset({0}))
    half = (rows + 1) // 2
    return Narrowing(parts=(range(half), range(half, rows)))


_ELSEWHERE: Final = -1
_NOWHERE: Final = -2


def _place(path: tuple[str | int, ...]) -> int:
    """The recipient that a path names; or that it names a field beside them; or that it tells nothing."""
    if "recipients" not in path:
        return _ELSEWHERE if path and path != ("body",) else _NOWHERE
    rest = path[path.index("recipients") + 1 :]
    if rest and str(rest[0]).isascii() and str(rest[0]).isdigit():
        return int(rest[0])
    return _NOWHERE


def paths_of(error: HeroError) -> tuple[tuple[str | int, ...], ...]:
    """Where a server found faults, if it said."""
    return tuple(issue.path for issue in error.issues) if isinstance(error, BadRequestError) else ()


def _went_out(status: str) -> bool:
    return status in (BatchMessageStatus.SENDING, BatchMessageStatus.COMPLETED)


def before_send(status: str) -> ChunkStep:
    """What to do with a chunk that was not sent by us, now that its batch's status is known."""
    if _went_out(status):  # by a person in Hero: it is our batch, with our recipients
        return ChunkStep(ChunkState.SENT, Do.END, "sent_elsewhere")
    return ChunkStep(ChunkState.CREATED, Do.SEND)


def before_send_missing() -> ChunkStep:
    """What to do with a chunk that was not sent, when its batch is not there (any more)."""
    return ChunkStep(ChunkState.PLANNED, Do.RENAME, "batch_gone")


def after_chunk_send(state: ChunkState, answer: Answer, *, again: bool = False, reason: str | None = None) -> ChunkStep:
    """What a chunk becomes after an attempt to send its batch.

    Args:
        state: `sending` if the guard had committed the intent, `created` if the attempt never came so far.
        answer: What the attempt showed.
        again: Whether an earlier send is in doubt. Then no answer but a 2xx is a proof of anything.
        reason: A code for it.
    """
    if state not in (ChunkState.CREATED, ChunkState.SENDING):
        raise ValueError(f"a chunk that is {state} is not sent")
    back = ChunkState.SENDING if again else ChunkState.CREATED
    match answer:
        case Answer.ACCEPTED:
            return ChunkStep(ChunkState.SENT, Do.END)
        case Answer.UNREADABLE | Answer.VERIFY:
            return ChunkStep(ChunkState.SENT, Do.END, reason or "answer_unreadable")
        case Answer.IN_DOUBT if state is ChunkState.SENDING:
            return ChunkStep(ChunkState.SENDING, Do.SETTLE, reason)
        case Answer.IN_DOUBT:  # the intent was never committed, so no byte of this chunk can have left
            return ChunkStep(ChunkState.CREATED, Do.REPEAT, reason)
        case Answer.THROTTLED | Answer.NOT_NOW:
            return ChunkStep(back, Do.REPEAT, reason)
        case Answer.DENIED:
            return ChunkStep(back, Do.STOP, reason)
        case Answer.NOT_FOUND if not again:
            return ChunkStep(back, Do.STOP, reason)
        case Answer.REFUSED | Answer.NOT_FOUND:
            return ChunkStep(back, Do.SETTLE if again else Do.LOOK, reason)


def settle(before: str, seen: Sequence[str], *, over: bool, resend: bool, sends: int) -> ChunkStep:
    """What a chunk becomes whose send is in doubt, by the status of its batch.

    SENDING and COMPLETED prove that it was sent. PENDING proves it neither way: a batch may become PENDING by itself,
    between the moment that its status was journalled and the moment that it was read.

    Args:
        before: The status that was journalled before the send.
        seen: What was read since, oldest first.
        over: Whether the window has ended.
        resend: Whether a chunk that is CREATED throughout may be sent again.
        sends: How often it was sent so far.
    """
    if any(map(_went_out, seen)):
        return ChunkStep(ChunkState.SENT, Do.END)
    if not over:
        return ChunkStep(ChunkState.SENDING, Do.SETTLE)
    throughout = len(seen) >= READS and {before, *seen} == {BatchMessageStatus.CREATED.value}
    if resend and throughout and sends < SENDS:
        return ChunkStep(ChunkState.SENDING, Do.SEND)
    last = seen[-1] if seen else ""
    known = last if last in _SHOWN else "unknown"
    return ChunkStep(ChunkState.UNKNOWN, Do.END, f"status_{known.lower()}")


_SHOWN: Final = frozenset(status.value for status in BatchMessageStatus)


def recheck(status: str) -> ChunkStep:
    """What an unknown chunk becomes when a later run looks at its batch again: proof settles it, nothing else does."""
    if _went_out(status):
        return ChunkStep(ChunkState.SENT, Do.END)
    return ChunkStep(ChunkState.UNKNOWN, Do.END)


def after_chunk_crash(state: ChunkState) -> ChunkStep:
    """What a chunk becomes when an outbox is taken up whose last run did not end."""
    match state:
        case ChunkState.CREATING:
            return ChunkStep(ChunkState.PLANNED, Do.RENAME, "interrupted")
        case ChunkState.SENDING:
            return ChunkStep(ChunkState.SENDING, Do.SETTLE, "interrupted")
        case _:
            return ChunkStep(state, Do.END)


def brake_chunks(*, doubts: int, given_up: int, refused: int, concurrency: int) -> str | None:
    """Why the campaign must stop though no answer says so, or None.

    Args:
        doubts: Sends in a row whose answer was lost.
        given_up: Chunks in a row that no attempt got through for.
        refused: Rows in a row that were refused alone, with no chunk accepted between them.
        concurrency: How many chunks are under way at once: one cut can put that many in doubt.
    """
    if doubts >= max(3, concurrency + 1):
        return "too_many_unknown"
    if given_up >= min(3, concurrency):
        return "unreachable"
    if refused >= 20:
        return "all_refused"
    return None


def batch_name(tag: str, label: str, revision: int) -> str:
    """The name of a chunk's batch: the same campaign, chunk and revision, the same name.

    Args:
        tag: Of the campaign.
        label: Of the chunk.
        revision: Which create this is, from 1.
    """
    name = f"{tag}-{label}"
    return name if revision == 1 else f"{name}-r{revision}"
