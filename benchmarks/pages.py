"""Iterating over a long list, page by page: ours, and openai's pager on the same pages."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import time
from typing import Any

from benchmarks.peers import HEADERS
from benchmarks.report import Options, Part, number, target
from benchmarks.server import PAGE_SIZE, PAGES, give_a_core, running
from benchmarks.turns import ROOT, Figures, in_turns, median, ratio
from benchmarks.worker import resident

LABELS = {"hero": "hero_async, `async for`", "openai": "openai's AsyncCursorPage"}


async def _hero(url: str) -> int:
    from hero_async import AsyncHero

    count = 0
    async with AsyncHero(api_key="bench", practice_group_id="1", base_url=url) as client:
        async for _ in client.patients.list(last_name="Patient", page_size=PAGE_SIZE):
            count += 1
    return count


async def _openai(url: str) -> int:
    from openai import AsyncOpenAI, BaseModel
    from openai.pagination import AsyncCursorPage

    class Patient(BaseModel):
        id: str
        dob: str | None
        ehr_partner_id: str | None = None
        emis_id: str | None = None
        deceased_at: str | None = None
        ods_code: str | None = None
        title: str | None = None
        first_name: str | None = None
        last_name: str | None = None
        sex: str | None = None

    count = 0
    async with AsyncOpenAI(api_key="bench", base_url=url, default_headers=HEADERS) as client:
        page: Any = AsyncCursorPage[Patient]
        async for _ in client.get_api_list("/v3/patients", model=Patient, page=page, options={}):
            count += 1
    return count


def child(peer: str, url: str) -> None:
    """One walk, in a process of its own."""
    give_a_core(server=False)
    walk = {"hero": _hero, "openai": _openai}[peer]
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    count = asyncio.run(walk(url))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert count == PAGES * PAGE_SIZE, count
    print(json.dumps({"cpu": cpu, "wall": wall, "rss": resident()}))


def run(options: Options) -> Part:
    """Measure."""
    with running() as url:

        def turn(peer: str) -> Figures:
            command = [sys.executable, "-m", "benchmarks.pages", peer, url]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
            figures: Figures = json.loads(done.stdout)
            return figures

        results = in_turns(LABELS, options.pick(5, quick=1), turn, warm_up=1)  # the server makes its pages once
    rows = [
        [
            label,
            number(median(results[peer], "wall")),
            number(median(results[peer], "cpu")),
            number(ratio(results, peer, "hero", "cpu").median),
            number(median(results[peer], "rss")),
        ]
        for peer, label in LABELS.items()
    ]
    return Part(
        title="Pages",
        about=f"{PAGES * PAGE_SIZE:,} items over {PAGES:,} pages, one process a walk, imports included.",
        header=["Pager", "seconds", "CPU, s", "CPU, of ours", "memory at the end, MB"],
        rows=rows,
        targets=[target("times openai's pager", ratio(results, "openai", "hero", "wall"), 2.0, at_least=True)],
    )


if __name__ == "__main__":
    child(*sys.argv[1:])
