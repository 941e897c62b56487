"""One typed `messages.send` against every async peer: 64 in flight, and one at a time."""

from __future__ import annotations

from benchmarks import generated
from benchmarks.peers import ASYNC
from benchmarks.report import Options, Part, bar_values, number, target
from benchmarks.server import running
from benchmarks.turns import calls_in_turns, difference, median, ratio

IN_FLIGHT = 64
FACTORS = {"openai_httpx": 12.0, "openai_aiohttp": 6.0, "openapi_python_client": 15.0, "openapi_generator": 5.0}
NEAR = ("hero", "floor", "aiohttp")


def run(options: Options) -> Part:
    """Measure."""
    made, skipped = generated.make_all()
    peers = [peer for peer in ASYNC if peer not in skipped]
    paths = list(made.values())
    with running() as url:
        many = calls_in_turns(
            peers,
            url,
            rounds=options.pick(15, quick=2),
            seconds=0.08 if options.quick else 0.25,
            in_flight=IN_FLIGHT,
            paths=paths,
        )
        near = calls_in_turns(
            NEAR, url, rounds=options.pick(61, quick=5), seconds=0.05 if options.quick else 0.12, in_flight=IN_FLIGHT
        )
        single = calls_in_turns(
            NEAR, url, rounds=options.pick(41, quick=5), seconds=0.05 if options.quick else 0.12, in_flight=1
        )
    rows = []
    for peer in peers:
        runs = many[peer]
        cpu, times = ratio(many, peer, "hero", "cpu"), ratio(many, peer, "hero", "wall")
        rows.append(
            [
                ASYNC[peer][0],
                number(1 / median(runs, "cpu")),
                number(median(runs, "cpu") * 1e6),
                f"{number(cpu.median)} ({number(cpu.low)} to {number(cpu.high)})",
                f"{number(times.median)} ({number(times.low)} to {number(times.high)})",
            ]
        )
    rows += [[ASYNC[peer][0], "skipped", why, "", ""] for peer, why in skipped.items()]
    added = difference(single, "hero", "floor", "cpu")
    added.median, added.low, added.high = (value * 1e6 for value in (added.median, added.low, added.high))
    targets = [
        target("CPU a call, 64 in flight, of the tuned floor", ratio(near, "hero", "floor", "cpu"), 1.10),
        target("CPU a call, 64 in flight, of aiohttp as documented", ratio(near, "hero", "aiohttp", "cpu"), 0.95),
        *(
            target(
                f"calls a CPU second, times {ASYNC[peer][0]}", ratio(many, peer, "hero", "cpu"), factor, at_least=True
            )
            for peer, factor in FACTORS.items()
            if peer in peers
        ),
        target("CPU added to one call over the floor, one at a time", added, 30, unit="µs"),
    ]
    return Part(
        title="Calls",
        about=f"`messages.send`, typed, with retries, signing, throttle and verdict; {IN_FLIGHT} in flight. A "
        "CPU second is what one core does when the server keeps up; time depends on the server's core, too.",
        header=["Peer", "calls a CPU second", "CPU, µs a call", "CPU, of ours", "time, of ours"],
        rows=rows,
        targets=targets,
        bars={
            "title": f"Calls a second of CPU, {IN_FLIGHT} in flight",
            "unit": "calls a second of CPU",
            "values": bar_values([ASYNC[peer][0] for peer in peers], [1 / median(many[peer], "cpu") for peer in peers]),
        },
    )
