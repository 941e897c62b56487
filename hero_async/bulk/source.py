"""Recipients, streamed: a CSV file, or any re-iterable of mappings. Both are read twice and never held whole."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Final, Protocol

from hero_async.bulk.errors import InputError

Value = str | int | date | None
"""What a cell of a mapping may be. None is an empty cell; a date is written as YYYY-MM-DD."""

Recipients = str | Path | Iterable[Mapping[str, Value]]

_BOM: Final = b"\xef\xbb\xbf"
_LONGEST_LINE: Final = 1 << 20


class Reading(Protocol):
    """One pass over the recipients."""

    columns: Sequence[str]

    def __iter__(self) -> Iterator[tuple[int, Sequence[str]]]:
        """Line and cells of each row. Blank lines are skipped."""
        ...

    def sha256(self) -> str:
        """Of all that was read. Right after the last row."""
        ...

    def close(self) -> None:
        """Let the file go."""
        ...


class Source(Protocol):
    """Recipients that can be read again and again."""

    path: Path | None
    """The file, if it is one."""

    required: tuple[str, ...]
    """Columns that it must have besides those of `rows`."""

    def open(self) -> Reading:
        """Start a pass."""
        ...

    def sha256(self) -> str:
        """Of all recipients, without looking at them closely."""
        ...


def close_reading(reading: Reading) -> None:
    """End a pass."""
    reading.close()


def source_of(recipients: Recipients) -> Source:
    """The source for what a user gave."""
    if isinstance(recipients, (str, Path)):
        return CsvSource(Path(recipients))
    return RowsSource(recipients)


class CsvSource:
    """A CSV file: UTF-8 (a BOM is fine), commas, a first line of column names."""

    required: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self.path: Path | None = self._path

    def __repr__(self) -> str:
        return f"CsvSource({self._path.name!r})"

    def open(self) -> CsvReading:
        """Start a pass; reads the first line."""
        return CsvReading(self._open())

    def sha256(self) -> str:
        """Of the file's bytes."""
        with self._open() as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _open(self) -> BufferedReader:
        try:
            if not self._path.is_file() and self._path.exists():
                raise InputError(f"{self._path.name}: must be a regular file, because it is read twice")
            return self._path.open("rb")
        except OSError as error:
            why = error.strerror or type(error).__name__
        raise InputError(f"{self._path.name}: cannot be read: {why}")


class CsvReading:
    """One pass over a CSV file."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._reader = csv.reader(self._lines(), strict=True)
        try:
            self.columns: Sequence[str] = self._header()
        except InputError:
            file.close()
            raise

    def _lines(self) -> Iterator[str]:
        for number, raw in enumerate(iter(partial(self._file.readline, _LONGEST_LINE), b""), start=1):
            self._hash.update(raw)
            if number == 1:
                raw = raw.removeprefix(_BOM)
            text, at = _decode(raw)
            if text is None:
                raise InputError(
                    f"is not UTF-8 at byte {at + 1} of the line; save the file as 'CSV UTF-8'", line=number
                )
            if len(raw) >= _LONGEST_LINE:
                raise InputError("is longer than a mebibyte; is this a CSV file?", line=number)
            yield text

    def _next(self) -> tuple[int, list[str]] | None:
        start = self._reader.line_num + 1
        try:
            return start, next(self._reader)
        except StopIteration:
            return None
        except csv.Error as error:
            words = str(error)  # of the csv module: they name the rule and no value
        raise InputError(f"the quotes or the line end of the row that starts here are wrong: {words}", line=start)

    def _header(self) -> list[str]:
        while found := self._next():
            if found[1]:
                return found[1]
        raise InputError("the file is empty: its first line must name the columns")

    def __iter__(self) -> Iterator[tuple[int, Sequence[str]]]:
        while found := self._next():
            if found[1]:
                yield found

    def sha256(self) -> str:
        """Of the bytes read so far."""
        return self._hash.hexdigest()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _decode(raw: bytes) -> tuple[str | None, int]:
    """The text, or None and where it is not UTF-8. The error is not raised on: it would hold the bytes."""
    try:
        return raw.decode("utf-8"), 0
    except UnicodeDecodeError as error:
        return None, error.start


class RowsSource:
    """Mappings that can be iterated again and again, each time the same rows in the same order.

    Each row has a `reference`: yours, unique in the campaign, the same in every run. It is kept in the outbox as
    it is, so it must not say who the patient is. The first row's keys are the columns of all. They are iterated in
    a thread, a chunk at a time.
    """

    path: Path | None = None
    required: tuple[str, ...] = ("reference",)

    def __init__(self, rows: Iterable[Mapping[str, Value]]) -> None:
        if iter(rows) is rows:
            raise InputError("recipients: must be iterable more than once (a list, say), not an iterator or generator")
        self._rows = rows

    def __repr__(self) -> str:
        return "RowsSource()"

    def open(self) -> RowsReading:
        """Start a pass; reads the first row."""
        return RowsReading(iter(self._rows))

    def sha256(self) -> str:
        """Of all cells."""
        reading = self.open()
        for _ in reading:
            pass
        return reading.sha256()


class RowsReading:
    """One pass over mappings."""

    def __init__(self, rows: Iterator[Mapping[str, Value]]) -> None:
        self._rows = rows
        self._hash = hashlib.sha256()
        first = next(rows, None)
        if first is None:
            raise InputError("recipients: there are none")
        self._first = first
        self.columns: Sequence[str] = tuple(first)
        self._known = frozenset(self.columns)
        self._hash.update("\x1f".join(self.columns).encode())

    def __iter__(self) -> Iterator[tuple[int, Sequence[str]]]:
        yield 1, self._cells(1, self._first)
        for line, row in enumerate(self._rows, start=2):
            yield line, self._cells(line, row)

    def _cells(self, line: int, row: Mapping[str, Value]) -> list[str]:
        if not row.keys() <= self._known:
            raise InputError("recipients: has a column that the first row has not", line=line)
        cells = [_text(line, column, row.get(column)) for column in self.columns]
        self._hash.update(b"\x1e" + _bytes(line, cells))
        return cells

    def sha256(self) -> str:
        """Of the cells read so far."""
        return self._hash.hexdigest()

    def close(self) -> None:
        """Nothing is open."""


def _text(line: int, column: str, value: Value) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()[:10]
    if type(value) is int:  # not a bool, nor what a caller without a type checker may give
        return str(value)
    raise InputError(f"recipients: {column} must be text, a whole number, a date or None", line=line)


def _bytes(line: int, cells: Sequence[str]) -> bytes:
    try:
        return "\x1f".join(cells).encode()
    except UnicodeEncodeError:  # not raised on: it would hold the text
        pass
    raise InputError("recipients: holds text that is no Unicode (a lone surrogate)", line=line)
