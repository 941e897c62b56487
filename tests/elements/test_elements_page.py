"""The example page as it leaves the server."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from hero_async.sandbox import Sandbox

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.anyio
async def test_each_visit_has_a_token_of_its_own_and_nobody_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    import elements_page  # type: ignore[import-not-found]  # an example, not a package

    async with Sandbox(patients=1) as sandbox, aiohttp.ClientSession() as session:
        monkeypatch.setenv("HERO_API_KEY", sandbox.api_key)
        monkeypatch.setenv("HERO_PRACTICE_GROUP_ID", "1")
        monkeypatch.setenv("HERO_BASE_URL", sandbox.url)
        runner = web.AppRunner(elements_page.make(), access_log=None, shutdown_timeout=0.05)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/patients/"
        tokens: set[str] = set()
        for _ in range(2):
            async with session.get(f"{url}100001") as answer:
                assert answer.headers["Cache-Control"] == "no-store"
                tokens |= {*re.findall(r'jwt-token="([^"]+)"', await answer.text())}
        for wrong in ("7a", "%22%3E%3Cscript%3E", "%D9%A7"):
            async with session.get(f"{url}{wrong}") as answer:
                assert answer.status == 404
                assert "<script" not in await answer.text()
        await runner.cleanup()
    assert len(tokens) == 2
