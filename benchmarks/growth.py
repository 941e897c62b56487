"""How cost grows: calls in flight from 1 to 1,000, practice groups from 1 to 1,000."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Any

from benchmarks.peers import ASYNC
from benchmarks.report import Options, Part, number, told
from benchmarks.server import give_a_core, running
from benchmarks.turns import Figures, calls_in_turns, median

IN_FLIGHT = (1, 3, 10, 30, 100, 300, 1000)
GROUPS = (1, 10, 100, 1000)
PEERS = ("hero", "floor", "aiohttp")
CALLS = 2000


async def _groups(url: str, options: Options) -> dict[int, list[Figures]]:
    """One client, so many views of it: calls go round them, 64 in flight."""
    from hero_async import AsyncHero

    async with AsyncHero(api_key="bench", practice_group_id="1", base_url=url) as client:
        views = [client.with_options(practice_group_id=str(number)) for number in range(max(GROUPS))]

        async def drive(count: int) -> None:
            numbers = iter(range(CALLS))

            async def worker() -> None:
                for number in numbers:
                    await views[number % count].messages.send(
                        patient_id="123", message_type="sms", message_string="Your flu jab is due"
                    )

            await asyncio.gather(*(worker() for _ in range(64)))

        results: dict[int, list[Figures]] = {count: [] for count in GROUPS}
        for round_ in range(options.pick(9, quick=2) + 1):
            for count in GROUPS if round_ % 2 else reversed(GROUPS):
                gc.collect()
                began = time.process_time()
                await drive(count)
                if round_:
                    results[count].append({"cpu": (time.process_time() - began) / CALLS})
        return results


def run(options: Options) -> Part:
    """Measure."""
    lines: dict[str, list[tuple[float, float]]] = {ASYNC[peer][0]: [] for peer in PEERS}
    rows: list[list[str]] = []
    with running() as url:
        for in_flight in IN_FLIGHT:
            told(f"growth: {in_flight} in flight")
            results = calls_in_turns(
                PEERS,
                url,
                rounds=options.pick(9, quick=1),
                seconds=0.15,
                in_flight=in_flight,
                limit=max(in_flight, 100),
            )
            row = [f"{in_flight:,} in flight"]
            for peer in PEERS:
                cost = median(results[peer], "cpu") * 1e6
                lines[ASYNC[peer][0]].append((in_flight, cost))
                row.append(number(cost))
            rows.append(row)
        give_a_core(server=False)
        groups = asyncio.run(_groups(url, options))
    points = [(count, median(runs, "cpu") * 1e6) for count, runs in groups.items()]
    rows += [[f"{count:,} practice groups", number(cost), "", ""] for count, cost in points]
    curves: list[dict[str, Any]] = [
        {"title": "CPU a call, by calls in flight", "x": "in flight", "y": "µs", "lines": lines},
        {
            "title": "CPU a call, by practice groups in turn (64 in flight)",
            "x": "practice groups",
            "y": "µs",
            "lines": {"hero_async": points},
        },
    ]
    return Part(
        title="Growth",
        about="CPU a call, µs. Every peer may open as many connections as there are calls in flight.",
        header=["", *(ASYNC[peer][0] for peer in PEERS)],
        rows=rows,
        curves=curves,
    )
