"""One daemon thread runs one event loop; blocking calls hand their work over and wait.

Nothing starts at import. After a fork the child starts a loop of its own and never touches what it inherited:
its parent's connections and poller are shared, and closing them would break the parent's calls.
"""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import os
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Coroutine
from contextlib import suppress
from os import getpid  # by name: a destructor may ask when Python has cleared `os`
from typing import Any, TypeVar

from hero_sync import green

T = TypeVar("T")

_EXIT_SECONDS = 2.0
_UNWIND_SECONDS = 5.0
_CLOSE_SECONDS = 1.0


class BackgroundLoop:
    """An event loop on a thread of its own."""

    def __init__(self, generation: int) -> None:
        self.generation: int = generation
        self.is_green: bool = green.is_patched()
        self._let_go: Callable[[], None] | None = None
        self.loop: asyncio.AbstractEventLoop
        if self.is_green:
            self.loop, self._let_go = green.new_loop(lambda: generation == _generation)
        else:
            self.loop = _new_loop()
        self.ident: int | None = None
        self.ending: bool = False
        self.waiting: set[_Job] = set()
        self._posted: set[asyncio.Task[Any]] = set()
        started = threading.Event()
        self.thread: threading.Thread = threading.Thread(
            target=self._run, args=(started,), name="hero-sync", daemon=True
        )
        self.thread.start()
        started.wait()

    def _run(self, started: threading.Event) -> None:
        self.ident = threading.get_ident()
        asyncio.set_event_loop(self.loop)
        self.loop.call_soon(started.set)
        try:
            if self.is_green:
                green.spare()
            while not self.ending:  # a coroutine of the user's may have stopped it: others wait for it
                self.loop.run_forever()
        finally:
            self._unwind()
            self.loop.close()

    def _unwind(self) -> None:
        from hero_async.transport import close_all  # here, because it loads aiohttp: making a client should not

        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        tasks.add(self.loop.create_task(close_all()))
        self.loop.run_until_complete(asyncio.wait(tasks, timeout=_CLOSE_SECONDS))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())

    def leave_to_parent(self) -> None:
        """After a fork: this loop is the parent's. It is not closed, because that would close what the parent uses."""
        for job in self.waiting:
            job.fail_in_child()
        if self._let_go is not None:
            self._let_go()

    def run(self, function: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
        """Run `function(*args)` on the loop and wait for it.

        An exception that interrupts the wait, such as KeyboardInterrupt, cancels the work and waits until it has
        unwound.
        """
        if self.is_here():
            raise RuntimeError("a blocking call on the SDK's own event loop would wait for itself: await AsyncHero")
        result: T = _Job(self, function, args).wait()
        return result

    def is_here(self) -> bool:
        """Whether this is the loop's own thread."""
        return threading.get_ident() == self.ident

    def post(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `function()` on the loop without waiting for it; from any thread, a destructor's too."""
        with suppress(RuntimeError):  # the loop has ended, and all that ran on it
            self.loop.call_soon_threadsafe(self._start, function)

    def _start(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = self.loop.create_task(function())
        self._posted.add(task)
        task.add_done_callback(self._posted.discard)

    def stop(self) -> None:
        """Stop the loop within a bounded time, for ever.

        Only daemon threads can still wait for a call then. They are not woken: Python is about to end them, and an
        exception in each would only be noise.
        """
        self.ending = True
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(_EXIT_SECONDS)


class _Job:
    """One piece of work on the loop. Its repr shows nothing of it."""

    __slots__ = ("_args", "_context", "_done", "_error", "_function", "_home", "_loop", "_result", "_stopped", "_task")

    def __init__(self, home: BackgroundLoop, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._home = home
        self._loop = home.loop
        self._function = function
        self._args = args
        self._context = contextvars.copy_context()
        self._done = threading.Lock()
        self._done.acquire()
        self._task: asyncio.Task[None] | None = None
        self._stopped = False
        self._result: Any = None
        self._error: BaseException | None = None

    def wait(self) -> Any:
        waiting = self._home.waiting
        waiting.add(self)
        try:
            self._loop.call_soon_threadsafe(self._begin, context=self._context)
            self._done.acquire()
        except BaseException:
            if self._home.generation == generation():
                self._loop.call_soon_threadsafe(self._stop)
                self._done.acquire(timeout=_UNWIND_SECONDS)
            raise
        finally:
            waiting.discard(self)
        error = self._error
        if error is not None:
            try:
                raise error
            finally:
                del error
                self._error = None
        return self._result

    def fail_in_child(self) -> None:
        """The process forked while this was waited for: by a signal handler, or by another greenlet."""
        self._error = RuntimeError("a call that was in flight when the process forked goes on in the parent alone")
        if self._done.locked():
            self._done.release()

    def _begin(self) -> None:
        if self._stopped:
            return
        self._task = self._loop.create_task(self._body(), context=self._context)

    async def _body(self) -> None:
        try:
            self._result = await self._function(*self._args)
        except BaseException as error:  # noqa: BLE001  # it belongs to the waiting thread, whatever it is
            self._error = error
        finally:
            self._free()

    def _stop(self) -> None:
        self._stopped = True
        if self._task is None:
            self._free()  # the interrupt came before it was handed over
            return
        self._task.cancel()
        self._task.add_done_callback(lambda _: self._free())  # it may never have entered its body

    def _free(self) -> None:
        if self._done.locked() and not self._home.ending:
            self._done.release()


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


_lock = threading.Lock()
_lock_is_green = False
_current: BackgroundLoop | None = None
_parents: list[BackgroundLoop] = []
_inherited: list[object] = []
_generation = 0
_pid = getpid()
_ended = False


def _after_fork() -> None:
    global _lock, _lock_is_green, _current, _generation, _pid
    if _pid == getpid():
        return
    _pid = getpid()
    _generation += 1
    _lock_is_green = False
    _lock = threading.Lock()  # the parent's may have been held by a thread that does not exist here
    if _current is not None:
        _parents.append(_current)  # kept: collecting it would close what the parent uses
        _current.leave_to_parent()
    _current = None


def _renew_threadpool() -> None:
    """Let libuv forget the threads of the parent, which it would join, and crash, when a child exits.

    A look-up makes it start its own (https://github.com/libuv/libuv/issues/4443).
    """
    loop = _new_loop()
    with suppress(OSError):
        loop.run_until_complete(loop.getaddrinfo("127.0.0.1", 0, flags=socket.AI_NUMERICHOST))
    loop.close()


def _at_exit() -> None:
    global _current, _ended
    _ended = True
    generation()
    loop, _current = _current, None
    if loop is not None:
        loop.stop()
    if any(type(home.loop).__module__.startswith("uvloop") for home in _parents):
        _renew_threadpool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)


def generation() -> int:
    """Counts forks: what belongs to an older generation belongs to a parent process."""
    if _pid != getpid():  # forked by C code, such as uWSGI's, which need not tell Python
        _after_fork()
    return _generation


def background() -> BackgroundLoop:
    """The loop of this process; started when first needed."""
    global _current
    loop = _current if _pid == getpid() else None
    if loop is None:
        generation()
        _check_end()
        with _lock_of(is_green=green.is_patched()):
            loop = _current
            if loop is None:
                loop = _current = BackgroundLoop(_generation)
    if sys.flags.dev_mode:
        _warn_in_running_loop(loop)
    return loop


def finish(function: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `function()` on the loop of this process, if there is one, and wait for it wherever one can wait.

    For destructors: they may run on the loop's own thread, and when Python ends.
    """
    loop = _current
    if loop is None:
        return
    if loop.is_here() or sys.is_finalizing():
        loop.post(function)
    else:
        loop.run(function)


def leave_to_parent(thing: object) -> None:
    """In a child: keep what a fork inherited for as long as the process lives, so that nothing ends it."""
    _inherited.append(thing)


def _lock_of(*, is_green: bool) -> threading.Lock:
    """Held while the loop starts. A lock from before gevent's patch would stop all greenlets for who waits for it."""
    global _lock, _lock_is_green
    if is_green and not _lock_is_green:
        _lock, _lock_is_green = threading.Lock(), True
    return _lock


def post(function: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `function()` on the loop of this process, if there is one, without waiting for it."""
    loop = _current
    if loop is not None:
        loop.post(function)


def _check_end() -> None:
    if sys.is_finalizing():
        raise RuntimeError("the interpreter is ending: no call can be made any more")
    if _ended and threading.current_thread().daemon:
        threading.Event().wait()  # Python stops daemon threads at the end; this one stops here


def _warn_in_running_loop(home: BackgroundLoop) -> None:
    try:
        if asyncio.get_running_loop() is home.loop:  # that of all greenlets; or the call is about to be refused
            return
    except RuntimeError:
        return
    warnings.warn("a blocking hero_sync call stops the running event loop: use AsyncHero", RuntimeWarning, stacklevel=4)
