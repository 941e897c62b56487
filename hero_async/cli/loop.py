"""The event loop of the command, and what Ctrl-C and SIGTERM do to it."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from types import FrameType, TracebackType
from typing import Any, Final, Self, TypeVar

import anyio

T = TypeVar("T")

_STOPS = (signal.SIGINT, signal.SIGTERM)

_SWITCH: Final = 0.0005
"""Seconds after which a busy thread lets another one go on. With Python's 5 ms, the thread of an outbox waits that long
for the interpreter after every commit, and a group of sends with it."""


def run(function: Callable[[], Awaitable[T]]) -> T:
    """Run an async function to its end, in a process that is ours; on uvloop where it is installed."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH)
    try:
        return anyio.run(function, backend_options={"use_uvloop": find_spec("uvloop") is not None})
    finally:
        sys.setswitchinterval(before)


async def until_stopped(function: Callable[[], Awaitable[T]]) -> T:
    """Await a function; Ctrl-C and SIGTERM cancel it.

    Raises:
        KeyboardInterrupt: One of them came. What was under way has unwound.
    """
    with anyio.CancelScope() as scope, Stops(scope.cancel, scope.cancel):
        return await function()
    raise KeyboardInterrupt


class Stops:
    """Counts Ctrl-C and SIGTERM while a block runs, in place of what they do by default.

    Args:
        first: Called on the event loop for the first one.
        again: Called for each further one.
    """

    def __init__(self, first: Callable[[], object], again: Callable[[], object]) -> None:
        self._first = first
        self._again = again
        self._before: dict[int, Any] = {}
        self.count: int = 0
        """How many there were."""

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():  # Python allows handlers there alone
            for number in _STOPS:
                self._before[number] = signal.signal(number, self._arrived)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._act)

    def _act(self) -> None:
        self.count += 1
        (self._first if self.count == 1 else self._again)()
