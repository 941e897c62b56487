"""Four checkers read the SDK alike: they accept every right use, infer what it is, and report every wrong one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RIGHT, WRONG = HERE / "right_uses.py", HERE / "wrong_uses.py"
BIN = Path(sys.executable).parent

IDLE = {
    "reportUnusedExpression",
    "reportUnusedCoroutine",
    "unused-coroutine",
    "unused-awaitable",
}
"""Reports that a line does nothing. They tell nothing of types, so they count for no wrong use."""

Report = tuple[str, int, str, str]
"""File, line, code and text."""


def lines(pattern: str, output: str) -> Iterator[Report]:
    """Reports of a checker that prints one a line."""
    for found in re.finditer(pattern, output, re.MULTILINE):
        yield Path(found["file"]).name, int(found["line"]), found["code"], found[0]


def read_pyright(output: str) -> Iterator[Report]:
    """Reports of pyright."""
    for one in json.loads(output)["generalDiagnostics"]:
        if one["severity"] == "error":
            yield Path(one["file"]).name, one["range"]["start"]["line"] + 1, one.get("rule", ""), one["message"]


def read_mypy(output: str) -> Iterator[Report]:
    """Reports of mypy."""
    return lines(r"^(?P<file>[^:\n]+):(?P<line>\d+): error: .*\[(?P<code>[\w-]+)\]$", output)


def read_ty(output: str) -> Iterator[Report]:
    """Reports of ty."""
    return lines(r"^(?P<file>[^:\n]+):(?P<line>\d+):\d+: error\[(?P<code>[\w-]+)\].*$", output)


def read_pyrefly(output: str) -> Iterator[Report]:
    """Reports of pyrefly."""
    return lines(r"^ERROR (?P<file>[^:\n]+):(?P<line>\d+):.*\[(?P<code>[\w-]+)\]$", output)


CHECKERS: dict[str, tuple[Callable[[str], Iterator[Report]], list[str]]] = {
    "mypy": (read_mypy, ["--no-error-summary", "--hide-error-context", "--no-pretty"]),
    "pyright": (read_pyright, ["--outputjson", "--pythonpath", sys.executable]),
    "ty": (read_ty, ["check", "--output-format", "concise", "--color", "never", "--python", sys.executable]),
    "pyrefly": (
        read_pyrefly,
        ["check", "--output-format", "min-text", "--color", "never", "--python-interpreter-path", sys.executable],
    ),
}


def check(name: str, cache: Path) -> list[Report]:
    """What a checker reports of both files."""
    read, options = CHECKERS[name]
    extra = ["--cache-dir", str(cache)] if name == "mypy" else []
    done = subprocess.run(
        [BIN / name, *options, *extra, RIGHT, WRONG], capture_output=True, text=True, check=False, cwd=ROOT, timeout=240
    )
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]  # 1: it ran, and found something
    return list(read(done.stdout))


def expected() -> set[int]:
    """The lines that are wrong."""
    text = WRONG.read_text(encoding="utf-8").splitlines()
    return {number for number, line in enumerate(text, 1) if line.endswith("  # wrong")}


@pytest.mark.timeout(300)  # a checker that starts cold on one core reads aiohttp first
@pytest.mark.parametrize("name", CHECKERS)
def test_a_checker_takes_what_is_right_and_reports_what_is_wrong(
    name: str, pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    kept: pytest.Cache | None = getattr(pytestconfig, "cache", None)  # none under -p no:cacheprovider
    reports = check(name, kept.mkdir("mypy-of-uses") if kept is not None else tmp_path)
    assert {file for file, *_ in reports} <= {RIGHT.name, WRONG.name}
    assert [report for report in reports if report[0] == RIGHT.name] == []
    reported = {line for file, line, code, _ in reports if file == WRONG.name and code not in IDLE}
    assert sorted(expected() - reported) == []
    assert sorted(reported - expected()) == []


def test_there_is_much_to_report() -> None:
    assert len(expected()) > 60
    assert RIGHT.read_text(encoding="utf-8").count("assert_type(") > 60
