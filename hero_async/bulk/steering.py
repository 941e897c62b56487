"""What a run of either route has in common: the client's views, and what stops it all."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import TYPE_CHECKING, Final, Protocol, cast

import anyio
import attrs

from hero_async import clock
from hero_async.bulk import decide
from hero_async.bulk.decide import Patience, State
from hero_async.bulk.errors import CampaignStoppedError
from hero_async.bulk.hours import Hours
from hero_async.bulk.outflow import Outflow
from hero_async.bulk.plan import Plan
from hero_async.bulk.progress import Progress

if TYPE_CHECKING:
    from hero_async.client import AsyncHero

WORDS: Final = {
    "too_many_unknown": "one row after the other became unknown: the server, or the way to it, is in trouble",
    "unreachable": "the server cannot be reached, or keeps refusing for now",
    "error_rate": "more of the last rows than was allowed were rejected or became unknown",
    "all_refused": "one recipient after the other was refused, and none accepted: the fault is not in the rows",
}


class Hand(Protocol):
    """Something that works for a run and can be asked to hurry."""

    def hurry(self) -> None:
        """End now; but a call under way that changes something is finished first."""
        ...


class Source(Protocol):
    """Where work comes from."""

    async def run(self) -> None:
        """Read ahead until there is no more, or it is closed."""
        ...

    def close(self) -> None:
        """Hand out nothing more."""
        ...


_SLICE: Final = 60.0
"""Seconds to wait at most before the time of day is read again: a machine's clock may be set, or sleep."""


@attrs.frozen(kw_only=True)
class Manner:
    """How a run goes about it. Not part of what an outbox is bound to."""

    concurrency: int | None
    limit: int | None
    patience: Patience
    between: Hours | None
    pause_on: float | None
    chunk_size: int
    settle: float
    resend_created: bool
    collect: float | None

    def __attrs_post_init__(self) -> None:
        if self.concurrency is not None and self.concurrency < 1:
            raise ValueError("concurrency: must be 1 or more")
        if self.limit is not None and self.limit < 1:
            raise ValueError("limit: must be 1 or more, or None")
        if self.pause_on is not None and not 0 < self.pause_on <= 1:
            raise ValueError("pause_on: must be a share above 0, up to 1, or None")
        if self.chunk_size < 1:
            raise ValueError("chunk_size: must be 1 or more")
        if not 0 <= self.settle < math.inf:
            raise ValueError("settle: must be 0 or more seconds")
        if self.collect is not None and not self.collect > 0:
            raise ValueError("collect: must be more than 0 seconds, or None")


class Steering(ABC):
    """The client's views, and what stops a run.

    Args:
        hero: The client. Its retries are switched off, its connections, limits and timeouts are used.
        plan: The campaign.
        source: Where work comes from.
        outflow: Where outcomes go.
        progress: What is counted.
        manner: How to go about it.
    """

    def __init__(
        self, hero: AsyncHero, plan: Plan, *, source: Source, outflow: Outflow, progress: Progress, manner: Manner
    ) -> None:
        own = hero.settings
        patience = manner.patience
        self.plan = plan
        self._source = source
        self.outflow = outflow
        self.progress = progress
        policy = attrs.evolve(own.retries, retries=max(patience.tries, 1))
        self.patience: Patience = attrs.evolve(patience, policy=policy)
        self.stopping: bool = False
        self._hours = manner.between
        self._pause_on = manner.pause_on
        self._errors = decide.ErrorRate()
        self._hero = hero.with_options(retries=attrs.evolve(own.retries, retries=0))
        self._views: dict[str, AsyncHero] = {own.practice_group_id: self._hero}
        self._failure: Exception | None = None

    def view(self, practice: str) -> AsyncHero:
        """The client for a practice: the same connections."""
        view = self._views.get(practice)
        if view is None:
            view = self._views[practice] = self._hero.with_options(practice_group_id=practice)
        return view

    @property
    def is_open(self) -> bool:
        """Whether patients may be written to at this time of day."""
        return self._hours is None or self._hours.is_open(clock.now())

    async def until_open(self) -> None:
        """Wait until patients may be written to."""
        if self._hours is None:
            return
        while not self.is_open:
            now = clock.now()
            self.progress.opens_at = opens_at = self._hours.opens_at(now)
            await clock.sleep(min((opens_at - now).total_seconds(), _SLICE))
        self.progress.opens_at = None

    def count_errors(self, state: State, rows: int = 1) -> None:
        """Note what became of rows, and stop if too many of the last ones failed."""
        if self._pause_on is not None and self._errors.add(state, rows) > self._pause_on:
            self.stop("error_rate", WORDS["error_rate"])

    @abstractmethod
    def hands(self) -> Collection[Hand]:
        """All who work for the run."""

    async def read_ahead(self) -> None:
        """Let the source read until it ends; what goes wrong there stops the run."""
        try:
            await self._source.run()
        except Exception as error:  # noqa: BLE001  # raised by `run`, when the calls under way have ended
            self.fail(error)

    def drain(self) -> None:
        """Finish the calls under way and start nothing new. Rows that only wait stay `ready`."""
        self.stopping = True
        self._source.close()
        self.outflow.let_go()
        for hand in self.hands():
            hand.hurry()

    def fail(self, error: Exception) -> None:
        """Stop the campaign; the calls under way end first. The first reason counts."""
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


class DrainingError(Exception):
    """Raised by a guard: the run is to start nothing new."""


class ClosedError(Exception):
    """Raised by a guard: patients may not be written to any more at this time of day."""


def first_of(error: BaseException) -> BaseException:
    """The first error inside groups of errors."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error


class Scoped:
    """A hand that works inside a scope of its own."""

    __slots__ = ("_on_the_wire", "_scope")

    def __init__(self) -> None:
        self._scope = anyio.CancelScope()
        self._on_the_wire = False

    def hurry(self) -> None:
        """End now; but a call under way that changes something is finished first."""
        if not self._on_the_wire:
            self._scope.cancel()
