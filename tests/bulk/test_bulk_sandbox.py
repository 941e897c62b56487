"""A campaign against the sandbox, over real connections. The sandbox's ledger is the judge."""

from __future__ import annotations

from pathlib import Path

import pytest
from bulk_support import counts, run, write_csv

from hero_async.bulk import Campaign, State
from hero_async.client import AsyncHero
from hero_async.clock import VirtualClock
from hero_async.sandbox import RateLimited, Reset, Sandbox, SandboxClock, Status

pytestmark = pytest.mark.anyio


async def test_with_faults_everyone_is_accounted_for_and_no_one_is_sent_to_twice(
    tmp_path: Path, no_waiting: VirtualClock
) -> None:
    async with Sandbox(patients=120, clock=SandboxClock(frozen=True)) as sandbox:
        people = sandbox.patients
        rows = [f"{person.nhs_number},{person.dob:%d/%m/%Y},{person.first_name}" for person in people]
        rows[10] = "9990000019,01/01/1980,Wrong"
        path = write_csv(tmp_path / "r.csv", "nhs_number,dob,first_name", [*rows, rows[0]])
        sandbox.faults.add("messages.send", Reset(after_processing=True), times=3, after=5)
        sandbox.faults.add("messages.send", Reset(after_processing=False), times=2, after=20)
        sandbox.faults.add("messages.send", Status(500, after_processing=True), times=1, after=30)
        sandbox.faults.add("messages.send", RateLimited(retry_after=0), times=3, after=40)
        sandbox.faults.add("patients.register_pds", Status(500), times=4)
        async with AsyncHero(api_key=sandbox.api_key, practice_group_id="1", base_url=sandbox.url) as hero:
            campaign = Campaign(path, text="Dear {first_name}", channel="sms", outbox=tmp_path / "it.outbox")
            await run(campaign, hero)
            assert await counts(campaign) == {"sent": 113, "rejected": 2, "unknown": 6}
            lines = {outcome.line async for outcome in campaign.outcomes([State.UNKNOWN])}
            got = {message.patient_id for message in sandbox.ledger.messages}
            arrived = {line for line in lines if people[line - 2].patient_id in got}
            assert len(arrived) == 4
            await campaign.reconcile("sent", lines=arrived)
            await campaign.reconcile("unsent", lines=None)
            await run(campaign, hero)
            assert await counts(campaign) == {"sent": 119, "rejected": 2}
        assert sandbox.ledger.doubled() == {}
        assert {message.patient_id for message in sandbox.ledger.messages} == {
            person.patient_id for number, person in enumerate(people) if number != 10
        }
