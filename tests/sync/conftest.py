"""A scripted server on a thread of its own, and a blocking client of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "transport"))  # its server and its programs serve here too
sys.path.insert(1, str(Path(__file__).parent.parent / "bulk"))  # and its server in memory

from scripted import ScriptedServer  # found by the lines above

from hero_sync import Hero


async def _made() -> ScriptedServer:
    return ScriptedServer()


@pytest.fixture
def server() -> Generator[ScriptedServer, None, None]:
    """A scripted server."""
    made = asyncio.run(_made())
    with made.running_in_thread():
        yield made


@pytest.fixture
def hero(server: ScriptedServer) -> Generator[Hero, None, None]:
    """A client of the server."""
    with Hero(api_key="test-key", practice_group_id="1", base_url=server.url) as made:
        yield made
