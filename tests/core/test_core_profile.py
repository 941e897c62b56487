"""Where settings come from: arguments, then variables, then a profile file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hero_async import AsyncHero, ConfigurationError, Settings
from hero_async.settings import VARIABLES, profile_path

PROFILE = """
[default]
api_key = "zq7-from-profile"
practice_group_id = "1"
environment = "staging"
timeout = 11

[prod]
api_key_file = "/run/secrets/hero"
practice_group_id = "2"
environment = "production"
rate_limit = "20/s"
"""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "hero-health" / "profiles.toml"
    path.parent.mkdir()
    path.write_text(PROFILE)
    path.chmod(0o600)
    return path


def resolve(profile: Path, arguments: dict[str, Any] | None = None, **environ: str) -> Settings:
    return Settings.resolve(arguments, environ={"XDG_CONFIG_HOME": str(profile.parent.parent), **environ})


def refusal(profile: Path, arguments: dict[str, Any] | None = None, **environ: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        resolve(profile, arguments, **environ)
    assert "zq7" not in repr(refused.value)
    return str(refused.value)


def test_an_argument_beats_a_variable_beats_the_profile(profile: Path) -> None:
    settings = resolve(profile, {"practice_group_id": "9"}, HERO_TIMEOUT="7.5", HERO_PRACTICE_GROUP_ID="8")
    assert (settings.practice_group_id, settings.timeout, settings.api_key) == ("9", 7.5, "zq7-from-profile")
    told = {name: settings.sources[name] for name in ("practice_group_id", "timeout", "api_key", "max_connections")}
    assert told == {
        "practice_group_id": "argument",
        "timeout": "HERO_TIMEOUT",
        "api_key": "profile default",
        "max_connections": "default",
    }


def test_every_setting_has_a_source(profile: Path) -> None:
    settings = resolve(profile)
    assert set(settings.sources) == set(settings.shown()) | {"headers"}


def test_none_counts_as_not_given(profile: Path) -> None:
    settings = resolve(profile, {"api_key": None, "timeout": None})
    assert settings.timeout == 11.0


def test_a_higher_address_replaces_a_lower_environment(profile: Path) -> None:
    settings = resolve(profile, {"base_url": "https://hero.example"}, HERO_ENVIRONMENT="production")
    assert (settings.base_url, settings.environment) == ("https://hero.example", None)
    assert settings.sources["base_url"] == "argument"
    settings = resolve(profile, {"environment": "staging"}, HERO_BASE_URL="https://hero.example")
    assert (settings.base_url, settings.sources["base_url"]) == ("https://api.staging.htech.app", "argument")


def test_a_higher_key_replaces_a_lower_key_file_and_the_reverse(profile: Path) -> None:
    assert resolve(profile, {"api_key": "given"}, HERO_API_KEY_FILE="/run/key").api_key == "given"
    settings = resolve(profile, HERO_API_KEY_FILE="/run/key")
    assert settings.api_key == Path("/run/key")
    assert settings.sources["api_key"] == "HERO_API_KEY_FILE"


def test_key_and_key_file_in_the_same_place(profile: Path) -> None:
    error = refusal(profile, HERO_API_KEY="zq7", HERO_API_KEY_FILE="/run/key")
    assert error.startswith("api_key and api_key_file: give one of them, not both")


def test_a_named_profile(profile: Path) -> None:
    settings = resolve(profile, HERO_PROFILE="prod")
    assert settings.api_key == Path("/run/secrets/hero")
    assert settings.is_production
    assert settings.rate_limit is not None
    assert settings.rate_limit.rate == 20.0
    assert settings.sources["environment"] == "profile prod"


def test_every_variable_is_read(profile: Path) -> None:
    texts = {
        "HERO_API_KEY": "key",
        "HERO_PRACTICE_GROUP_ID": "5",
        "HERO_ENVIRONMENT": "production",
        "HERO_RATE_LIMIT": "60/min",
        "HERO_PROXY": "http://proxy.example:3128",
        "HERO_TIMEOUT": "3",
        "HERO_CONNECT_TIMEOUT": "2",
        "HERO_RETRIES": "0",
        "HERO_MAX_CONNECTIONS": "4",
        "HERO_KEEP_ALIVE": "6",
        "HERO_FRESH_FOR": "0.5",
        "HERO_MAX_RESPONSE_BYTES": "1000",
    }
    settings = resolve(profile, None, **texts)
    shown = settings.shown()
    assert {name: shown[name] for name in shown if name != "api_key"} == {
        "practice_group_id": "5",
        "base_url": "https://api.herohealth.net",
        "environment": "production",
        "rate_limit": "1/s",
        "proxy": "http://proxy.example:3128",
        "timeout": "3.0",
        "connect_timeout": "2.0",
        "retries": "0",
        "max_connections": "4",
        "keep_alive": "6.0",
        "fresh_for": "0.5",
        "max_response_bytes": "1000",
        "ssl_context": "system",
    }
    assert set(VARIABLES) == set(texts) | {"HERO_API_KEY_FILE", "HERO_BASE_URL"}


def test_no_profile_file_is_no_error(tmp_path: Path) -> None:
    settings = resolve(
        tmp_path / "hero-health" / "profiles.toml",
        {"api_key": "key", "practice_group_id": "1", "environment": "staging"},
    )
    assert settings.sources["api_key"] == "argument"


def test_a_profile_that_is_asked_for_must_exist(profile: Path, tmp_path: Path) -> None:
    assert refusal(profile, HERO_PROFILE="other") == "HERO_PROFILE: the profile file has no table of that name"
    absent = tmp_path / "absent" / "hero-health" / "profiles.toml"
    assert refusal(absent, HERO_PROFILE="other") == "HERO_PROFILE: there is no profile file"
    assert refusal(profile, HERO_PROFILE_FILE=str(absent)) == "HERO_PROFILE: there is no profile file"


def test_the_file_of_a_user_who_does_not_exist(profile: Path) -> None:
    error = refusal(profile, HERO_PROFILE_FILE="~nobody-zq7/profiles.toml")
    assert error == "HERO_PROFILE_FILE: must be the path of a file"
    error = refusal(profile, HERO_API_KEY_FILE="~nobody-zq7/key")
    assert error == "api_key_file: must be the path of a file"


def test_the_home_of_the_user_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert profile_path({}) == Path("/home/someone/.config/hero-health/profiles.toml")
    assert profile_path({"HERO_PROFILE_FILE": "~/mine.toml"}) == Path("/home/someone/mine.toml")


@pytest.mark.parametrize(
    "text", [b"[default", b'api_key = "\xff"', b"default = zq7", b"\x00"], ids=["toml", "utf8", "bare", "nul"]
)
def test_a_profile_that_is_not_toml(profile: Path, text: bytes) -> None:
    profile.write_bytes(text)
    assert refusal(profile) == "profile file: cannot be read as TOML"


def test_a_folder_is_no_profile(profile: Path) -> None:
    assert refusal(profile, HERO_PROFILE_FILE=str(profile.parent)) == "profile file: cannot be read as TOML"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_in_a_file_that_others_can_read(profile: Path, mode: int) -> None:
    profile.chmod(mode)
    assert refusal(profile).startswith("profile file: holds an api_key and can be read by others; chmod 600")


def test_a_file_without_a_key_may_be_read_by_others(profile: Path) -> None:
    profile.chmod(0o644)
    assert resolve(profile, HERO_PROFILE="prod").practice_group_id == "2"


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("retrys = 2", "profile file: retrys is not a setting"),
        ('headers = {"x-a" = "1"}', "profile file: headers is not a setting"),
        ("timeout = true", "timeout: must be a number"),
        ('timeout = "zq7"', "timeout: must be a number"),
        ("retries = 1.5", "retries: must be a RetryPolicy or how many times, 0 or more"),
        ("max_connections = 0", "max_connections: must be a whole number, 1 or more"),
        ("practice_group_id = 42", "practice_group_id: must be text, printable ASCII without spaces or line breaks"),
        ('environment = ["staging"]', "environment: must be one of production, staging"),
        ("base_url = 1979-05-27", "base_url: must be an address without spaces or control characters"),
        ("api_key_file = 7", "api_key_file: must be the path of a file"),
        ("rate_limit = 20", 'rate_limit: must be a count and a unit, such as "20/s", "1200/min" or "5000/h"'),
        ("proxy = 7", "proxy: must be an address without spaces or control characters"),
    ],
)
def test_a_profile_with_a_bad_value(profile: Path, line: str, rule: str) -> None:
    profile.write_text(f"[default]\n{line}\n")
    name = line.partition(" ")[0]
    rest = {"api_key": "key", "practice_group_id": "1", "environment": "staging"}
    rival = {"base_url": "environment", "api_key_file": "api_key"}.get(name, name)
    assert refusal(profile, {key: value for key, value in rest.items() if key != rival}) == rule


def test_a_client_from_the_environment(monkeypatch: pytest.MonkeyPatch, profile: Path) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.delenv("HERO_PROFILE", raising=False)
    monkeypatch.setenv("HERO_PROFILE_FILE", str(profile))
    assert AsyncHero.from_env().settings.practice_group_id == "1"
    monkeypatch.setenv("HERO_PRACTICE_GROUP_ID", "77")
    assert repr(AsyncHero.from_env()) == "<AsyncHero practice_group_id='77'>"
