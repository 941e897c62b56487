"""`hero send` and `hero resume`: what goes out, what is said, and how it ends. The ledger is the judge."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from cli_support import KEY, Hero, Ran, Write, cells

from hero_async.sandbox import Reset, Sandbox, Status

TEXT = "Dear {first_name}, your flu jab is due"
SEND = ("--channel", "sms", "--text", TEXT)


class Typed(io.StringIO):
    """What a person types at a terminal."""

    def isatty(self) -> bool:
        return True


def outbox_of(ran: Ran) -> str:
    """The outbox that a run named."""
    [line] = [line for line in ran.err.splitlines() if line.startswith("outbox: ")]
    return line.removeprefix("outbox: ")


def test_everyone_is_sent_to_once(hero: Hero, sandbox: Sandbox, recipients: Path) -> None:
    ran = hero("send", recipients, *SEND)
    assert ran.code == 0
    assert sorted(message.patient_id for message in sandbox.ledger.messages) == sorted(
        patient.patient_id for patient in sandbox.patients
    )
    assert sandbox.ledger.messages[0].text.startswith("Dear ")
    assert "30/30 done  30 sent  0 rejected  0 unknown" in ran.err


def test_the_same_command_again_sends_nothing_more(hero: Hero, sandbox: Sandbox, recipients: Path) -> None:
    first = hero("send", recipients, *SEND)
    again = hero("send", recipients, *SEND)
    assert (first.code, again.code) == (0, 0)
    assert outbox_of(again) == outbox_of(first)
    assert "0 messages by sms, 30 dealt with before" in again.err
    assert len(sandbox.ledger.messages) == 30


def test_bad_rows_are_named_and_the_good_ones_go_out(hero: Hero, sandbox: Sandbox, write: Write) -> None:
    rows = [cells(patient) for patient in sandbox.patients[:6]]
    rows[1][0] = "9434765918"
    rows[2][2] = " "
    rows.append(rows[0])
    ran = hero("send", write(rows), *SEND)
    assert ran.code == 1
    assert "recipients.csv: 3 rows of 7 will not be sent:" in ran.err
    assert "  line 3: nhs_number: must be ten digits with a right check digit" in ran.err
    assert "  line 4: first_name: is empty, and the text needs it" in ran.err
    assert "  line 8: is the same person as line 2" in ran.err
    assert "9434765918" not in ran.out + ran.err
    assert len(sandbox.ledger.messages) == 4
    assert not sandbox.ledger.doubled()


def test_many_bad_rows_are_counted_and_a_few_are_named(hero: Hero, sandbox: Sandbox, write: Write) -> None:
    ran = hero("send", write([["1", "1990-01-01", "A", "B"]] * 45), *SEND, "--dry-run")
    assert ran.code == 1
    assert ran.err.count("  line ") == 20
    assert "  and 25 more; in all: 45 nhs_number" in ran.err


def test_two_rows_of_a_person_go_out_twice_only_if_that_is_said(hero: Hero, sandbox: Sandbox, write: Write) -> None:
    row = cells(sandbox.patients[0])
    assert hero("send", write([row, row]), *SEND, "--allow-duplicates").code == 0
    assert len(sandbox.ledger.messages) == 2


def test_unknown_rows_are_not_sent_again_until_a_person_says_so(hero: Hero, sandbox: Sandbox, recipients: Path) -> None:
    sandbox.faults.add("messages.send", Reset(after_processing=False), times=2)
    sandbox.faults.add("messages.send", Status(503, after_processing=True), times=1, after=5)
    ran = hero("send", recipients, *SEND, "--json")
    assert ran.code == 1
    assert (ran.json["sent"], ran.json["unknown"], ran.json["ready"]) == (27, 3, 0)
    assert len(sandbox.ledger.messages) == 28
    again = hero("send", recipients, *SEND, "--json")
    assert (again.code, again.json["unknown"]) == (1, 3)
    assert len(sandbox.ledger.messages) == 28

    listed = hero("reconcile", ran.json["outbox"], "--json")
    assert listed.code == 1
    reasons = {one["line"]: one["reason"] for one in listed.json["unknown"]}
    assert sorted(reasons.values()) == ["http_503", "no_answer", "no_answer"]
    assert all(one["since"].endswith("Z") for one in listed.json["unknown"])
    lost = [line for line, reason in reasons.items() if reason == "no_answer"]
    [kept] = [line for line, reason in reasons.items() if reason == "http_503"]
    assert hero("reconcile", ran.json["outbox"], "--mark", "sent", "--rows", kept).code == 0
    assert hero("reconcile", ran.json["outbox"], "--mark", "unsent", "--rows", ",".join(map(str, lost))).code == 0
    end = hero("resume", ran.json["outbox"], "--json")
    assert (end.code, end.json["sent"], end.json["unknown"]) == (0, 30, 0)
    assert len(sandbox.ledger.messages) == 30
    assert not sandbox.ledger.doubled()


def test_dry_run_needs_no_key_and_sends_nothing(
    hero: Hero, sandbox: Sandbox, recipients: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HERO_API_KEY", "HERO_PRACTICE_GROUP_ID", "HERO_BASE_URL"):
        monkeypatch.delenv(name)
    before = {*recipients.parent.iterdir()}
    ran = hero("send", recipients, "--channel", "sms", "--text", "{first_name} " + "x" * 160, "--dry-run", "--json")
    assert ran.code == 0
    assert (ran.json["rows"], ran.json["messages"], ran.json["segments"]) == (30, 30, 60)
    assert sandbox.ledger.requests == ()
    assert {*recipients.parent.iterdir()} == before
    shown = hero("send", recipients, *SEND, "--dry-run")
    assert shown.out.splitlines() == ["30 rows, 30 messages by sms", "30 SMS segments", "nothing was sent"]


def test_dry_run_counts_by_practice(hero: Hero, sandbox: Sandbox, write: Write) -> None:
    rows = [[*cells(patient), str(40 + index % 2)] for index, patient in enumerate(sandbox.patients[:5])]
    file = write(rows, columns=("nhs_number", "dob", "first_name", "last_name", "practice_group_id"))
    ran = hero("send", file, *SEND, "--dry-run", "--json")
    assert ran.json["practice_groups"] == {"40": 3, "41": 2}
    assert "for 2 practice groups: 3 40, 2 41" in hero("send", file, *SEND, "--dry-run").out


def test_json_has_stdout_to_itself(hero: Hero, sandbox: Sandbox, write: Write) -> None:
    ran = hero("send", write([cells(sandbox.patients[0]), ["1", "", "", ""]]), *SEND, "--json")
    assert ran.out.count("\n") == 1
    assert {name: ran.json[name] for name in ("rows", "sent", "rejected", "unknown", "ready", "complete")} == {
        "rows": 2,
        "sent": 1,
        "rejected": 1,
        "unknown": 0,
        "ready": 0,
        "complete": True,
    }
    assert [(bad["line"], bad["reason"]) for bad in ran.json["bad_rows"]] == [(3, "field_empty:first_name")]


def test_a_limit_sends_so_many_and_the_rest_later(hero: Hero, sandbox: Sandbox, recipients: Path) -> None:
    ran = hero("send", recipients, *SEND, "--limit", "7", "--json")
    assert (ran.code, ran.json["sent"], ran.json["ready"]) == (0, 7, 23)
    assert ran.json["resume"].startswith("hero resume ")
    rest = hero("resume", ran.json["outbox"], "--json")
    assert (rest.code, rest.json["sent"], rest.json["ready"]) == (0, 30, 0)
    assert not sandbox.ledger.doubled()


def test_the_message_comes_from_a_file(hero: Hero, sandbox: Sandbox, recipients: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_bytes("\ufeffDear {first_name},\nwe are closed on Friday.\n".encode())
    assert hero("send", recipients, "--channel", "sms", "--text-file", text).code == 0
    first = next(one for one in sandbox.ledger.messages if one.patient_id == sandbox.patients[0].patient_id)
    assert first.text == f"Dear {sandbox.patients[0].first_name},\nwe are closed on Friday."


def test_results_are_written(hero: Hero, sandbox: Sandbox, recipients: Path, tmp_path: Path) -> None:
    target = tmp_path / "results.csv"
    ran = hero("send", recipients, *SEND, "--results", target)
    assert ran.code == 0
    assert f"results: {target}" in ran.err
    with target.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["nhs_number"] for row in rows] == [patient.nhs_number for patient in sandbox.patients]
    assert {row["state"] for row in rows} == {"sent"}
    assert target.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_stops_it_with_nothing_lost(
    hero: Hero, sandbox: Sandbox, recipients: Path, status: int
) -> None:
    sandbox.faults.add("*", Status(status), times=None)
    ran = hero("send", recipients, *SEND, "--json")
    assert ran.code == 2
    assert str(status) in ran.error
    assert ran.error.endswith("(hint: check the key, the practice group and the environment)")
    assert (ran.json["ready"], ran.json["stopped"]) == (30, f"http_{status}")
    assert KEY not in ran.err
    sandbox.faults.clear()
    assert hero("resume", ran.json["outbox"]).code == 0
    assert not sandbox.ledger.doubled()


def test_a_key_file_that_cannot_be_read_is_told_before_anything_happens(
    hero: Hero, sandbox: Sandbox, recipients: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HERO_API_KEY")
    before = {*tmp_path.iterdir()}
    ran = hero("send", recipients, *SEND, "--api-key-file", tmp_path / "none")
    assert ran.code == 2
    assert "api_key: the file cannot be read" in ran.error
    assert {*tmp_path.iterdir()} == before


class TestProduction:
    """Before real patients are written to, someone types what is about to happen."""

    @pytest.fixture(autouse=True)
    def reaching_patients(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("hero_async.cli.send.reaches_patients", lambda settings: True)

    def test_the_practice_and_the_count_are_typed(
        self, hero: Hero, sandbox: Sandbox, recipients: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", Typed("1 30\n"))
        ran = hero("send", recipients, *SEND)
        assert ran.code == 0
        assert "about to send 30 messages by sms to http://127.0.0.1" in ran.err
        assert "type the practice group and the number of messages to go on (1 30): " in ran.err
        assert len(sandbox.ledger.messages) == 30

    @pytest.mark.parametrize("typed", ["", "y\n", "yes\n", "1 29\n", "2 30\n"])
    def test_anything_else_sends_nothing(
        self, hero: Hero, sandbox: Sandbox, recipients: Path, monkeypatch: pytest.MonkeyPatch, typed: str
    ) -> None:
        monkeypatch.setattr("sys.stdin", Typed(typed))
        ran = hero("send", recipients, *SEND)
        assert ran.code == 2
        assert "not confirmed: nothing was sent" in ran.err
        assert sandbox.ledger.requests == ()

    def test_a_limit_is_the_count(
        self, hero: Hero, sandbox: Sandbox, recipients: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", Typed("1 4\n"))
        assert hero("send", recipients, *SEND, "--limit", "4").code == 0
        assert len(sandbox.ledger.messages) == 4

    def test_many_practices_are_counted(
        self, hero: Hero, sandbox: Sandbox, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = [[*cells(patient), str(1 + index % 2)] for index, patient in enumerate(sandbox.patients[:4])]
        file = write(rows, columns=("nhs_number", "dob", "first_name", "last_name", "practice_group_id"))
        monkeypatch.setattr("sys.stdin", Typed("no\n"))
        ran = hero("send", file, *SEND)
        assert "type the number of practice groups and of messages to go on (2 4): " in ran.err

    def test_where_nobody_can_be_asked_it_is_refused(self, hero: Hero, sandbox: Sandbox, recipients: Path) -> None:
        ran = hero("send", recipients, *SEND)
        assert ran.code == 2
        assert "--yes: is needed to send to " in ran.error
        assert sandbox.ledger.requests == ()

    def test_yes_asks_nothing(self, hero: Hero, sandbox: Sandbox, recipients: Path) -> None:
        assert hero("send", recipients, *SEND, "--yes").code == 0
        assert len(sandbox.ledger.messages) == 30

    def test_resume_asks_too(
        self, hero: Hero, sandbox: Sandbox, recipients: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ran = hero("send", recipients, *SEND, "--yes", "--limit", "10", "--json")
        assert hero("resume", ran.json["outbox"]).code == 2
        monkeypatch.setattr("sys.stdin", Typed("1 20\n"))
        assert hero("resume", ran.json["outbox"]).code == 0
        assert len(sandbox.ledger.messages) == 30


@pytest.mark.parametrize(
    ("words", "asks"),
    [
        (("--environment", "production"), True),
        (("--base-url", "https://api.herohealth.net"), True),
        (("--base-url", "https://gateway.example/hero"), True),
        (("--environment", "staging"), False),
    ],
)
def test_who_may_reach_patients_is_asked(words: tuple[str, str], asks: bool) -> None:
    from hero_async.cli.send import reaches_patients
    from hero_async.settings import Settings

    name, value = words[0].removeprefix("--").replace("-", "_"), words[1]
    settings = Settings.resolve({"api_key": "k", "practice_group_id": "1", name: value}, environ={})
    assert reaches_patients(settings) is asks


def test_this_machine_is_not_asked(hero: Hero, sandbox: Sandbox, recipients: Path) -> None:
    assert "type" not in hero("send", recipients, *SEND).err


def test_the_line_that_resumes_holds_the_options_that_were_given(
    hero: Hero, sandbox: Sandbox, recipients: Path
) -> None:
    ran = hero(
        *("send", recipients, *SEND, "--limit", "1", "--json", "--practice-group", "1"),
        *("--base-url", sandbox.url, "--timeout", "2.5", "--rate", "100/s", "--concurrency", "3"),
    )
    line = ran.json["resume"]
    assert line == (
        f"hero resume {ran.json['outbox']} --practice-group 1 --base-url {sandbox.url} --timeout 2.5"
        " --rate 100/s --concurrency 3"
    )
    assert hero(*line.split()[1:]).code == 0
    assert len(sandbox.ledger.messages) == 30
