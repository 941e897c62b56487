"""A client of a scripted server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from serving import closed_port, connect, loop_time, server

from hero_async import AsyncHero

__all__ = ["closed_port", "connect", "hero", "loop_time", "server"]


@pytest.fixture
def hero(connect: Callable[..., AsyncHero]) -> AsyncHero:
    """A client of the server with the default settings."""
    return connect()
