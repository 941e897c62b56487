"""One peer in a process of its own, told by lines of JSON on stdin what to do: see `turns.Worker`."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.peers import ASYNC, BLOCKING, LOOPS, BlockingCall, Call, hero
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
    opens = hero if peer in LOOPS else ASYNC[peer][1]
    with asyncio.Runner(loop_factory=LOOPS.get(peer)) as runner:
        opened = opens(url, limit)
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


def _repeat(call: BlockingCall, left: Iterable[int]) -> None:
    for _ in left:
        call()


def _share(call: BlockingCall, count: int, pool: ThreadPoolExecutor, threads: int) -> None:
    left = iter(range(count))
    for working in [pool.submit(_repeat, call, left) for _ in range(threads)]:
        working.result()


def serve_blocking(peer: str, url: str) -> None:
    """Commands for a blocking peer: one call after the other in this thread, or on as many threads as are in flight."""
    with BLOCKING[peer][1](url) as call, ThreadPoolExecutor(64) as pool:
        call()
        answer({"ready": True})
        for line in sys.stdin:
            command = json.loads(line)
            count, threads = command["count"], command["in_flight"]
            if threads == 1:
                answer(_timed(lambda count=count: _repeat(call, range(count)), count))
            else:
                answer(_timed(lambda count=count, n=threads: _share(call, count, pool, n), count))


def answer(figures: dict[str, Any]) -> None:
    """One line to the parent."""
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _, name, address, most, cores = sys.argv
    if cores == "apart":
        give_a_core(server=False)
    if name not in BLOCKING:
        serve_async(name, address, int(most))
    else:
        serve_blocking(name, address)
