"""A raw client, so that sandbox and SDK cannot agree by mistake."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import anyio
import anyio.lowlevel
import attrs
import pytest

from hero_async.sandbox import Sandbox, SandboxClock


@attrs.frozen
class Reply:
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Raw:
    """One aiohttp session, signed for practice group 1."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session

    async def __call__(self, verb: str, path: str, **options: Any) -> Reply:
        headers = {"x-api-key": self.sandbox.api_key, "x-practice-group-id": "1", **options.pop("headers", {})}
        signed = {name: value for name, value in headers.items() if value is not None}
        url = self.sandbox.url + path
        async with self.session.request(verb, url, headers=signed, **options) as answer:
            return Reply(answer.status, answer.headers.copy(), await answer.read())

    async def send(self, index: int = 0, **changes: Any) -> Reply:
        """A message to the seeded patient with this index."""
        body = {
            "patient_id": self.sandbox.patients[index].patient_id,
            "message_type": "sms",
            "message_string": "Your flu jab is due",
        }
        headers = changes.pop("headers", {})
        return await self("POST", "/v1/messages/send", json=body | changes, headers=headers)


Connect = Callable[[Sandbox], AbstractAsyncContextManager[Raw]]


@asynccontextmanager
async def _connect(sandbox: Sandbox) -> AsyncIterator[Raw]:
    async with aiohttp.ClientSession() as session:
        yield Raw(sandbox, session)


@pytest.fixture
def connect() -> Connect:
    return _connect


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock(frozen=True)


@pytest.fixture
async def sandbox(clock: SandboxClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(patients=20, clock=clock, practice_group_ids=("1", "2")) as sandbox:
        yield sandbox


@pytest.fixture
async def raw(sandbox: Sandbox) -> AsyncIterator[Raw]:
    async with _connect(sandbox) as raw:
        yield raw


@pytest.fixture
def until() -> Callable[[Callable[[], object]], Any]:
    """Let the event loop turn until something is so."""

    async def wait(condition: Callable[[], object]) -> None:
        with anyio.fail_after(10):
            while True:
                if condition():
                    return
                await anyio.lowlevel.checkpoint()

    return wait
