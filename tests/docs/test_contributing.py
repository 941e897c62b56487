"""What CONTRIBUTING.md tells a newcomer to write works as it stands, in both worlds."""

from __future__ import annotations

import sys
import textwrap
import types
from pathlib import Path
from typing import Any

import pytest

from hero_async import AsyncHero
from hero_async.transport import Attempt, Reply
from hero_sync import Hero

PAGE = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text("utf-8")
CODE = textwrap.dedent(PAGE.partition("```python\n")[2].partition("```")[0])
MADE = {"api_key": "k", "practice_group_id": "1", "base_url": "http://127.0.0.1:9"}
seen: list[tuple[str, str, bytes | None]] = []


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The page's module."""
    seen.clear()
    module = types.ModuleType("rooms_of_the_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(CODE, "CONTRIBUTING.md", "exec", dont_inherit=True), vars(module))  # noqa: S102  # our own page
    return module


async def answer(attempt: Attempt) -> Reply:
    await attempt.leave()
    attempt.status = 200
    seen.append((attempt.verb, attempt.target, attempt.body))
    return Reply(200, {}, b'{"id": "7"}')


def test_it_blocks(rooms: Any) -> None:
    with Hero(**MADE, transport=answer) as hero:  # type: ignore[arg-type]  # texts, all of them
        ours = rooms.Rooms(hero)
        assert ours.get("7") == rooms.Room(id="7")
        assert ours.create(name="Blue", floor=2).id == "7"
    assert seen == [("GET", "/v1/rooms/7", None), ("POST", "/v1/rooms", b'{"name":"Blue","floor":2}')]


@pytest.mark.anyio
async def test_it_is_awaited(rooms: Any) -> None:
    async with AsyncHero(**MADE, transport=answer) as hero:  # type: ignore[arg-type]  # texts, all of them
        assert (await rooms.Rooms(hero).get("7")).id == "7"
    assert [verb for verb, *_ in seen] == ["GET"]
