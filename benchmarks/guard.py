"""Has a hot path become dearer? Counts that do not depend on the machine, against a saved baseline.

    python -m benchmarks.guard            # fails when something is dearer than the baseline allows
    python -m benchmarks.guard --renew    # after a change that was meant: writes benchmarks/baseline.json

Counted are the bytecode instructions and the calls, of Python and of C, that one `messages.send` makes. They are the
same from run to run, whatever else the machine does, but for a handful; they differ from one Python to the next, so
the baseline has an entry for each. What has no such count (C code that decodes) is a ratio of CPU time to a peer.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks import decoding
from benchmarks.peers import aiohttp_tuned, hero
from benchmarks.server import SENT, running

BASELINE = Path(__file__).parent / "baseline.json"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
TOLERANCES = {"instructions": 1.05, "calls": 1.05, "modules": 1.05, "time": 1.35}
"""By the first word of a figure: how many times the baseline is allowed. Times are noisy, counts are not."""


def instructions(run: Callable[[], Any]) -> int:
    """Bytecode instructions that a function executes, in all frames below it."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


def _finish(coroutine: Any) -> None:
    """Step a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waited")


async def sending() -> dict[str, float]:
    """A call through the whole pipeline, on a transport that answers at once."""
    from hero_async import AsyncHero
    from hero_async.transport import Attempt, Reply

    async def answer(attempt: Attempt) -> Reply:
        await attempt.leave()
        attempt.status = 200
        return Reply(200, {}, SENT)

    message: dict[str, Any] = {"patient_id": "123", "message_type": "sms", "message_string": "Your flu jab is due"}
    async with AsyncHero(api_key="k", practice_group_id="1", base_url="http://127.0.0.1:1", transport=answer) as client:
        for _ in range(20):  # plans, decoders, headers, the interpreter's own caches
            await client.messages.send(**message)
        build = client.messages.send.build
        return {
            "instructions: build messages.send": min(instructions(lambda: build(**message)) for _ in range(5)),
            "instructions: messages.send without a network": min(
                instructions(lambda: _finish(client.messages.send(**message))) for _ in range(5)
            ),
        }


async def _calls(call: Callable[[], Awaitable[Any]]) -> float:
    """Calls of Python and C functions that one call makes, the event loop's included: the median of many."""
    for _ in range(20):
        await call()
    counts: list[int] = []
    for _ in range(50):
        count = 0

        def profile(_: FrameType, event: str, __: Any) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        sys.setprofile(profile)
        try:
            await call()
        finally:
            sys.setprofile(None)
        counts.append(count)
    return statistics.median(counts)


async def on_the_network(url: str) -> dict[str, float]:
    """The same over a socket, beside the hand-tuned floor."""
    async with hero(url, 10) as ours, aiohttp_tuned(url, 10) as floor:
        return {"calls: messages.send, of the tuned floor": await _calls(ours) / await _calls(floor)}


def decode() -> dict[str, float]:
    """CPU of reading 1,000 patients, of msgspec's own Struct."""
    data = decoding.page_body(0, decoding.ITEMS)
    ours = decoding.ours(decoding.hints()["patients"])
    theirs = decoding.by_msgspec(decoding.PATIENT)

    def cost(read: Callable[[bytes], Any]) -> float:
        began = time.process_time()
        for _ in range(3):
            read(data)
        return time.process_time() - began

    cost(ours), cost(theirs)
    gc.collect()
    return {"time: 1,000 patients, of msgspec Struct": statistics.median(cost(ours) / cost(theirs) for _ in range(101))}


def modules() -> dict[str, float]:
    """How many modules an import loads, in a new process."""
    import subprocess

    def count(code: str) -> int:
        command = [sys.executable, "-c", f"import sys\nb = len(sys.modules)\n{code}\nprint(len(sys.modules) - b)"]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    return {
        "modules: import hero_async": count("import hero_async"),
        "modules: from hero_async import AsyncHero": count("from hero_async import AsyncHero"),
    }


def measure() -> dict[str, float]:
    """All figures."""
    with running() as url:
        return asyncio.run(sending()) | asyncio.run(on_the_network(url)) | decode() | modules()


def main(arguments: list[str]) -> None:
    """Compare, or renew."""
    found = measure()
    known: dict[str, dict[str, float]] = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    if "--renew" in arguments:
        known[PYTHON] = {name: round(value, 3) for name, value in found.items()}
        BASELINE.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
    if PYTHON not in known:
        sys.exit(f"benchmarks/baseline.json knows no Python {PYTHON}: renew it there (docs/benchmarks/README.md)")
    dearer = 0
    for name, value in found.items():
        before = known[PYTHON].get(name)
        limit = TOLERANCES[name.partition(":")[0]] * before if before is not None else 0.0
        verdict = "" if value <= limit else "  DEARER" if before is not None else "  NOT IN THE BASELINE"
        dearer += bool(verdict)
        print(f"{name:50} {value:10.3f}  baseline {before if before is not None else '-':>9}{verdict}")
    if dearer:
        sys.exit(f"{dearer} figures are dearer: see docs/benchmarks/README.md")


if __name__ == "__main__":
    main(sys.argv[1:])
