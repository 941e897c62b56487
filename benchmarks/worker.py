"""One peer in a process of its own, told by lines of JSON on stdin what to do: see `turns.Worker`."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peers import ASYNC, BLOCKING, BlockingCall, Call
from benchmarks.server import give_a_core


def resident() -> float:
    """Memory of this process, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1000
    return 0.0


async def _drive(call: Call, count: int, in_flight: int) -> None:
    left = iter(range(count))

    async def one_by_one() -> None:
        for _ in left:
            await call()

    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(one_by_one())


def _timed(run: Callable[[], Any], count: int) -> dict[str, float]:
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall": wall / count, "cpu": cpu / count}


async def _held(call: Call, in_flight: int, hold: Callable[[], Any]) -> dict[str, float]:
    """Memory at rest after one call, and while so many calls wait for their answers."""
    await call()
    gc.collect()
    rest = resident()
    await hold()
    peak = 0.0

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, resident())
            await asyncio.sleep(0.02)

    watcher = asyncio.create_task(watch())
    await asyncio.gather(*(call() for _ in range(in_flight)))
    peak = max(peak, resident())
    watcher.cancel()
    return {"rest": rest, "held": peak}


async def _hold(url: str, count: int) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET /hold/{count} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    await reader.readuntil(b"{}")
    writer.close()


def serve_async(peer: str, url: str, limit: int) -> None:
    """Commands for an async peer."""
    with asyncio.Runner() as runner:
        opened = ASYNC[peer][1](url, limit)
        call = runner.run(opened.__aenter__())
        runner.run(_drive(call, 1, 1))
        answer({"ready": True})
        for line in sys.stdin:
            command = json.loads(line)
            if "hold" in command:
                count = command["hold"]
                answer(runner.run(_held(call, count, lambda count=count: _hold(url, count))))
            else:
                count, in_flight = command["count"], command["in_flight"]
                answer(_timed(lambda count=count, n=in_flight: runner.run(_drive(call, count, n)), count))
        runner.run(opened.__aexit__(None, None, None))


def _repeat(call: BlockingCall, count: int) -> None:
    for _ in range(count):
        call()


def serve_blocking(peer: str, url: str) -> None:
    """Commands for a blocking peer: one call after the other, in this thread."""
    with BLOCKING[peer][1](url) as call:
        call()
        answer({"ready": True})
        for line in sys.stdin:
            count = json.loads(line)["count"]
            answer(_timed(lambda count=count: _repeat(call, count), count))


def answer(figures: dict[str, Any]) -> None:
    """One line to the parent."""
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    give_a_core(server=False)
    _, name, address, most = sys.argv
    if name in ASYNC:
        serve_async(name, address, int(most))
    else:
        serve_blocking(name, address)
