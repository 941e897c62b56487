"""One thread for what blocks, so that it happens in order and never beside itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

import anyio

P = ParamSpec("P")
T = TypeVar("T")


class OneThread:
    """Runs calls one after another. The thread starts with the first call and ends with `close`."""

    __slots__ = ("_executor",)

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's value. A cancel waits for its end: what is half done on a disk cannot be called back."""
        future, cancelled = await self._finish(partial(function, *args, **kwargs))
        if cancelled is not None:
            future.exception()  # seen
            raise cancelled
        return future.result()

    async def acquire(self, make: Callable[[], T], give_back: Callable[[T], None]) -> T:
        """Like `run`, for what must be given back: a cancel that comes too late to stop `make` gives it back."""
        future, cancelled = await self._finish(make)
        if cancelled is not None:
            if future.exception() is None:
                await self._finish(partial(give_back, future.result()))
            raise cancelled
        return future.result()

    async def _finish(self, call: Callable[[], T]) -> tuple[asyncio.Future[T], asyncio.CancelledError | None]:
        future = asyncio.get_running_loop().run_in_executor(self._executor, call)
        cancelled: asyncio.CancelledError | None = None
        with anyio.CancelScope(shield=True):
            while not future.done():
                try:
                    await asyncio.wait({future})
                except asyncio.CancelledError as error:  # from task.cancel(): no scope keeps that off
                    cancelled = error
        return future, cancelled

    def close(self) -> None:
        """Let the thread end."""
        self._executor.shutdown(wait=False)
