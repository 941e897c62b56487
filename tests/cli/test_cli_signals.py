"""Ctrl-C, SIGTERM and kill -9 in the middle of a campaign: nobody twice, nobody lost.

The sandbox's clock stands still, so a send that a `Delay` holds stays under way until the test moves it on.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from cli_support import Hero, Write, cells, command, environment, variables

from hero_async.sandbox import Delay, Sandbox, SandboxClock

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send"),
]
PATIENTS = 20
UNDER_WAY = 5


class Stage:
    """A frozen sandbox, a file of its patients, and `hero send` in a process of its own, its first sends held."""

    def __init__(self, sandbox: Sandbox, file: Path, process: Process) -> None:
        self.sandbox = sandbox
        self.outbox = file.with_name("campaign.outbox")
        self.process = process
        assert process.stdout is not None
        assert process.stderr is not None
        self._out = BufferedByteReceiveStream(process.stdout)
        self._err = BufferedByteReceiveStream(process.stderr)

    def let_go(self) -> None:
        """Let the sends that are held be processed, and hold no further ones."""
        self.sandbox.faults.clear()
        self.sandbox.clock.advance(60)

    async def signal(self, number: int) -> None:
        self.process.send_signal(number)
        with anyio.fail_after(20):
            assert b"stopping: what is under way is finished" in await self._err.receive_until(b"at once)\n", 9999)

    async def end(self) -> tuple[int, dict[str, Any]]:
        """Its exit code, and what it said on stdout."""
        with anyio.fail_after(20):
            said = await self._out.receive_until(b"\n", 99999)
            return await self.process.wait(), json.loads(said)


@pytest.fixture
async def stage(write: Write, until: Callable[[Callable[[], object]], Any]) -> AsyncIterator[Stage]:
    async with playing(write, until) as stage:
        yield stage


@asynccontextmanager
async def playing(write: Write, until: Callable[[Callable[[], object]], Any]) -> AsyncIterator[Stage]:
    frozen = SandboxClock(frozen=True)
    async with Sandbox(patients=PATIENTS, clock=frozen) as sandbox:
        sandbox.faults.add("messages.send", Delay(30), times=None)
        file = write([cells(patient) for patient in sandbox.patients])
        os.environ.update(variables(sandbox))  # the fixture `bare` takes it back
        words = command(
            *("send", file, "--channel", "sms", "--text", "Dear {first_name}", "--concurrency", UNDER_WAY),
            *("--outbox", file.with_name("campaign.outbox"), "--json"),
        )
        async with await anyio.open_process(words, env=environment({})) as process:
            await until(lambda: frozen.sleeping == UNDER_WAY)
            yield Stage(sandbox, file, process)
            if process.returncode is None:
                process.kill()


async def run(*words: object) -> tuple[int, Any]:
    """A command in a process of its own, so that this loop goes on serving."""
    done = await anyio.run_process(command(*words), env=environment({}), check=False, stderr=subprocess.DEVNULL)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_first_signal_finishes_what_is_under_way(stage: Stage, number: int) -> None:
    await stage.signal(number)
    stage.let_go()
    code, said = await stage.end()
    assert code == 130
    assert (said["sent"], said["ready"], said["unknown"], said["interrupted"]) == (5, 15, 0, True)
    assert len(stage.sandbox.ledger.messages) == UNDER_WAY
    resumed, said = await run(*said["resume"].split()[1:], "--json")
    assert (resumed, said["sent"], said["unknown"]) == (0, PATIENTS, 0)
    assert len(stage.sandbox.ledger.messages) == PATIENTS
    assert not stage.sandbox.ledger.doubled()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_second_signal_stops_at_once(stage: Stage, number: int) -> None:
    await stage.signal(number)
    stage.process.send_signal(number)
    code, said = await stage.end()
    assert code == 130
    assert (said["sent"], said["ready"], said["unknown"]) == (0, 15, UNDER_WAY)
    stage.let_go()  # they were processed after all: unknown was the only right word
    outbox = stage.outbox
    assert await run("reconcile", outbox, "--mark", "sent", "--all", "--json") == (
        0,
        {"outbox": str(outbox), "marked": UNDER_WAY, "as": "sent"},
    )
    code, said = await run("resume", outbox, "--json")
    assert (code, said["sent"]) == (0, PATIENTS)
    assert len(stage.sandbox.ledger.messages) == PATIENTS
    assert not stage.sandbox.ledger.doubled()


async def test_a_kill_leaves_at_most_what_was_under_way_unknown_and_named(stage: Stage) -> None:
    stage.process.kill()
    with anyio.fail_after(20):
        await stage.process.wait()
    stage.let_go()
    code, said = await run("status", stage.outbox, "--json")
    assert (code, said["sending"], said["running"], said["ready"]) == (1, UNDER_WAY, False, 15)
    code, said = await run("reconcile", stage.outbox, "--json")
    assert (code, len(said["unknown"])) == (1, UNDER_WAY)
    assert {one["reason"] for one in said["unknown"]} == {"interrupted"}
    code, said = await run("resume", stage.outbox, "--json")
    assert (code, said["sent"], said["unknown"], said["ready"]) == (1, 15, UNDER_WAY, 0)
    assert not stage.sandbox.ledger.doubled()


async def test_a_campaign_that_runs_is_left_alone_by_others(stage: Stage) -> None:
    code, said = await run("status", stage.outbox, "--json")
    assert (code, said["running"], said["sending"]) == (1, True, UNDER_WAY)
    for words in (("resume", stage.outbox), ("reconcile", stage.outbox, "--mark", "unsent", "--all")):
        done = await anyio.run_process(command(*words), env=environment({}), check=False)
        assert done.returncode == 2
        assert b"another process is sending from it" in done.stderr
    await stage.signal(signal.SIGINT)
    stage.let_go()
    assert (await stage.end())[0] == 130


async def test_a_signal_when_nothing_is_left_is_no_interruption(
    write: Write, until: Callable[[Callable[[], object]], Any]
) -> None:
    frozen = SandboxClock(frozen=True)
    async with Sandbox(patients=1, clock=frozen) as sandbox:
        sandbox.faults.add("messages.send", Delay(30))
        os.environ.update(variables(sandbox))
        file = write([cells(sandbox.patients[0])])
        words = command("send", file, "--channel", "sms", "--text", "Hello", "--json")
        async with await anyio.open_process(words, env=environment({})) as process:
            await until(lambda: frozen.sleeping == 1)
            stage = Stage(sandbox, file, process)
            await stage.signal(signal.SIGINT)
            stage.let_go()
            code, said = await stage.end()
    assert (code, said["sent"], said["interrupted"]) == (0, 1, False)


async def test_on_a_terminal_the_progress_is_live_and_the_way_on_is_said(
    write: Write, until: Callable[[Callable[[], object]], Any]
) -> None:
    pty = pytest.importorskip("pty")
    frozen = SandboxClock(frozen=True)
    async with Sandbox(patients=8, clock=frozen) as sandbox:
        sandbox.faults.add("messages.send", Delay(30), times=None)
        os.environ.update(variables(sandbox))
        file = write([cells(patient) for patient in sandbox.patients])
        ours, theirs = pty.openpty()
        words = command("send", file, "--channel", "sms", "--text", "Hello", "--concurrency", "2")
        async with await anyio.open_process(
            words, env=environment({"TERM": "xterm-256color"}), stderr=theirs, stdout=theirs
        ) as process:
            os.close(theirs)
            await until(lambda: frozen.sleeping == 2)
            said = await anyio.to_thread.run_sync(_read_until, ours, "2 under way")
            process.send_signal(signal.SIGINT)
            said += await anyio.to_thread.run_sync(_read_until, ours, "at once")
            sandbox.faults.clear()
            frozen.advance(60)
            said += await anyio.to_thread.run_sync(_read_until, ours, None)
            code = await process.wait()
        os.close(ours)
    assert code == 130
    assert "2 under way" in said
    assert "\x1b[32m2 sent" in said
    assert "\nstopping: what is under way is finished first (again: stop at once)" in said.replace(
        "\x1b[2K", ""
    ).replace("\x1b[1A", "").replace("\r", "\n")
    assert "to resume it:      hero resume " in said


def _read_until(descriptor: int, mark: str | None) -> str:
    said = ""
    while mark is None or mark not in said:
        try:
            got = os.read(descriptor, 4096).decode()
        except OSError:  # the other end is closed
            break
        if not got:
            break
        said += got
    return said


def test_ctrl_c_before_anything_was_sent(hero: Hero, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hero_async.cli.config.settings_or_stand_ins", interrupted)
    ran = hero("config", "show")
    assert (ran.code, ran.err) == (130, "interrupted\n")
