"""What it costs to import each SDK, and to make a first call: CPU of a new process, less that of an empty one."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

from benchmarks import generated
from benchmarks.report import Options, Part, bar_values, number, target
from benchmarks.server import running
from benchmarks.turns import ROOT, Figures, Spread, in_turns, median

FIRST_CALL = """
import asyncio, os
from hero_async import AsyncHero
async def main():
    async with AsyncHero(api_key="k", practice_group_id="1", base_url=os.environ["BENCH_URL"]) as hero:
        await hero.messages.send(patient_id="1", message_type="sms", message_string="x")
asyncio.run(main())
"""
CODE = {
    "nothing": "pass",
    "import hero_async": "import hero_async",
    "from hero_async import AsyncHero": "from hero_async import AsyncHero",
    "hero_async, a first call made": FIRST_CALL,
    "from hero_sync import Hero": "from hero_sync import Hero",
    "import aiohttp": "import aiohttp",
    "import httpx": "import httpx",
    "import requests": "import requests",
    "import openai": "import openai",
    "import stripe": "import stripe",
    "openapi-python-client's, one operation": (
        "from hero_health_public_api_client import AuthenticatedClient\n"
        "from hero_health_public_api_client.api.messages import send_message"
    ),
    "openapi-generator's": "import openapi_client\nopenapi_client.MessagesApi",
}
NEEDS = {
    "openapi-python-client's, one operation": "openapi_python_client",
    "openapi-generator's": "openapi_generator",
}


def run(options: Options) -> Part:
    """Measure."""
    made, _ = generated.make_all()
    codes = {label: code for label, code in CODE.items() if label not in NEEDS or NEEDS[label] in made}
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, *made.values())))}
    with running() as url:
        environment["BENCH_URL"] = url

        def turn(label: str) -> Figures:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-c", codes[label]], check=True, env=environment, cwd="/")
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return {"cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}

        results = in_turns(codes, options.pick(15, quick=2), turn)
    empty = [run["cpu"] for run in results["nothing"]]
    net = {
        label: [{"cpu": max(run["cpu"] - none, 1e-6)} for run, none in zip(runs, empty, strict=True)]
        for label, runs in results.items()
        if label != "nothing"
    }

    def of(label: str, base: str) -> Spread:
        # Not pair by pair: a difference of a few ms over another is all noise.
        middle = median(net[base], "cpu")
        return Spread([run["cpu"] / middle for run in net[label]])

    rows = [
        [label, number(median(runs, "cpu") * 1e3), number(of(label, "import aiohttp").median)]
        for label, runs in net.items()
    ]
    return Part(
        title="Importing",
        about="CPU time of a new process, less that of one that does nothing; bytecode is cached.",
        header=["What", "CPU, ms", "of `import aiohttp`"],
        rows=rows,
        targets=[
            target("`import hero_async`, of `import aiohttp`", of("import hero_async", "import aiohttp"), 0.05),
            target("with AsyncHero", of("from hero_async import AsyncHero", "import aiohttp"), 0.3),
            target("a first call made, of `import openai`", of("hero_async, a first call made", "import openai"), 0.5),
        ],
        bars={
            "title": "Start-up",
            "unit": "ms of CPU",
            "values": bar_values(list(net), [median(runs, "cpu") * 1e3 for runs in net.values()]),
        },
    )
