"""A page with Hero's message builder in it, for one patient. aiohttp.web: nothing to install beside the SDK.

    HERO_ENVIRONMENT=staging python examples/elements_page.py 8001
    # then look at http://127.0.0.1:8001/patients/100001

Put it behind your own login: who sees the page can message the patient for half an hour.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import Any, Literal

from aiohttp import web

from hero_async import AsyncHero, InvalidArgumentError
from hero_async.elements import Html, message_builder

HERO = web.AppKey("HERO", AsyncHero)

PAGE = """<!doctype html>
<html lang="en">
<title>Message a patient</title>
<h1>Message a patient</h1>
{element}
<p id="outcome" role="status"></p>
<script>
  const say = (text) => () => { document.getElementById("outcome").textContent = text; };
  window.addEventListener("HHMB.MESSAGE_SENT", say("The message is queued."));
  window.addEventListener("HHMB.MESSAGE_SENT_CONFIRM", say("The message is delivered."));
</script>
</html>
"""

HEADERS = {
    "Cache-Control": "no-store",  # the token is for this visit
    "Referrer-Policy": "no-referrer",
}


def page(element: Html) -> str:
    """The page around an element, which is escaped already."""
    return PAGE.replace("{element}", element)


async def show(request: web.Request) -> web.Response:
    hero = request.app[HERO]
    token = await hero.access_tokens.create()  # for each page, just before it is shown
    environment: Literal["production", "staging"] = (
        "production" if hero.settings.environment == "production" else "staging"
    )
    try:
        element = message_builder(
            token, hero.settings.practice_group_id, env=environment, patient_id=request.match_info["patient"]
        )
    except InvalidArgumentError:
        raise web.HTTPNotFound from None
    return web.Response(text=page(element), content_type="text/html", headers=HEADERS)


async def connect(app: web.Application) -> AsyncIterator[None]:
    async with AsyncHero.from_env() as hero:
        app[HERO] = hero
        yield


def make() -> web.Application:
    app = web.Application()
    app.cleanup_ctx.append(connect)
    app.router.add_get("/patients/{patient}", show)
    return app


if __name__ == "__main__":
    options: dict[str, Any] = {"host": "127.0.0.1", "port": int(sys.argv[1]) if len(sys.argv) > 1 else 8001}
    web.run_app(make(), **options)
