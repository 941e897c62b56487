"""What a run of either route has in common: the client's views, and what stops it all."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final, Protocol, cast

import anyio
import attrs

from hero_async.bulk.decide import Patience
from hero_async.bulk.errors import CampaignStoppedError
from hero_async.bulk.outflow import Outflow
from hero_async.bulk.plan import Plan
from hero_async.bulk.progress import Progress

if TYPE_CHECKING:
    from hero_async.client import AsyncHero

WORDS: Final = {
    "too_many_unknown": "one row after the other became unknown: the server, or the way to it, is in trouble",
    "unreachable": "the server cannot be reached, or keeps refusing for now",
    "all_refused": "one recipient after the other was refused, and none accepted: the fault is not in the rows",
}


class Hand(Protocol):
    """Something that works for a run and can be asked to hurry."""

    def hurry(self) -> None:
        """End now; but a call under way that changes something is finished first."""
        ...


class Steering:
    """The client's views, and what stops a run.

    Args:
        hero: The client. Its retries are switched off, its connections, limits and timeouts are used.
        plan: The campaign.
        outflow: Where outcomes go.
        progress: What is counted.
        patience: How long a call that is refused for now is tried.
    """

    def __init__(
        self, hero: AsyncHero, plan: Plan, *, outflow: Outflow, progress: Progress, patience: Patience
    ) -> None:
        own = hero.settings
        self.plan = plan
        self.outflow = outflow
        self.progress = progress
        self.patience = attrs.evolve(patience, policy=attrs.evolve(own.retries, retries=max(patience.tries, 1)))
        self.stopping = False
        self._hero = hero.with_options(retries=attrs.evolve(own.retries, retries=0))
        self._views: dict[str, AsyncHero] = {own.practice_group_id: self._hero}
        self._failure: Exception | None = None

    def view(self, practice: str) -> AsyncHero:
        """The client for a practice: the same connections."""
        view = self._views.get(practice)
        if view is None:
            view = self._views[practice] = self._hero.with_options(practice_group_id=practice)
        return view

    def hands(self) -> Collection[Hand]:
        """All who work for the run."""
        raise NotImplementedError

    def close_feed(self) -> None:
        """Hand out nothing more."""
        raise NotImplementedError

    def drain(self) -> None:
        """Finish the calls under way and start nothing new. Rows that only wait stay `ready`."""
        self.stopping = True
        self.close_feed()
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
