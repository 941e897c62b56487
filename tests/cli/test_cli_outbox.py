"""`hero status`, `reconcile`, `results` and `purge`."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from cli_support import Hero, Write, cells

from hero_async.cli.failures import UsageError
from hero_async.cli.outbox import read_lines
from hero_async.sandbox import Reset, Sandbox

SEND = ("--channel", "sms", "--text", "Dear {first_name}")


@pytest.fixture
def outbox(hero: Hero, sandbox: Sandbox, write: Write, tmp_path: Path) -> Path:
    """A campaign of six rows: four sent, one rejected (line 3), one unknown."""
    rows = [cells(patient) for patient in sandbox.patients[:6]]
    rows[1][0] = "9434765918"
    sandbox.faults.add("messages.send", Reset(after_processing=True), after=4)
    outbox = tmp_path / "flu jab.outbox"
    assert hero("send", write(rows), *SEND, "--outbox", outbox).code == 1
    return outbox


def test_status_counts_rows_by_state(hero: Hero, outbox: Path) -> None:
    ran = hero("status", outbox, "--json")
    assert ran.code == 1
    assert {name: ran.json[name] for name in ("rows", "sent", "rejected", "unknown", "sending", "ready")} == {
        "rows": 6,
        "sent": 4,
        "rejected": 1,
        "unknown": 1,
        "sending": 0,
        "ready": 0,
    }
    assert ran.json["reasons"] == {"nhs_number": 1, "no_answer": 1}
    assert (ran.json["complete"], ran.json["running"], ran.json["channel"]) == (True, False, "sms")
    shown = hero("status", outbox).out
    assert re.search(r"^sent +4 +accepted by Hero *$", shown, re.MULTILINE)
    assert "reasons: 1 nhs_number, 1 no_answer" in shown
    assert max(map(len, shown.splitlines()[5:])) <= 80


def test_status_shows_neither_text_nor_patient(hero: Hero, sandbox: Sandbox, outbox: Path) -> None:
    ran = hero("status", outbox)
    assert "Dear" not in ran.out
    assert not any((patient.nhs_number or "-") in ran.out for patient in sandbox.patients)


def test_reconcile_lists_what_is_unknown(hero: Hero, outbox: Path) -> None:
    ran = hero("reconcile", outbox)
    assert ran.code == 1
    [row] = [line for line in ran.out.splitlines() if "no_answer" in line]
    assert int(row.split()[0]) in range(2, 8)
    assert f"hero reconcile '{outbox}' --mark sent --rows LINES" in ran.err


def test_a_mark_settles_a_row(hero: Hero, sandbox: Sandbox, outbox: Path) -> None:
    ran = hero("reconcile", outbox, "--mark", "sent", "--all", "--json")
    assert (ran.code, ran.json["marked"], ran.json["as"]) == (0, 1, "sent")
    assert hero("reconcile", outbox).out == "no row is unknown\n"
    assert hero("reconcile", outbox).code == 0
    assert hero("status", outbox, "--json").json["sent"] == 5


def test_unsent_rows_are_sent_by_the_next_run(hero: Hero, sandbox: Sandbox, outbox: Path) -> None:
    ran = hero("reconcile", outbox, "--mark", "unsent", "--all")
    assert ran.out == "1 row marked unsent\n"
    assert f"hero resume '{outbox}'" in ran.err
    assert hero("resume", outbox, "--json").json["sent"] == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--mark", "sent"), "--rows: say which rows by --rows, or --all"),
        (("--mark", "sent", "--all", "--rows", "3"), "--rows: say which rows by --rows, or --all"),
        (("--rows", "3"), "--mark: is needed with --rows or --all"),
        (("--all",), "--mark: is needed with --rows or --all"),
        (("--mark", "sent", "--rows", "x"), "--rows: must be line numbers"),
        (("--mark", "sent", "--rows", "3"), "line 3: is rejected; only unknown rows can be marked"),
        (("--mark", "sent", "--rows", "99"), "line 99: is not in the outbox; nothing was marked"),
    ],
)
def test_a_mark_that_cannot_be_made_changes_nothing(
    hero: Hero, outbox: Path, words: tuple[str, ...], said: str
) -> None:
    ran = hero("reconcile", outbox, *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.error
    assert hero("status", outbox, "--json").json["unknown"] == 1


@pytest.mark.parametrize(
    ("text", "lines"), [("3", [3]), ("7,3", [3, 7]), ("3-5", [3, 4, 5]), (" 3 , 5-6,5", [3, 5, 6]), ("12-12", [12])]
)
def test_lines(text: str, lines: list[int]) -> None:
    assert read_lines(text) == lines


@pytest.mark.parametrize("text", ["", "0", "5-3", "-3", "3,", "3;4", "1-9999999999", "٣"])
def test_what_names_no_lines(text: str) -> None:
    with pytest.raises(UsageError, match="--rows: must be line numbers"):
        read_lines(text)


def test_results_hold_the_input_and_what_became_of_it(hero: Hero, sandbox: Sandbox, outbox: Path) -> None:
    ran = hero("results", outbox)
    assert ran.code == 0
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [row["last_name"] for row in rows] == [patient.last_name for patient in sandbox.patients[:6]]
    assert sorted(row["state"] for row in rows) == ["rejected", "sent", "sent", "sent", "sent", "unknown"]
    assert rows[1]["reason"] == "nhs_number"


def test_results_go_to_a_file(hero: Hero, outbox: Path, tmp_path: Path) -> None:
    ran = hero("results", outbox, "-o", tmp_path / "results.csv")
    assert (ran.code, ran.out) == (0, "")
    assert f"6 rows written to {tmp_path / 'results.csv'}" in ran.err
    refused = hero("results", outbox, "-o", tmp_path / "recipients.csv")
    assert (refused.code, "is the file of the recipients" in refused.error) == (2, True)


def test_without_the_recipients_results_go_by_line(hero: Hero, outbox: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved.csv"
    (tmp_path / "recipients.csv").rename(moved)
    ran = hero("results", outbox)
    assert ran.code == 0
    assert "recipients.csv is gone" in ran.err
    assert [row["line"] for row in csv.DictReader(io.StringIO(ran.out))] == ["2", "3", "4", "5", "6", "7"]
    found = hero("results", outbox, "--input", moved)
    assert (found.code, found.out.partition(",")[0]) == (0, "nhs_number")
    moved.write_text("nhs_number,dob\n")
    assert hero("results", outbox, "--input", moved).code == 2
    assert hero("results", outbox, "--input", moved, "--without-input").code == 0


def test_purge_asks_and_deletes(hero: Hero, outbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Typed(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert "--yes: is needed where nobody can be asked" in hero("purge", outbox).error
    monkeypatch.setattr("sys.stdin", Typed("y\n"))
    assert "not confirmed: nothing was deleted" in hero("purge", outbox).err
    assert outbox.exists()
    monkeypatch.setattr("sys.stdin", Typed("purge\n"))
    assert hero("purge", outbox).code == 0
    assert [path.name for path in tmp_path.iterdir() if "outbox" in path.name] == []


def test_purge_needs_no_one_with_yes(hero: Hero, outbox: Path) -> None:
    assert hero("purge", outbox, "--yes").out == "flu jab.outbox: deleted\n"
    assert not outbox.exists()


@pytest.mark.parametrize("command", ["status", "reconcile", "results", "resume", "purge"])
def test_what_is_no_outbox_is_one_line(hero: Hero, sandbox: Sandbox, command: str, tmp_path: Path) -> None:
    more = ("--yes",) if command == "purge" else ()
    missing = hero(command, tmp_path / "none.outbox", *more)
    assert (missing.code, "no such" in missing.error) == (2, True)
    other = tmp_path / "other.outbox"
    other.write_text("nothing like it, but long enough to be looked at" * 100)
    ran = hero(command, other, *more)
    assert (ran.code, ran.out) == (2, "")
    assert "other.outbox" in ran.error
    assert other.exists()
