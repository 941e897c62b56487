"""How progress is put into words and pictures."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from hero_async import clock
from hero_async.bulk import Progress
from hero_async.cli import progress as shown_progress
from hero_async.cli.progress import duration, line, picture, shown
from hero_async.clock import VirtualClock


def running(virtual: VirtualClock) -> Progress:
    """A big campaign after ten seconds."""
    progress = Progress(
        total=1_234_567, ready=1_000_000, sending=50, sent=234_000, rejected=500, unknown=17, repeated=1_200
    )
    progress.settled = 10_000
    progress.started_at = virtual.monotonic()
    virtual.advance(10)
    return progress


def test_a_line_has_all_that_matters() -> None:
    with clock.use(VirtualClock()) as virtual:
        assert isinstance(virtual, VirtualClock)
        said = line(running(virtual))
    assert said == "234,517/1,234,567 done  234,000 sent  500 rejected  17 unknown  1,000/s  16m 40s left"


def test_a_line_before_anything_was_sent() -> None:
    assert line(Progress(total=3, ready=3)) == "0/3 done  0 sent  0 rejected  0 unknown"


def test_the_picture_fits_into_80_columns() -> None:
    file = io.StringIO()
    with clock.use(VirtualClock()) as virtual:
        assert isinstance(virtual, VirtualClock)
        Console(file=file, width=80, force_terminal=True, color_system=None).print(picture(running(virtual)))
    lines = file.getvalue().splitlines()
    assert len(lines) == 2
    assert max(map(len, lines)) <= 80
    assert "234,517/1,234,567 19% 1,000/s  16m 40s left" in lines[0]
    assert lines[1].strip() == "234,000 sent  500 rejected  17 unknown  50 under way  1,200 tried again"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0s"), (42, "42s"), (59.6, "1m 00s"), (200, "3m 20s"), (7_500, "2h 05m"), (90_000, "25h 00m")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.anyio
async def test_where_there_is_no_terminal_a_line_comes_every_few_seconds(
    capsys: pytest.CaptureFixture[str], until: Callable[[Callable[[], object]], Any]
) -> None:
    with clock.use(VirtualClock()) as virtual:
        assert isinstance(virtual, VirtualClock)
        progress = Progress(total=2, ready=2)
        async with shown(progress):
            await until(lambda: len(virtual.slept) >= 3)
            progress.sent = 2
        slept = [*virtual.slept]
    lines = capsys.readouterr().err.splitlines()
    assert set(slept) == {shown_progress.EVERY}
    assert lines[0] == "0/2 done  0 sent  0 rejected  0 unknown"
    assert len(lines) in (len(slept), len(slept) + 1)
    assert lines[-1] == "2/2 done  2 sent  0 rejected  0 unknown"
