"""A worker takes one chunk after the other, and does with the answers what the rules in `decide_batch` say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hero_async import clock
from hero_async.api.batch_messages import BatchRecipientByNhsNumber
from hero_async.bulk import decide_batch
from hero_async.bulk.chunk_feed import Handed
from hero_async.bulk.chunks import Advance, Chunk, Member
from hero_async.bulk.decide import Answer, State
from hero_async.bulk.decide_batch import ChunkState, ChunkStep, Do
from hero_async.bulk.errors import CampaignError
from hero_async.bulk.feed import Job
from hero_async.bulk.heard import ACCEPTED, Heard, hear
from hero_async.bulk.plan import BATCH_CHANNELS
from hero_async.bulk.steering import ClosedError, DrainingError, Scoped
from hero_async.errors import HeroError, InvalidArgumentError
from hero_async.fields import NULL

if TYPE_CHECKING:
    from hero_async.api.batch_messages import BatchMessage
    from hero_async.bulk.batch_sender import BatchSender
    from hero_async.calls import Call


class Teller(Scoped):
    """What all who work on chunks have in common: journal, wait, look. It has one chunk at a time."""

    __slots__ = ("_chunk", "_practice", "_sender", "_state", "_throttled", "_tries")

    def __init__(self, sender: BatchSender) -> None:
        super().__init__()
        self._sender = sender

    def _take(self, chunk: Chunk) -> None:
        self._chunk = chunk.id
        self._practice = chunk.practice
        self._state = chunk.state
        self._tries = self._throttled = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    async def _advance(self, advance: Advance) -> None:
        await self._sender.hold.advance(advance)
        self._state = advance.state

    async def _end(self, step: ChunkStep, batch_id: str) -> None:
        """Move the chunk to where its rows are settled, and tell their outcomes."""
        old, new = decide_batch.row_state(self._state), decide_batch.row_state(step.state)
        members = await self._sender.hold.members(self._chunk, old)
        await self._advance(Advance(self._chunk, step.state, step.reason))
        self._sender.tell(members, old, new, step.reason, batch_id)

    async def _pause(self, heard: Heard) -> bool:
        """Wait before the same call again. False: give up for now, or the run ends."""
        sender = self._sender
        if heard.answer is Answer.THROTTLED:
            self._throttled += 1
        else:
            self._tries += 1
        wait = sender.patience.wait(
            heard.answer, tries=self._tries, throttled=self._throttled, retry_after=heard.retry_after
        )
        if wait is None:
            sender.gave_up()
            return False
        if sender.stopping:
            return False
        sender.progress.repeated += 1
        await clock.sleep(wait)
        return not sender.stopping

    async def _look(self, batch_id: str) -> str | None:
        """The batch's status as it is shown; "" if there is no such batch; None: it could not be had."""
        sender = self._sender
        view = sender.view(self._practice)
        while True:
            try:
                status = shown(await view.batch_messages.get(batch_id))
            except HeroError as error:
                heard = hear(error)
            else:
                self._tries = self._throttled = 0
                return status
            if heard.answer is Answer.NOT_FOUND:
                return ""
            if heard.answer in (Answer.DENIED, Answer.REFUSED):
                sender.stop(heard.reason or "refused", heard.words)
                return None
            if not await self._pause(heard):
                return None

    async def _call(self, call: Call[Any], intent: Advance) -> tuple[Heard, Any]:
        """Call, with the intent committed before the first byte. What was heard, and the value if there is one."""

        async def guard() -> None:
            if self._sender.stopping:
                raise DrainingError
            if intent.state is ChunkState.SENDING and not began and not self._sender.is_open:
                raise ClosedError
            self._on_the_wire = True
            if not began:
                await self._advance(intent)
                began.append(True)  # the guard runs twice when the key is fetched anew

        began: list[bool] = []
        view = self._sender.view(self._practice)
        try:
            while True:
                if intent.state is ChunkState.SENDING:
                    await self._sender.until_open()
                try:
                    return ACCEPTED, await view.execute(call, guard=guard)
                except ClosedError:  # the hours ended while it waited for its turn: nothing was sent
                    continue
        except (CampaignError, DrainingError):  # the guard's own: nothing was sent
            raise
        except HeroError as error:
            return hear(error, paths=True), None
        finally:
            self._on_the_wire = False


def shown(batch: BatchMessage) -> str:
    """A status that may be kept: one that the reference lists, or "unknown"."""
    return batch.status.value if batch.status.is_known else "unknown"


class BatchWorker(Teller):
    """Creates and sends chunks, one at a time."""

    __slots__ = ("_batch_id", "_jobs", "_label", "_revision", "_shown")

    async def run(self) -> None:
        """Take chunks until there are no more."""
        sender = self._sender
        with self._scope:
            try:
                while not sender.stopping and (handed := await sender.feed.take()) is not None:
                    waiting = [handed]
                    while waiting and not sender.stopping:
                        waiting.extend(reversed(await self._bring(*waiting.pop())))
            except DrainingError:
                return
            except Exception as error:  # noqa: BLE001  # raised by the run, when the other calls under way have ended
                sender.fail(error)

    async def _bring(self, chunk: Chunk, jobs: list[Job]) -> Sequence[Handed]:
        """Bring a chunk as far as it goes. Gives the chunks in its place, if it was refused for what it holds."""
        self._take(chunk)
        self._jobs, self._label, self._revision = jobs, chunk.label, chunk.revision
        self._batch_id, self._shown = chunk.batch_id or "", ""
        progress = self._sender.progress
        progress.ready -= len(jobs)
        progress.sending += len(jobs)
        try:
            return await self._steps(ChunkStep(chunk.state, Do.LOOK if self._batch_id else Do.RENAME))
        finally:
            if self._state in decide_batch.OPEN:
                progress.sending -= len(jobs)
                progress.ready += len(jobs)
            self._jobs = []

    async def _steps(self, step: ChunkStep) -> Sequence[Handed]:
        sender = self._sender
        heard = ACCEPTED
        while not sender.stopping:
            match step.do:
                case Do.CREATE | Do.RENAME:
                    step, heard = await self._create(rename=step.do is Do.RENAME)
                case Do.LOOK:
                    step = await self._look_first()
                case Do.SEND:
                    step, heard = await self._send()
                case Do.NARROW:
                    return await self._narrow(heard)
                case Do.SETTLE:
                    await sender.doubt(self._chunk)
                    break
                case Do.STOP:
                    sender.stop(step.reason or "refused", heard.words)
                    break
                case Do.REPEAT | Do.END:
                    break
        return ()

    async def _create(self, *, rename: bool) -> tuple[ChunkStep, Heard]:
        sender = self._sender
        self._revision += rename
        name = decide_batch.batch_name(sender.tag, self._label, self._revision)
        call, heard = self._build(name)
        if call is not None:
            heard, batch = await self._call(call, Advance(self._chunk, ChunkState.CREATING, revision=self._revision))
            if batch is not None:
                self._batch_id, self._shown = batch.id, shown(batch)
        step = decide_batch.after_create(heard.answer, rows=len(self._jobs), reason=heard.reason)
        if self._state is ChunkState.CREATING:
            draft = name if decide_batch.leaves_draft(heard.answer) else None
            batch_id = self._batch_id if step.state is ChunkState.CREATED else None
            await self._advance(Advance(self._chunk, step.state, step.reason, batch_id=batch_id, draft=draft))
        return await self._paused(step, heard, again=Do.CREATE), heard

    def _build(self, name: str) -> tuple[Call[BatchMessage] | None, Heard]:
        plan = self._sender.plan
        try:
            call = self._sender.view(self._practice).batch_messages.create.build(
                name=name,
                channel=BATCH_CHANNELS[plan.channel],
                content=plan.content,
                subject=plan.subject,
                recipients=[
                    BatchRecipientByNhsNumber(nhs_number=job.who.nhs_number or "", dob=job.who.dob or NULL)
                    for job in self._jobs
                ],
            )
        except InvalidArgumentError as error:
            return None, hear(error)
        return call, ACCEPTED

    async def _paused(self, step: ChunkStep, heard: Heard, *, again: Do) -> ChunkStep:
        """Wait, where a rule says so. Then the same call is `again`."""
        if step.do not in (Do.REPEAT, Do.RENAME, Do.LOOK):
            return step
        if not await self._pause(heard):
            return ChunkStep(step.state, Do.END)
        return ChunkStep(step.state, again) if step.do is Do.REPEAT else step

    async def _narrow(self, heard: Heard) -> Sequence[Handed]:
        """Let smaller chunks take the place of one that was refused for what it holds."""
        sender, jobs = self._sender, self._jobs
        found = decide_batch.narrow(heard.paths, rows=len(jobs))
        if found.stop:
            sender.stop(heard.reason or "refused", heard.words)
            return ()
        reason = heard.reason or "refused"
        parts = [
            [job for place, job in enumerate(jobs) if place in part and place not in found.rejected]
            for part in found.parts
        ]
        rejected = [jobs[place] for place in sorted(found.rejected)]
        made = await sender.hold.divide(
            Advance(self._chunk, ChunkState.GONE),
            {job.line: reason for job in rejected},
            [[job.line for job in part] for part in parts],
        )
        self._state = ChunkState.GONE
        sender.progress.sending -= sum(map(len, parts))
        sender.progress.ready += sum(map(len, parts))
        members = [Member(job.line, job.reference) for job in rejected]
        sender.tell(members, State.SENDING, State.REJECTED, reason, None)
        if not heard.paths:
            sender.refused(len(rejected))
        return list(zip(made, parts, strict=True))

    async def _look_first(self) -> ChunkStep:
        """Read the status of a batch that was not sent, and go by it."""
        status = await self._look(self._batch_id)
        if status is None:
            return ChunkStep(self._state, Do.END)
        step = decide_batch.before_send(status) if status else decide_batch.before_send_missing()
        if step.state is ChunkState.PLANNED:
            await self._advance(Advance(self._chunk, step.state, step.reason))
            self._batch_id = ""
        elif step.do is Do.END:
            await self._end(step, self._batch_id)
        self._shown = status
        return step

    async def _send(self) -> tuple[ChunkStep, Heard]:
        call = self._sender.view(self._practice).batch_messages.send.build(self._batch_id)
        heard, _ = await self._call(call, Advance(self._chunk, ChunkState.SENDING, before=self._shown))
        step = decide_batch.after_chunk_send(self._state, heard.answer, reason=heard.reason)
        if step.do is Do.END:
            await self._end(step, self._batch_id)
            self._sender.accepted()
        elif step.state is not self._state:
            await self._advance(Advance(self._chunk, step.state, step.reason))
        return await self._paused(step, heard, again=Do.SEND), heard
