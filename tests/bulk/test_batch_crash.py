"""The batch route, killed with SIGKILL at random moments under each quirk of the server, and run again.

The kill comes from inside the server: when a request has arrived, or when it has just been processed and is not
answered yet. The judge is the sandbox's ledger. HERO_TEST_KILLS says how many kills for each quirk; 2 by default.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import pytest
from bulk_support import write_csv

from hero_async.bulk import SQLiteOutbox, State
from hero_async.sandbox import Quirks, Sandbox

KILLS = int(os.environ.get("HERO_TEST_KILLS", "2"))
CONCURRENCY = 3
SIZE = 4
SCRIPT = Path(__file__).with_name("crash_batches.py")
IN_FLIGHT = CONCURRENCY * SIZE

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL"),
    pytest.mark.timeout(60 + 10 * KILLS),
]

QUIRKS: dict[str, dict[str, Any]] = {
    "plain": {},
    "pending before send": {"pending_before_send": True, "pending_seconds": 0.05},
    "pending long": {"pending_seconds": 3600.0},
    "lag": {"status_lag": 0.2, "pending_seconds": 0.1, "sending_seconds": 0.1},
    "long lag": {"status_lag": 3600.0, "list_lag": 3600.0},
    "second send repeats": {"second_send": "repeat"},
    "second send does nothing": {"second_send": "ignore", "send_answer": "empty"},
    "lists of one object": {"batch_list": "object", "pages": "from_one"},
    "unknown values": {"unknown_values": True, "extra_fields": True},
    "at once": {"pending_seconds": 0.0, "sending_seconds": 0.0, "recipients_by": "nhs_number", "pages": "none"},
}


class Killer:
    """Kills a process when the server has seen so many arrivals and deeds more."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._left = -1
        self._process: int | None = None
        ledger = sandbox.ledger
        arrived, accept = ledger.arrived, ledger.accept

        def then_arrived(*arguments: Any) -> Any:
            found = arrived(*arguments)
            self._tick()
            return found

        def then_accept(record: Any) -> None:
            accept(record)
            self._tick()

        ledger.arrived = then_arrived  # type: ignore[method-assign]  # the moment is inside the server
        ledger.accept = then_accept  # type: ignore[method-assign]

    def aim(self, process: int, moment: int) -> None:
        self._process, self._left = process, moment

    def _tick(self) -> None:
        self._left -= 1
        if self._left <= 0 and self._process is not None:
            os.kill(self._process, signal.SIGKILL)
            self._process = None


@pytest.mark.parametrize("name", QUIRKS)
async def test_killed_at_random_moments_nobody_is_sent_to_twice_and_nobody_is_lost(tmp_path: Path, name: str) -> None:
    chance = random.Random(f"{name} {KILLS}")
    settings = {"chunk_size": SIZE, "concurrency": CONCURRENCY, "settle": 0.3, "collect": 0.2}
    async with Sandbox(patients=60 * KILLS, quirks=Quirks(**QUIRKS[name])) as sandbox:
        killer = Killer(sandbox)
        people = sandbox.patients
        path = write_csv(tmp_path / "r.csv", "nhs_number,dob", [f"{one.nhs_number},{one.dob}" for one in people])
        outbox = SQLiteOutbox(tmp_path / "it.outbox")
        arguments = [str(path), outbox.label, sandbox.url, sandbox.api_key, json.dumps(settings)]
        command = [sys.executable, str(SCRIPT), *arguments]
        doubts_before = 0
        for _ in range(KILLS):
            async with await anyio.open_process(command, stdout=None, stderr=None) as process:
                killer.aim(process.pid, chance.randrange(1, 90))
                assert await process.wait() == -signal.SIGKILL
            states = (await outbox.status()).states
            doubts = states[State.UNKNOWN] + states[State.SENDING]
            assert doubts - doubts_before <= IN_FLIGHT
            doubts_before = doubts
        async with await anyio.open_process(command, stdout=None, stderr=None) as process:
            assert await process.wait() == 0
        got = Counter(message.patient_id for message in sandbox.ledger.messages)
        assert sandbox.ledger.doubled() == {}
        states_by_line = {record.line: record.state async for record in outbox.records()}
        assert len(states_by_line) == len(people)
        assert set(states_by_line.values()) <= {State.SENT, State.UNKNOWN}
        for line, state in states_by_line.items():
            if state is State.SENT:
                assert got[people[line - 2].patient_id] == 1
