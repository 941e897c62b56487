"""A server that is a list of answers, and calls made to it in both worlds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import attrs

from hero_async import AsyncHero
from hero_async.transport import Attempt, Loss, Reply
from hero_sync import Hero

LOST = Loss("the connection was lost before an answer", "wait")
NEVER_LEFT = Loss("the connection failed", "connect")


@attrs.frozen
class Seen:
    """What arrived."""

    verb: str
    target: str
    body: Any


class Script:
    """Answers in turn; the last one stays. An answer is a status with JSON or bytes, or a `Loss`."""

    def __init__(self, *answers: tuple[int, Any] | Loss) -> None:
        self.answers = list(answers)
        self.seen: list[Seen] = []

    async def __call__(self, attempt: Attempt) -> Reply | Loss:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is NEVER_LEFT:
            return answer
        await attempt.leave()
        body = json.loads(attempt.body) if attempt.body is not None else None
        self.seen.append(Seen(attempt.verb, attempt.target, body))
        if isinstance(answer, Loss):
            return answer
        attempt.status = answer[0]
        return Reply(answer[0], {}, answer[1] if isinstance(answer[1], bytes) else json.dumps(answer[1]).encode())

    @property
    def lines(self) -> list[str]:
        return [f"{seen.verb} {seen.target}" for seen in self.seen]


SETTINGS: dict[str, Any] = {"api_key": "test-key", "practice_group_id": "42", "base_url": "https://hero.test"}

Act = Callable[[Any], Any]
World = Callable[..., Any]


def async_world(script: Script, act: Act, **settings: Any) -> Any:
    """What `act` answers when it is given an `AsyncHero`."""

    async def go() -> Any:
        async with AsyncHero(transport=script, **SETTINGS | settings) as hero:
            made: Coroutine[Any, Any, Any] = act(hero)
            return await made

    return asyncio.run(go())


def blocking_world(script: Script, act: Act, **settings: Any) -> Any:
    """What `act` answers when it is given a `hero_sync.Hero`."""
    with Hero(transport=script, **SETTINGS | settings) as hero:
        value = act(hero)
        return value.first() if hasattr(value, "collect") else value


WORLDS = [async_world, blocking_world]
