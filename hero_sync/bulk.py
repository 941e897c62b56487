"""Campaigns for blocking code: those of `hero_async.bulk`, and nothing is written twice.

    campaign = Campaign("recipients.csv", text="Dear {first_name}, …", channel="sms")
    with Hero.from_env() as hero:
        for outcome in campaign.run(hero):
            print(outcome.line, outcome.state, outcome.reason)

Outboxes, outcomes, states and errors are in `hero_async.bulk`; they are the same in both worlds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Generator, Sequence
from contextlib import aclosing
from functools import update_wrapper
from types import MethodType
from typing import TYPE_CHECKING, Any, Concatenate, Final, Generic, ParamSpec, TypeVar, cast, overload

from hero_async import bulk
from hero_async.errors import InvalidArgumentError
from hero_async.operations import Started
from hero_sync.client import Hero, async_client, takes
from hero_sync.interrupts import interrupts, watching
from hero_sync.loop import background, finish, generation, leave_to_parent, post

if TYPE_CHECKING:
    from hero_async.bulk import Outbox, Outcome, Progress, State
    from hero_async.bulk.rows import Channel
    from hero_async.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound="Campaign")

_AT_ONCE: Final = 500
"""Outcomes that are read from an outbox in one hop."""


class Blocking(Generic[P, T]):
    """A coroutine method of the async campaign, blocking."""

    def __init__(self, method: Callable[Concatenate[bulk.Campaign, P], Coroutine[Any, Any, T]]) -> None:
        def run(campaign: Campaign, *args: P.args, **kwargs: P.kwargs) -> T:
            started = Started(method, args, kwargs)
            del args, kwargs  # a traceback that shows locals must not show them
            result: T = background().run(started, campaign.inner)
            return result

        self._function = update_wrapper(run, method)

    @overload
    def __get__(self, campaign: None, owner: Any) -> Callable[Concatenate[Campaign, P], T]: ...
    @overload
    def __get__(self, campaign: Campaign, owner: Any) -> Callable[P, T]: ...
    def __get__(self, campaign: Campaign | None, owner: Any) -> Any:
        return self._function if campaign is None else MethodType(self._function, campaign)


class Opening(Generic[P]):
    """A class method that gives an async campaign, blocking: it gives a blocking one."""

    def __init__(self, method: Callable[P, Coroutine[Any, Any, bulk.Campaign]]) -> None:
        self._method = method

    def __get__(self, campaign: Campaign | None, owner: type[C]) -> Callable[P, C]:
        method = cast("MethodType", self._method)

        def run(*args: P.args, **kwargs: P.kwargs) -> C:
            started = Started(method.__func__, args, kwargs)
            del args, kwargs  # a traceback that shows locals must not show recipients
            made = object.__new__(owner)
            made.inner = background().run(started, method.__self__)
            return made

        return update_wrapper(run, method)


class Campaign:
    """Sends one text to many patients, each at most once: `hero_async.bulk.Campaign`, blocking.

    It takes what that one takes and does what that one does.
    """

    @takes(bulk.Campaign.__init__)
    def __init__(self, *args: Any, **options: Any) -> None:
        try:
            self.inner = bulk.Campaign(*args, **options)
            """The async campaign, which does the work on the background loop."""
        finally:
            del args, options  # a traceback that shows locals must not show recipients

    open = Opening(bulk.Campaign.open)

    def __repr__(self) -> str:
        return repr(self.inner)

    @property
    def progress(self) -> Progress:
        """Counts of this moment, to be read at any time and on any thread."""
        return self.inner.progress

    @property
    def channel(self) -> Channel:
        """The channel."""
        return self.inner.channel

    @property
    def outbox(self) -> Outbox:
        """The journal. See `hero_async.bulk.Campaign.outbox`."""
        return self.inner.outbox

    def outbox_for(self, settings: Settings) -> Outbox:
        """The outbox that was given, or the default one for a client with these settings."""
        return self.inner.outbox_for(settings)

    check = Blocking(bulk.Campaign.check)
    prepare = Blocking(bulk.Campaign.prepare)
    status = Blocking(bulk.Campaign.status)
    reconcile = Blocking(bulk.Campaign.reconcile)
    results = Blocking(bulk.Campaign.results)
    purge = Blocking(bulk.Campaign.purge)

    def run(self, hero: Hero) -> Generator[Outcome, None, None]:
        """Send what is ready, and give each row's outcome once it is on disk. See `hero_async.bulk.Campaign.run`.

        Leaving the loop early, by `break` or by an exception, waits until the sends under way are finished. Ctrl-C
        does not wait: what was under way becomes `unknown`. To stop without doubt call `drain`, as from a handler of
        SIGINT or SIGTERM.

        A process that forks while it runs goes on with it; the child cannot: there it raises RuntimeError.
        """
        if not isinstance(hero, Hero):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may not be typed
            raise InvalidArgumentError("hero: must be a hero_sync.Hero; with AsyncHero use hero_async.bulk.Campaign")
        return self._run(self.inner.batches(async_client(hero)))

    def _run(self, batches: AsyncGenerator[Sequence[Outcome]]) -> Generator[Outcome, None, None]:
        with watching():
            yield from _walk(batches)

    def outcomes(self, states: Collection[State] | None = None) -> Generator[Outcome, None, None]:
        """What became of the rows so far, by line. Such as all that is unknown.

        Args:
            states: Only rows in these states; None: all.
        """
        return _walk(_in_batches(self.inner.outcomes(states)))

    def drain(self) -> None:
        """Finish the sends under way and start nothing new: `run` ends soon. From any thread or signal handler."""

        async def drain() -> None:
            self.inner.drain()

        post(drain)


def _walk(batches: AsyncGenerator[Sequence[Outcome]]) -> Generator[Outcome, None, None]:
    """One hop for all that is there."""
    born = generation()
    before = interrupts()
    try:
        while found := background().run(_next, batches):
            for outcome in found:
                before = interrupts()
                yield outcome
                if born != generation():
                    raise RuntimeError("what was begun before a fork goes on in the parent alone: begin it anew")
    finally:
        if born != generation():
            leave_to_parent(batches)
        else:
            finish(lambda: _end(batches, at_once=before != interrupts()))


async def _next(batches: AsyncGenerator[Sequence[Outcome]]) -> Sequence[Outcome]:
    async for found in batches:
        return found
    return ()  # anext() with a tuple for its default fails in Python 3.11


async def _end(batches: AsyncGenerator[Sequence[Outcome]], *, at_once: bool) -> None:
    """Let it finish what is under way, or cancel that. Whatever interrupted a hop has most likely ended it already."""
    try:
        if at_once:
            await batches.athrow(asyncio.CancelledError())
        else:
            await batches.aclose()
    except (asyncio.CancelledError, StopAsyncIteration, RuntimeError):  # cancelled, ended, unwinding still
        pass


async def _in_batches(outcomes: AsyncGenerator[Outcome]) -> AsyncGenerator[Sequence[Outcome]]:
    async with aclosing(outcomes):
        found: list[Outcome] = []
        async for outcome in outcomes:
            found.append(outcome)
            if len(found) == _AT_ONCE:
                yield found
                found = []
        if found:
            yield found
