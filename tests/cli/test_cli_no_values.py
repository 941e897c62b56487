"""Names, numbers, texts and keys of a campaign: on the way in and out; never on the screen, nor in the outbox."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from cli_support import KEY, Hero, Write

from hero_async.sandbox import Sandbox
from hero_async.sandbox.faults import Reset

NAME = "Canaryname"
SURNAME = "Canarysurname"
TEXT = "canary words of the practice"


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_campaign_that_goes_wrong_shows_no_one(
    hero: Hero, sandbox: Sandbox, write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture, words: tuple[str, ...]
) -> None:
    caplog.set_level(logging.DEBUG)
    patients = sandbox.patients[:6]
    good = [[str(one.nhs_number), one.dob.isoformat(), NAME, SURNAME] for one in patients]
    bad = [["9990000000", "1931-07-19", NAME, SURNAME], [good[0][0], "19.7.1931", NAME, SURNAME]]
    recipients = write(good + bad)
    sandbox.faults.add("messages.send", Reset(after_processing=True), times=2)
    before = set(tmp_path.iterdir())
    ran = hero("send", recipients, "--channel", "sms", "--text", f"Dear {{first_name}}, {TEXT}", "--yes", *words)
    assert len(sandbox.ledger.messages) >= 2
    secrets = [NAME, SURNAME, KEY, "1931-07-19", "19.7.1931", *(row[0] for row in good), *(row[1] for row in good)]
    shown = ran.out + ran.err + "".join(f"{one.name} {one.getMessage()} {one.args!r}" for one in caplog.records)
    assert [secret for secret in [*secrets, TEXT] if secret in shown] == []
    made = [path for path in tmp_path.iterdir() if path not in before]
    assert made
    held = b"".join(path.read_bytes() for path in made if path.is_file())
    assert [secret for secret in secrets if secret.encode() in held] == []


def test_a_call_that_goes_wrong_shows_nothing_of_its_arguments(hero: Hero, sandbox: Sandbox) -> None:
    sandbox.faults.add("messages.send", Reset(after_processing=True))
    for wrong in ("1", "none-of-the-ids"):
        ran = hero(
            *("call", "messages.send", "--patient-id", wrong, "--message-type", "sms", "--message-string", TEXT),
            *("--recipient-contact-detail", "07700 900123"),
        )
        assert ran.code != 0
        assert [
            secret for secret in (TEXT, "07700 900123", KEY, "none-of-the-ids") if secret in ran.out + ran.err
        ] == []
