"""One application a framework, for real servers in processes of their own. Each hears of every event.

    python -m uvicorn --fd 3 apps:starlette_app
    python -m gunicorn -b fd://3 apps:flask_app
    python apps.py aiohttp 3

It writes the id of what it handled into the file HANDLED, a line each. An event with the id "fail" fails once.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any

from hero_async.webhooks import Event, Events, Receiver, SQLiteReplayStore, Verifier

KEY = "a signing key of nobody"
CAP = 20_000
PATH = "/webhooks/hero"

folder = Path(os.environ["HANDLED"])
events = Events()
receiver = Receiver(Verifier(KEY, max_body_bytes=CAP), events, replay=SQLiteReplayStore(folder / "replay.db"))


def note(event: Event) -> None:
    with (folder / "handled").open("a") as file:
        file.write(f"{event.id}\n")
    if event.id == "fail" and not (folder / "failed").exists():
        (folder / "failed").touch()
        raise ValueError("canary-of-a-failure")


if os.environ.get("HANDLER") == "async":

    @events.on("appointment.confirmed")
    async def handle(event: Event) -> None:
        note(event)

else:
    events.on("appointment.confirmed")(note)


asgi_app = receiver.asgi
wsgi_app = receiver.wsgi


def make_starlette() -> Any:
    from starlette.applications import Starlette
    from starlette.routing import Route

    return Starlette(routes=[Route(PATH, receiver.asgi)])


def make_fastapi() -> Any:
    from fastapi import FastAPI
    from starlette.routing import Route

    app = FastAPI()
    app.router.routes.append(Route(PATH, receiver.asgi))
    return app


def make_flask() -> Any:
    from flask import Flask

    app = Flask("apps")
    app.add_url_rule(PATH, view_func=receiver.flask, methods=["GET", "POST"])
    return app


def make_flask_peeking() -> Any:
    """With a hook that asks for the body before the view does."""
    from flask import request

    app = make_flask()

    @app.before_request
    def peek() -> None:
        request.get_data()

    return app


def make_django(kind: str) -> Any:
    import django
    from django.conf import settings

    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="apps",
        SECRET_KEY="x",
        MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": folder / "django.db",
                "ATOMIC_REQUESTS": True,
            }
        },
        DATA_UPLOAD_MAX_MEMORY_SIZE=1000,  # of no account for us
        LOGGING_CONFIG=None,
    )
    django.setup()
    from django.core.asgi import get_asgi_application
    from django.core.wsgi import get_wsgi_application
    from django.urls import path

    view = receiver.django if kind == "sync" else receiver.django_async
    globals()["urlpatterns"] = [path(PATH[1:], view)]
    sys.modules["apps"] = sys.modules[__name__]
    return get_asgi_application() if os.environ.get("DJANGO") == "asgi" else get_wsgi_application()


def serve_aiohttp(listening: socket.socket) -> None:
    from aiohttp import web

    app = web.Application(client_max_size=100)  # of no account for us
    app.router.add_route("*", PATH, receiver.aiohttp)
    web.run_app(app, sock=listening, print=None, access_log=None)


def serve_django(listening: socket.socket) -> None:
    """Django's own server, which `runserver` starts."""
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    app = make_django("sync")
    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    server.server_address = listening.getsockname()
    server.server_name, server.server_port = "localhost", listening.getsockname()[1]
    server.setup_environ()
    server.set_app(app)
    server.serve_forever()


MAKE = {
    "starlette_app": make_starlette,
    "fastapi_app": make_fastapi,
    "flask_app": make_flask,
    "flask_peeking_app": make_flask_peeking,
    "django_app": lambda: make_django("sync"),
    "django_async_app": lambda: make_django("async"),
}


def __getattr__(name: str) -> Any:
    if name not in MAKE:
        raise AttributeError(name)
    app = globals()[name] = MAKE[name]()
    return app


if __name__ == "__main__":
    given = socket.socket(fileno=int(sys.argv[2]))
    {"aiohttp": serve_aiohttp, "django": serve_django}[sys.argv[1]](given)
