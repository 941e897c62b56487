"""Killed with SIGKILL at random moments and run again: nobody twice, nobody lost. The server is the judge.

HERO_TEST_KILLS says how many kills; a few by default.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from aiohttp import web
from bulk_support import NHS_NUMBERS, write_csv

from hero_async.bulk import SQLiteOutbox, State

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")]

KILLS = int(os.environ.get("HERO_TEST_KILLS", "6"))
CONCURRENCY = 8
ROWS = 150 * max(KILLS, 6)
SCRIPT = Path(__file__).with_name("crash_campaign.py")


class Counting:
    """A server that counts messages the moment it has read them, whatever becomes of the answer."""

    def __init__(self, seed: int) -> None:
        self.messages: Counter[str] = Counter()
        self.address = ""
        self._chance = random.Random(seed)
        self._next_kill = -1
        self._kill = anyio.Event()

    def kill_after(self, more: int) -> anyio.Event:
        """An event for the moment when so many more requests have come."""
        self._next_kill, self._kill = more, anyio.Event()
        return self._kill

    def _tick(self) -> None:
        self._next_kill -= 1
        if self._next_kill == 0:
            self._kill.set()

    async def send(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        self._tick()
        if self._chance.random() < 0.5:
            await anyio.lowlevel.checkpoint()
        self.messages[body["patient_id"]] += 1
        for _ in range(self._chance.randrange(20)):
            await anyio.lowlevel.checkpoint()
        return web.json_response({"message_id": "1", "content": "-", "created_at": "-"})

    async def register(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        self._tick()
        return web.json_response({"patient_id": f"9{body['nhs_number']}"})


@asynccontextmanager
async def counting(seed: int) -> AsyncIterator[Counting]:
    server = Counting(seed)
    app = web.Application()
    app.router.add_post("/v1/messages/send", server.send)
    app.router.add_post("/v1/patients/register_pds", server.register)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()


async def test_killed_at_random_moments_nobody_is_sent_to_twice_and_nobody_is_lost(tmp_path: Path) -> None:
    chance = random.Random(f"kills {KILLS}")
    rows = [f"{number},,,Sample{number}" for number in range(1, ROWS + 1)]
    for number in NHS_NUMBERS:
        rows.insert(chance.randrange(len(rows)), f",{number},1980-02-01,Sample")
    path = write_csv(tmp_path / "r.csv", "patient_id,nhs_number,dob,first_name", rows)
    outbox = SQLiteOutbox(tmp_path / "it.outbox")
    arguments = [sys.executable, str(SCRIPT), str(path), outbox.label]
    unknown_before = 0
    async with counting(KILLS) as server:
        command = [*arguments, server.address, str(CONCURRENCY)]
        for _ in range(KILLS):
            moment = server.kill_after(chance.randrange(1, 120))
            async with await anyio.open_process(command, stdout=None, stderr=None) as process:
                await moment.wait()
                process.send_signal(signal.SIGKILL)
                assert await process.wait() == -signal.SIGKILL
            async with outbox.hold():
                pass  # what the next run does first: rows in flight become unknown
            unknown = (await outbox.status()).states[State.UNKNOWN]
            assert unknown - unknown_before <= CONCURRENCY
            unknown_before = unknown
        async with await anyio.open_process(command, stdout=None, stderr=None) as process:
            assert await process.wait() == 0
    assert {who: times for who, times in server.messages.items() if times > 1} == {}
    states = {record.line: (record.state, record.reason) async for record in outbox.records()}
    assert len(states) == len(rows)
    assert {state for state, _ in states.values()} <= {State.SENT, State.UNKNOWN}
    ours = {
        line: "9" + cells.split(",")[1] if cells[0] == "," else cells.split(",")[0]
        for line, cells in enumerate(rows, 2)
    }
    for line, (state, reason) in states.items():
        if state is State.SENT:
            assert server.messages[ours[line]] == 1
        else:
            assert reason == "interrupted"
