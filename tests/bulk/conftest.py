from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from batch_support import TEXT, BatchServer
from bulk_support import Make, Server

from hero_async import clock
from hero_async.bulk import Campaign
from hero_async.client import AsyncHero
from hero_async.clock import VirtualClock


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def hero(server: Server) -> AsyncIterator[AsyncHero]:
    async with AsyncHero(
        api_key="test-key", practice_group_id="1", base_url="http://127.0.0.1:1", transport=server
    ) as hero:
        yield hero


@pytest.fixture
def no_waiting() -> Iterator[VirtualClock]:
    """Time moves when something sleeps."""
    virtual = VirtualClock()
    with clock.use(virtual):
        yield virtual


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A campaign of a file, with an outbox of its own."""

    def make(recipients: Any, **changes: Any) -> Campaign:
        given: dict[str, Any] = {"channel": "sms", "outbox": tmp_path / "it.outbox"}
        given["text"] = "Dear {first_name}, your flu jab is due"
        return Campaign(recipients, **given | changes)

    return make


@pytest.fixture
def batches() -> BatchServer:
    return BatchServer()


@pytest.fixture
def batch(tmp_path: Path) -> Make:
    """A campaign on the batch route: chunks of three, one at a time."""

    def make(recipients: Any, **changes: Any) -> Campaign:
        given: dict[str, Any] = {"channel": "sms", "outbox": tmp_path / "it.outbox", "route": "batch", "text": TEXT}
        return Campaign(recipients, **given | {"chunk_size": 3, "concurrency": 1} | changes)

    return make
