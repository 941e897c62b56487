"""How a campaign is doing: live on a terminal, a line now and then where there is none. Always on stderr."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hero_async import clock
from hero_async.bulk import Progress
from hero_async.cli import output

EVERY: Final = 5.0
"""Seconds between two plain lines."""

_FRAMES: Final = 8


@asynccontextmanager
async def shown(progress: Progress) -> AsyncGenerator[None]:
    """Show the progress while the block runs, and once more at its end."""
    console = output.stderr()
    if console.is_terminal and not console.is_dumb_terminal:
        display = Live(get_renderable=lambda: picture(progress), console=console, refresh_per_second=_FRAMES)
        with output.live(console), display:
            yield
        return
    ticking = asyncio.create_task(_tick(progress))
    try:
        yield
    finally:
        ticking.cancel()
        await asyncio.wait([ticking])
        output.say(line(progress))


async def _tick(progress: Progress) -> None:
    while True:
        await clock.sleep(EVERY)
        output.say(line(progress))


def done(progress: Progress) -> int:
    """Rows that are settled, by this run or an earlier one."""
    return progress.sent + progress.rejected + progress.unknown


def line(progress: Progress) -> str:
    """The progress as one plain line, the same words in the same order each time."""
    parts = [
        f"{done(progress):,}/{progress.total:,} done",
        f"{progress.sent:,} sent",
        f"{progress.rejected:,} rejected",
        f"{progress.unknown:,} unknown",
        _pace(progress),
    ]
    return "  ".join(part for part in parts if part)


def picture(progress: Progress) -> Group:
    """The progress as two lines for a terminal of 80 columns."""
    bar = Table.grid(padding=(0, 1), expand=False)
    for _ in range(4):
        bar.add_column(no_wrap=True)
    share = done(progress) / progress.total if progress.total else 0.0
    bar.add_row(
        ProgressBar(total=max(progress.total, 1), completed=done(progress), width=32),
        f"{done(progress):,}/{progress.total:,}",
        f"{share:.0%}",
        _pace(progress),
    )
    return Group(bar, _counts(progress))


def _counts(progress: Progress) -> Text:
    made = Text()
    made.append(f"{progress.sent:,} sent", style="green")
    made.append("  ")
    made.append(f"{progress.rejected:,} rejected", style="yellow" if progress.rejected else "dim")
    made.append("  ")
    made.append(f"{progress.unknown:,} unknown", style="red" if progress.unknown else "dim")
    if progress.sending:
        made.append(f"  {progress.sending:,} under way", style="dim")
    if progress.repeated:
        made.append(f"  {progress.repeated:,} tried again", style="dim")
    return made


def _pace(progress: Progress) -> str:
    """Rate and time left, as far as there are any."""
    if progress.opens_at is not None:
        return f"waits until {progress.opens_at.astimezone():%H:%M}"
    if not progress.settled:
        return ""
    rate = f"{progress.rate:,.0f}/s"
    seconds = progress.seconds_left
    if seconds is None or progress.stopped_at is not None or not progress.ready + progress.sending:
        return rate
    return f"{rate}  {duration(seconds)} left"


def duration(seconds: float) -> str:
    """A time span for people: "42s", "3m 20s", "2h 05m"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m"
