"""One run of a campaign: its workers, and what stops them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import anyio
import attrs

from hero_async import clock
from hero_async.bulk import decide
from hero_async.bulk.decide import Patience, State
from hero_async.bulk.errors import CampaignStoppedError, OutboxError
from hero_async.bulk.feed import Feed
from hero_async.bulk.identity import Hasher
from hero_async.bulk.journal import Journal
from hero_async.bulk.outbox import Hold
from hero_async.bulk.outflow import Outflow
from hero_async.bulk.plan import Plan
from hero_async.bulk.progress import Progress
from hero_async.bulk.worker import Worker

if TYPE_CHECKING:
    from hero_async.client import AsyncHero

_WORDS: Final = {
    "too_many_unknown": "one row after the other became unknown: the server, or the way to it, is in trouble",
    "unreachable": "the server cannot be reached, or keeps refusing for now",
}


class Sender:
    """Sends what a feed hands out.

    Args:
        hero: The client. Its retries are switched off, its connections, limits and timeouts are used.
        plan: The campaign.
        hold: The outbox.
        feed: Where jobs come from.
        outflow: Where outcomes go.
        progress: What is counted.
        patience: How long a row that is refused for now is tried.
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
        patience: Patience,
        concurrency: int,
    ) -> None:
        own = hero.settings
        self.plan = plan
        self.hasher: Hasher = hold.hasher
        self.feed = feed
        self.outflow = outflow
        self.progress = progress
        policy = attrs.evolve(own.retries, retries=max(patience.tries, 1))
        self.patience: Patience = attrs.evolve(patience, policy=policy)
        self.journal: Journal = Journal(hold, outflow.publish, concurrency)
        self.stopping: bool = False
        self._hero = hero.with_options(retries=attrs.evolve(own.retries, retries=0))
        self._views: dict[str, AsyncHero] = {own.practice_group_id: self._hero}
        self._workers = [Worker(self) for _ in range(concurrency)]
        self._failure: Exception | None = None
        self._doubts = 0
        self._given_up = 0

    def view(self, practice: str) -> AsyncHero:
        """The client for a practice: the same connections."""
        view = self._views.get(practice)
        if view is None:
            view = self._views[practice] = self._hero.with_options(practice_group_id=practice)
        return view

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
            raise _first(group) from None
        finally:
            self.progress.stopped_at = clock.monotonic()
        if self._failure is not None:
            raise self._failure
        if self.journal.failure is not None:
            raise OutboxError(self.journal.failure)

    async def _work(self) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self._read_ahead)
            for worker in self._workers:
                group.start_soon(worker.run)

    async def _read_ahead(self) -> None:
        try:
            await self.feed.run()
        except Exception as error:  # noqa: BLE001  # raised by `run`, when the sends under way have ended
            self.fail(error)

    def drain(self) -> None:
        """Finish the sends under way and start nothing new. Rows that only wait stay `ready`."""
        self.stopping = True
        self.feed.close()
        self.outflow.let_go()
        for worker in self._workers:
            worker.hurry()

    def fail(self, error: Exception) -> None:
        """Stop the campaign; the sends under way end first. The first reason counts."""
        if self._failure is None:
            self._failure = error
        self.drain()

    def stop(self, reason: str, words: str) -> None:
        """Stop the campaign because every further row would fare the same."""
        self.fail(
            CampaignStoppedError(
                f"stopped: {words}; rows that are not settled are ready: mend the cause and run it again",
                reason=reason,
            )
        )

    def settled(self, state: State) -> None:
        """Count a settled row, and stop if the server answers nothing clear any more."""
        self.progress.settle(state)
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
            self.stop(reason, _WORDS[reason])


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error
