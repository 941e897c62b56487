"""Every rule of the batch route, as a full table: each state and each answer has its line."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from hero_async.bulk.decide import MOVES, Answer, State
from hero_async.bulk.decide_batch import (
    CHUNK_MOVES,
    OPEN,
    READS,
    SENDS,
    ChunkState,
    ChunkStep,
    Do,
    Narrowing,
    after_chunk_crash,
    after_chunk_send,
    after_create,
    batch_name,
    before_send,
    before_send_missing,
    brake_chunks,
    leaves_draft,
    narrow,
    paths_of,
    recheck,
    row_state,
    settle,
)
from hero_async.errors import BadRequestError, ConflictError

PLANNED, CREATING, CREATED, SENDING, SENT, DONE, UNKNOWN, GONE = ChunkState

CREATES: dict[Answer, tuple[ChunkState, Do, bool]] = {
    Answer.ACCEPTED: (CREATED, Do.SEND, False),
    Answer.UNREADABLE: (PLANNED, Do.RENAME, True),
    Answer.VERIFY: (PLANNED, Do.RENAME, True),
    Answer.IN_DOUBT: (PLANNED, Do.RENAME, True),
    Answer.THROTTLED: (PLANNED, Do.REPEAT, False),
    Answer.NOT_NOW: (PLANNED, Do.REPEAT, False),
    Answer.REFUSED: (PLANNED, Do.NARROW, False),
    Answer.NOT_FOUND: (PLANNED, Do.STOP, False),
    Answer.DENIED: (PLANNED, Do.STOP, False),
}

SENDINGS: dict[tuple[ChunkState, bool, Answer], tuple[ChunkState, Do]] = {
    # The first send; the guard had committed the intent.
    (SENDING, False, Answer.ACCEPTED): (SENT, Do.END),
    (SENDING, False, Answer.UNREADABLE): (SENT, Do.END),
    (SENDING, False, Answer.VERIFY): (SENT, Do.END),
    (SENDING, False, Answer.IN_DOUBT): (SENDING, Do.SETTLE),
    (SENDING, False, Answer.THROTTLED): (CREATED, Do.REPEAT),
    (SENDING, False, Answer.NOT_NOW): (CREATED, Do.REPEAT),
    (SENDING, False, Answer.REFUSED): (CREATED, Do.LOOK),
    (SENDING, False, Answer.NOT_FOUND): (CREATED, Do.STOP),
    (SENDING, False, Answer.DENIED): (CREATED, Do.STOP),
    # The first send; the attempt never came as far as the guard.
    (CREATED, False, Answer.ACCEPTED): (SENT, Do.END),
    (CREATED, False, Answer.UNREADABLE): (SENT, Do.END),
    (CREATED, False, Answer.VERIFY): (SENT, Do.END),
    (CREATED, False, Answer.IN_DOUBT): (CREATED, Do.REPEAT),
    (CREATED, False, Answer.THROTTLED): (CREATED, Do.REPEAT),
    (CREATED, False, Answer.NOT_NOW): (CREATED, Do.REPEAT),
    (CREATED, False, Answer.REFUSED): (CREATED, Do.LOOK),
    (CREATED, False, Answer.NOT_FOUND): (CREATED, Do.STOP),
    (CREATED, False, Answer.DENIED): (CREATED, Do.STOP),
    # A later send: the one before it stays in doubt, whatever is refused now.
    (SENDING, True, Answer.ACCEPTED): (SENT, Do.END),
    (SENDING, True, Answer.UNREADABLE): (SENT, Do.END),
    (SENDING, True, Answer.VERIFY): (SENT, Do.END),
    (SENDING, True, Answer.IN_DOUBT): (SENDING, Do.SETTLE),
    (SENDING, True, Answer.THROTTLED): (SENDING, Do.REPEAT),
    (SENDING, True, Answer.NOT_NOW): (SENDING, Do.REPEAT),
    (SENDING, True, Answer.REFUSED): (SENDING, Do.SETTLE),
    (SENDING, True, Answer.NOT_FOUND): (SENDING, Do.SETTLE),
    (SENDING, True, Answer.DENIED): (SENDING, Do.STOP),
}

SHOWN = ("CREATED", "PENDING", "SENDING", "COMPLETED", "unknown", "missing")


def test_the_table_of_creates_is_full() -> None:
    assert CREATES.keys() == set(Answer)


@pytest.mark.parametrize("answer", CREATES, ids=lambda answer: answer.name)
def test_after_a_create(answer: Answer) -> None:
    state, do, draft = CREATES[answer]
    reason = None if answer is Answer.ACCEPTED else "code"
    assert after_create(answer, rows=3, reason=reason) == ChunkStep(state, do, reason)
    assert leaves_draft(answer) is draft
    assert state in CHUNK_MOVES[CREATING]


def test_a_name_that_is_taken_makes_the_next_one_be_tried() -> None:
    assert after_create(Answer.REFUSED, rows=3, reason="http_409") == ChunkStep(PLANNED, Do.RENAME, "http_409")


def test_the_table_of_sends_is_full() -> None:
    firsts = itertools.product((SENDING, CREATED), (False,), Answer)
    assert SENDINGS.keys() == {*firsts, *itertools.product((SENDING,), (True,), Answer)}


@pytest.mark.parametrize(
    ("state", "again", "answer"), SENDINGS, ids=[f"{s}-{'again' if g else 'first'}-{a.name}" for s, g, a in SENDINGS]
)
def test_after_a_send(state: ChunkState, again: bool, answer: Answer) -> None:
    expected, do = SENDINGS[state, again, answer]
    step = after_chunk_send(state, answer, again=again, reason="code")
    assert (step.state, step.do) == (expected, do)
    if expected is not state:
        assert expected in CHUNK_MOVES[state]


@pytest.mark.parametrize("state", sorted(set(ChunkState) - {CREATED, SENDING}))
def test_no_other_chunk_is_sent(state: ChunkState) -> None:
    with pytest.raises(ValueError, match=f"a chunk that is {state} is not sent"):
        after_chunk_send(state, Answer.ACCEPTED)


@pytest.mark.parametrize("status", SHOWN[:-1])
def test_before_a_send(status: str) -> None:
    went_out = status in ("SENDING", "COMPLETED")
    expected = ChunkStep(SENT, Do.END, "sent_elsewhere") if went_out else ChunkStep(CREATED, Do.SEND)
    assert before_send(status) == expected
    assert recheck(status) == ChunkStep(SENT if went_out else UNKNOWN, Do.END)


def test_a_batch_that_is_gone_is_created_anew() -> None:
    assert before_send_missing() == ChunkStep(PLANNED, Do.RENAME, "batch_gone")
    assert PLANNED in CHUNK_MOVES[CREATED]


SEEN = [seen for length in range(1, READS + 1) for seen in itertools.product(SHOWN, repeat=length)]


@pytest.mark.parametrize("before", SHOWN[:-1])
@pytest.mark.parametrize("resend", [False, True])
@pytest.mark.parametrize("sends", [1, SENDS])
def test_settling_over_every_history(before: str, resend: bool, sends: int) -> None:
    for seen in SEEN:
        over = len(seen) == READS
        step = settle(before, seen, over=over, resend=resend, sends=sends)
        if {"SENDING", "COMPLETED"} & set(seen):
            assert step == ChunkStep(SENT, Do.END)
        elif not over:
            assert step == ChunkStep(SENDING, Do.SETTLE)
        elif resend and sends < SENDS and {before, *seen} == {"CREATED"}:
            assert step == ChunkStep(SENDING, Do.SEND)
        else:
            shown = seen[-1].lower() if seen[-1] in SHOWN[:4] else "unknown"
            assert step == ChunkStep(UNKNOWN, Do.END, f"status_{shown}")


def test_too_few_reads_never_send_again() -> None:
    assert settle("CREATED", ["CREATED"], over=True, resend=True, sends=1).do is Do.END
    assert settle("CREATED", [], over=True, resend=True, sends=1) == ChunkStep(UNKNOWN, Do.END, "status_unknown")


@pytest.mark.parametrize("state", ChunkState)
def test_after_a_crash(state: ChunkState) -> None:
    expected = {CREATING: (PLANNED, Do.RENAME), SENDING: (SENDING, Do.SETTLE)}.get(state, (state, Do.END))
    step = after_chunk_crash(state)
    assert (step.state, step.do) == expected


@pytest.mark.parametrize("state", ChunkState)
def test_rows_move_only_as_rows_may(state: ChunkState) -> None:
    assert (row_state(state) is State.READY) == (state in OPEN | {GONE})
    for target in CHUNK_MOVES[state] - {GONE}:
        old, new = row_state(state), row_state(target)
        assert old is new or new in MOVES[old]


NARROWINGS: list[tuple[str, list[tuple[Any, ...]], int, Narrowing]] = [
    ("one row", [("recipients", 2, "dob")], 4, Narrowing(frozenset({2}), (range(4),))),
    ("an index as text", [("recipients", "1", "nhs_number")], 3, Narrowing(frozenset({1}), (range(3),))),
    ("under body", [("body", "recipients", 0)], 2, Narrowing(frozenset({0}), (range(2),))),
    ("several rows", [("recipients", 0, "a"), ("recipients", 2, "b")], 3, Narrowing(frozenset({0, 2}), (range(3),))),
    ("all rows", [("recipients", 0), ("recipients", 1)], 2, Narrowing(frozenset({0, 1}))),
    ("a row and the list", [("recipients",), ("recipients", 1)], 3, Narrowing(frozenset({1}), (range(3),))),
    ("the list", [("recipients",)], 5, Narrowing(parts=(range(3), range(3, 5)))),
    ("an index that is not there", [("recipients", 9)], 2, Narrowing(parts=(range(1), range(1, 2)))),
    ("a negative index", [("recipients", -1)], 2, Narrowing(parts=(range(1), range(1, 2)))),
    ("nothing said", [], 4, Narrowing(parts=(range(2), range(2, 4)))),
    ("an empty path", [()], 4, Narrowing(parts=(range(2), range(2, 4)))),
    ("the body", [("body",)], 4, Narrowing(parts=(range(2), range(2, 4)))),
    ("alone", [], 1, Narrowing(frozenset({0}))),
    ("the text", [("content",)], 4, Narrowing(stop=True)),
    ("the text and a row", [("recipients", 1), ("content",)], 4, Narrowing(stop=True)),
    ("alone, for the subject", [("subject",)], 1, Narrowing(stop=True)),
]


@pytest.mark.parametrize(
    ("paths", "rows", "expected"), [case[1:] for case in NARROWINGS], ids=[c[0] for c in NARROWINGS]
)
def test_narrowing(paths: list[tuple[str | int, ...]], rows: int, expected: Narrowing) -> None:
    assert narrow(paths, rows=rows) == expected


def test_narrowing_loses_no_row_and_ends() -> None:
    for rows in range(1, 40):
        waiting, alone, rounds = [range(rows)], 0, 0
        while waiting:
            part = waiting.pop()
            found = narrow([], rows=len(part))
            alone += len(found.rejected)
            waiting += [part[p.start : p.stop] for p in found.parts]
            rounds += 1
        assert alone == rows
        assert rounds <= 2 * rows


def test_paths_come_from_a_400_alone() -> None:
    body = b'{"error":true,"statusCode":400,"message":[{"code":"c","expected":"e","path":["recipients",3]}]}'
    assert paths_of(BadRequestError("-", status=400, body=body)) == (("recipients", 3),)
    assert paths_of(BadRequestError("-", status=400, body=b"<html>")) == ()
    assert paths_of(ConflictError("-", status=409, body=body)) == ()


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, None),
        ({"doubts": 4}, None),
        ({"doubts": 5}, "too_many_unknown"),
        ({"given_up": 2}, None),
        ({"given_up": 3}, "unreachable"),
        ({"refused": 19}, None),
        ({"refused": 20}, "all_refused"),
        ({"doubts": 2, "concurrency": 1}, None),
        ({"doubts": 3, "concurrency": 1}, "too_many_unknown"),
        ({"given_up": 1, "concurrency": 1}, "unreachable"),
    ],
    ids=str,
)
def test_the_brake(counts: dict[str, int], expected: str | None) -> None:
    given = {"doubts": 0, "given_up": 0, "refused": 0, "concurrency": 4} | counts
    assert brake_chunks(**given) == expected


def test_names() -> None:
    assert batch_name("c3f2", "0017", 1) == "c3f2-0017"
    assert batch_name("c3f2", "0017.2", 3) == "c3f2-0017.2-r3"
