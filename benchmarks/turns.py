"""Peers in shuffled turns, and what their figures come to: medians, ratios pair by pair, spread.

Other work on the machine slows whoever runs at that moment. So each round lets every peer run for a short while, in an
order that changes, and a ratio is taken within a round; the median over the rounds is told, with the middle half.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parent.parent

Figures = dict[str, float]


class Worker:
    """A peer in a process of its own: `benchmarks.worker`; `apart` from the server's core, or on all cores."""

    def __init__(
        self, peer: str, url: str, *, limit: int = 100, paths: Sequence[Path] = (), apart: bool = True
    ) -> None:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, *paths)))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", peer, url, str(limit), "apart" if apart else "all"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        self.peer = peer
        self._read()

    def ask(self, **command: Any) -> Figures:
        """Let it run while we wait."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Figures:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process of {self.peer} ended: see above")
        figures: Figures = json.loads(line)
        return figures

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()


def in_turns(
    peers: Iterable[str], rounds: int, turn: Callable[[str], Figures], *, warm_up: int = 1
) -> dict[str, list[Figures]]:
    """Every peer's figures, one a round; the first rounds are thrown away."""
    results: dict[str, list[Figures]] = {peer: [] for peer in peers}
    order = list(results)
    for number in range(warm_up + rounds):
        Random(number).shuffle(order)
        for peer in order:
            figures = turn(peer)
            if number >= warm_up:
                results[peer].append(figures)
    return results


def calls_in_turns(
    peers: Iterable[str],
    url: str,
    *,
    rounds: int,
    seconds: float,
    in_flight: int = 1,
    limit: int = 100,
    paths: Sequence[Path] = (),
    apart: bool = True,
) -> dict[str, list[Figures]]:
    """Seconds a call, `cpu` and `wall`. Each turn is as many calls as the peer makes in about `seconds`."""
    with ExitStack() as stack:
        workers = {
            peer: stack.enter_context(Worker(peer, url, limit=limit, paths=paths, apart=apart)) for peer in peers
        }
        counts: dict[str, int] = {}
        for peer, worker in workers.items():
            worker.ask(count=4 * in_flight, in_flight=in_flight)  # connections, caches
            pace = worker.ask(count=4 * in_flight + 50, in_flight=in_flight)["wall"]
            counts[peer] = max(int(seconds / pace), 2 * in_flight, 20)
        return in_turns(workers, rounds, lambda peer: workers[peer].ask(count=counts[peer], in_flight=in_flight))


class Spread:
    """The median of many figures, and the middle half of them."""

    def __init__(self, values: Sequence[float]) -> None:
        self.median = statistics.median(values)
        quarters = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
        self.low, self.high = quarters[0], quarters[2]

    def as_dict(self) -> dict[str, float]:
        """For JSON."""
        return {"median": self.median, "low": self.low, "high": self.high}


def median(runs: Sequence[Figures], name: str) -> float:
    """The median of one figure."""
    return statistics.median(run[name] for run in runs)


def ratio(results: Mapping[str, Sequence[Figures]], over: str, under: str, name: str) -> Spread:
    """`over` divided by `under`, pair by pair."""
    return Spread([a[name] / b[name] for a, b in zip(results[over], results[under], strict=True)])


def difference(results: Mapping[str, Sequence[Figures]], more: str, less: str, name: str) -> Spread:
    """`more` less `less`, pair by pair."""
    return Spread([a[name] - b[name] for a, b in zip(results[more], results[less], strict=True)])
