"""Where the examples run: at the Hero that HERO_* variables name, else in a sandbox of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hero_async import Settings
from hero_async.sandbox import Sandbox


@contextmanager
def somewhere(*, patients: int = 50) -> Iterator[tuple[Settings, Sandbox | None]]:
    """Settings to work with, and the sandbox if there is one."""
    if os.environ.get("HERO_API_KEY") or os.environ.get("HERO_API_KEY_FILE"):
        settings = Settings.resolve()
        if settings.is_production:
            sys.exit("these are examples: never at production")
        yield settings, None
        return
    with Sandbox(patients=patients) as sandbox:
        yield sandbox.settings, sandbox
