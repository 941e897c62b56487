"""What the tests of the command share."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from hero_async.sandbox import Sandbox, SyntheticPatient

KEY = "sandbox-key-5f0c"
COLUMNS = ("nhs_number", "dob", "first_name", "last_name")


@attrs.frozen
class Ran:
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout, which must hold JSON and nothing else."""
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The line that says what went wrong: there must be exactly one."""
        [line] = [line for line in self.err.splitlines() if line.startswith("error: ")]
        return line


Hero = Callable[..., Ran]
Write = Callable[..., Path]


def variables(sandbox: Sandbox) -> dict[str, str]:
    """The environment that leads to a sandbox."""
    return {
        "HERO_API_KEY": sandbox.api_key,
        "HERO_PRACTICE_GROUP_ID": sandbox.practice_group_ids[0],
        "HERO_BASE_URL": sandbox.url,
    }


def cells(patient: SyntheticPatient) -> list[str]:
    """A good row."""
    return [patient.nhs_number or "", patient.dob.isoformat(), patient.first_name, patient.last_name]


def command(*words: object) -> list[str]:
    """A command line for a process of its own."""
    return [sys.executable, "-m", "hero_async.cli", *map(str, words)]


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of such a process."""
    return {**os.environ, **more}
