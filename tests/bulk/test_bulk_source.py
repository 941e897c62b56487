"""Files and rows as a whole, fault by fault."""

from __future__ import annotations

import hashlib
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hero_async.bulk.errors import InputError
from hero_async.bulk.source import CsvSource, RowsSource, source_of

SECRET = "Geheim"


def file(tmp_path: Path, content: bytes) -> CsvSource:
    path = tmp_path / "recipients.csv"
    path.write_bytes(content)
    return CsvSource(path)


def read(source: Any) -> tuple[list[str], list[tuple[int, list[str]]], str]:
    reading = source.open()
    try:
        rows = [(line, list(cells)) for line, cells in reading]
        return list(reading.columns), rows, reading.sha256()
    finally:
        reading.close()


def test_lines_are_counted_as_an_editor_does_and_blank_ones_are_skipped(tmp_path: Path) -> None:
    content = b'\n\na,b\r\n1,"two\nlines"\n\n3,4\n5,"x,""y"""'
    columns, rows, sha256 = read(file(tmp_path, content))
    assert columns == ["a", "b"]
    assert rows == [(4, ["1", "two\nlines"]), (7, ["3", "4"]), (8, ["5", 'x,"y"'])]
    assert sha256 == hashlib.sha256(content).hexdigest() == file(tmp_path, content).sha256()


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    assert read(file(tmp_path, b"\xef\xbb\xbfa,b\n1,2\n"))[:2] == (["a", "b"], [(2, ["1", "2"])])


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"", None, "is empty"),
        (b"\n\n", None, "is empty"),
        (b"\xef\xbb\xbf", None, "is empty"),
        (b"a,b\n1,2\n3,Geheim\xff\n", 3, "is not UTF-8 at byte 9 of the line"),
        ("a,b\n1,Geheim\n".encode("utf-16"), 1, "is not UTF-8 at byte 1 of the line"),
        ("a,b\n1,Gehe£im\n".encode("cp1252"), 2, "is not UTF-8 at byte 7 of the line"),
        (b'a,b\n1,2\n3,"Geheim\n5,6\n', 3, "quotes"),
        (b'a,b\n1,"Geheim"x\n', 2, "quotes"),
        (b'a,"b\n1,2\n', 1, "quotes"),
        (b"a,b\r1,Geheim\r", 1, "line end"),
        (b"a,b\n1," + b"x" * 140_000 + b"\n", 2, "quotes or the line end"),
        (b"a,b\n1," + b"x" * 1_100_000 + b"\n", 2, "longer than a mebibyte"),
    ],
)
def test_a_file_that_is_broken_is_refused_by_line_and_rule(
    tmp_path: Path, content: bytes, line: int | None, words: str
) -> None:
    source = file(tmp_path, content)
    with pytest.raises(InputError, match=words) as failure:
        read(source)
    assert failure.value.line == line
    assert SECRET not in str(failure.value)
    assert failure.value.__context__ is None or SECRET not in repr(failure.value.__context__)


def test_what_cannot_be_opened_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: cannot be read: No such file"):
        CsvSource(tmp_path / "none.csv").open()
    with pytest.raises(InputError, match="must be a regular file"):
        CsvSource(tmp_path).open()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_because_it_cannot_be_read_twice(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="read twice"):
        CsvSource(tmp_path / "pipe").sha256()


def test_the_path_is_the_same_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file(tmp_path, b"a\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.csv").symlink_to("recipients.csv")
    monkeypatch.chdir(tmp_path / "sub")
    for path in ("../recipients.csv", tmp_path / "recipients.csv", tmp_path / "link.csv"):
        assert source_of(path).path == (tmp_path / "recipients.csv").resolve()


@given(
    st.lists(
        st.lists(
            st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
            min_size=2,
            max_size=2,
        ),
        max_size=5,
    )
)
@settings(max_examples=50)
def test_what_the_csv_module_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    import csv

    path = tmp_path_factory.mktemp("csv") / "it.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["a", "b"], *rows])
    assert [cells for _, cells in read(CsvSource(path))[1]] == rows


ROWS: list[dict[str, Any]] = [
    {"reference": "r1", "patient_id": 1, "when": date(2026, 3, 1)},
    {"reference": "r2", "patient_id": "2", "when": None},
]


def test_mappings_are_rows_with_positions() -> None:
    columns, rows, sha256 = read(source_of(ROWS))
    assert columns == ["reference", "patient_id", "when"]
    assert rows == [(1, ["r1", "1", "2026-03-01"]), (2, ["r2", "2", ""])]
    assert sha256 == source_of(ROWS).sha256() != source_of(ROWS[::-1]).sha256()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "there are none"),
        (iter(ROWS), "iterable more than once"),
        ((row for row in ROWS), "iterable more than once"),
        ([ROWS[0], {**ROWS[1], "extra": "x"}], "line 2: recipients: has a column that the first row has not"),
        ([{**ROWS[0], "when": 1.5}], "line 1: recipients: when must be text"),
        ([{**ROWS[0], "when": True}], "line 1: recipients: when must be text"),
        ([{**ROWS[0], "when": "\ud800"}], "lone surrogate"),
    ],
)
def test_rows_that_cannot_be_used_are_refused(rows: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(source_of(rows))


def test_reprs_show_no_row() -> None:
    assert repr(RowsSource(ROWS)) == "RowsSource()"
