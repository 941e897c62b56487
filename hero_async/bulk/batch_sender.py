"""One run of a campaign on the batch route: its workers, what is in doubt beside them, and what is asked at the end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from hero_async import clock
from hero_async.bulk import decide_batch
from hero_async.bulk.batch_worker import BatchWorker
from hero_async.bulk.chunk_feed import ChunkFeed
from hero_async.bulk.chunks import Chunk, Member
from hero_async.bulk.collector import Collector
from hero_async.bulk.decide import State
from hero_async.bulk.decide_batch import ChunkState
from hero_async.bulk.outbox import Hold
from hero_async.bulk.outflow import Outflow
from hero_async.bulk.plan import Plan
from hero_async.bulk.progress import Outcome, Progress
from hero_async.bulk.settler import Settler
from hero_async.bulk.steering import WORDS, Hand, Manner, Scoped, Steering, first_of

if TYPE_CHECKING:
    from hero_async.client import AsyncHero


class BatchSender(Steering):
    """Sends the chunks that a feed hands out.

    Args:
        hero: The client.
        plan: The campaign.
        hold: The outbox.
        feed: Where chunks come from.
        outflow: Where outcomes go.
        progress: What is counted.
        manner: How to go about it.
        concurrency: How many chunks are under way at once.
    """

    def __init__(
        self,
        hero: AsyncHero,
        plan: Plan,
        *,
        hold: Hold,
        feed: ChunkFeed,
        outflow: Outflow,
        progress: Progress,
        manner: Manner,
        concurrency: int,
    ) -> None:
        super().__init__(hero, plan, source=feed, outflow=outflow, progress=progress, manner=manner)
        self.hold = hold
        self.feed = feed
        self.tag: str = hold.binding.tag
        self.window: float = manner.settle
        self.resend_created: bool = manner.resend_created
        self.collect: float = manner.collect or 0.0
        self._collects = manner.collect is not None
        self._reading = hero
        self._workers = [BatchWorker(self) for _ in range(concurrency)]
        self._beside: set[Scoped] = set()
        self._group: TaskGroup | None = None
        self._doubts = self._given_up = self._refused = 0

    def reader(self, practice: str) -> AsyncHero:
        """The client for what may be repeated freely, with its own retries."""
        return self._reading.with_options(practice_group_id=practice)

    def hands(self) -> Collection[Hand]:
        """All who work for the run."""
        return [*self._workers, *self._beside]

    async def run(self) -> None:
        """Send until the feed ends, a drain, or a stop.

        Raises:
            CampaignStoppedError: Every further chunk would fare the same.
            OutboxError: The outbox can no longer be written.
            InputChangedError: A row has changed.
        """
        self.progress.started_at = clock.monotonic()
        try:
            async with anyio.create_task_group() as group:
                self._group = group
                await self._take_up(ChunkState.SENDING)
                await self._take_up(ChunkState.UNKNOWN)
                group.start_soon(self.read_ahead)
                for worker in self._workers:
                    group.start_soon(worker.run)
            if self._collects and not self.stopping:
                await self._collect()
        except BaseExceptionGroup as group:  # an interrupt, or a bug in an outbox: all else goes through `fail`
            raise first_of(group) from None
        finally:
            self.feed.close()
            self.progress.stopped_at = clock.monotonic()
        if self._failure is not None:
            raise self._failure

    async def _take_up(self, state: ChunkState) -> None:
        """Look at what earlier runs left in doubt."""
        after = 0
        while found := await self.hold.chunks({state}, after):
            for chunk in found:
                self._settle_beside(chunk)
            after = found[-1].id

    def _settle_beside(self, chunk: Chunk) -> None:
        settler = Settler(self)
        self._beside.add(settler)
        assert self._group is not None  # noqa: S101  # it runs
        self._group.start_soon(self._settle, settler, chunk)

    async def _settle(self, settler: Settler, chunk: Chunk) -> None:
        try:
            await settler.run(chunk)
        finally:
            self._beside.discard(settler)

    async def _collect(self) -> None:
        """Ask what became of the recipients, a few batches at a time."""
        after = 0
        while (found := await self.hold.chunks({ChunkState.SENT}, after, len(self._workers))) and not self.stopping:
            async with anyio.create_task_group() as group:
                for chunk in found:
                    group.start_soon(self._collect_one, chunk)
            after = found[-1].id

    async def _collect_one(self, chunk: Chunk) -> None:
        collector = Collector(self)
        self._beside.add(collector)
        try:
            await collector.run(chunk)
        finally:
            self._beside.discard(collector)

    def tell(self, members: Sequence[Member], old: State, new: State, reason: str | None, batch_id: str | None) -> None:
        """These rows are settled, durably."""
        progress = self.progress
        if old is State.UNKNOWN:
            progress.unknown -= len(members)
        else:
            progress.sending -= len(members)
        progress.settle(new, len(members))
        self.count_errors(new, len(members))
        self.outflow.publish([Outcome(line, new, reason, None, reference, batch_id) for line, reference in members])

    def accepted(self) -> None:
        """A chunk went out: the server works."""
        self._doubts = self._given_up = self._refused = 0

    async def doubt(self, number: int) -> None:
        """The answer to a send was lost: settle it beside the others."""
        for chunk in await self.hold.chunks({ChunkState.SENDING}, number - 1, 1):
            self._settle_beside(chunk)
        self._doubts += 1
        self._brake()

    def gave_up(self) -> None:
        """No attempt got through for a chunk."""
        self._given_up += 1
        self._brake()

    def refused(self, rows: int) -> None:
        """So many rows were refused alone, without a word why."""
        self._refused += rows
        self._brake()

    def _brake(self) -> None:
        reason = decide_batch.brake_chunks(
            doubts=self._doubts, given_up=self._given_up, refused=self._refused, concurrency=len(self._workers)
        )
        if reason is not None:
            self.stop(reason, WORDS[reason])
