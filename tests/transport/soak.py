"""How long a test runs: a short cut by default, the whole of it with `HERO_SOAK=1` (`nox -s soak`)."""

from __future__ import annotations

import os

import pytest

SOAK = os.environ.get("HERO_SOAK", "") not in ("", "0")

at_length = pytest.mark.timeout(900 if SOAK else 60)
"""For tests that run long in a soak: the bound of each."""


def times(short: int, long: int) -> int:
    """How often to try."""
    return long if SOAK else short
