"""All free times of the next weeks as a data frame, and what it says.

python examples/export_slots.py [FILE.parquet]

The server gives slots page by page, but by which parameters is not documented: what comes is a first page. So the
window is a day, and the pages of each day are taken as they come.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars
from somewhere import somewhere

from hero_async import AsyncHero, Settings

DAYS = 14
SCHEMA: dict[str, polars.DataType] = {
    "slot": polars.String(),
    "practitioner": polars.String(),
    "location": polars.String(),
    "kind": polars.String(),
    "start": polars.Datetime("us", "UTC"),
}
Row = tuple[str | None, str | None, str | None, str | None, datetime | None]


async def rows_of(hero: AsyncHero, day: date) -> list[Row]:
    """The free times of one day."""
    rows: list[Row] = []
    async for page in hero.slots.list(start_date=day, end_date=day).pages():
        rows += [
            (slot.id, slot.practitioner_id, slot.location_id, slot.appointment_type_id, slot.start_time)
            for slot in page
        ]
    return rows


async def export(settings: Settings) -> polars.DataFrame:
    """One frame of all days; a few days are asked for at a time."""
    async with AsyncHero.from_settings(settings) as hero:
        today = datetime.now(UTC).date()
        days = [today + timedelta(days=ahead) for ahead in range(DAYS)]
        found = await asyncio.gather(*(rows_of(hero, day) for day in days))
    frame = polars.DataFrame([row for rows in found for row in rows], schema=SCHEMA, orient="row")
    return frame.unique("slot").sort("start", "slot")  # in case the server's days overlap


def main() -> None:
    """Export, then count by day."""
    with somewhere() as (settings, _):
        frame = asyncio.run(export(settings))
    by_day = frame.group_by(polars.col("start").dt.date().alias("day")).len("slots").sort("day")
    print(by_day)
    print(f"{frame.height} slots on {by_day.height} days")
    if len(sys.argv) > 1:
        frame.write_parquet(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
