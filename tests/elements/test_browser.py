"""The example page in a real browser, with a stand-in for Hero's script. Only where HERO_BROWSER names a Chromium.

HERO_BROWSER=chromium python -m pytest tests/elements/test_browser.py
"""

from __future__ import annotations

import html
import json
import os
import re
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import trustme
from aiohttp import web

from hero_async.sandbox import Sandbox

BROWSER = os.environ.get("HERO_BROWSER", "")
EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not BROWSER, reason="HERO_BROWSER names no Chromium"),
]

STAND_IN = """
customElements.define("hh-message-builder", class extends HTMLElement {
  connectedCallback() {
    const seen = Object.fromEntries([...this.attributes].map(({ name, value }) => [name, value]));
    const shown = document.createElement("pre");
    shown.id = "seen";
    shown.textContent = JSON.stringify(seen);
    this.append(shown);
    window.addEventListener("load", () => {
      window.dispatchEvent(new Event("HHMB.MESSAGE_SENT"));
    });
  }
});
"""


async def start(application: web.Application, tls: ssl.SSLContext | None = None) -> tuple[web.AppRunner, int]:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    return runner, runner.addresses[0][1]


class Scripts:
    """What stands where Hero's scripts are."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.port = 0

    async def give(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.scheme}://{request.host.partition(':')[0]}{request.path}")
        return web.Response(text=STAND_IN, content_type="text/javascript")


@pytest.fixture
async def scripts() -> AsyncIterator[Scripts]:
    made = Scripts()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("scripts.htech.app").configure_cert(tls)
    application = web.Application()
    application.router.add_get("/{path:.*}", made.give)
    runner, made.port = await start(application, tls)
    yield made
    await runner.cleanup()


async def look(url: str, scripts: Scripts, folder: Path, *more: str) -> str:
    """The page's DOM after its scripts have run. No name but Hero's script's leads anywhere."""
    command = [
        BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--ignore-certificate-errors", f"--user-data-dir={folder / 'profile'}",
        f"--host-resolver-rules=MAP scripts.htech.app 127.0.0.1:{scripts.port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--virtual-time-budget=5000", *more, "--dump-dom", url,
    ]  # fmt: skip
    with anyio.fail_after(50):
        done = await anyio.run_process(command, stderr=subprocess.DEVNULL)
    return done.stdout.decode()


async def test_the_example_page_shows_the_element_and_hears_it(
    scripts: Scripts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    import elements_page  # type: ignore[import-not-found]  # an example, not a package

    async with Sandbox(patients=1) as sandbox:
        monkeypatch.setenv("HERO_API_KEY", sandbox.api_key)
        monkeypatch.setenv("HERO_PRACTICE_GROUP_ID", "1")
        monkeypatch.setenv("HERO_BASE_URL", sandbox.url)
        runner, port = await start(elements_page.make())
        try:
            dom = await look(
                f"http://127.0.0.1:{port}/patients/100001", scripts, tmp_path, f"--screenshot={tmp_path / 'page.png'}"
            )
        finally:
            await runner.cleanup()
    assert scripts.asked == ["https://scripts.htech.app/message-builder/web-component/latest.js"]
    seen = seen_by_the_element(dom)
    assert seen.pop("jwt-token").count(".") == 2
    assert seen == {"tenant-id": "1", "env": "staging", "patient-id": "100001"}
    assert "The message is queued." in dom
    assert sandbox.ledger.count("access_tokens.create", status=200) == 1


async def test_no_value_breaks_out_of_its_attribute_in_a_browser(scripts: Scripts, tmp_path: Path) -> None:
    from hero_async.elements import message_builder

    evil = "\"'></hh-message-builder><script>document.title='broken'</script>&quot;&#34;\u2028\x00\n<!--"
    tenant = "\"'><img/src=x/onerror=document.title='broken'>&quot;"
    made = message_builder("a.b.c", tenant, env="staging", theme={"font": evil, evil: [evil]})

    async def page(request: web.Request) -> web.Response:
        return web.Response(text=f"<!doctype html><title>whole</title>{made}", content_type="text/html")

    application = web.Application()
    application.router.add_get("/", page)
    runner, port = await start(application)
    try:
        dom = await look(f"http://127.0.0.1:{port}/", scripts, tmp_path)
    finally:
        await runner.cleanup()
    seen = seen_by_the_element(dom)
    assert seen["tenant-id"] == tenant
    assert json.loads(seen["theme"]) == {"font": evil, evil: [evil]}
    assert "<title>whole</title>" in dom


def seen_by_the_element(dom: str) -> Any:
    found = re.search(r'<pre id="seen">(.*?)</pre>', dom, re.DOTALL)
    assert found is not None, dom
    return json.loads(html.unescape(found[1]))
