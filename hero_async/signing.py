"""Credentials: where the key comes from, and how it is put on each attempt.

`x-api-key` and `x-practice-group-id` go on every attempt, to the configured origin only; nothing may replace them.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anyio.to_thread

from hero_async.errors import ConfigurationError
from hero_async.settings import KeySource, check_key_text

USER_AGENT = f"hero-health-python/{version('hero-health')}"


class Headers(dict[str, str]):
    """The headers of many attempts. Their repr shows nothing of them."""

    __slots__ = ("lines",)

    lines: bytes | None
    """As they are on the wire, once they were written."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.lines = None

    def __repr__(self) -> str:
        return "<Headers>"


def sign(key: str, practice_group_id: str, extra: Mapping[str, str]) -> Headers:
    """The headers of an attempt. What the SDK sets comes last, so that nothing replaces it."""
    return Headers(
        {
            "Accept": "application/json",
            "User-Agent": USER_AGENT,
            **extra,
            "x-api-key": key,
            "x-practice-group-id": practice_group_id,
        }
    )


class Key:
    """The key of a client: fixed text, or what a file or callable gives.

    A file or callable is asked at the first call and once more after a 401, so that a rotated key needs
    no restart. Concurrent calls share one asking.
    """

    __slots__ = ("_asking", "_source", "text", "version")

    def __init__(self, source: KeySource) -> None:
        self._source = source
        self.version: int = 0
        """Counts how often the key was fetched."""

        self._asking: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None
        self.text: str | None = source if isinstance(source, str) else None
        """The key, once it is known."""

    def __repr__(self) -> str:
        return "Key(***)"

    @property
    def can_change(self) -> bool:
        """Whether asking again may give another key."""
        return not isinstance(self._source, str)

    async def fetch(self, seen: int) -> str:
        """Ask for the key, unless someone else did since version `seen`."""
        loop = asyncio.get_running_loop()
        if self._asking is None or self._asking[0] is not loop:
            self._asking = loop, asyncio.Lock()  # another loop's may be held for ever: by a task that a fork cut off
        async with self._asking[1]:
            if self.version == seen or self.text is None:
                self.text = await self._ask()
                self.version += 1
            return self.text

    async def _ask(self) -> str:
        words = ""
        try:
            return check_key_text(await self._read())
        except ConfigurationError as refused:
            words = str(refused)
        raise ConfigurationError(words)  # afresh: the frames that refused it hold the key

    async def _read(self) -> str:
        source = self._source
        if isinstance(source, str):
            return source
        if isinstance(source, Path):
            try:
                return (await anyio.to_thread.run_sync(source.read_text, "utf-8")).strip()
            except (OSError, UnicodeDecodeError):
                pass
            raise ConfigurationError("api_key: the file cannot be read")
        given: Any = source()
        if inspect.isawaitable(given):
            given = await given
        if not isinstance(given, str):
            raise ConfigurationError("api_key: the callable must give text")
        return given
