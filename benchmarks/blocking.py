"""One typed `messages.send` against every blocking peer, one thread."""

from __future__ import annotations

from benchmarks.peers import BLOCKING
from benchmarks.report import Options, Part, bar_values, number, target
from benchmarks.server import running
from benchmarks.turns import calls_in_turns, median, ratio


def run(options: Options) -> Part:
    """Measure."""
    with running() as url:
        results = calls_in_turns(
            BLOCKING, url, rounds=options.pick(31, quick=3), seconds=0.05 if options.quick else 0.15
        )
    rows = []
    for peer, (label, _) in BLOCKING.items():
        cpu, times = ratio(results, peer, "hero_sync_plain", "cpu"), ratio(results, peer, "hero_sync_plain", "wall")
        rows.append(
            [
                label,
                number(1 / median(results[peer], "wall")),
                number(median(results[peer], "cpu") * 1e6),
                f"{number(cpu.median)} ({number(cpu.low)} to {number(cpu.high)})",
                f"{number(times.median)} ({number(times.low)} to {number(times.high)})",
            ]
        )
    targets = [
        target(
            "calls a second, times requests", ratio(results, "requests", "hero_sync_plain", "wall"), 2, at_least=True
        ),
        target("with `speed`, times requests", ratio(results, "requests", "hero_sync", "wall"), 2.4, at_least=True),
        target(
            "calls a second, times httpx.Client", ratio(results, "httpx", "hero_sync_plain", "wall"), 1.5, at_least=True
        ),
    ]
    return Part(
        title="Blocking calls",
        about="`messages.send`, one thread, one call after the other. Ratios are to hero_sync without uvloop.",
        header=["Peer", "calls a second", "CPU, µs a call", "CPU, of ours", "time, of ours"],
        rows=rows,
        targets=targets,
        bars={
            "title": "Blocking calls a second, one thread",
            "unit": "calls a second",
            "values": bar_values(
                [label for label, _ in BLOCKING.values()], [1 / median(results[peer], "wall") for peer in BLOCKING]
            ),
        },
    )
