"""One thread for what blocks, so that it happens in order and never beside itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, ParamSpec, TypeVar

import anyio

P = ParamSpec("P")
T = TypeVar("T")


class Steadfast(asyncio.Future[T]):
    """A future that a cancel of who waits does not cancel: what is half done on a disk cannot be called back.

    The cancel arrives when it is done. Many may wait for one.
    """

    def cancel(self, msg: object = None) -> bool:
        """Refuse."""
        return False


class OneThread:
    """Runs calls one after another, each handed over with little work: a run makes thousands.

    The thread starts with the first call and ends with `close`.
    """

    __slots__ = ("_calls", "_name", "_thread")

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: SimpleQueue[tuple[Steadfast[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._thread: Thread | None = None

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's value. A cancel waits for its end."""
        future = self.begin(partial(function, *args, **kwargs))
        try:
            with anyio.CancelScope(shield=True):
                await future
        except asyncio.CancelledError:  # from task.cancel(): no scope keeps that off
            forget(future)
            raise
        return future.result()

    async def acquire(self, make: Callable[[], T], give_back: Callable[[T], None]) -> T:
        """Like `run`, for what must be given back: a cancel that comes too late to stop `make` gives it back."""
        future = self.begin(make)
        try:
            with anyio.CancelScope(shield=True):
                await future
        except asyncio.CancelledError:
            if future.exception() is None:
                forget(self.begin(partial(give_back, future.result())))
            raise
        return future.result()

    def begin(self, call: Callable[[], T]) -> Steadfast[T]:
        """Start a call and go on: what it gives is awaited later."""
        if self._thread is None:
            # A daemon, so that a loop which was thrown away does not keep the process: whatever it writes to a disk
            # survives a power cut, and so it survives this too.
            self._thread = Thread(target=_work, args=(self._calls,), name=self._name, daemon=True)
            self._thread.start()
        future = Steadfast[T]()
        self._calls.put((future, call))
        return future

    def close(self) -> None:
        """Let the thread end when its calls are done."""
        self._calls.put(None)


def forget(future: asyncio.Future[Any]) -> None:
    """Nobody waits for it any more, so nobody is told of its exception."""
    future.add_done_callback(_see)


def _see(future: asyncio.Future[Any]) -> None:
    future.exception()


def _work(calls: SimpleQueue[tuple[Steadfast[Any], Callable[[], Any]] | None]) -> None:
    while (item := calls.get()) is not None:
        future, call = item
        value = error = None
        try:
            value = call()
        except BaseException as failed:  # noqa: BLE001  # raised again where it is waited for
            error = failed
        try:
            future.get_loop().call_soon_threadsafe(_end, future, value, error)
        except RuntimeError:  # the loop is closed: nobody waits
            return
        del item, future, call, value, error  # what a call held must not live until the next one


def _end(future: Steadfast[Any], value: Any, error: BaseException | None) -> None:
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
