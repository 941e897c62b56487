"""How long a test runs: a short cut by default, the whole of it with `HERO_SOAK=1` (`nox -s soak`)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., Any])

SOAK = os.environ.get("HERO_SOAK", "") not in ("", "0")


def at_length(test: Test) -> Test:
    """For tests that run long in a soak, with the bound of each."""
    marked: Test = pytest.mark.soak(pytest.mark.timeout(900 if SOAK else 60)(test))
    return marked


def times(short: int, long: int) -> int:
    """How often to try."""
    return long if SOAK else short
