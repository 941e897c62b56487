"""Group commit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Self

import anyio
import pytest

from hero_async.bulk.decide import State
from hero_async.bulk.errors import OutboxError
from hero_async.bulk.journal import Journal
from hero_async.bulk.outbox import Change, Claim
from hero_async.bulk.progress import Outcome

pytestmark = pytest.mark.anyio


class FakeHold:
    """Remembers groups; a group is durable when the gate opens."""

    def __init__(self) -> None:
        self.groups: list[tuple[list[Change], list[Claim]]] = []
        self.gate = anyio.Event()
        self.gate.set()
        self.error: Exception | None = None

    async def write(self, changes: Collection[Change], claims: Collection[Claim]) -> Collection[int]:
        self.groups.append((list(changes), list(claims)))
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return [claim.line for claim in claims if claim.patient == b"taken"]


class Desk:
    """A journal at work."""

    def __init__(self, workers: int = 1000) -> None:
        self.hold = FakeHold()
        self.published: list[Outcome] = []
        hold: Any = self.hold
        self.journal = Journal(hold, self.publish, workers)
        self.group = anyio.create_task_group()

    def publish(self, outcomes: Sequence[Outcome]) -> None:
        self.published.extend(outcomes)

    async def __aenter__(self) -> Self:
        await self.group.__aenter__()
        self.group.start_soon(self.journal.run)
        return self

    async def __aexit__(self, *error: object) -> None:
        self.journal.close()
        await self.group.__aexit__(*error)


async def test_many_intents_share_one_write() -> None:
    async with Desk() as desk, anyio.create_task_group() as group:
        for line in range(50):
            group.start_soon(desk.journal.commit, Change(line, State.SENDING))
    assert [len(changes) for changes, _ in desk.hold.groups] == [50]


async def test_when_all_workers_wait_nothing_more_is_gathered() -> None:
    async with Desk(workers=3) as desk, anyio.create_task_group() as group:
        for line in range(3):
            group.start_soon(desk.journal.commit, Change(line, State.SENDING))
        for _ in range(4):
            await anyio.lowlevel.checkpoint()
        assert len(desk.hold.groups) == 1  # without any time having passed


async def test_a_final_state_is_durable_no_later_than_the_next_intent() -> None:
    async with Desk() as desk:
        await desk.journal.commit(Change(1, State.SENDING))
        desk.journal.put(Change(1, State.SENT), Outcome(1, State.SENT))
        assert desk.published == []
        await desk.journal.commit(Change(2, State.SENDING))
        written = [change for changes, _ in desk.hold.groups for change in changes]
        assert written.index(Change(1, State.SENT)) < written.index(Change(2, State.SENDING))
        assert desk.published == [Outcome(1, State.SENT)]


async def test_a_final_state_is_written_though_no_intent_follows() -> None:
    async with Desk() as desk:
        desk.journal.put(Change(1, State.SENT), Outcome(1, State.SENT))
        with anyio.fail_after(5):
            while not desk.published:
                await anyio.lowlevel.checkpoint()


async def test_what_is_left_is_written_at_the_end() -> None:
    async with Desk() as desk:
        desk.journal.put(Change(1, State.SENT), Outcome(1, State.SENT))
    assert desk.hold.groups == [([Change(1, State.SENT)], [])]
    assert desk.published == [Outcome(1, State.SENT)]


async def test_of_two_changes_of_a_row_in_one_group_the_last_counts() -> None:
    async with Desk() as desk:
        desk.journal.put(Change(1, State.SENDING))
        desk.journal.put(Change(1, State.READY))
    assert desk.hold.groups == [([Change(1, State.READY)], [])]


async def test_one_who_is_cancelled_takes_no_one_along() -> None:
    async with Desk() as desk:
        desk.hold.gate = anyio.Event()
        finished: list[int] = []

        async def commit(line: int) -> None:
            await desk.journal.commit(Change(line, State.SENDING))
            finished.append(line)

        async with anyio.create_task_group() as group:
            group.start_soon(commit, 1)
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as inner:
                    inner.start_soon(commit, 2)
                    while not desk.hold.groups:
                        await anyio.lowlevel.checkpoint()
                    scope.cancel()
                    desk.hold.gate.set()
    assert finished == [1]


async def test_a_cancel_of_everything_still_writes_what_was_put() -> None:
    with anyio.CancelScope() as scope:
        async with Desk() as desk:
            desk.journal.put(Change(1, State.SENT), Outcome(1, State.SENT))
            scope.cancel()
            await anyio.lowlevel.checkpoint()
    assert desk.published == [Outcome(1, State.SENT)]


async def test_a_claim_tells_whether_it_was_taken() -> None:
    async with Desk() as desk:
        assert await desk.journal.claim(Claim(1, "7", b"free"))
        assert not await desk.journal.claim(Claim(2, "7", b"taken"))


async def test_after_a_failed_write_nothing_is_written_and_nothing_published() -> None:
    async with Desk() as desk:
        desk.hold.error = OutboxError("it.outbox: the disk is full")
        desk.journal.put(Change(1, State.SENT), Outcome(1, State.SENT))
        for line in (2, 3):
            with pytest.raises(OutboxError, match="the disk is full"):
                await desk.journal.commit(Change(line, State.SENDING))
        desk.hold.error = None
        with pytest.raises(OutboxError, match="the disk is full"):
            await desk.journal.claim(Claim(4, "7", None))
    assert len(desk.hold.groups) == 1
    assert desk.published == []
    assert desk.journal.failure == "it.outbox: the disk is full"
