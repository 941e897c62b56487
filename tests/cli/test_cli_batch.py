"""`hero send --route batch`, and the options of pace."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from cli_support import Hero, Write, cells

from hero_async.sandbox import Reset, Sandbox, Status

TEXT = "Your flu jab is due"
BATCH = ("--channel", "sms", "--text", TEXT, "--route", "batch", "--wait", "0")


@pytest.fixture
def people(write: Write, sandbox: Sandbox) -> Path:
    return write([cells(patient) for patient in sandbox.patients])


def test_a_batch_campaign_from_file_to_results(hero: Hero, sandbox: Sandbox, people: Path, tmp_path: Path) -> None:
    ran = hero("send", people, *BATCH, "--chunk-size", 12, "--results", tmp_path / "out.csv", "--json")
    assert ran.code == 0
    assert (ran.json["sent"], ran.json["drafts"]) == (30, [])
    assert [batch.recipients for batch in sandbox.ledger.batches] == [12, 12, 6]
    assert len(sandbox.ledger.messages) == 30
    assert sandbox.ledger.doubled() == {}
    header, first, *_ = (tmp_path / "out.csv").read_text("utf-8").splitlines()
    assert header.endswith("state,reason,message_id,batch_id")
    assert re.search(r",sent,,,[0-9]+$", first)


def test_a_draft_that_may_have_been_left_behind_is_told(hero: Hero, sandbox: Sandbox, people: Path) -> None:
    sandbox.faults.add("batch_messages.create", Reset(after_processing=True))
    ran = hero("send", people, *BATCH)
    assert ran.code == 0
    assert "left behind in Hero, maybe: 1 batch created and never to be sent: " in ran.err
    assert len(sandbox.ledger.batches) == 2


def test_what_stays_in_doubt_is_unknown_and_the_status_says_why(
    hero: Hero, sandbox: Sandbox, people: Path, tmp_path: Path
) -> None:
    sandbox.faults.add("batch_messages.send", Reset(after_processing=False))
    outbox = tmp_path / "it.outbox"
    ran = hero("send", people, *BATCH, "--outbox", outbox, "--settle", 0)
    assert ran.code == 1
    assert "reasons: 30 status_created" in ran.out
    status = hero("status", outbox, "--json").json
    assert (status["unknown"], status["route"]) == (30, "batch")


def test_rows_of_a_batch_that_was_cut_off_are_told_by_reconcile(
    hero: Hero, sandbox: Sandbox, people: Path, tmp_path: Path
) -> None:
    sandbox.faults.add("batch_messages.send", Reset(after_processing=False))
    sandbox.faults.add("batch_messages.get", Status(403))
    outbox = tmp_path / "it.outbox"
    assert hero("send", people, *BATCH, "--outbox", outbox).code != 0
    ran = hero("reconcile", outbox)
    assert "no row is unknown" in ran.out
    assert "30 rows more in batches that were cut off: the next run asks Hero" in " ".join(ran.err.split())


def test_the_line_that_resumes_has_the_options_of_pace_and_of_batches(
    hero: Hero, sandbox: Sandbox, people: Path
) -> None:
    ran = hero(
        *("send", people, *BATCH, "--chunk-size", 7, "--limit", 7, "--between", "00:00-23:59"),
        *("--pause-on", "50%", "--resend-created", "--json"),
    )
    again = shlex.split(ran.json["resume"])
    assert again[again.index("--pause-on") + 1] == "50%"
    assert again[again.index("--between") + 1] == "00:00-23:59"
    assert again[again.index("--chunk-size") + 1] == "7"
    assert not {"--limit", "--resend-created"} & set(again)
    assert hero(*again[1:]).code == 0
    assert len(sandbox.ledger.messages) == 30
    assert sandbox.ledger.doubled() == {}


def test_an_error_rate_stops_it(hero: Hero, sandbox: Sandbox, people: Path, tmp_path: Path) -> None:
    sandbox.faults.add("messages.send", Status(400), times=None)
    ran = hero(
        *("send", people, "--channel", "sms", "--text", TEXT, "--pause-on", "10%", "--concurrency", 1),
        *("--outbox", tmp_path / "it.outbox"),
    )
    assert ran.code != 0
    assert "more of the last rows than was allowed" in ran.error
    assert hero("status", tmp_path / "it.outbox", "--json").json["rejected"] == 20


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--between", "8 to 8"), "--between: must be two times of day, such as 08:00-20:00"),
        (("--pause-on", "5"), "--pause-on: must be a percentage above 0%, up to 100%, such as 5%"),
        (("--pause-on", "0%"), "--pause-on: must be a percentage above 0%, up to 100%, such as 5%"),
        (("--route", "batch", "--subject", "x"), "subject: is for email only"),
        (("--subject", "x"), "subject: is for the batch route only; messages.send has none"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_is_refused_before_anything_is_sent(
    hero: Hero, sandbox: Sandbox, people: Path, options: tuple[str, ...], words: str
) -> None:
    ran = hero("send", people, "--channel", "sms", "--text", TEXT, *options)
    assert ran.code == 2
    assert words in ran.error
    assert sandbox.ledger.requests == ()
