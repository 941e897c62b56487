"""Memory of a client at rest, after one call, and of 1,000 calls that all wait for their answers."""

from __future__ import annotations

from benchmarks import generated
from benchmarks.peers import ASYNC
from benchmarks.report import Options, Part, Target, number
from benchmarks.server import running
from benchmarks.turns import Figures, Worker, in_turns, median

IN_FLIGHT = 1000
PEERS = ("hero", "floor", "aiohttp", "openai_aiohttp", "openai_httpx", "openapi_generator", "openapi_python_client")


def run(options: Options) -> Part:
    """Measure."""
    made, skipped = generated.make_all()
    peers = [peer for peer in PEERS if peer not in skipped]
    with running() as url:

        def turn(peer: str) -> Figures:
            try:
                return once(peer)
            except RuntimeError:  # a thousand connects at once are too many for a client's own timeout, now and then
                return once(peer)

        def once(peer: str) -> Figures:
            with Worker(peer, url, limit=IN_FLIGHT, paths=list(made.values())) as worker:
                return worker.ask(hold=IN_FLIGHT)

        results = in_turns(peers, options.pick(5, quick=1), turn, warm_up=0)
    middle = {peer: {name: median(results[peer], name) for name in ("rest", "held")} for peer in peers}
    bare, ours = middle["aiohttp"], middle["hero"]
    return Part(
        title="Memory",
        about=f"Resident memory after one call, and while {IN_FLIGHT:,} calls wait for their answers; a process each.",
        header=["Peer", "at rest, MB", f"{IN_FLIGHT:,} in flight, MB", "a call in flight, kB"],
        rows=[
            [
                ASYNC[peer][0],
                number(of["rest"]),
                number(of["held"]),
                number((of["held"] - of["rest"]) * 1e3 / IN_FLIGHT),
            ]
            for peer, of in middle.items()
        ],
        targets=[
            Target("a client at rest, over bare aiohttp", ours["rest"] - bare["rest"], 5.0, unit="MB"),
            Target("1,000 concurrent calls, of bare aiohttp", ours["held"] / bare["held"], 1.2),
        ],
    )
