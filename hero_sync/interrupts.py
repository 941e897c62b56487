"""Whether Ctrl-C came: a generator that is left cannot see why."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

_count = 0
_watching = 0


def _note(number: int, frame: FrameType | None) -> None:
    global _count
    _count += 1
    signal.default_int_handler(number, frame)


def interrupts() -> int:
    """How many there were while `watching`."""
    return _count


@contextmanager
def watching() -> Generator[None, None, None]:
    """Count them, on the main thread and where Ctrl-C does what Python does by default; it does so still."""
    global _watching
    if not _is_main():
        yield
        return
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _note)
    _watching += 1
    try:
        yield
    finally:
        _watching -= 1
        if not _watching and _is_main() and signal.getsignal(signal.SIGINT) is _note:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()  # a generator may be collected on any thread
