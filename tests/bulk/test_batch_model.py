"""The batch route against a model server: any order of faults, crashes, words and runs, whatever the server is like.

The judge is the server's own count. Whatever happens, nobody gets two messages, nobody is called `sent` who got none,
and nobody is called `ready` or `rejected` who got one. HERO_TEST_STEPS says how many steps; a few hundred by default.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from batch_support import (
    TEXT,
    BatchServer,
    garbage,
    lost,
    nhs_numbers,
    people_csv,
    process,
    status,
    unreachable,
)
from bulk_support import run
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hero_async import clock
from hero_async.bulk import Campaign, CampaignError, Patience, State
from hero_async.client import AsyncHero
from hero_async.clock import VirtualClock
from hero_async.transport import Attempt, Loss, Reply

ROWS = 9
STEPS_AT_ONCE = 25
STEPS = int(os.environ.get("HERO_TEST_STEPS", "600"))

pytestmark = pytest.mark.timeout(60 + STEPS // 20)


class KillError(BaseException):
    """The process is gone: what was on disk is there, and nothing else."""


def killed(*, processed: bool) -> Any:
    """The process dies while this request is under way."""

    async def answer(server: BatchServer, attempt: Attempt) -> Reply | Loss:
        await attempt.leave()
        if processed:
            server.handle(attempt)
        raise KillError

    return answer


FAULTS: dict[str, Any] = {
    "process": process,
    "lost before": lost(processed=False),
    "lost after": lost(processed=True),
    "garbage": garbage,
    "unreachable": unreachable,
    "429": status(429),
    "400": status(400),
    "401": status(401),
    "404": status(404),
    "409": status(409),
    "413": status(413),
    "500 before": status(500),
    "500 after": status(500, processed=True),
    "killed before": killed(processed=False),
    "killed after": killed(processed=True),
}


DANGEROUS = ["lost before", "lost after", "killed before", "killed after"]
SOME_FAULTS = st.lists(st.sampled_from(sorted(FAULTS)) | st.sampled_from(DANGEROUS), max_size=3)


class BatchMachine(RuleBasedStateMachine):
    """One campaign, run again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = people_csv(Path(self.folder.name) / "r.csv", ROWS)
        self.clock = VirtualClock()
        self.using = clock.use(self.clock)
        self.using.__enter__()
        self.server = BatchServer()
        self.marked: set[int] = set()
        self.loop = asyncio.new_event_loop()

    def teardown(self) -> None:
        self.using.__exit__(None, None, None)
        self.loop.close()
        self.folder.cleanup()

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(coroutine)

    def campaign(self, **changes: Any) -> Campaign:
        given: dict[str, Any] = {"text": TEXT, "channel": "sms", "route": "batch", "outbox": self.outbox}
        patience = Patience(tries=2, throttled_tries=2)
        return Campaign(self.path, **given | {"chunk_size": 3, "concurrency": 2, "patience": patience} | changes)

    @property
    def outbox(self) -> Path:
        return Path(self.folder.name) / "it.outbox"

    @initialize(
        second=st.sampled_from(["conflict", "ignore", "repeat"]),
        pending=st.booleans(),
        lag=st.sampled_from([0.0, 5.0, 90.0]),
        steps=st.sampled_from([(0.0, 0.0), (1.0, 1.0), (40.0, 40.0)]),
        most=st.sampled_from([2, 100]),
        bad=st.sampled_from([set(), {4}]),
        tells=st.booleans(),
    )
    def kind(
        self, second: str, pending: bool, lag: float, steps: tuple[float, float], most: int, bad: set[int], tells: bool
    ) -> None:
        server = self.server
        server.second_send, server.pending_before_send, server.status_lag = second, pending, lag
        server.steps, server.most, server.tells_path = steps, most, tells
        server.bad = {nhs_numbers(ROWS)[place] for place in bad}

    @rule(
        creates=SOME_FAULTS,
        sends=SOME_FAULTS,
        gets=st.lists(st.sampled_from(["process", "lost before", "500 before", "429", "killed before"]), max_size=2),
        limit=st.sampled_from([None, 1, 4]),
        resend=st.booleans(),
    )
    def run_it(self, creates: list[str], sends: list[str], gets: list[str], limit: int | None, resend: bool) -> None:
        for operation, faults in (("create", creates), ("send", sends), ("get", gets)):
            self.server.script[operation].clear()
            self.server.script[operation] += [FAULTS[name] for name in faults]
        if self.server.second_send == "repeat" and self.server.status_lag:
            resend = False  # nothing can save who asks for it there; the option says so
        with suppress(CampaignError, KillError):
            self.wait(self._run(limit, resend))

    async def _run(self, limit: int | None, resend: bool) -> None:
        async with AsyncHero(
            api_key="test-key", practice_group_id="1", base_url="http://127.0.0.1:1", transport=self.server
        ) as hero:
            await run(self.campaign(limit=limit, resend_created=resend), hero)

    @rule(seconds=st.sampled_from([1.0, 30.0, 100.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: self.outbox.exists())
    @rule(word=st.booleans())
    def someone_looks_and_says_what_happened(self, word: bool) -> None:
        """Only what is true: the person looked."""
        self.server.script.clear()
        got = {number for _, number in self.server.got}
        unknown = [line for line, state in self.states().items() if state is State.UNKNOWN]
        arrived = [line for line in unknown if nhs_numbers(ROWS)[line - 2] in got]
        missing = [line for line in unknown if line not in arrived]
        if word and arrived:
            self.wait(self.campaign().reconcile("sent", lines=arrived))
        if not word and missing:
            self.wait(self.campaign().reconcile("unsent", lines=missing))

    def states(self) -> dict[int, State]:
        async def read() -> dict[int, State]:
            return {outcome.line: outcome.state async for outcome in self.campaign().outcomes()}

        return self.wait(read())  # type: ignore[no-any-return]  # `wait` is for any coroutine

    @invariant()
    def nobody_twice_and_nobody_lost(self) -> None:
        assert self.server.doubled == []
        if not self.outbox.exists():
            return
        got = {number for _, number in self.server.got}
        states = self.states()
        if not states:
            assert not got
            return
        assert len(states) == ROWS
        for line, state in states.items():
            number = nhs_numbers(ROWS)[line - 2]
            if state is State.SENT:
                assert number in got
            if state in (State.READY, State.REJECTED):
                assert number not in got


BatchMachine.TestCase.settings = settings(
    max_examples=max(STEPS // STEPS_AT_ONCE, 1),
    stateful_step_count=STEPS_AT_ONCE,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestBatchModel = BatchMachine.TestCase
