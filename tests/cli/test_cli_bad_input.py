"""Whatever is wrong with the input as a whole: one line that names it, code 2, and nothing was sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_support import Hero, Write, cells

from hero_async.sandbox import Sandbox

GOOD = b"nhs_number,dob,first_name\n9998343593,1967-09-25,Sample\n"
HEADER = b"nhs_number,dob,first_name\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty: its first line must name the columns"),
        (b"name,phone\nJane,0770\n", "recipients.csv, line 1: needs a column patient_id, or nhs_number and dob"),
        (HEADER + b"9998343593,1967-09-25,Jos\xe9\n", "recipients.csv, line 2: is not UTF-8"),
        (HEADER + b'9998343593,1967-09-25,"Jane\n', "recipients.csv, line 2: "),
        (HEADER + b'9998343593,1967-09-25,"Jane"x\n', "recipients.csv, line 2: "),
        (b"nhs_number,dob,first_name,FIRST NAME\n", "recipients.csv, line 1: columns 3 and 4 have the same name"),
        (b"nhs_number,dob,surname\n9998343593,1967-09-25,X\n", "text: the recipients have no column called"),
    ],
    ids=["empty", "columns", "encoding", "open quote", "text after a quote", "twice a column", "no such field"],
)
def test_a_file_that_cannot_be_used(hero: Hero, sandbox: Sandbox, tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "recipients.csv"
    file.write_bytes(content)
    for more in ((), ("--dry-run",)):
        ran = hero("send", file, "--channel", "sms", "--text", "Dear {first_name}", *more)
        assert (ran.code, ran.out) == (2, "")
        assert said in ran.error
        assert "Jane" not in ran.err
        assert "9998343593" not in ran.err
    assert sandbox.ledger.requests == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "text: must not be empty"),
        ("  \n", "text: must not be empty"),
        ("Dear {first_name", "text: the brace at character 6 has no partner"),
        ("Dear {}", "text: the field at character 6 has no name"),
        ("Dear {first_name.__class__}", "text: the field at character 6 must be a plain column name"),
        ("Dear {title}", "text: the recipients have no column called 'title'"),
        ("Dear \udcff", "--text: is not UTF-8"),
    ],
)
def test_a_text_that_cannot_be_used(hero: Hero, sandbox: Sandbox, recipients: Path, text: str, said: str) -> None:
    ran = hero("send", recipients, "--channel", "sms", "--text", text)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.error
    assert sandbox.ledger.requests == ()


@pytest.mark.parametrize(
    "words",
    [(), ("--text", "x", "--text-file", "text.txt")],
    ids=["neither", "both"],
)
def test_a_message_is_given_in_one_way(hero: Hero, sandbox: Sandbox, recipients: Path, words: tuple[str, ...]) -> None:
    ran = hero("send", recipients, "--channel", "sms", *words)
    assert ran.code == 2
    assert "by --text or by --text-file, and by one of them only" in ran.error


def test_a_text_file_that_cannot_be_used(hero: Hero, sandbox: Sandbox, recipients: Path, tmp_path: Path) -> None:
    missing = hero("send", recipients, "--channel", "sms", "--text-file", tmp_path / "none.txt")
    assert (missing.code, "none.txt: No such file or directory" in missing.error) == (2, True)
    file = tmp_path / "text.txt"
    file.write_bytes(b"Dear Jos\xe9")
    ran = hero("send", recipients, "--channel", "sms", "--text-file", file)
    assert (ran.code, ran.error) == (2, "error: --text-file: text.txt: is not UTF-8")


def test_a_bom_is_no_fault(hero: Hero, sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "recipients.csv"
    row = ",".join(cells(sandbox.patients[0])[:3])
    file.write_bytes(b"\xef\xbb\xbf" + HEADER + row.encode() + b"\r\n")
    assert hero("send", file, "--channel", "sms", "--text", "Dear {first_name}").code == 0
    assert len(sandbox.ledger.messages) == 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["9434765918", "1980-01-01", "Jane", "X"], "nhs_number: must be ten digits with a right check digit"),
        (["9998343593", "2199-01-01", "Jane", "X"], "dob: lies in the future"),
        (["9998343593", "01/31/1980", "Jane", "X"], "dob: must be a date"),
        (["9998343593", "", "Jane", "X"], "dob: is needed with an nhs_number"),
        (["9998343593", "1980-01-01", "", "X"], "first_name: is empty, and the text needs it"),
        (["", "1980-01-01", "Jane", "X"], "needs patient_id, or nhs_number and dob"),
        (["9998343593", "1980-01-01", "Jane"], "has another number of cells than the first line"),
    ],
)
def test_a_bad_row_is_reported_by_line_and_rule(
    hero: Hero, sandbox: Sandbox, write: Write, row: list[str], said: str
) -> None:
    file = write([cells(sandbox.patients[0]), row])
    ran = hero("send", file, "--channel", "sms", "--text", "Dear {first_name}")
    assert ran.code == 1
    assert f"  line 3: {said}" in ran.err
    assert "Jane" not in ran.out + ran.err
    assert row[0] == "" or row[0] not in ran.out + ran.err
    assert len(sandbox.ledger.messages) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--base-url", "http://hero.example"), "base_url: must be https://"),
        (("--base-url", "ftp://hero.example"), "base_url: must be an https:// address"),
        (("--timeout", "0"), "timeout: must be more than zero"),
        (("--rate", "fast"), "rate_limit: must be a count and a unit"),
        (("--practice-group", "4 2"), "practice_group_id: must be text"),
        (("--profile", "none"), "HERO_PROFILE: the profile file has no table of that name"),
        (("--results", "no/such/folder.csv"), "--results: must be a file in a folder that is there"),
        (("--results", "recipients.csv"), "--results: is the file of the recipients"),
        (("--outbox", "no/such/folder.outbox"), "cannot be made"),
        (("--outbox", "recipients.csv"), "recipients.csv"),
        (("--environment", "production"), "--yes: is needed to send to https://api.herohealth.net"),
    ],
)
def test_an_option_that_cannot_work(
    hero: Hero, sandbox: Sandbox, recipients: Path, words: tuple[str, str], said: str
) -> None:
    before = recipients.read_bytes()
    ran = hero("send", recipients, "--channel", "sms", "--text", "Hello", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.error
    assert sandbox.ledger.requests == ()
    assert recipients.read_bytes() == before


@pytest.mark.parametrize("name", ["HERO_API_KEY", "HERO_PRACTICE_GROUP_ID", "HERO_BASE_URL"])
def test_a_setting_that_is_missing(
    hero: Hero, sandbox: Sandbox, recipients: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name)
    ran = hero("send", recipients, "--channel", "sms", "--text", "Hello")
    assert ran.code == 2
    assert name in ran.error
    assert "hint: --" in ran.error


def test_a_file_that_is_not_there(hero: Hero, sandbox: Sandbox, tmp_path: Path) -> None:
    ran = hero("send", tmp_path / "none.csv", "--channel", "sms", "--text", "Hello")
    assert (ran.code, ran.error) == (2, "error: none.csv: cannot be read: No such file or directory")


class TestOutboxOfAnother:
    """An outbox is bound to one campaign."""

    @pytest.fixture
    def outbox(self, hero: Hero, sandbox: Sandbox, recipients: Path, tmp_path: Path) -> Path:
        outbox = tmp_path / "flu.outbox"
        words = ("--channel", "sms", "--text", "Hello", "--limit", "5")
        assert hero("send", recipients, *words, "--outbox", outbox).code == 0
        return outbox

    def refused(self, hero: Hero, sandbox: Sandbox, *words: object) -> str:
        before = len(sandbox.ledger.requests)
        ran = hero(*words)
        assert (ran.code, ran.out) == (2, "")
        assert len(sandbox.ledger.requests) == before
        return ran.error

    def test_other_recipients(self, hero: Hero, sandbox: Sandbox, outbox: Path, write: Write) -> None:
        other = write([cells(sandbox.patients[0])], name="other.csv")
        words = ("send", other, "--channel", "sms", "--text", "Hello", "--outbox", outbox)
        assert "the outbox belongs to another campaign: input differs" in self.refused(hero, sandbox, *words)

    def test_recipients_that_changed(self, hero: Hero, sandbox: Sandbox, outbox: Path, recipients: Path) -> None:
        recipients.write_bytes(recipients.read_bytes() + b"\n")
        said = self.refused(hero, sandbox, "resume", outbox)
        assert "the recipients have changed since the outbox was filled" in said

    def test_another_text(self, hero: Hero, sandbox: Sandbox, outbox: Path, recipients: Path) -> None:
        words = ("send", recipients, "--channel", "sms", "--text", "Goodbye", "--outbox", outbox)
        said = self.refused(hero, sandbox, *words)
        assert "text differs" in said
        assert "Goodbye" not in said

    def test_another_practice(self, hero: Hero, sandbox: Sandbox, outbox: Path) -> None:
        said = self.refused(hero, sandbox, "resume", outbox, "--practice-group", "43")
        assert "practice differs" in said
        assert "'hero status OUTBOX' shows for whom it was made" in said
