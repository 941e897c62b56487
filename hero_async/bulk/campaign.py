"""A campaign: recipients, a text, a channel and an outbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import anyio
import msgspec

from hero_async.bulk.batch_sender import BatchSender
from hero_async.bulk.chunk_feed import ChunkFeed
from hero_async.bulk.decide import Patience, State, Word
from hero_async.bulk.errors import OutboxError
from hero_async.bulk.feed import Feed, Matcher
from hero_async.bulk.hours import Hours
from hero_async.bulk.outbox import Hold, Outbox, Status
from hero_async.bulk.outflow import Outflow
from hero_async.bulk.plan import Option, Plan
from hero_async.bulk.preflight import CutShortError, FirstPass, Preflight
from hero_async.bulk.progress import Outcome, Progress
from hero_async.bulk.results import write_results
from hero_async.bulk.rows import Channel, Route
from hero_async.bulk.sender import Sender
from hero_async.bulk.source import Recipients, close_reading, source_of
from hero_async.bulk.sqlite import SQLiteOutbox, private_hold
from hero_async.bulk.steering import Manner
from hero_async.bulk.thread import OneThread
from hero_async.errors import InvalidArgumentError
from hero_async.settings import Settings

if TYPE_CHECKING:
    from hero_async.client import AsyncHero

CONCURRENCY: Final = 50
"""Rows under way at once, by default. Half of the client's connections: enough to keep one processor busy against a
fast server, and 250 a second at 200 ms an answer, more than a partner's limit is likely to allow; and it is the most
rows that a crash can leave unknown."""

CHUNKS_AT_ONCE: Final = 4
"""Batches under way at once, by default; and the most that a crash can leave in doubt."""

CHUNK_SIZE: Final = 500
"""Rows of a batch at most, by default. The most that the server takes is not documented; on a 413 they are halved."""

SETTLE: Final = 60.0
"""Seconds in which a batch whose send is in doubt is looked at, by default."""

COLLECT: Final = 600.0
"""Seconds to wait for a batch to be COMPLETED, by default."""


class Campaign:
    """Sends one text to many patients, each at most once, through an outbox that remembers.

        campaign = Campaign("recipients.csv", text="Dear {first_name}, …", channel="sms")
        async for outcome in campaign.run(hero):
            print(outcome.line, outcome.state, outcome.reason)

    Run it again, in another process or on another day, and it goes on where it ended: what is settled is not sent
    again. Rows whose answer was lost are `unknown`: see `reconcile`.

    Args:
        recipients: A CSV file, or an iterable of mappings with a `reference` that gives the same rows in the same
            order each time. See `hero_async.bulk.rows` for the columns.
        text: The message, with `{column}` fields; a brace itself is written twice.
        channel: "sms", "email", "nhs_app", or "hero" for a record only.
        outbox: Where the journal is kept: a path, or an `Outbox`. Default: beside the file, named after the
            campaign, so that the same campaign finds it again. Other recipients than a file need one.
        options: Further arguments of `messages.send`, the same for all: `write_to_record`, `send_at`, ….
        route: "personal" sends each row by `messages.send`. "batch" sends the same text to all, in batches: every row
            needs an NHS number and a date of birth, and the text has no fields.
        subject: Of an e-mail on the batch route.
        chunk_size: Rows of a batch at most.
        settle: Seconds in which a batch whose send is in doubt is looked at.
        resend_created: Send a batch again that is CREATED throughout that time. The API does not say what a second
            send does: if the server only shows states late, everyone in the batch gets the message twice.
        collect: Seconds to wait for a batch to be COMPLETED, before what it shows of its recipients is kept; None:
            it is not asked.
        concurrency: Rows under way at once, 50 by default; also the most that a crash can leave unknown. On the batch
            route: batches, 4 by default.
        limit: Rows to take up in one run; None: all. The rest stays ready.
        between: The hours in which patients may be written to, such as "08:00-20:00", by the clock on the wall in the
            United Kingdom. Outside of them the run waits. `hero_async.bulk.hours.Hours` takes another time zone.
        pause_on: Stop when more than this share of the last 200 rows was rejected or became unknown, 0 to 1. The
            rest stays ready.
        allow_duplicates: Send to a person once a row instead of once.
        patience: How long a row that is refused for now is tried.

    Raises:
        InputError: The text, the channel or the options cannot be used.
        InvalidArgumentError: An option breaks a rule of `messages.send`.
    """

    def __init__(
        self,
        recipients: Recipients,
        *,
        text: str,
        channel: Channel,
        outbox: str | Path | Outbox | None = None,
        options: Mapping[str, Option] | None = None,
        route: Route = "personal",
        subject: str | None = None,
        chunk_size: int = CHUNK_SIZE,
        settle: float = SETTLE,
        resend_created: bool = False,
        collect: float | None = COLLECT,
        concurrency: int | None = None,
        limit: int | None = None,
        between: str | Hours | None = None,
        pause_on: float | None = None,
        allow_duplicates: bool = False,
        patience: Patience | None = None,
    ) -> None:
        self._set_up(
            Plan(
                source_of(recipients),
                text=text,
                channel=channel,
                options=options or {},
                allow_duplicates=allow_duplicates,
                route=route,
                subject=subject,
            ),
            SQLiteOutbox(outbox) if isinstance(outbox, (str, Path)) else outbox,
            Manner(
                concurrency=concurrency,
                limit=limit,
                between=hours_of(between),
                pause_on=pause_on,
                patience=patience or Patience(),
                chunk_size=chunk_size,
                settle=settle,
                resend_created=resend_created,
                collect=collect,
            ),
        )

    def _set_up(self, plan: Plan, outbox: Outbox | None, manner: Manner) -> None:
        self._plan = plan
        self._outbox = outbox
        self._manner = manner
        self._sender: Sender | BatchSender | None = None
        self._draining = False
        self.progress: Progress = Progress()
        """Counts of this moment, to be read at any time."""

    @classmethod
    async def open(
        cls,
        outbox: str | Path | Outbox,
        *,
        recipients: Recipients | None = None,
        chunk_size: int = CHUNK_SIZE,
        settle: float = SETTLE,
        resend_created: bool = False,
        collect: float | None = COLLECT,
        concurrency: int | None = None,
        limit: int | None = None,
        between: str | Hours | None = None,
        pause_on: float | None = None,
        patience: Patience | None = None,
    ) -> Campaign:
        """The campaign of an outbox that is there already: text, channel and options are in it.

        Args:
            outbox: Where it is.
            recipients: Where the recipients are now. Default: the file that it was filled from.
            chunk_size: As for `Campaign`; chunks that are there already keep their rows.
            settle: As for `Campaign`.
            resend_created: As for `Campaign`.
            collect: As for `Campaign`.
            concurrency: As for `Campaign`.
            limit: As for `Campaign`.
            between: As for `Campaign`.
            pause_on: As for `Campaign`.
            patience: As for `Campaign`.

        Raises:
            OutboxError: There is none.
        """
        source = None if recipients is None else source_of(recipients)
        del recipients  # a traceback that shows locals must not show them
        found = SQLiteOutbox(outbox) if isinstance(outbox, (str, Path)) else outbox
        binding = await found.binding()
        if binding is None:
            raise OutboxError(f"{found.label}: there is no such outbox")
        if source is None:
            if binding.input_path is None:
                raise OutboxError(f"{found.label}: was not filled from a file; give its recipients")
            source = source_of(binding.input_path)
        options: dict[str, Any] = msgspec.json.decode(binding.options)
        campaign = object.__new__(cls)
        plan = Plan(
            source,
            text=binding.text,
            channel=binding.channel,
            options=options,
            allow_duplicates=binding.allow_duplicates,
            route=binding.route,
            subject=binding.subject,
        )
        manner = Manner(
            concurrency=concurrency,
            limit=limit,
            between=hours_of(between),
            pause_on=pause_on,
            patience=patience or Patience(),
            chunk_size=chunk_size,
            settle=settle,
            resend_created=resend_created,
            collect=collect,
        )
        campaign._set_up(plan, found, manner)
        return campaign

    def __repr__(self) -> str:
        return f"<Campaign {self._plan.channel}>"

    @property
    def channel(self) -> Channel:
        """The channel."""
        return self._plan.channel

    @property
    def outbox(self) -> Outbox:
        """The journal.

        Raises:
            OutboxError: None was given, and neither `prepare` nor `run` has chosen one yet.
        """
        if self._outbox is None:
            raise OutboxError("which outbox? None was given, and the default one is known after `prepare` or `run`")
        return self._outbox

    def outbox_for(self, settings: Settings) -> Outbox:
        """The outbox that was given, or the default one for a client with these settings.

        Raises:
            OutboxError: The recipients are no file, so there is no default.
        """
        if self._outbox is None:
            path = self._plan.source.path
            if path is None:
                raise OutboxError("outbox: must be given when the recipients are not a file")
            self._outbox = SQLiteOutbox(path.with_name(self._plan.bind(settings).stem))
        return self._outbox

    async def check(self, settings: Settings) -> Preflight:
        """Validate every row and count messages and SMS segments. Sends nothing and keeps nothing.

        Raises:
            InputError: The recipients as a whole cannot be used.
            MissingExtraError: The extra `cli` is needed to count segments.
        """
        thread = OneThread("hero-recipients")
        try:
            async with private_hold(self._plan.bind(settings)) as hold:
                return await self._first_pass(settings, count_sms=True).run(hold, thread)
        finally:
            thread.close()

    async def prepare(self, settings: Settings) -> Preflight:
        """Make the outbox and store every row, validated. Sends nothing; `run` does this by itself.

        Raises:
            InputError: The recipients as a whole cannot be used.
            OutboxError: The outbox is busy, belongs to another campaign, or cannot be used.
        """
        thread = OneThread("hero-recipients")
        try:
            self._draining = False
            async with self._held(settings) as hold:
                return await self._filled(hold, settings, thread)
        finally:
            thread.close()

    def _held(self, settings: Settings) -> AbstractAsyncContextManager[Hold]:
        return self.outbox_for(settings).hold(self._plan.bind(settings))

    def _first_pass(self, settings: Settings, *, count_sms: bool) -> FirstPass:
        return FirstPass(self._plan, settings.practice_group_id, count_sms=count_sms)

    async def _filled(self, hold: Hold, settings: Settings, thread: OneThread) -> Preflight:
        """Fill the outbox, or see that it is this campaign's."""
        wanted = self._plan.bind(settings)
        hold.binding.check(wanted)
        if not hold.filled:
            first_pass = self._first_pass(settings, count_sms=False)
            found = await first_pass.run(hold, thread, stopped=lambda: self._draining)
        else:
            hold.binding.check_input(await thread.run(self._plan.source.sha256), self._plan.source.path)
            found = Preflight.of_summary((await hold.status()).summary)
        await self._count(hold)
        return found

    async def _count(self, hold: Hold) -> None:
        states = (await hold.status()).states
        progress = self.progress
        progress.total = sum(states.values())
        progress.ready = states[State.READY]
        progress.sent = states[State.SENT]
        progress.rejected = states[State.REJECTED]
        progress.unknown = states[State.UNKNOWN]
        progress.sending = states[State.SENDING]  # on the batch route: in doubt, and to be settled by this run
        progress.settled = progress.repeated = 0
        progress.started_at = progress.stopped_at = None

    async def run(self, hero: AsyncHero) -> AsyncGenerator[Outcome]:
        """Send what is ready, and give each row's outcome once it is on disk.

        It ends when nothing is left to do in this run: rows may still be `ready`, because of `limit`, of `drain`, or
        because they were refused for now too often. See `progress` or `status`, and run it again.

        Leaving the loop early drains: the sends under way are finished. A cancel does not wait for them; what was
        under way becomes `unknown`.

        Raises:
            InputError: The recipients as a whole cannot be used. Nothing was sent.
            InputChangedError: They changed. What was settled before stays so.
            OutboxError: The outbox is busy, belongs to another campaign, or can no longer be written.
            CampaignStoppedError: The server refuses the key, the practice or the route, cannot be reached, or
                answers nothing clear.
        """
        async with aclosing(self.batches(hero)) as batches:
            async for found in batches:
                for outcome in found:
                    yield outcome

    async def batches(self, hero: AsyncHero) -> AsyncGenerator[Sequence[Outcome]]:
        """`run`, with all outcomes that are there at once: one step of it is one hop for a blocking caller."""
        from hero_async.client import AsyncHero

        if not isinstance(hero, AsyncHero):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may not be typed
            raise InvalidArgumentError("hero: must be an AsyncHero; with hero_sync.Hero use hero_sync.bulk.Campaign")
        outflow = Outflow()
        self._draining = False
        task = asyncio.create_task(self._run(hero, outflow))
        try:
            while found := await outflow.next():
                yield found
            await task
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            if not task.done():
                self.drain()
                outflow.end()
                await _end(task)

    async def _run(self, hero: AsyncHero, outflow: Outflow) -> None:
        try:
            async with AsyncExitStack() as stack:
                thread = OneThread("hero-recipients")
                stack.callback(thread.close)
                hold: Hold = await stack.enter_async_context(self._held(hero.settings))
                try:
                    found = await self._filled(hold, hero.settings, thread)
                except CutShortError:  # nothing was sent, and the next run starts with the first pass again
                    return
                reading = await thread.acquire(self._plan.source.open, close_reading)
                stack.callback(reading.close)
                layout = self._plan.layout(reading, hero.settings.practice_group_id)
                matcher = Matcher(reading, layout, hold.hasher, self._plan.source.required)
                sender = self._make_sender(hero, hold, matcher, thread, outflow, len(found.messages))
                self._sender = sender
                stack.callback(self._forget_sender)
                if self._draining:
                    sender.drain()
                await sender.run()
        finally:
            outflow.end()

    def _make_sender(
        self, hero: AsyncHero, hold: Hold, matcher: Matcher, thread: OneThread, outflow: Outflow, practices: int
    ) -> Sender | BatchSender:
        manner = self._manner
        if self._plan.route == "personal":
            workers = manner.concurrency or CONCURRENCY
            most_each = max(1, workers // 2) if practices > 1 else None
            return Sender(
                hero,
                self._plan,
                hold=hold,
                feed=Feed(hold, matcher, thread, manner.limit, outflow.room, most_each),
                outflow=outflow,
                progress=self.progress,
                manner=manner,
                concurrency=workers,
            )
        return BatchSender(
            hero,
            self._plan,
            hold=hold,
            feed=ChunkFeed(hold, matcher, thread, manner.limit, outflow.room, size=manner.chunk_size),
            outflow=outflow,
            progress=self.progress,
            manner=manner,
            concurrency=manner.concurrency or CHUNKS_AT_ONCE,
        )

    def _forget_sender(self) -> None:
        self._sender = None

    def drain(self) -> None:
        """Finish the sends under way and start nothing new: `run` ends soon. Call it again, or not: it is the same."""
        self._draining = True
        if self._sender is not None:
            self._sender.drain()

    async def status(self) -> Status:
        """Where the campaign stands, also while another process runs it."""
        return await self.outbox.status()

    async def outcomes(self, states: Collection[State] | None = None) -> AsyncGenerator[Outcome]:
        """What became of the rows so far, by line. Such as all that is unknown.

        Args:
            states: Only rows in these states; None: all.
        """
        async for record in self.outbox.records(states):
            yield Outcome(
                record.line, record.state, record.reason, record.message_id, record.reference, record.batch_id
            )

    async def reconcile(self, mark: Word, *, lines: Collection[int] | None) -> int:
        """Settle unknown rows on a person's word, who has looked in Hero. Gives how many.

        Args:
            mark: "sent": it was, and stays so. "unsent": it was not; it is ready, and the next run sends it.
            lines: Which rows; None: all that are unknown.

        Raises:
            OutboxError: A line is not unknown, or not there. Nothing was marked.
            OutboxBusyError: The campaign runs.
        """
        async with self.outbox.hold() as hold:
            return await hold.mark(lines, mark)

    async def results(self, destination: Path | TextIO, *, with_input: bool = True) -> int:
        """Write a CSV: the input's columns, then state, reason, message_id and batch_id. Gives the number of rows.

        A new column is prefixed `hero_` if the input has one of its name. A cell that a spreadsheet would take for a
        formula gets an apostrophe in front. A file is readable by its owner alone: it holds what the input holds.

        Args:
            destination: A file, replaced if it is there; or a stream that takes text.
            with_input: Without it the columns are line, reference and those four, and the input is not needed.

        Raises:
            InputChangedError: The recipients are not those that the outbox was filled from.
        """
        return await write_results(self.outbox, self._plan.source if with_input else None, destination)

    async def purge(self) -> None:
        """Delete the outbox and its key. What it knew is gone: the same campaign would write to everyone again."""
        await self.outbox.purge()


def hours_of(between: str | Hours | None) -> Hours | None:
    """Hours as a user may give them."""
    return Hours.parse(between) if isinstance(between, str) else between


async def _end(task: asyncio.Task[None]) -> None:
    """Wait for a run that nobody listens to any more. A cancel ends it at once, and waits until it has unwound."""
    try:
        with anyio.CancelScope(shield=True):
            await asyncio.wait({task})
    except asyncio.CancelledError:  # from task.cancel(): no scope keeps that off
        task.cancel()
        await asyncio.wait({task})
        raise
    if not task.cancelled():
        task.exception()  # seen: whoever left does not care why it ended
