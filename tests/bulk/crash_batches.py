"""A campaign on the batch route in a process of its own, to be killed. Arguments: file, outbox, address, key, JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import anyio

from hero_async.bulk import Campaign
from hero_async.client import AsyncHero


async def main() -> None:
    path, outbox, address, key, changes = sys.argv[1:]
    async with AsyncHero(api_key=key, practice_group_id="1", base_url=address) as hero:
        campaign = Campaign(
            Path(path),
            text="Your flu jab is due",
            channel="sms",
            outbox=Path(outbox),
            route="batch",
            **json.loads(changes),
        )
        async for _ in campaign.run(hero):
            pass


anyio.run(main)
