"""The contract, to be mangled."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from hero_async.drift import Report, compare, parse

CONTRACT = Path(__file__).parents[1] / "contract" / "openapi.yaml"


@cache
def _parsed() -> Any:
    return parse(CONTRACT.read_bytes())


def contract() -> Any:
    """A copy of the contract's document."""
    return deepcopy(_parsed())


def schema(document: Any, name: str) -> Any:
    """A named schema."""
    return document["components"]["schemas"][name]


def told(report: Report) -> list[str]:
    """Each new difference as a line; those that break begin with "!"."""
    return [
        f"{'! ' if one.breaks else ''}{one.change} {one.side and one.side + ' '}{one.where}: {one.says}"
        for one in report.differences
    ]


def drift(document: Any) -> list[str]:
    """What is new in a document."""
    return told(compare(document))
