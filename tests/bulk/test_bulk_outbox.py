"""The SQLite outbox: who may touch it, what it refuses, what it keeps."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest

from hero_async.bulk import OutboxBusyError, OutboxError, OutboxMismatchError, SQLiteOutbox, State
from hero_async.bulk.errors import InputChangedError, InputError
from hero_async.bulk.outbox import Binding, Change, Claim, Row, Twin

pytestmark = pytest.mark.anyio

BINDING = Binding(origin="https://hero.example", practice="1", channel="sms", text="Hello", options="{}")


def row(line: int, **changes: Any) -> Row:
    return Row(line, None, line.to_bytes(4), None, None, None)._replace(**changes)


@pytest.fixture
def outbox(tmp_path: Path) -> SQLiteOutbox:
    return SQLiteOutbox(tmp_path / "it.outbox")


async def filled(outbox: SQLiteOutbox, *rows: Row) -> None:
    async with outbox.hold(BINDING) as hold:
        await hold.start_fill()
        await hold.fill(rows)
        await hold.finish_fill("sha", {"rows": len(rows)})


async def states(outbox: SQLiteOutbox) -> dict[int, tuple[str, str | None]]:
    return {record.line: (record.state.value, record.reason) async for record in outbox.records()}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
async def test_all_its_files_are_readable_by_their_owner_alone(outbox: SQLiteOutbox) -> None:
    before = os.umask(0)
    try:
        async with outbox.hold(BINDING) as hold:
            await hold.fill([row(2)])
            found = {path.name: mode(path) for path in outbox.path.parent.iterdir()}
    finally:
        os.umask(before)
    assert found == {
        "it.outbox": 0o600,
        "it.outbox-wal": 0o600,
        "it.outbox-shm": 0o600,
        "it.outbox-key": 0o600,
        "it.outbox-lock": 0o600,
    }


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
async def test_rights_of_others_are_taken_away_again(outbox: SQLiteOutbox) -> None:
    await filled(outbox, row(2))
    outbox.path.chmod(0o644)
    await outbox.status()
    assert mode(outbox.path) == 0o600


async def test_it_commits_with_wal_and_full_sync(outbox: SQLiteOutbox) -> None:
    async with outbox.hold(BINDING) as hold:
        database = hold._store._db
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


async def test_a_change_is_there_for_another_process_when_the_write_returns(outbox: SQLiteOutbox) -> None:
    async with outbox.hold(BINDING) as hold:
        await hold.fill([row(2), row(3)])
        await hold.write([Change(2, State.SENDING)], [])
        code = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT state FROM row').fetchall())"
        done = await anyio.run_process([sys.executable, "-c", code, outbox.label])
    assert done.stdout.decode().strip() == "[('sending',), ('ready',)]"


async def test_it_holds_no_more_than_it_says(outbox: SQLiteOutbox) -> None:
    await filled(outbox, row(2, reference="mine"))
    with sqlite3.connect(outbox.path) as database:
        columns = [name for _, name, *_ in database.execute("PRAGMA table_info(row)")]
    database.close()
    assert columns == [
        "line",
        "reference",
        "digest",
        "person",
        "patient",
        "patient_id",
        "state",
        "reason",
        "message_id",
        "at",
        "chunk",
    ]


async def test_the_key_is_not_in_the_outbox(outbox: SQLiteOutbox) -> None:
    await filled(outbox, row(2))
    key = (outbox.path.parent / "it.outbox-key").read_bytes()
    assert len(key) == 32
    assert key not in outbox.path.read_bytes()


async def test_a_key_of_ones_own_leaves_no_key_file(tmp_path: Path) -> None:
    outbox = SQLiteOutbox(tmp_path / "it.outbox", key=b"k" * 32)
    await filled(outbox, row(2))
    assert not (tmp_path / "it.outbox-key").exists()
    async with outbox.hold() as hold:
        assert hold.hasher.row(["a"]) == hold.hasher.row(["a"])
    with pytest.raises(ValueError, match="32 bytes"):
        SQLiteOutbox(tmp_path / "it.outbox", key=b"short")


async def test_without_its_key_it_can_be_read_and_marked_but_compares_no_row(outbox: SQLiteOutbox) -> None:
    await filled(outbox, row(2))
    (outbox.path.parent / "it.outbox-key").unlink()
    async with outbox.hold(BINDING) as hold:
        with pytest.raises(OutboxError, match="key file"):
            _ = hold.hasher
    assert not (outbox.path.parent / "it.outbox-key").exists()
    assert (await outbox.status()).rows == 1


async def test_a_key_that_was_cut_off_by_a_crash_is_made_anew(outbox: SQLiteOutbox) -> None:
    (outbox.path.parent / "it.outbox-key").write_bytes(b"half")
    async with outbox.hold(BINDING) as hold:
        assert hold.hasher


async def test_an_outbox_that_was_cut_off_while_it_was_made_is_made(outbox: SQLiteOutbox) -> None:
    outbox.path.write_bytes(b"")
    assert await outbox.binding() is None
    with pytest.raises(OutboxError, match="is empty"):
        async with outbox.hold():
            pass
    async with outbox.hold(BINDING) as hold:
        assert hold.binding == BINDING


async def test_one_run_at_a_time_in_one_process(outbox: SQLiteOutbox) -> None:
    async with outbox.hold(BINDING):
        with pytest.raises(OutboxBusyError, match="another process is sending"):
            async with SQLiteOutbox(outbox.path).hold(BINDING):
                pass
        assert (await outbox.status()).running
    assert not (await outbox.status()).running
    async with outbox.hold(BINDING):
        pass


HOLD = """
import sys, anyio
from hero_async.bulk.outbox import Binding
from hero_async.bulk.sqlite import SQLiteOutbox
async def main():
    binding = Binding(origin="https://hero.example", practice="1", channel="sms", text="Hello", options="{}")
    async with SQLiteOutbox(sys.argv[1]).hold(binding):
        print("held", flush=True)
        sys.stdin.read()
anyio.run(main)
"""


async def test_one_run_at_a_time_in_many_processes_and_a_killed_one_lets_go(outbox: SQLiteOutbox) -> None:
    async with await anyio.open_process([sys.executable, "-c", HOLD, outbox.label]) as other:
        try:
            assert other.stdout is not None
            said = b""
            while not said.endswith(b"\n"):  # a pipe may give a line in pieces
                said += await other.stdout.receive()
            assert said == b"held\n"
            with pytest.raises(OutboxBusyError):
                async with outbox.hold(BINDING):
                    pass
            with pytest.raises(OutboxBusyError):
                await outbox.purge()
            assert (await outbox.status()).running
        finally:
            other.kill()
    async with outbox.hold(BINDING):
        pass


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({"origin": "https://other.example"}, ("origin",)),
        ({"practice": "2"}, ("practice",)),
        ({"channel": "email"}, ("channel",)),
        ({"text": "Secret words"}, ("text",)),
        ({"options": '{"task_id":"9"}'}, ("options",)),
        ({"allow_duplicates": True}, ("options",)),
        ({"practice": "2", "text": "Secret words"}, ("practice", "text")),
    ],
)
def test_another_campaign_is_refused_by_what_differs(changes: dict[str, Any], differs: tuple[str, ...]) -> None:
    other = attrs.evolve(BINDING, **changes)
    with pytest.raises(OutboxMismatchError) as failure:
        BINDING.check(other)
    assert failure.value.differs == differs
    for value in (*changes.values(), BINDING.text):
        assert not isinstance(value, str) or value == "email" or value not in str(failure.value)
    BINDING.check(attrs.evolve(BINDING, input_path="elsewhere.csv", input_sha256="other"))


def test_other_recipients_are_refused() -> None:
    bound = attrs.evolve(BINDING, input_path="/a/r.csv", input_sha256="one")
    bound.check_input("one", Path("/b/moved.csv"))
    with pytest.raises(InputChangedError):
        bound.check_input("two", Path("/a/r.csv"))
    with pytest.raises(OutboxMismatchError) as failure:
        bound.check_input("two", Path("/b/other.csv"))
    assert failure.value.differs == ("input",)


def test_the_default_name_is_of_the_campaign_and_not_of_the_files_content() -> None:
    bound = attrs.evolve(BINDING, input_path="/a/flu.csv")
    assert bound.stem.startswith("flu-")
    assert bound.stem.endswith(".outbox")
    same = attrs.evolve(bound, input_sha256="changed", allow_duplicates=True)
    assert same.stem == bound.stem
    for change in ({"origin": "x"}, {"practice": "2"}, {"channel": "email"}, {"text": "x"}, {"options": "{1}"}):
        assert attrs.evolve(bound, **change).stem != bound.stem


async def test_what_is_no_outbox_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    text, foreign = tmp_path / "text.outbox", tmp_path / "foreign.outbox"
    text.write_text("not a database, certainly not" * 100)
    database = sqlite3.connect(foreign)
    database.execute("CREATE TABLE mine (a)")
    database.close()
    for path, words in ((text, "not a database"), (foreign, "not an outbox")):
        before = path.read_bytes()
        for use in (SQLiteOutbox(path).status, SQLiteOutbox(path).binding, SQLiteOutbox(path).purge):
            with pytest.raises(OutboxError, match=words):
                await use()
        assert path.read_bytes() == before


async def test_one_of_another_version_is_refused(outbox: SQLiteOutbox) -> None:
    await filled(outbox, row(2))
    database = sqlite3.connect(outbox.path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(OutboxError, match="another version"):
        await outbox.status()


async def test_one_that_is_not_there_is_refused(outbox: SQLiteOutbox) -> None:
    for use in (outbox.status, outbox.purge):
        with pytest.raises(OutboxError, match=r"it\.outbox"):
            await use()
    with pytest.raises(OutboxError, match="no such outbox"):
        async with outbox.hold():
            pass
    assert await outbox.binding() is None
    assert list(outbox.path.parent.iterdir()) == []


async def test_a_link_is_not_followed(tmp_path: Path, outbox: SQLiteOutbox) -> None:
    await filled(outbox, row(2))
    (tmp_path / "link.outbox").symlink_to(outbox.path)
    with pytest.raises(OutboxError, match="must be a plain file"):
        await SQLiteOutbox(tmp_path / "link.outbox").status()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o500)  # noqa: PTH101  # pathlib's is no better, and flagged as blocking
    with pytest.raises(OutboxError, match="cannot be made"):
        async with SQLiteOutbox(tmp_path / "it.outbox").hold(BINDING):
            pass


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutboxError, match=r"cannot be made: No such file or directory; give another place"):
        async with SQLiteOutbox(tmp_path / "none" / "it.outbox").hold(BINDING):
            pass


async def test_the_same_person_is_found_within_a_fill_and_across_fills(outbox: SQLiteOutbox) -> None:
    async with outbox.hold(BINDING) as hold:
        first = await hold.fill([row(2, person=b"a"), row(3, person=b"b", patient=b"1"), row(4, person=b"a")])
        second = await hold.fill([row(5, person=b"b"), row(6, patient=b"1"), row(7), row(8, rejected="phone")])
    assert first == [Twin(4, 2)]
    assert second == [Twin(5, 3), Twin(6, 3)]
    assert await states(outbox) == {
        2: ("ready", None),
        3: ("ready", None),
        4: ("rejected", "duplicate_person"),
        5: ("rejected", "duplicate_person"),
        6: ("rejected", "duplicate_person"),
        7: ("ready", None),
        8: ("rejected", "phone"),
    }


async def test_a_reference_used_twice_is_refused(outbox: SQLiteOutbox) -> None:
    async with outbox.hold(BINDING) as hold:
        with pytest.raises(InputError, match="line 3: reference: is the same as in line 2"):
            await hold.fill([row(2, reference="a"), row(3, reference="a")])
        await hold.fill([row(2, reference="a")])
        with pytest.raises(InputError, match="line 4: reference: is the same as in line 2"):
            await hold.fill([row(4, reference="a")])


async def test_a_fill_that_was_cut_off_starts_anew(outbox: SQLiteOutbox) -> None:
    async with outbox.hold(BINDING) as hold:
        await hold.start_fill()
        await hold.fill([row(2, person=b"a")])
    async with outbox.hold(BINDING) as hold:
        assert not hold.filled
        await hold.start_fill()
        assert await hold.fill([row(2, person=b"a")]) == []
        await hold.finish_fill("sha", {"rows": 1})
        assert hold.filled
        assert hold.binding.input_sha256 == "sha"


async def test_a_claim_is_for_the_first_row_of_a_patient(outbox: SQLiteOutbox) -> None:
    await filled(outbox, row(2), row(3), row(4), row(5, patient=b"9"))
    async with outbox.hold(BINDING) as hold:
        both = [Claim(2, "7", b"7"), Claim(3, "7", b"7")]
        assert await hold.write([], both) == [3]
        assert await hold.write([], [both[0]]) == []  # a repeat of the same row
        assert await hold.write([], [Claim(4, "9", b"9")]) == [4]
        assert [(entry.line, entry.patient_id) for entry in await hold.ready(0, 10)] == [(2, "7"), (5, None)]
    assert (await states(outbox))[3] == ("rejected", "duplicate_person")


async def test_without_hashes_nobody_is_compared(outbox: SQLiteOutbox) -> None:
    await filled(outbox, row(2), row(3))
    async with outbox.hold(BINDING) as hold:
        assert await hold.write([], [Claim(2, "7", None), Claim(3, "7", None)]) == []


async def test_a_move_that_the_rules_do_not_allow_is_refused_with_all_that_came_with_it(outbox: SQLiteOutbox) -> None:
    await filled(outbox, row(2), row(3))
    async with outbox.hold(BINDING) as hold:
        await hold.write([Change(2, State.SENDING)], [])
        await hold.write([Change(2, State.SENT, None, "m1")], [])
        for bad in (Change(2, State.SENDING), Change(2, State.READY), Change(9, State.SENDING)):
            with pytest.raises(OutboxError, match="another process"):
                await hold.write([Change(3, State.SENDING), bad], [])
    assert await states(outbox) == {2: ("sent", None), 3: ("ready", None)}


async def test_a_run_that_was_cut_off_leaves_unknown_rows(outbox: SQLiteOutbox) -> None:
    await filled(outbox, row(2), row(3))
    async with outbox.hold(BINDING) as hold:
        await hold.write([Change(2, State.SENDING)], [])
    assert (await outbox.status()).states[State.SENDING] == 1
    async with outbox.hold(BINDING):
        pass
    assert await states(outbox) == {2: ("unknown", "interrupted"), 3: ("ready", None)}


async def test_a_word_settles_unknown_rows_alone(outbox: SQLiteOutbox) -> None:
    await filled(outbox, *(row(line) for line in range(2, 8)))
    async with outbox.hold(BINDING) as hold:
        await hold.write([Change(line, State.SENDING) for line in (2, 3, 4, 5)], [])
    async with outbox.hold() as hold:
        with pytest.raises(OutboxError, match="line 6: is ready; only unknown rows"):
            await hold.mark([2, 6], "sent")
        with pytest.raises(OutboxError, match="line 99: is not in the outbox"):
            await hold.mark([99], "sent")
        assert await hold.mark([2, 2], "sent") == 1
        assert await hold.mark([3], "unsent") == 1
        with pytest.raises(OutboxError, match="line 2: is sent"):
            await hold.mark([2], "unsent")
        assert await hold.mark(None, "sent") == 2
        assert await hold.mark(None, "sent") == 0
    found = await states(outbox)
    assert [found[line] for line in range(2, 7)] == [
        ("sent", "marked_sent"),
        ("ready", "marked_unsent"),
        ("sent", "marked_sent"),
        ("sent", "marked_sent"),
        ("ready", None),
    ]


async def test_purge_leaves_nothing(outbox: SQLiteOutbox) -> None:
    await filled(outbox, row(2))
    await outbox.purge()
    assert list(outbox.path.parent.iterdir()) == []


async def test_records_are_read_in_order_by_state_while_a_run_has_hold_of_it(outbox: SQLiteOutbox) -> None:
    await filled(outbox, *(row(2 + number, digest=b"x") for number in range(2500)))
    async with outbox.hold(BINDING) as hold:
        await hold.write([Change(line, State.SENDING) for line in (5, 2000)], [])
        assert [record.line async for record in outbox.records()] == list(range(2, 2502))
        assert [record.line async for record in outbox.records([State.SENDING])] == [5, 2000]


async def test_a_full_disk_is_told_and_nothing_is_half_written(outbox: SQLiteOutbox) -> None:
    await filled(outbox, *(row(2 + number, digest=bytes(100)) for number in range(1000)))
    async with outbox.hold(BINDING) as hold:
        database = hold._store._db
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(OutboxError, match=r"it\.outbox: cannot be written: database or disk is full"):
            await hold.write([Change(line, State.REJECTED, "x" * 500) for line in range(2, 1002)], [])
    assert (await outbox.status()).states[State.READY] == 1000


async def test_a_cancel_while_it_is_taken_lets_go_of_it(outbox: SQLiteOutbox) -> None:
    for delay in range(4):
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:

                async def hold_it() -> None:
                    async with outbox.hold(BINDING):
                        await anyio.sleep_forever()

                group.start_soon(hold_it)
                for _ in range(delay):
                    await anyio.lowlevel.checkpoint()
                scope.cancel()
        async with outbox.hold(BINDING):
            pass


def test_reprs_show_no_key(tmp_path: Path) -> None:
    outbox = SQLiteOutbox(tmp_path / "it.outbox", key=b"k" * 32)
    assert repr(outbox) == "SQLiteOutbox('it.outbox')"
    make: Callable[..., Binding] = Binding
    assert "Secret" not in repr(make(origin="o", practice="1", channel="sms", text="Secret", options="Secret"))
