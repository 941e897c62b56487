"""What several tests of blocking programs need."""

from __future__ import annotations

import threading
from typing import Any

from scripted import ScriptedServer, loses

TASKS = """
from hero_sync import loop as home

async def tasks():
    for _ in range(10):
        await asyncio.sleep(0)
    return len(asyncio.all_tasks()) - 1

def left():
    return home.background().run(tasks)

def acquired(hero):
    return len(hero._inner._shared.runtime.own_transport._connector._acquired)
"""
"""For programs: the number of tasks on the loop, and of connections that are in use."""


def arrival(server: ScriptedServer) -> threading.Event:
    """Set when the next request is there, and never answered."""
    arrived = threading.Event()

    async def hold(peer: Any, request: Any) -> None:
        arrived.set()
        await loses("hold", processed=True)(peer, request)

    server.script(hold)
    return arrived
