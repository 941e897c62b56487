"""`hero` in this process and in one of its own, against a sandbox whose ledger is the judge."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from cli_support import COLUMNS, KEY, Hero, Ran, Write, cells, variables

from hero_async.cli import main
from hero_async.sandbox import Sandbox


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting comes from whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("HERO_")]:
        monkeypatch.delenv(name)
    profiles = tmp_path / "no-profiles.toml"
    profiles.write_text("")
    monkeypatch.setenv("HERO_PROFILE_FILE", str(profiles))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def hero(capsys: pytest.CaptureFixture[str]) -> Hero:
    """Run a command line in this process."""

    def run(*words: object) -> Ran:
        capsys.readouterr()
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox on a thread of its own; the environment leads to it."""
    with Sandbox(patients=30, api_key=KEY) as sandbox:
        for name, value in variables(sandbox).items():
            monkeypatch.setenv(name, value)
        yield sandbox


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a CSV file of rows, with the usual columns."""

    def make(rows: Sequence[Sequence[str]], columns: Sequence[str] = COLUMNS, name: str = "recipients.csv") -> Path:
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([columns, *rows])
        return path

    return make


@pytest.fixture
def recipients(sandbox: Sandbox, write: Write) -> Path:
    """A good file of all the sandbox's patients."""
    return write([cells(patient) for patient in sandbox.patients])


@pytest.fixture
def until() -> Callable[[Callable[[], object]], Any]:
    """Let the event loop turn until something is so."""

    async def wait(condition: Callable[[], object]) -> None:
        with anyio.fail_after(20):
            while not condition():
                await anyio.lowlevel.checkpoint()

    return wait
