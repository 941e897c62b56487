"""One typed `messages.send` against every blocking peer, on one thread and on eight; and the hop alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.peers import BLOCKING
from benchmarks.report import Options, Part, Target, bar_values, number, target
from benchmarks.server import running
from benchmarks.turns import Figures, Spread, calls_in_turns, median, ratio

THREADS = 8
PEERS = ("hero_sync", "hero_sync_plain", "requests", "httpx", "openai_sync")
LABELS = {
    **{peer: label for peer, (label, _) in BLOCKING.items()},
    "hero": "hero_async",
    "hero_uvloop": "hero_async on uvloop",
}

Results = Mapping[str, Sequence[Figures]]


def run(options: Options) -> Part:
    """Measure."""
    seconds = 0.05 if options.quick else 0.15
    rounds = options.pick(31, quick=3)
    with running() as url:
        one = calls_in_turns(PEERS, url, rounds=rounds, seconds=seconds)
        many = calls_in_turns(
            ("hero", "hero_uvloop", "hero_sync", "hero_sync_plain"),
            url,
            rounds=rounds,
            seconds=seconds,
            in_flight=THREADS,
            apart=False,  # threads that share one core never wait for each other's: they are to
        )
        hops = calls_in_turns(
            ("hop", "threadsafe", "hop_speed", "threadsafe_speed"), url, rounds=rounds, seconds=seconds, apart=False
        )
    rows = [_row(one, peer, "hero_sync_plain", "") for peer in PEERS]
    rows += [_row(many, peer, "hero", f", {THREADS} at once") for peer in many]
    rows += [_row(hops, peer, "threadsafe", "") for peer in hops]
    return Part(
        title="Blocking calls",
        about="`messages.send`: one thread, one call after the other, of hero_sync without uvloop; then "
        f"{THREADS} threads, of hero_async with {THREADS} in flight. Last the way of an empty coroutine to the loop's "
        "thread and back, of `asyncio.run_coroutine_threadsafe`.",
        header=["Peer", "calls a second", "CPU, µs a call", "CPU, of that", "time, of that"],
        rows=rows,
        targets=_targets(one, many, hops),
        bars={
            "title": "Blocking calls a second, one thread",
            "unit": "calls a second",
            "values": bar_values([LABELS[peer] for peer in PEERS], [1 / median(one[peer], "wall") for peer in PEERS]),
        },
    )


def _row(results: Results, peer: str, under: str, more: str) -> list[str]:
    cpu, times = ratio(results, peer, under, "cpu"), ratio(results, peer, under, "wall")
    return [
        LABELS[peer] + more,
        number(1 / median(results[peer], "wall")),
        number(median(results[peer], "cpu") * 1e6),
        f"{number(cpu.median)} ({number(cpu.low)} to {number(cpu.high)})",
        f"{number(times.median)} ({number(times.low)} to {number(times.high)})",
    ]


def _targets(one: Results, many: Results, hops: Results) -> list[Target]:
    def times(results: Results, what: str, slower: str, faster: str, limit: float) -> Target:
        return target(what, ratio(results, slower, faster, "wall"), limit, at_least=True)

    rate = f"{THREADS} threads, of the async client's rate"
    return [
        times(one, "calls a second, times requests", "requests", "hero_sync_plain", 2),
        times(one, "with `speed`, times requests", "requests", "hero_sync", 2.4),
        times(one, "calls a second, times httpx.Client", "httpx", "hero_sync_plain", 1.5),
        times(one, "calls a second, times openai's core", "openai_sync", "hero_sync_plain", 3),
        times(many, rate, "hero", "hero_sync_plain", 0.5),
        times(many, f"with `speed`, {rate}", "hero", "hero_sync", 0.6),
        _hop("the hop, of run_coroutine_threadsafe", hops, "hop", "threadsafe"),
        _hop("with `speed`, the hop, of the same on uvloop", hops, "hop_speed", "threadsafe_speed"),
    ]


def _hop(what: str, results: Results, ours: str, theirs: str) -> Target:
    spread: Spread = ratio(results, ours, theirs, "wall")
    return target(what, spread, 0.8)
