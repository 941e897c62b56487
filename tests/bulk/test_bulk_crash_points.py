"""The table of crash points and ambiguous answers, run line by line; and the page is made from it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from batch_support import TEXT, BatchServer, people_csv
from bulk_support import Server, counts, run
from crash_points import BATCH, PAGE, PERSONAL, Case, KillError, page_with, render

from hero_async.bulk import Campaign
from hero_async.client import AsyncHero
from hero_async.clock import VirtualClock


async def went(case: Case, server: Any, path: Path, clock: VirtualClock) -> list[dict[str, int]]:
    """States after the run in which it happens, and after the next one."""
    found: list[dict[str, int]] = []
    disk: dict[Path, bytes] = {}

    def keep_disk() -> None:
        disk.update((file, file.read_bytes()) for file in path.parent.glob("it.outbox*"))

    server.keep_disk = keep_disk
    for operation, faults in case.faults.items():
        server.script[operation].extend(faults)
    for name, value in case.server.items():
        setattr(server, name, value)
    options: dict[str, Any] = {"route": case.route, "outbox": path.with_name("it.outbox"), "concurrency": 1}
    for _ in range(2):
        campaign = Campaign(path, text=TEXT, channel="sms", **options, **case.options)
        async with AsyncHero(
            api_key="k", practice_group_id="1", base_url="http://127.0.0.1:1", transport=server
        ) as hero:
            with suppress(KillError):
                await run(campaign, hero)
        for file, content in disk.items():
            file.write_bytes(content)
        disk.clear()
        found.append(await counts(campaign))
        clock.advance(600.0)
    return found


@pytest.mark.anyio
@pytest.mark.parametrize("case", PERSONAL, ids=lambda case: case.what)
async def test_one_by_one(case: Case, server: Server, tmp_path: Path, no_waiting: VirtualClock) -> None:
    states = await went(case, server, people_csv(tmp_path / "r.csv", 1), no_waiting)
    assert states == [{case.first: 1}, {case.then: 1}]
    assert len(server.processed) == case.got


@pytest.mark.anyio
@pytest.mark.parametrize("case", BATCH, ids=lambda case: case.what)
async def test_in_batches(case: Case, tmp_path: Path, no_waiting: VirtualClock) -> None:
    server = BatchServer()
    states = await went(case, server, people_csv(tmp_path / "r.csv", 2), no_waiting)
    assert states == [{case.first: 2}, {case.then: 2}]
    assert sorted(server.got.values()) == [case.got] * (2 if case.got else 0)


def test_the_page_is_made_from_the_table() -> None:
    assert PAGE.read_text("utf-8") == page_with(render()), "run: python tests/bulk/crash_points.py"
