"""Campaigns: one text to many patients, never twice and never lost.

    async with AsyncHero(…) as hero:
        campaign = Campaign("recipients.csv", text="Dear {first_name}, …", channel="sms")
        async for outcome in campaign.run(hero):
            …

Every row is in one state: `ready`, `sending`, `sent`, `rejected` or `unknown`. The intent to send a row is on disk
before its first byte leaves, so a row that was interrupted is never taken for one that was not sent: it is `unknown`
until a person has looked and said so (`Campaign.reconcile`).
"""

from __future__ import annotations

from hero_async.bulk.campaign import Campaign
from hero_async.bulk.decide import Patience, State
from hero_async.bulk.errors import (
    CampaignError,
    CampaignStoppedError,
    InputChangedError,
    InputError,
    MissingExtraError,
    OutboxBusyError,
    OutboxError,
    OutboxMismatchError,
)
from hero_async.bulk.outbox import Outbox, Status
from hero_async.bulk.preflight import Preflight
from hero_async.bulk.progress import Outcome, Progress
from hero_async.bulk.rows import BadRow
from hero_async.bulk.segments import count_segments
from hero_async.bulk.sqlite import SQLiteOutbox

__all__ = [
    "BadRow",
    "Campaign",
    "CampaignError",
    "CampaignStoppedError",
    "InputChangedError",
    "InputError",
    "MissingExtraError",
    "Outbox",
    "OutboxBusyError",
    "OutboxError",
    "OutboxMismatchError",
    "Outcome",
    "Patience",
    "Preflight",
    "Progress",
    "SQLiteOutbox",
    "State",
    "Status",
    "count_segments",
]
