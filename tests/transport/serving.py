"""Fixtures: a scripted server, clients for it, and a loop whose time can be moved on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from scripted import ScriptedServer

from hero_async import AsyncHero

KEY = "test-key"
GROUP = "1"


class LoopTime:
    """The running loop's time, which can be moved on: a deadline of 30 s takes no 30 s."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._real = self._loop.time
        self._skipped = 0.0

    def __call__(self) -> float:
        return self._real() + self._skipped

    def advance(self, seconds: float) -> None:
        self._skipped += seconds


@pytest.fixture
async def loop_time() -> AsyncGenerator[LoopTime, None]:
    """Moves the loop's time on."""
    time = LoopTime()
    loop: Any = asyncio.get_running_loop()
    loop.time = time
    yield time
    del loop.time


@pytest.fixture
async def server() -> AsyncGenerator[ScriptedServer, None]:
    """A scripted server."""
    async with ScriptedServer().running() as running:
        yield running


@pytest.fixture
async def connect(server: ScriptedServer) -> AsyncGenerator[Callable[..., AsyncHero], None]:
    """Clients of the server, with other settings on demand; closed at the end."""
    async with AsyncExitStack() as stack:

        def make(**options: Any) -> AsyncHero:
            settings: dict[str, Any] = {"api_key": KEY, "practice_group_id": GROUP, "base_url": server.url, **options}
            hero = AsyncHero(**settings)
            stack.push_async_callback(hero.close)
            return hero

        yield make


@pytest.fixture
def closed_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port
