"""The demo: it ends with every row accounted for, and would say so if not."""

from __future__ import annotations

import os
import re

import pytest
from cli_support import Hero

from hero_async.cli import demo_data
from hero_async.sandbox import Sandbox
from hero_async.sandbox.ledger import AcceptedMessage


@pytest.fixture
def sandboxes(monkeypatch: pytest.MonkeyPatch) -> list[Sandbox]:
    """The sandboxes of the demos that ran."""
    seen: list[Sandbox] = []

    def make(patients: int) -> demo_data.Material:
        material = demo_data.make(patients)
        seen.append(material.sandbox)
        return material

    monkeypatch.setattr("hero_async.cli.demo.make", make)
    return seen


def number(said: str, name: str) -> int:
    """A figure of the books."""
    [found] = re.findall(rf"^{name}  +([\d,]+)", said.partition("The books")[2], re.MULTILINE)
    return int(found.replace(",", ""))


def lines(said: str, before: str) -> set[str]:
    """The line numbers after some words."""
    [found] = re.findall(rf"{before} ([\d,]+)$", said, re.MULTILINE)
    return {*found.split(",")}


@pytest.mark.parametrize("patients", [100, 250])
def test_every_row_is_accounted_for(
    hero: Hero, monkeypatch: pytest.MonkeyPatch, sandboxes: list[Sandbox], patients: int
) -> None:
    monkeypatch.setenv("HERO_ENVIRONMENT", "production")  # whatever the shell has, the demo stays at home
    monkeypatch.setenv("HERO_API_KEY", "real\nkey")
    before = dict(os.environ)
    ran = hero("demo", "--patients", patients)
    assert ran.code == 0
    assert "Every row is accounted for, and nobody was written to twice." in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    assert dict(os.environ) == before

    ledger = sandboxes[0].ledger
    assert not ledger.doubled()
    assert number(ran.out, "rows in the file") == patients + 2
    assert number(ran.out, "sent") == len(ledger.messages)
    assert number(ran.out, "sent") + number(ran.out, "rejected") == patients + 2
    assert number(ran.out, "unknown") == 0

    unknown = lines(ran.out, "unknown: lines")
    sent, unsent = lines(ran.out, "--mark sent --rows"), lines(ran.out, "--mark unsent --rows")
    assert sent | unsent == unknown
    assert (len(sent), len(unsent)) == (4, 4)

    assert ledger.count("messages.send", status=429) == 15
    assert ledger.count("messages.send", status=503) == 3
    assert ledger.count("patients.register_pds", status=503) == 3
    assert sum(arrival.cut for arrival in ledger.requests) == 6


def test_books_that_do_not_balance_are_a_failure(hero: Hero, monkeypatch: pytest.MonkeyPatch) -> None:
    def meddled(patients: int) -> demo_data.Material:
        material = demo_data.make(patients)
        stray = AcceptedMessage(
            message_id="1",
            patient_id=material.sandbox.patients[1].patient_id,
            practice_group_id="1",
            message_type="sms",
            text="-",
            at=material.sandbox.clock.now(),
        )
        material.sandbox.ledger.accept(stray)
        return material

    monkeypatch.setattr("hero_async.cli.demo.make", meddled)
    ran = hero("demo", "--patients", "100")
    assert ran.code == 1
    assert "the books do not balance" in ran.error
    assert "1 patient twice" in ran.out


def test_no_patient_is_real() -> None:
    rows = demo_data.make(100).rows
    assert len(rows) == 102
    assert all(row[0].startswith("999") for row in rows)
