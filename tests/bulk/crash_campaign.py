"""A campaign in a process of its own, to be killed. Arguments: file, outbox, address, concurrency."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio

from hero_async.bulk import Campaign
from hero_async.client import AsyncHero


async def main() -> None:
    path, outbox, address, concurrency = sys.argv[1:]
    async with AsyncHero(api_key="test-key", practice_group_id="1", base_url=address) as hero:
        campaign = Campaign(
            Path(path), text="Dear {first_name}", channel="sms", outbox=Path(outbox), concurrency=int(concurrency)
        )
        async for _ in campaign.run(hero):
            pass


anyio.run(main)
