"""`hero doctor`: each thing that can be wrong is told by its own line, and the key is in none."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from cli_support import KEY, Hero

from hero_async import clock
from hero_async.cli import doctor as module
from hero_async.clock import VirtualClock
from hero_async.sandbox import Garbage, Reset, Sandbox, Status


def checks(ran: Any) -> dict[str, tuple[str, str]]:
    return {one["check"]: (one["verdict"], one["words"]) for one in ran.json["checks"]}


def test_all_is_well(hero: Hero, sandbox: Sandbox) -> None:
    ran = hero("doctor", "--json")
    assert ran.code == 0
    assert ran.json["well"] is True
    found = checks(ran)
    assert found["settings"] == ("ok", "complete; an address of its own")
    assert found["address"][1].startswith(f"{sandbox.url} answered 200 in ")
    assert found["clock"] == ("ok", "within 1 s of the server's")
    assert found["key"] == ("ok", "accepted, for this practice group")
    assert ran.json["settings"]["api_key"] == {"value": "*** (text)", "source": "HERO_API_KEY"}
    assert {"python", "hero-health", "aiohttp", "msgspec"} <= set(ran.json["versions"])
    assert KEY not in ran.out + ran.err
    assert [(one.operation, one.status) for one in sandbox.ledger.requests] == [("practice_group.get", 200)]


def test_it_fits_into_80_columns_and_shows_no_key(hero: Hero, sandbox: Sandbox) -> None:
    ran = hero("doctor")
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "key" in ran.out
    assert KEY not in ran.out + ran.err


@pytest.mark.parametrize(
    "variable, value, status, hint",
    [("HERO_API_KEY", "wrong-key", 401, "is it of this environment?"), ("HERO_PRACTICE_GROUP_ID", "77", 403, "group")],
)
def test_a_key_that_is_refused(
    hero: Hero, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, status: int, hint: str
) -> None:
    monkeypatch.setenv(variable, value)
    ran = hero("doctor", "--json")
    assert ran.code == 1
    [key] = [one for one in ran.json["checks"] if one["check"] == "key"]
    assert (key["verdict"], key["words"]) == ("failed", f"refused with {status}")
    assert hint in key["hint"]
    assert checks(ran)["address"][0] == "ok"
    assert "wrong-key" not in ran.out + ran.err


@pytest.mark.parametrize(
    "fault, key",
    [(Status(503), "not known: the server answered 503"), (Garbage(), "accepted, for this practice group")],
)
def test_a_server_that_fails_says_nothing_of_the_key_unless_it_answers_2xx(
    hero: Hero, sandbox: Sandbox, fault: Any, key: str
) -> None:
    sandbox.faults.add("practice_group.get", fault)
    ran = hero("doctor", "--json")
    assert checks(ran)["key"][1] == key
    assert checks(ran)["address"][0] == "ok"
    assert sandbox.ledger.count("practice_group.get") == 1


def test_an_address_that_nobody_listens_on(hero: Hero, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HERO_BASE_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
        ran = hero("doctor", "--json")
    assert ran.code == 1
    found = checks(ran)
    assert found["address"][0] == "failed"
    assert (found["clock"][0], found["key"][0]) == ("skipped", "skipped")


def test_a_connection_that_is_reset(hero: Hero, sandbox: Sandbox) -> None:
    sandbox.faults.add("practice_group.get", Reset(after_processing=False))
    ran = hero("doctor", "--json")
    assert ran.code == 1
    assert checks(ran)["address"][0] == "failed"


@pytest.mark.parametrize("off, side", [(-600, "behind"), (600, "ahead of")])
def test_a_clock_that_is_off(hero: Hero, sandbox: Sandbox, off: float, side: str) -> None:
    now = datetime.now(UTC)
    headers = {"Date": format_datetime(now - timedelta(seconds=off), usegmt=True)}
    sandbox.faults.add("practice_group.get", Status(200, headers=headers, body=b"{}"))
    with clock.use(VirtualClock(now)):
        ran = hero("doctor", "--json")
    verdict, words = checks(ran)["clock"]
    assert (verdict, ran.code) == ("warning", 0)
    assert f" s {side} the server's" in words
    assert 598 <= float(words.split()[0]) <= 602


def test_what_is_missing_is_named_and_nobody_is_called(hero: Hero) -> None:
    ran = hero("doctor", "--json")
    assert ran.code == 2
    assert [one["words"].partition(":")[0] for one in ran.json["checks"] if one["verdict"] == "failed"] == [
        "api_key",
        "practice_group_id",
        "environment",
    ]
    assert {one["verdict"] for one in ran.json["checks"] if one["check"] != "settings"} == {"skipped"}


def test_offline_calls_nobody(hero: Hero, sandbox: Sandbox) -> None:
    ran = hero("doctor", "--offline", "--json")
    assert ran.code == 0
    assert checks(ran)["key"] == ("skipped", "--offline")
    assert not sandbox.ledger.requests


def test_a_key_file_that_is_gone(hero: Hero, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HERO_API_KEY")
    monkeypatch.setenv("HERO_API_KEY_FILE", str(tmp_path / "gone"))
    ran = hero("doctor", "--json")
    assert ran.code == 2
    failed = [one["words"] for one in ran.json["checks"] if one["verdict"] == "failed"]
    assert failed == ["api_key: the file cannot be read"]
    assert not sandbox.ledger.requests


def test_a_proxy_variable_that_is_not_read_is_told(
    hero: Hero, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy.example:3128")
    ran = hero("doctor", "--json")
    assert checks(ran)["proxy"] == ("warning", "HTTPS_PROXY is set, and is not read")
    assert "secret" not in ran.out


def test_a_package_that_is_not_there_is_left_out(hero: Hero, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PACKAGES", ("hero-health", "no-such-package"))
    assert set(hero("doctor", "--offline", "--json").json["versions"]) == {"python", "hero-health"}
