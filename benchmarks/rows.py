"""How a campaign's cost grows with its rows. It takes long: 1,000,000 rows are minutes a run."""

from __future__ import annotations

from statistics import median

from benchmarks import bulk
from benchmarks.report import Options, Part, number, told


def run(counts: list[int], options: Options) -> Part:
    """Measure."""
    lines: dict[str, list[tuple[float, float]]] = {}
    rows: list[list[str]] = []
    for count in counts:
        told(f"bulk: {count:,} rows")
        for mode, runs in bulk.measure(count, options.pick(3, quick=1), bulk.CONCURRENCY).items():
            cost = median(run["cpu"] for run in runs) / count * 1e6
            lines.setdefault(f"hero_async, {mode}", []).append((count, cost))
            memory = median(run["rss"] for run in runs)
            rows.append([f"{count:,} rows, {mode}", number(cost), number(memory)])
    return Part(
        title="Rows",
        about="CPU a row of a campaign, and memory at its end.",
        header=["", "CPU, µs a row", "memory, MB"],
        rows=rows,
        curves=[{"title": "CPU a row, by rows of a campaign", "x": "rows", "y": "µs", "lines": lines}],
    )
