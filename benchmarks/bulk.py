"""A campaign against a bare client that sends the same rows with the same concurrency, in turn.

Each run is a process of its own, set up as the `hero` command sets up its own, against one server in another. Told are
medians over the rounds and, pair by pair, ratios: the rate, from the first row read to the last one settled; the
processor time; the growth of memory.

    python -m benchmarks bulk --rows 100000 --rounds 3
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.server import running
from benchmarks.unjournalled import ForgetfulOutbox
from hero_async import AsyncHero
from hero_async.bulk import Campaign
from hero_async.cli import loop

TEXT = "Dear {first_name}, your flu jab is due. Please call the surgery to book a time that suits you."
CONCURRENCY = 50
MODES = ("bare client", "campaign", "campaign, no journal")


def make_csv(path: Path, rows: int) -> None:
    """Patient ids and first names of nobody."""
    names = ("Sample", "Specimen", "Example", "Mockup", "Fictional")
    chance = Random(1)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["patient_id", "first_name", "surgery"])
        writer.writerows([str(1_000_000 + number), chance.choice(names), "Example Surgery"] for number in range(rows))


def resident() -> float:
    """Memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


async def bare(hero: AsyncHero, path: Path) -> tuple[int, float]:
    """What one writes by hand: workers that share a CSV reader."""
    sent, early = 0, 0.0
    with path.open(encoding="utf-8", newline="") as file:
        rows: Iterator[dict[str, str]] = csv.DictReader(file)

        async def worker() -> None:
            nonlocal sent, early
            for row in rows:
                await hero.messages.send(
                    patient_id=row["patient_id"],
                    message_type="sms",
                    message_string=TEXT.format(first_name=row["first_name"]),
                )
                sent += 1
                if sent == 1000:
                    early = resident()

        await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    return sent, early


async def campaign(hero: AsyncHero, path: Path, *, journal: bool) -> tuple[int, float]:
    """The same rows as a campaign."""
    outbox = path.with_suffix(".outbox") if journal else ForgetfulOutbox()
    sent, early = 0, 0.0
    sending = Campaign(path, text=TEXT, channel="sms", outbox=outbox, concurrency=CONCURRENCY)
    async for _ in sending.run(hero):
        sent += 1
        if sent == 1000:
            early = resident()
    return sent, early


async def child(mode: str, url: str, path: Path) -> None:
    """One measured run."""
    async with AsyncHero(api_key="bench", practice_group_id="1", base_url=url) as hero:
        began, cpu = time.perf_counter(), time.process_time()
        if mode == "bare client":
            sent, early = await bare(hero, path)
        else:
            sent, early = await campaign(hero, path, journal=mode == "campaign")
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        growth = resident() - early
        counts = await hero.request("GET", "/counts")
    figures = {"sent": sent, "wall": wall, "cpu": cpu, "growth": growth, "rss": resident(), "counts": counts}
    print(json.dumps(figures))


def run_child(mode: str, url: str, path: Path) -> dict[str, Any]:
    """A run in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.bulk", "--child", mode, url, str(path)]
    figures: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for leftover in path.parent.glob("*.outbox*"):
        leftover.unlink()
    return figures


def measure(rows: int, rounds: int) -> dict[str, list[dict[str, Any]]]:
    """All modes in turn, in an order that changes."""
    results: dict[str, list[dict[str, Any]]] = {mode: [] for mode in MODES}
    with tempfile.TemporaryDirectory() as folder, running() as url:
        path = Path(folder) / "recipients.csv"
        make_csv(path, rows)
        for number in range(rounds):
            order = list(MODES)
            Random(number).shuffle(order)
            for mode in order:
                figures = run_child(mode, url, path)
                counts = figures["counts"]
                assert counts == {"sent": rows, "people": rows, "doubled": 0}, counts
                results[mode].append(figures)
    return results


def table(results: dict[str, list[dict[str, Any]]], rows: int) -> str:
    """Markdown."""
    lines = [
        f"| {rows:,} rows, {CONCURRENCY} at once | rate, rows/s | of the bare client's | CPU, µs a row | "
        "memory, MB | growth after row 1,000, MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for mode in MODES:
        runs = results[mode]
        ratio = statistics.median(
            theirs["wall"] / ours["wall"] for theirs, ours in zip(results["bare client"], runs, strict=True)
        )
        rate = rows / statistics.median(run["wall"] for run in runs)
        cpu = statistics.median(run["cpu"] for run in runs) / rows * 1e6
        rss, growth = (statistics.median(run[name] for run in runs) for name in ("rss", "growth"))
        lines.append(f"| {mode} | {rate:,.0f} | {ratio:.2f} | {cpu:.0f} | {rss:.0f} | {growth:.1f} |")
    cost = statistics.median(
        ours["wall"] / without["wall"]
        for ours, without in zip(results["campaign"], results["campaign, no journal"], strict=True)
    )
    return "\n".join([*lines, "", f"The journal costs {(cost - 1) * 100:.1f} % of the time (median of the pairs)."])


def main(arguments: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks bulk")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", nargs=3, metavar=("MODE", "URL", "CSV"))
    options = parser.parse_args(arguments)
    if options.child:
        mode, url, path = options.child
        loop.run(partial(child, mode, url, Path(path)))
    else:
        print(table(measure(options.rows, options.rounds), options.rows))


if __name__ == "__main__":
    main(sys.argv[1:])
