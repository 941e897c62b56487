"""Every example runs by its one command, on a sandbox, without a warning; and says what it is there to show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"
SAYS = {
    "flu_campaign.py": [r"19 sent, 1 unknown", r"49 sent, 1 unknown", r"accepted: 50 more than once: 0"],
    "reminders_service.py": [r"\{'due': 1, 'sent': 3\}", r"accepted: 3 more than once: 0"],
    "django_view.py": [r"^201 booked", r"^409 not booked"],
    "celery_task.py": [r"1 in doubt of 3", r"asked: 3 accepted: 2"],
    "export_slots.py": [r"^[1-9][0-9]* slots on 10 days"],
}
NEEDS = {"django_view.py": "django", "celery_task.py": "celery", "export_slots.py": "polars"}


def environment(tmp_path: Path) -> dict[str, str]:
    """Without any HERO_* variable, and with a home of its own."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("HERO_")}
    return {**bare, "HOME": str(tmp_path), "MPLBACKEND": "agg", "PYTHONIOENCODING": "utf-8"}


@pytest.mark.parametrize("name", SAYS)
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason=f"{NEEDS[name]} is not installed: dependency group examples")
    done = subprocess.run(
        [sys.executable, "-W", "error", FOLDER / name],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    for words in SAYS[name]:
        assert re.search(words, done.stdout, re.MULTILINE), done.stdout


@pytest.mark.skipif(
    not all(map(find_spec, ("nbclient", "ipykernel", "matplotlib"))),
    reason="nbclient, ipykernel or matplotlib is not installed: dependency group examples",
)
def test_the_notebook_runs_and_plots(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "execute", FOLDER / "campaign.ipynb", f"--output={tmp_path / 'out.ipynb'}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**environment(tmp_path), "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert "300 of 300 accounted for; more than once: 0" in (tmp_path / "out.ipynb").read_text("utf-8")
    [plot] = tmp_path.glob("*/campaign.png")
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_the_notebook_is_kept_without_answers() -> None:
    text = (FOLDER / "campaign.ipynb").read_text("utf-8")
    assert '"execution_count": null' in text
    assert '"image/png"' not in text
    assert re.search(r'"execution_count": [0-9]', text) is None


def test_an_example_refuses_production(tmp_path: Path) -> None:
    real = {"HERO_API_KEY": "k", "HERO_PRACTICE_GROUP_ID": "1", "HERO_ENVIRONMENT": "production"}
    done = subprocess.run(
        [sys.executable, FOLDER / "reminders_service.py"],
        capture_output=True,
        text=True,
        check=False,
        env={**environment(tmp_path), **real},
    )
    assert done.returncode == 1
    assert "never at production" in done.stderr
