"""Each setting, its value, and where it came from; never a secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_support import Hero

SECRET = "s3cr3t-key-of-staging"


def test_each_setting_says_where_it_came_from(hero: Hero, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    profiles = tmp_path / "profiles.toml"
    profiles.write_text('[pcn]\npractice_group_id = "42"\ntimeout = 7\n')
    monkeypatch.setenv("HERO_PROFILE_FILE", str(profiles))
    monkeypatch.setenv("HERO_API_KEY", SECRET)
    ran = hero("config", "show", "--json", "--profile", "pcn", "--environment", "staging")
    assert ran.code == 0
    assert SECRET not in ran.out + ran.err
    assert ran.json["api_key"] == {"value": "*** (text)", "source": "HERO_API_KEY"}
    assert ran.json["practice_group_id"] == {"value": "42", "source": "profile pcn"}
    assert ran.json["timeout"] == {"value": "7.0", "source": "profile pcn"}
    assert ran.json["environment"] == {"value": "staging", "source": "command line"}
    assert ran.json["max_connections"] == {"value": "100", "source": "default"}


def test_the_profile_option_leaves_the_process_as_it_was(hero: Hero, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("HERO_PROFILE", "before")
    assert hero("config", "show", "--profile", "none").code == 2
    assert os.environ["HERO_PROFILE"] == "before"


def test_what_is_missing_is_named_and_the_rest_is_shown(hero: Hero) -> None:
    ran = hero("config", "show")
    assert ran.code == 2
    missing = [line.split(":")[1].strip() for line in ran.err.splitlines() if line.startswith("error: ")]
    assert missing == ["api_key", "practice_group_id", "environment"]
    assert "timeout              30.0" in ran.out


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HERO_API_KEY", "key\r\nx-evil: 1", "api_key: must be printable ASCII without spaces or line breaks"),
        ("HERO_BASE_URL", "http://hero.example", "base_url: must be https://"),
        ("HERO_BASE_URL", "nonsense", "base_url: must be an https:// address"),
        ("HERO_BASE_URL", "https://user:pw@hero.example", "base_url: must not hold a user name or password"),
        ("HERO_TIMEOUT", "soon", "HERO_TIMEOUT: must be a number"),
        ("HERO_ENVIRONMENT", "prod", "environment: must be one of production, staging"),
        ("HERO_PROFILE", "pcn", "HERO_PROFILE: the profile file has no table of that name"),
    ],
)
def test_a_setting_that_cannot_work_is_one_line(
    hero: Hero, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    ran = hero("config", "show")
    assert ran.code == 2
    assert said in ran.error
    assert "x-evil" not in ran.err
    assert "user:pw" not in ran.err
