"""Fixtures for your tests, loaded by pytest by itself once `hero-health` is installed.

    async def test_reminder(hero, hero_sandbox):
        patient = hero_sandbox.patients[0]
        await remind(hero, patient.id)
        assert hero_sandbox.ledger.count("messages.send") == 1

They need no key, no network and no particular async plugin. To have your endpoint told of what happens, signed:
`hero_sandbox.webhooks.subscribe("http://127.0.0.1:…/webhooks/hero")`, then `hero_sandbox.webhooks.wait()`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hero_async.client import AsyncHero
    from hero_async.clock import VirtualClock
    from hero_async.sandbox import Sandbox

__all__ = ["hero", "hero_sandbox", "no_waiting"]


@pytest.fixture
def hero_sandbox() -> Generator[Sandbox, None, None]:
    """A Hero of its own for one test, on this machine, on a thread of its own."""
    from hero_async.sandbox import Sandbox

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def hero(hero_sandbox: Sandbox) -> Generator[AsyncHero, None, None]:
    """A client of that sandbox."""
    from hero_async.client import AsyncHero

    client = AsyncHero(
        api_key=hero_sandbox.api_key,
        practice_group_id=hero_sandbox.practice_group_ids[0],
        base_url=hero_sandbox.url,
        keep_alive=0,  # no connection outlives its call, so there is none to close when the test's loop is gone
    )
    yield client
    client.abandon()


@pytest.fixture
def no_waiting() -> Generator[VirtualClock, None, None]:
    """Waits of the SDK return at once; time moves on by what would have been waited. Gives the clock."""
    from hero_async.clock import VirtualClock, use

    virtual = VirtualClock()
    with use(virtual):
        yield virtual
