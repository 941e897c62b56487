"""A campaign against what one writes by hand, for the same rows with the same concurrency, in turn: a loop over our
client, and a loop over aiohttp as its documentation shows it.

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
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from benchmarks.peers import HEADERS, PATH
from benchmarks.server import running
from benchmarks.unjournalled import ForgetfulOutbox
from hero_async import AsyncHero
from hero_async.bulk import Campaign
from hero_async.cli import loop

TEXT = "Dear {first_name}, your flu jab is due. Please call the surgery to book a time that suits you."
CONCURRENCY = 50
MODES = ("aiohttp by hand", "bare client", "campaign", "campaign, no journal")


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


async def bare(send: Callable[[str, str], Awaitable[Any]], path: Path, at_once: int) -> tuple[int, float]:
    """What one writes by hand: workers that share a CSV reader."""
    sent, early = 0, 0.0
    with path.open(encoding="utf-8", newline="") as file:
        rows: Iterator[dict[str, str]] = csv.DictReader(file)

        async def worker() -> None:
            nonlocal sent, early
            for row in rows:
                await send(row["patient_id"], TEXT.format(first_name=row["first_name"]))
                sent += 1
                if sent == 1000:
                    early = resident()

        await asyncio.gather(*(worker() for _ in range(at_once)))
    return sent, early


async def by_client(hero: AsyncHero, path: Path, at_once: int) -> tuple[int, float]:
    """By our client."""
    return await bare(
        lambda patient, text: hero.messages.send(patient_id=patient, message_type="sms", message_string=text),
        path,
        at_once,
    )


async def by_aiohttp(url: str, path: Path, at_once: int) -> tuple[int, float]:
    """By aiohttp."""
    connector = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(url, headers=HEADERS, connector=connector) as session:

        async def send(patient: str, text: str) -> Any:
            message = {"patient_id": patient, "message_type": "sms", "message_string": text}
            async with session.post(PATH, json=message) as response:
                return await response.json()

        return await bare(send, path, at_once)


async def campaign(hero: AsyncHero, path: Path, at_once: int, *, journal: bool) -> tuple[int, float]:
    """The same rows as a campaign."""
    outbox = path.with_suffix(".outbox") if journal else ForgetfulOutbox()
    sent, early = 0, 0.0
    sending = Campaign(path, text=TEXT, channel="sms", outbox=outbox, concurrency=at_once)
    async for _ in sending.run(hero):
        sent += 1
        if sent == 1000:
            early = resident()
    return sent, early


async def child(mode: str, url: str, path: Path, at_once: int) -> None:
    """One measured run."""
    async with AsyncHero(api_key="bench", practice_group_id="1", base_url=url, max_connections=at_once) as hero:
        began, cpu = time.perf_counter(), time.process_time()
        if mode == "aiohttp by hand":
            sent, early = await by_aiohttp(url, path, at_once)
        elif mode == "bare client":
            sent, early = await by_client(hero, path, at_once)
        else:
            sent, early = await campaign(hero, path, at_once, journal=mode == "campaign")
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        growth = resident() - early
        counts = await hero.request("GET", "/counts")
    figures = {"sent": sent, "wall": wall, "cpu": cpu, "growth": growth, "rss": resident(), "counts": counts}
    print(json.dumps(figures))


def run_child(mode: str, url: str, path: Path, at_once: int) -> dict[str, Any]:
    """A run in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.bulk", "--child", mode, url, str(path), str(at_once)]
    figures: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for leftover in path.parent.glob("*.outbox*"):
        leftover.unlink()
    return figures


def measure(rows: int, rounds: int, at_once: int) -> dict[str, list[dict[str, Any]]]:
    """All modes in turn, in an order that changes."""
    results: dict[str, list[dict[str, Any]]] = {mode: [] for mode in MODES}
    with tempfile.TemporaryDirectory() as folder, running() as url:
        path = Path(folder) / "recipients.csv"
        make_csv(path, rows)
        for number in range(rounds):
            order = list(MODES)
            Random(number).shuffle(order)
            for mode in order:
                figures = run_child(mode, url, path, at_once)
                counts = figures["counts"]
                assert counts == {"sent": rows, "people": rows, "doubled": 0}, counts
                results[mode].append(figures)
    return results


def ratio(theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> float:
    """Our rate over theirs, pair by pair: the median."""
    return statistics.median(one["wall"] / other["wall"] for one, other in zip(theirs, ours, strict=True))


def table(results: dict[str, list[dict[str, Any]]], rows: int, at_once: int) -> str:
    """Markdown."""
    lines = [
        f"| {rows:,} rows, {at_once} at once | rate, rows/s | of aiohttp's | of the bare client's | CPU, µs a row | "
        "memory, MB | growth after row 1,000, MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for mode in MODES:
        runs = results[mode]
        hand, client = (ratio(results[other], runs) for other in ("aiohttp by hand", "bare client"))
        rate = rows / statistics.median(run["wall"] for run in runs)
        cpu = statistics.median(run["cpu"] for run in runs) / rows * 1e6
        rss, growth = (statistics.median(run[name] for run in runs) for name in ("rss", "growth"))
        lines.append(f"| {mode} | {rate:,.0f} | {hand:.2f} | {client:.2f} | {cpu:.0f} | {rss:.0f} | {growth:.1f} |")
    cost = ratio(results["campaign"], results["campaign, no journal"])
    return "\n".join([*lines, "", f"The journal costs {(cost - 1) * 100:.1f} % of the time (median of the pairs)."])


def main(arguments: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks bulk")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=CONCURRENCY)
    parser.add_argument("--child", nargs=4, metavar=("MODE", "URL", "CSV", "CONCURRENCY"))
    options = parser.parse_args(arguments)
    if options.child:
        mode, url, path, at_once = options.child
        loop.run(partial(child, mode, url, Path(path), int(at_once)))
    else:
        results = measure(options.rows, options.rounds, options.concurrency)
        print(table(results, options.rows, options.concurrency))


if __name__ == "__main__":
    main(sys.argv[1:])
