"""A worker takes one row after the other, calls, and does with the answers what the rules in `decide` say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hero_async import clock
from hero_async.api.patients import PatientId
from hero_async.bulk import decide
from hero_async.bulk.decide import Action, Answer, State, Step
from hero_async.bulk.errors import CampaignError
from hero_async.bulk.feed import Job
from hero_async.bulk.heard import ACCEPTED, Heard, hear
from hero_async.bulk.outbox import Change, Claim
from hero_async.bulk.progress import Outcome
from hero_async.bulk.steering import ClosedError, DrainingError, Scoped
from hero_async.errors import HeroError, InvalidArgumentError

if TYPE_CHECKING:
    from hero_async.api.messages import SentMessage
    from hero_async.bulk.sender import Sender
    from hero_async.calls import Call
    from hero_async.client import AsyncHero


class Worker(Scoped):
    """Sends rows, one at a time. At any moment at most one of its rows is not settled on disk."""

    __slots__ = (
        "_line",
        "_message_id",
        "_sender",
        "_settled",
        "_state",
        "_throttled",
        "_tries",
    )

    def __init__(self, sender: Sender) -> None:
        super().__init__()
        self._sender = sender
        self._start(0)

    def _start(self, line: int) -> None:
        self._line = line
        self._state = State.READY
        self._settled = False
        self._message_id: str | None = None
        self._tries = self._throttled = 0

    def __repr__(self) -> str:
        return "<Worker>"

    async def run(self) -> None:
        """Take jobs until there are no more."""
        sender = self._sender
        with self._scope:
            try:
                while not sender.stopping:
                    job = sender.feed.next() or await sender.feed.take()
                    if job is None:
                        return
                    try:
                        await self._handle(job)
                    finally:
                        sender.feed.done(job)
            except DrainingError:
                return
            except Exception as error:  # noqa: BLE001  # raised by the run, when the other sends under way have ended
                sender.fail(error)

    async def _handle(self, job: Job) -> None:
        progress = self._sender.progress
        await self._sender.until_open()
        self._start(job.line)
        progress.ready -= 1
        progress.sending += 1
        try:
            if job.patient_id is not None or await self._register(job):
                await self._send(job)
        finally:
            self._on_the_wire = False
            progress.sending -= 1
            if not self._settled:
                progress.ready += 1

    async def _register(self, job: Job) -> bool:
        """Learn the patient's id. False: the row is settled, or stays ready."""
        view = self._sender.view(job.who.practice)
        while True:
            heard = await self._ask(job, view)
            step = decide.after_register(heard.answer, heard.reason)
            if step.action is Action.SEND:
                return await self._claim(job)
            if not await self._go_on(job, step, heard):
                return False

    async def _ask(self, job: Job, view: AsyncHero) -> Heard:
        who = job.who
        try:
            found = await view.patients.register_pds(
                nhs_number=who.nhs_number,
                dob=who.dob,
                forename=who.forename,
                surname=who.surname,
                postcode=who.postcode,
            )
        except HeroError as error:
            return hear(error)
        if isinstance(found, PatientId):
            job.patient_id = found.patient_id
            return ACCEPTED
        return Heard(Answer.VERIFY)

    async def _claim(self, job: Job) -> bool:
        """Keep the patient's id; False: another row is for the same patient."""
        sender = self._sender
        patient_id = job.patient_id or ""
        patient = None
        if not sender.plan.allow_duplicates:
            patient = sender.hasher.patient(job.who.practice, patient_id)
        is_ours = await sender.journal.claim(Claim(job.line, patient_id, patient))
        step = decide.after_claim(taken=not is_ours)
        if step.action is Action.SETTLE:  # the outbox has it so already
            self._settled = True
            sender.outflow.publish([self._outcome(job, step)])
            sender.settled(step.state)
        return is_ours

    async def _send(self, job: Job) -> None:
        view = self._sender.view(job.who.practice)
        call, heard = self._build(job, view)
        while True:
            if call is not None:
                await self._sender.until_open()
                try:
                    sent = await view.execute(call, guard=self._guard)
                except ClosedError:
                    continue
                except (CampaignError, DrainingError):  # the guard's own: nothing was sent
                    raise
                except HeroError as error:
                    heard = hear(error)
                except BaseException:  # a cancel, in all likelihood
                    self._cut(job)
                    raise
                else:
                    self._message_id = sent.message_id
                    heard = ACCEPTED
            step = decide.after_send(self._state, heard.answer, heard.reason)
            if step.action is Action.SETTLE:
                self._settle(job, step)
                return
            if not await self._go_on(job, step, heard):
                return

    def _build(self, job: Job, view: AsyncHero) -> tuple[Call[SentMessage] | None, Heard]:
        plan = self._sender.plan
        try:
            call = view.messages.send.build(
                patient_id=job.patient_id or "",
                message_type=plan.channel,
                message_string=job.text,
                recipient_contact_detail=job.who.contact,
                **plan.options,
            )
        except InvalidArgumentError as error:
            return None, hear(error)
        return call, ACCEPTED

    async def _guard(self) -> None:
        """Commit the intent. Called by the client directly before the first byte."""
        sender = self._sender
        if sender.stopping:
            raise DrainingError
        self._on_the_wire = True
        if self._state is State.SENDING:
            return  # a second attempt of the same call, after the key was fetched anew
        if not sender.is_open:
            self._on_the_wire = False
            raise ClosedError
        try:
            group = sender.journal.join(Change(self._line, State.SENDING))
            await group.written
            group.check()
        except BaseException:
            sender.journal.put(Change(self._line, State.READY))
            raise
        self._state = State.SENDING

    def _cut(self, job: Job) -> None:
        """The call ended without an answer that can be read."""
        step = decide.after_cancel(self._state)
        if step.state is State.UNKNOWN:
            self._settle(job, step)

    async def _go_on(self, job: Job, step: Step, heard: Heard) -> bool:
        """Do what a rule says. True: the same call again."""
        sender = self._sender
        if step.action is Action.SETTLE:
            self._settle(job, step)
            return False
        if self._state is State.SENDING:  # back to ready on disk, before any wait: waiting never looks like sending
            await sender.journal.commit(Change(job.line, step.state, step.reason))
            self._state = State.READY
        self._on_the_wire = False
        if step.action is Action.STOP:
            sender.stop(step.reason or "refused", heard.words)
            return False
        if heard.answer is Answer.THROTTLED:
            self._throttled += 1
        else:
            self._tries += 1
        wait = sender.patience.wait(
            heard.answer, tries=self._tries, throttled=self._throttled, retry_after=heard.retry_after
        )
        if wait is None:
            sender.journal.put(Change(job.line, step.state, step.reason))
            sender.gave_up()
            return False
        if sender.stopping:
            return False
        sender.progress.repeated += 1
        await clock.sleep(wait)
        return True

    def _settle(self, job: Job, step: Step) -> None:
        """Note a final state. It is written with the next group, no later than this worker's next intent."""
        self._settled = True
        change = Change(job.line, step.state, step.reason, self._message_id)
        self._sender.journal.put(change, self._outcome(job, step))
        self._sender.settled(step.state)

    def _outcome(self, job: Job, step: Step) -> Outcome:
        return Outcome(job.line, step.state, step.reason, self._message_id, job.reference)
