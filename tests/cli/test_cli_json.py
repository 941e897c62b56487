"""`--json`: stdout holds JSON and nothing else, whatever the command."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from cli_support import Hero, command, environment

from hero_async.sandbox import Sandbox

TEXT = ("--channel", "sms", "--text", "Dear {first_name}, your flu jab is due")


@pytest.fixture
def outbox(hero: Hero, recipients: Path) -> str:
    """A campaign that was sent."""
    outbox: str = hero("send", recipients, *TEXT, "--json").json["outbox"]
    return outbox


def test_results(hero: Hero, outbox: str, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    ran = hero("results", outbox, "--out", out, "--json")
    assert (ran.code, ran.json) == (0, {"outbox": outbox, "rows": 30, "results": str(out)})


def test_results_on_stdout_are_rows_and_not_json(hero: Hero, outbox: str) -> None:
    ran = hero("results", outbox, "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "--json: needs --out" in ran.error


def test_purge(hero: Hero, outbox: str) -> None:
    ran = hero("purge", outbox, "--yes", "--json")
    assert (ran.code, ran.json) == (0, {"outbox": outbox, "deleted": True})


def test_the_demo_tells_its_story_on_stderr(hero: Hero) -> None:
    ran = hero("demo", "--patients", 100, "--json")
    assert ran.code == 0
    books = ran.json
    assert books["balance"] is True
    assert books["sent"] + books["rejected"] + books["unknown"] == books["rows"]
    assert "The books" in ran.err


def test_the_sandbox_announces_itself_and_counts_at_its_end() -> None:
    serving = subprocess.Popen(
        command("sandbox", "--port", 0, "--patients", 5, "--json"),
        stdout=subprocess.PIPE,
        text=True,
        env=environment({}),
    )
    assert serving.stdout is not None
    with serving:
        about = json.loads(serving.stdout.readline())
        assert about["base_url"].startswith("http://127.0.0.1:")
        assert (about["patients"], about["practice_group_ids"]) == (5, ["1"])
        serving.terminate()
        summary = json.loads(serving.stdout.readline())
    assert summary["requests"] == 0


def test_settings_of_a_profile_do_not_pass_through_the_environment(
    hero: Hero, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import os

    profiles = tmp_path / "profiles.toml"
    profiles.write_text("[pcn]\ntimeout = 7\n")
    monkeypatch.setenv("HERO_PROFILE_FILE", str(profiles))
    seen: list[tuple[str, str | None]] = []
    real = os.environ.__class__.__setitem__

    def watch(self: object, key: str, value: str) -> None:
        seen.append((key, value))
        real(self, key, value)  # type: ignore[arg-type]  # os.environ itself

    monkeypatch.setattr(os.environ.__class__, "__setitem__", watch)
    ran = hero("call", "practice_group.get", "--profile", "pcn")
    assert ran.code == 0
    assert not [name for name, _ in seen if name.startswith("HERO_")]
