"""What a part found, and how it is written down: Markdown and plots in docs/benchmarks."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.turns import ROOT, Spread

DOCS = ROOT / "docs" / "benchmarks"
PACKAGES = (
    "aiohttp",
    "msgspec",
    "attrs",
    "cattrs",
    "uvloop",
    "openai",
    "httpx2",
    "httpx",
    "requests",
    "stripe",
    "pydantic",
    "orjson",
)


@dataclass
class Options:
    """How thorough a run is."""

    quick: bool = False
    rounds: int | None = None

    def pick(self, rounds: int, *, quick: int) -> int:
        """How many rounds of something."""
        return self.rounds or (quick if self.quick else rounds)


@dataclass
class Target:
    """A figure that must be reached."""

    what: str
    value: float
    limit: float
    at_least: bool = False
    low: float | None = None
    high: float | None = None
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether it is."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def line(self) -> str:
        """A line of the table."""
        spread = f" ({number(self.low)} to {number(self.high)})" if self.low is not None else ""
        word = "at least" if self.at_least else "at most"
        unit = f" {self.unit}" if self.unit else ""
        verdict = "yes" if self.met else "**no**"
        return f"| {self.what} | {number(self.value)}{unit}{spread} | {word} {number(self.limit)}{unit} | {verdict} |"


def target(what: str, spread: Spread, limit: float, *, at_least: bool = False, unit: str = "") -> Target:
    """A target on a median."""
    return Target(what, spread.median, limit, at_least, spread.low, spread.high, unit)


@dataclass
class Part:
    """What one part found."""

    title: str
    about: str
    header: list[str]
    rows: list[list[str]]
    targets: list[Target] = field(default_factory=list)
    curves: list[dict[str, Any]] = field(default_factory=list)
    """Plots: title, x, y, and `lines`: by label, points."""

    bars: dict[str, Any] = field(default_factory=dict)
    """A bar chart: title, unit, and `values` by label."""

    when: str = field(default_factory=lambda: datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"))

    def markdown(self) -> str:
        """Its table."""
        lines = [f"## {self.title}", "", self.about, "", f"| {' | '.join(self.header)} |"]
        lines.append("| --- |" + " ---: |" * (len(self.header) - 1))
        lines += [f"| {' | '.join(row)} |" for row in self.rows]
        if self.targets:
            lines += ["", "| Target | Measured (middle half) | Limit | Met |", "| --- | ---: | ---: | --- |"]
            lines += [one.line() for one in self.targets]
        return "\n".join([*lines, "", f"Measured {self.when}.", ""])

    @staticmethod
    def from_json(given: dict[str, Any]) -> Part:
        """A part that was kept."""
        return Part(**{**given, "targets": [Target(**one) for one in given["targets"]]})


def number(value: float | None) -> str:
    """Three figures that count."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def machine() -> str:
    """What it ran on, and the versions."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    versions = [f"{name} {found}" for name in PACKAGES if (found := _version(name))]
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, {python}; {', '.join(versions)}."
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def write(parts: dict[str, Part]) -> str:
    """Keep the parts beside those of earlier runs; write the page and the plots. Gives the page."""
    DOCS.mkdir(parents=True, exist_ok=True)
    kept = DOCS / "results.json"
    known: dict[str, Part] = {}
    if kept.exists():
        known = {name: Part.from_json(given) for name, given in json.loads(kept.read_text()).items()}
    known |= parts
    kept.write_text(json.dumps({name: asdict(part) for name, part in known.items()}, indent=1) + "\n")
    page = table(known)
    (DOCS / "table.md").write_text(page)
    from benchmarks import plots

    plots.draw(known, DOCS)
    return page


def table(parts: dict[str, Part]) -> str:
    """The whole page."""
    missed = [one for part in parts.values() for one in part.targets if not one.met]
    all_targets = [one for part in parts.values() for one in part.targets]
    lines = [
        "# Measured",
        "",
        "Made by `python -m benchmarks`; how to read and renew it: [README](README.md). Each figure is the median over",
        "rounds in which all peers took turns in a changing order; a ratio is taken within a round.",
        "",
        machine(),
        "",
        f"{len(all_targets) - len(missed)} of {len(all_targets)} targets are met.",
        "",
    ]
    if missed:
        lines += ["| Missed | Measured (middle half) | Limit | Met |", "| --- | ---: | ---: | --- |"]
        lines += [one.line() for one in missed] + [""]
    return "\n".join(lines) + "\n" + "\n".join(part.markdown() for part in parts.values())


def bar_values(labels: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    """For a bar chart."""
    return dict(zip(labels, values, strict=True))


def told(message: str) -> None:
    """How far we are."""
    print(message, file=sys.stderr, flush=True)
