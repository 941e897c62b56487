"""One run of a campaign: its workers, and what stops them all."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import anyio

from hero_async import clock
from hero_async.bulk import decide
from hero_async.bulk.decide import State
from hero_async.bulk.errors import OutboxError
from hero_async.bulk.feed import Feed
from hero_async.bulk.identity import Hasher
from hero_async.bulk.journal import Journal
from hero_async.bulk.outbox import Hold
from hero_async.bulk.outflow import Outflow
from hero_async.bulk.plan import Plan
from hero_async.bulk.progress import Progress
from hero_async.bulk.steering import WORDS, Hand, Manner, Steering, first_of
from hero_async.bulk.worker import Worker

if TYPE_CHECKING:
    from hero_async.client import AsyncHero


class Sender(Steering):
    """Sends what a feed hands out.

    Args:
        hero: The client. Its retries are switched off, its connections, limits and timeouts are used.
        plan: The campaign.
        hold: The outbox.
        feed: Where jobs come from.
        outflow: Where outcomes go.
        progress: What is counted.
        manner: How to go about it.
        concurrency: How many rows are under way at once.
    """

    def __init__(
        self,
        hero: AsyncHero,
        plan: Plan,
        *,
        hold: Hold,
        feed: Feed,
        outflow: Outflow,
        progress: Progress,
        manner: Manner,
        concurrency: int,
    ) -> None:
        super().__init__(hero, plan, source=feed, outflow=outflow, progress=progress, manner=manner)
        self.hasher: Hasher = hold.hasher
        self.feed = feed
        self.journal: Journal = Journal(hold, outflow.publish, concurrency)
        self._workers = [Worker(self) for _ in range(concurrency)]
        self._doubts = 0
        self._given_up = 0

    async def run(self) -> None:
        """Send until the feed ends, a drain, or a stop.

        Raises:
            CampaignStoppedError: Every further row would fare the same.
            OutboxError: The outbox can no longer be written.
            InputChangedError: A row has changed.
        """
        self.progress.started_at = clock.monotonic()
        try:
            async with anyio.create_task_group() as outer:
                outer.start_soon(self.journal.run)
                try:
                    await self._work()
                finally:
                    self.feed.close()
                    self.journal.close()
        except BaseExceptionGroup as group:  # an interrupt, or a bug in an outbox: all else goes through `fail`
            raise first_of(group) from None
        finally:
            self.progress.stopped_at = clock.monotonic()
        if self._failure is not None:
            raise self._failure
        if self.journal.failure is not None:
            raise OutboxError(self.journal.failure)

    async def _work(self) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self.read_ahead)
            for worker in self._workers:
                group.start_soon(worker.run)

    def hands(self) -> Collection[Hand]:
        """All who work for the run."""
        return self._workers

    def settled(self, state: State) -> None:
        """Count a settled row, and stop if the server answers nothing clear any more."""
        self.progress.settle(state)
        self.count_errors(state)
        self._given_up = 0
        if state is State.UNKNOWN:
            self._doubts += 1
            self._brake()
        else:
            self._doubts = 0

    def gave_up(self) -> None:
        """Count a row that no attempt got through for."""
        self._given_up += 1
        self._brake()

    def _brake(self) -> None:
        reason = decide.brake(doubts=self._doubts, given_up=self._given_up, concurrency=len(self._workers))
        if reason is not None:
            self.stop(reason, WORDS[reason])
