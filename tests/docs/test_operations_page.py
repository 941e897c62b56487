"""docs/operations.md is what docs/make_operations.py makes of OPERATIONS now."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from hero_async import OPERATIONS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def maker() -> Any:
    spec = importlib.util.spec_from_file_location("make_operations", DOCS / "make_operations.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_page_is_not_stale(maker: Any) -> None:
    assert (DOCS / "operations.md").read_text(encoding="utf-8") == maker.page(), "run `python docs/make_operations.py`"


def test_the_page_has_a_row_for_each_operation(maker: Any) -> None:
    rows = re.findall(
        r"^\| \[`([\w.]+)`\]\((https://developer\.herohealth\.net/\S+)\) \| (.+?) \| `(\w+) (/\S+)` \| (.+?)"
        r" \| (yes|no) \| ([●◐○]) \|$",
        maker.page(),
        re.MULTILINE,
    )
    assert [(row[0], row[3], row[4], row[6] == "yes", row[7]) for row in rows] == [
        (one.name, one.verb, one.path, one.idempotent, maker.MARKS[one.evidence]) for one in OPERATIONS
    ]
    assert len(rows) == 82


@pytest.mark.parametrize(
    "line",
    [
        "list of `BatchMessage` |",
        "list of `Slot`, *one page* |",
        "list of `ShortLink`, *raw* |",
        "`PatientId` or `PatientVerificationRequired` |",
        "Flow, made of operations: `batch_messages.wait`.",
        "Flow, made of operations: `appointments.reserve_and_book`.",
        "Flow, made of operations: `patients.find_or_register`.",
    ],
)
def test_the_page_tells_answers_and_flows(maker: Any, line: str) -> None:
    assert line in maker.page()
