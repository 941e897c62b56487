"""The SQL of an outbox on SQLite. Blocking: `sqlite` calls it on a thread of its own.

WAL and `synchronous=FULL`: a commit is one append and one fsync, and a reader never stops the writer. A group of
changes is one statement that takes them as JSON, so that the thread needs the interpreter's lock once a group, not
once a row: beside a busy event loop each taking can cost milliseconds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec

from hero_async import clock
from hero_async.bulk.decide import MOVES, State, Word, after_claim, after_crash, after_word
from hero_async.bulk.decide_batch import ChunkState
from hero_async.bulk.errors import InputError, OutboxError
from hero_async.bulk.outbox import Binding, Change, Claim, Entry, Record, Row, Status, Twin
from hero_async.bulk.sqlite_chunks import TABLES as CHUNK_TABLES
from hero_async.bulk.sqlite_chunks import ChunkStore

SCHEMA: Final = 2
_APPLICATION: Final = 0x4865726F  # "Hero", so that file(1) and we can tell an outbox from another database
_OLDEST_SQLITE: Final = (3, 33, 0)  # UPDATE … FROM

_TABLES: Final = """
CREATE TABLE campaign (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE row (
    line INTEGER PRIMARY KEY,
    reference TEXT,
    digest BLOB NOT NULL,
    person BLOB,
    patient BLOB,
    patient_id TEXT,
    state TEXT NOT NULL,
    reason TEXT,
    message_id TEXT,
    at INTEGER NOT NULL,
    chunk INTEGER
);
CREATE UNIQUE INDEX row_reference ON row (reference) WHERE reference IS NOT NULL;
CREATE UNIQUE INDEX row_person ON row (person) WHERE person IS NOT NULL;
CREATE UNIQUE INDEX row_patient ON row (patient) WHERE patient IS NOT NULL;
"""

_ALLOWED: Final = ", ".join(f"'{old}>{new}'" for old, targets in MOVES.items() for new in sorted(targets))
_CHANGE: Final = f"""
UPDATE row SET state = new.state, reason = new.reason, message_id = new.message_id, at = :at
FROM (
    SELECT json_extract(value, '$[0]') AS line, json_extract(value, '$[1]') AS state,
           json_extract(value, '$[2]') AS reason, json_extract(value, '$[3]') AS message_id
    FROM json_each(:changes)
) AS new
WHERE row.line = new.line AND row.state || '>' || new.state IN ({_ALLOWED})
"""  # noqa: S608  # made of our own states

_INTEND: Final = f"""
UPDATE row SET state = '{State.SENDING}', reason = NULL, message_id = NULL, at = ?
WHERE state = '{State.READY}' AND line IN (SELECT value FROM json_each(?))
"""  # noqa: S608  # the one move to `sending`, which is half of all, in a form that costs half


class Store:
    """A connection to an outbox. Used by one thread at a time."""

    def __init__(self, connection: sqlite3.Connection, label: str) -> None:
        self._db = connection
        self._label = label
        self.chunks: ChunkStore = ChunkStore(
            connection, self._transaction, self._told, now=_milliseconds, tag=lambda: self.binding().tag
        )
        """The batch route's part of it."""

    @classmethod
    def connect(cls, path: Path | None) -> Store:
        """Open a file that is there already; None: a private store that is gone when closed, for a dry run.

        Raises:
            OutboxError: It cannot be opened, is another database, or was made by another version.
        """
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise OutboxError(f"SQLite {sqlite3.sqlite_version} is too old: 3.33 or later is needed")
        label = "outbox" if path is None else path.name
        with _told(label, "cannot be opened"):
            target = "" if path is None else f"{path.absolute().as_uri()}?mode=rw"
            db = sqlite3.connect(
                target, uri=path is not None, isolation_level=None, check_same_thread=False, timeout=10.0
            )
        store = cls(db, label)
        try:
            with _told(label, "cannot be opened"):
                store._prepare(durable=path is not None)
        except BaseException:
            db.close()
            raise
        return store

    def _prepare(self, *, durable: bool) -> None:
        self._is_empty = self._one("SELECT count(*) FROM sqlite_schema") == 0
        application = self._one("PRAGMA application_id")
        if application != _APPLICATION and not (self._is_empty and application == 0):
            raise OutboxError(f"{self._label}: is not an outbox but another database")
        version = self._one("PRAGMA user_version")
        if not self._is_empty and version != SCHEMA:
            raise OutboxError(f"{self._label}: was made by another version (schema {version}, not {SCHEMA})")
        if durable:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone does not reach the disk
        self._db.execute("PRAGMA cache_size = -16000")

    def close(self) -> None:
        """Close the connection; the last one to close takes the -wal and -shm files away."""
        self._db.close()

    @property
    def is_made(self) -> bool:
        """Whether it has its tables: a process may have died just after the file was made."""
        return not self._is_empty

    def make(self, binding: Binding) -> None:
        """Create the tables, bound so."""
        with self._transaction():
            self._db.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._db.execute(f"PRAGMA user_version = {SCHEMA}")
            for statement in (_TABLES + CHUNK_TABLES).strip().split(";")[:-1]:
                self._db.execute(statement)
            self._keep("binding", msgspec.json.encode(attrs.asdict(binding)).decode())
        self._is_empty = False

    def binding(self) -> Binding:
        """What it is bound to."""
        return Binding(**msgspec.json.decode(self._kept("binding") or "{}"))

    @property
    def filled(self) -> bool:
        """Whether it has all rows."""
        return self._kept("summary") is not None

    def start_fill(self) -> None:
        """Begin to store all rows. They are one transaction, so a fill that is cut off leaves nothing."""
        with _told(self._label, "cannot be written"):
            self._undo()  # what an earlier fill of this hold has begun
            self._db.execute("BEGIN IMMEDIATE")

    def fill(self, rows: Sequence[Row]) -> list[Twin]:
        """Store rows, and tell whose person is there already."""
        at = _milliseconds()
        with _told(self._label, "cannot be written"):
            self._refuse_references(rows)
            people = self._lines_by("person", [row.person for row in rows if row.person])
            patients = self._lines_by("patient", [row.patient for row in rows if row.patient])
            twins: list[Twin] = []
            values: list[tuple[Any, ...]] = []
            for line, reference, digest, person, patient, rejected in rows:
                first = people.get(person or b"", patients.get(patient or b"", 0))
                if first:
                    twins.append(Twin(line, first))
                    person, patient, rejected = None, None, after_claim(taken=True).reason
                if person:
                    people[person] = line
                if patient:
                    patients[patient] = line
                state = State.REJECTED if rejected else State.READY
                values.append((line, reference, digest, person, patient, state.value, rejected, at))
            self._db.executemany(
                "INSERT INTO row (line, reference, digest, person, patient, state, reason, at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )
        return twins

    def _refuse_references(self, rows: Sequence[Row]) -> None:
        known = self._lines_by("reference", [row.reference for row in rows if row.reference])
        for row in rows:
            if row.reference:
                first = known.setdefault(row.reference, row.line)
                if first != row.line:
                    raise InputError(f"reference: is the same as in line {first}", line=row.line)

    def _lines_by(self, column: str, keys: Sequence[Any]) -> dict[Any, int]:
        """Lines by a unique column, of the keys that are there already."""
        found: dict[Any, int] = {}
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            marks = ",".join("?" * len(part))
            found.update(self._db.execute(f"SELECT {column}, line FROM row WHERE {column} IN ({marks})", part))  # noqa: S608  # our own names
        return found

    def finish_fill(self, input_sha256: str, summary: Mapping[str, Any]) -> None:
        """All rows are stored. They are durable from now on."""
        with self._ending():
            binding = attrs.evolve(self.binding(), input_sha256=input_sha256)
            self._keep("binding", msgspec.json.encode(attrs.asdict(binding)).decode())
            self._keep("summary", msgspec.json.encode(dict(summary)).decode())

    def settle_crash(self) -> int:
        """Rows that a run left in `sending` become what the rules say."""
        step = after_crash(State.SENDING)
        with self._transaction():
            self.chunks.settle_crash()
            return self._db.execute(
                "UPDATE row SET state = ?, reason = ?, at = ? WHERE state = ? AND chunk IS NULL",
                (step.state.value, step.reason, _milliseconds(), State.SENDING.value),
            ).rowcount

    def ready(self, after: int, limit: int) -> list[Entry]:
        """The next rows that are ready, by line."""
        with self._told("cannot be read"):
            found = self._db.execute(
                "SELECT line, digest, patient_id, chunk FROM row WHERE line > ? AND state = ? ORDER BY line LIMIT ?",
                (after, State.READY.value, limit),
            ).fetchall()
        return [Entry(*values) for values in found]

    def write(self, changes: Collection[Change], claims: Collection[Claim]) -> list[int]:
        """Changes and claims, all or none. Gives the lines whose patient is taken."""
        with self._transaction():
            taken = [claim.line for claim in claims if not self._claim(claim)]
            self._change(changes)
        return taken

    def _change(self, changes: Collection[Change]) -> None:
        at = _milliseconds()
        intents = [change.line for change in changes if change.state is State.SENDING]
        others = [change for change in changes if change.state is not State.SENDING]
        done = 0
        if intents:
            done += self._db.execute(_INTEND, (at, msgspec.json.encode(intents).decode())).rowcount
        if others:
            done += self._db.execute(_CHANGE, {"changes": msgspec.json.encode(others).decode(), "at": at}).rowcount
        if done != len(changes):
            raise OutboxError("a row is not in the state that this run left it in; is another process using it?")

    def _claim(self, claim: Claim) -> bool:
        owner = self._one("SELECT line FROM row WHERE patient = ?", claim.patient)
        if owner is None or owner == claim.line:
            self._db.execute(
                "UPDATE row SET patient_id = ?, patient = ? WHERE line = ?",
                (claim.patient_id, claim.patient, claim.line),
            )
            return True
        step = after_claim(taken=True)
        self._db.execute("UPDATE row SET patient_id = ? WHERE line = ?", (claim.patient_id, claim.line))
        self._change([Change(claim.line, step.state, step.reason)])
        return False

    def mark(self, lines: Collection[int] | None, word: Word) -> int:
        """Settle unknown rows on a person's word."""
        step = after_word(State.UNKNOWN, word)
        with self._transaction():
            if lines is None:
                found = self._db.execute("SELECT line FROM row WHERE state = ?", (State.UNKNOWN.value,))
                chosen = [line for (line,) in found]
            else:
                chosen = sorted(set(lines))
                self._refuse_unmarkable(chosen)
            self._change([Change(line, step.state, step.reason) for line in chosen])
            if step.state is State.READY:  # into a new chunk: the batch that it was in may yet turn out to be sent
                self._db.execute(
                    "UPDATE row SET chunk = NULL WHERE state = ? AND chunk IN (SELECT id FROM chunk WHERE state = ?)",
                    (State.READY.value, ChunkState.UNKNOWN.value),
                )
        return len(chosen)

    def _refuse_unmarkable(self, lines: Sequence[int]) -> None:
        for line in lines:
            state = self._one("SELECT state FROM row WHERE line = ?", line)
            if state is None:
                raise OutboxError(f"line {line}: is not in the outbox; nothing was marked")
            if state != State.UNKNOWN.value:
                raise OutboxError(f"line {line}: is {state}; only unknown rows can be marked; nothing was marked")

    def status(self, *, running: bool) -> Status:
        """Where the campaign stands."""
        states = dict.fromkeys(State, 0)
        reasons: dict[str, int] = {}
        with self._told("cannot be read"):
            found = self._db.execute("SELECT state, reason, count(*) FROM row GROUP BY state, reason").fetchall()
            summary = self._kept("summary")
            drafts = self.chunks.drafts()
        for state, reason, number in found:
            states[State(state)] += number
            if reason is not None and state != State.READY:  # of a row that is tried again it is no news
                reasons[reason] = reasons.get(reason, 0) + number
        return Status(
            states=states,
            reasons=reasons,
            running=running,
            filled=summary is not None,
            summary=msgspec.json.decode(summary or "{}"),
            drafts=drafts,
        )

    def records(self, states: Collection[State] | None, after: int, limit: int) -> list[Record]:
        """The next rows by line, of these states."""
        chosen = [state.value for state in (State if states is None else states)]
        marks = ",".join("?" * len(chosen))
        with self._told("cannot be read"):
            found = self._db.execute(
                "SELECT line, reference, digest, row.state, reason, message_id, row.at, batch_id FROM row"  # noqa: S608  # question marks
                f" LEFT JOIN chunk ON id = chunk WHERE line > ? AND row.state IN ({marks}) ORDER BY line LIMIT ?",
                (after, *chosen, limit),
            ).fetchall()
        return [
            Record(
                line,
                reference,
                digest,
                State(state),
                reason,
                message_id,
                datetime.fromtimestamp(at / 1000, tz=UTC),
                None if state == State.READY else batch_id,
            )
            for line, reference, digest, state, reason, message_id, at, batch_id in found
        ]

    def _kept(self, name: str) -> str | None:
        value: str | None = self._one("SELECT value FROM campaign WHERE name = ?", name)
        return value

    def _keep(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO campaign VALUES (?, ?)", (name, value))

    def _one(self, sql: str, *values: Any) -> Any:
        found = self._db.execute(sql, values).fetchone()
        return None if found is None else found[0]

    @contextmanager
    def _transaction(self) -> Generator[None]:
        with self._told("cannot be written"):
            self._db.execute("BEGIN IMMEDIATE")
            with self._ending():
                yield

    @contextmanager
    def _ending(self) -> Generator[None]:
        """The last steps of a transaction that has begun."""
        with _told(self._label, "cannot be written"):
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._undo()
                raise

    def _told(self, what: str) -> AbstractContextManager[None]:
        return _told(self._label, what)

    def _undo(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")


def _milliseconds() -> int:
    return int(clock.now().timestamp() * 1000)


@contextmanager
def _told(label: str, what: str) -> Generator[None]:
    """SQLite's errors as ours. Its words name tables and files, never values."""
    words = ""
    try:
        yield
    except sqlite3.Error as error:
        words = str(error)
    if words:
        raise OutboxError(f"{label}: {what}: {words}")
