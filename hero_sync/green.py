"""gevent: in a program that it patched, threads are greenlets, and the background loop lives on one of them.

All of it must be patched or nothing: a loop whose thread is real and whose sockets are not, or the other way round,
waits for ever. uvloop waits in C, where no other greenlet runs, so asyncio's own loop is used.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from selectors import BaseSelector
from types import FrameType
from typing import Any, Final

from hero_async.errors import ConfigurationError

_MODULES: Final = ("threading", "socket", "select")


def is_patched() -> bool:
    """Whether threads are greenlets.

    Raises:
        ConfigurationError: Only a part of what we stand on is patched, or all of it by eventlet.
    """
    eventlet: Any = sys.modules.get("eventlet.patcher")
    if eventlet is not None and any(eventlet.is_monkey_patched(name) for name in ("thread", "socket", "select")):
        raise ConfigurationError(
            "eventlet has patched this program: hero_sync cannot run there, and eventlet is no longer developed; "
            "use gevent, or workers with threads"
        )
    monkey: Any = sys.modules.get("gevent.monkey")
    if monkey is None:
        return False
    patched = [name for name in _MODULES if monkey.is_module_patched(name)]
    if patched and len(patched) < len(_MODULES):
        raise ConfigurationError(
            f"gevent has patched {' and '.join(patched)}, but hero_sync needs all of {', '.join(_MODULES)}, or none: "
            "call gevent.monkey.patch_all() before all else"
        )
    return bool(patched)


def new_loop(is_ours: Callable[[], bool]) -> tuple[asyncio.AbstractEventLoop, Callable[[], None]]:
    """A loop for a greenlet, and what makes it let go of all that it watches.

    Greenlets, unlike threads, come along when the process forks. The child's must neither read what is meant for the
    parent nor end what it uses.

    Args:
        is_ours: Whether this is still the process that made it.
    """
    import selectors

    made: type[BaseSelector] = selectors.DefaultSelector  # gevent's, which it was not when this module was imported

    class Selector(made):  # type: ignore[misc, valid-type]  # known only now
        def select(self, timeout: float | None = None) -> Any:
            ready: Any = super().select(timeout)
            if not is_ours():
                threading.Event().wait()  # for ever
            return ready

    selector = Selector()

    def let_go() -> None:
        for key in list(selector.get_map().values()):
            selector.unregister(key.fileobj)

    return asyncio.SelectorEventLoop(selector), let_go


def spare() -> None:
    """Keep Ctrl-C out of this greenlet, the loop's: Python raises it in whichever runs, and no event loop survives it.

    It is handed to the main greenlet, as gevent does with one that comes while all wait. A handler of the program's
    own is left as it is.
    """
    gevent: Any = sys.modules["gevent"]
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    spared = gevent.getcurrent()

    def interrupted(number: int, frame: FrameType | None) -> None:
        if gevent.getcurrent() is not spared:
            signal.default_int_handler(number, frame)
        hub: Any = gevent.get_hub()
        hub.loop.run_callback(hub.parent.throw, KeyboardInterrupt)

    with suppress(ValueError):  # not the main thread, where alone handlers can be set
        signal.signal(signal.SIGINT, interrupted)
