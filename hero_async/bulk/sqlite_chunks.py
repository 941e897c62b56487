"""The SQL of the batch route's chunks on SQLite. Blocking, as `sqlite_store`, whose connection it uses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from sqlite3 import Connection
from typing import Any, Final

import msgspec

from hero_async.bulk.chunks import Advance, Chunk, Member, Note
from hero_async.bulk.decide import State
from hero_async.bulk.decide_batch import CHUNK_MOVES, OPEN, ChunkState, after_chunk_crash, batch_name, row_state
from hero_async.bulk.errors import OutboxError

TABLES: Final = """
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY,
    label TEXT NOT NULL UNIQUE,
    practice TEXT NOT NULL,
    state TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0,
    batch_id TEXT,
    before TEXT,
    sends INTEGER NOT NULL DEFAULT 0,
    at INTEGER NOT NULL
);
CREATE TABLE draft (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE INDEX row_chunk ON row (chunk) WHERE chunk IS NOT NULL;
"""

_COLUMNS: Final = "id, label, practice, state, revision, batch_id, before, sends"
_OPEN: Final = ", ".join(f"'{state}'" for state in sorted(OPEN))
_MOVES: Final = ", ".join(f"'{old}>{new}'" for old, targets in CHUNK_MOVES.items() for new in sorted(targets))

_ADVANCE: Final = f"""
UPDATE chunk SET state = :state, at = :at,
    revision = coalesce(:revision, revision),
    batch_id = CASE WHEN :state IN ('{ChunkState.PLANNED}', '{ChunkState.CREATING}') THEN NULL
               ELSE coalesce(:batch_id, batch_id) END,
    before = coalesce(:before, before),
    sends = sends + (:state = '{ChunkState.SENDING}' AND :before IS NOT NULL)
WHERE id = :chunk AND state || '>' || :state IN ({_MOVES})
"""  # noqa: S608  # made of our own states

_ONE: Final = f"SELECT {_COLUMNS} FROM chunk WHERE id = ?"  # noqa: S608  # our own names
_SOME: Final = f"""
SELECT {_COLUMNS} FROM chunk WHERE id > ? AND state IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?
"""  # noqa: S608  # our own names

_SIZES: Final = f"""
SELECT chunk, count(*) FROM row
WHERE chunk IS NOT NULL AND state = ? AND chunk IN (SELECT id FROM chunk WHERE state IN ({_OPEN}))
GROUP BY chunk
"""  # noqa: S608  # made of our own states

_MOVE_ROWS: Final = """
UPDATE row SET state = :state, reason = :reason, at = :at WHERE chunk = :chunk AND state = :old
"""


class ChunkStore:
    """Chunks in an outbox.

    Args:
        db: The outbox's connection.
        transaction: Its transaction.
        told: Tells SQLite's errors as ours; given what cannot be done.
        now: The time, in milliseconds.
        tag: Of the campaign, for the names of batches.
    """

    def __init__(
        self,
        db: Connection,
        transaction: Callable[[], AbstractContextManager[None]],
        told: Callable[[str], AbstractContextManager[None]],
        now: Callable[[], int],
        tag: Callable[[], str],
    ) -> None:
        self._db = db
        self._transaction = transaction
        self._told = told
        self._now = now
        self._tag = tag

    def settle_crash(self) -> None:
        """Chunks that a run left on the way become what the rules say. In a transaction of the caller."""
        for state in ChunkState:
            step = after_chunk_crash(state)
            if step.state is state:
                continue
            for chunk in self.chunks({state}, 0, -1):
                draft = batch_name(self._tag(), chunk.label, chunk.revision)
                self._advance(Advance(chunk.id, step.state, step.reason, draft=draft))

    def form(self, practice: str, lines: Sequence[int]) -> Chunk:
        """A chunk of rows that are ready and in none."""
        with self._transaction():
            number = (self._db.execute("SELECT max(id) FROM chunk").fetchone()[0] or 0) + 1
            return self._form(f"{number:04}", practice, lines)

    def _form(self, label: str, practice: str, lines: Sequence[int]) -> Chunk:
        made = self._db.execute(
            "INSERT INTO chunk (label, practice, state, at) VALUES (?, ?, ?, ?) RETURNING id",
            (label, practice, ChunkState.PLANNED.value, self._now()),
        ).fetchone()[0]
        done = self._db.execute(
            "UPDATE row SET chunk = ? WHERE chunk IS NULL AND state = ? AND line IN (SELECT value FROM json_each(?))",
            (made, State.READY.value, msgspec.json.encode(list(lines)).decode()),
        ).rowcount
        if done != len(lines):
            raise OutboxError("a row is not in the state that this run left it in; is another process using it?")
        return Chunk(made, label, practice, ChunkState.PLANNED)

    def chunks(self, states: Collection[ChunkState], after: int, limit: int) -> list[Chunk]:
        """Chunks in these states, by id."""
        chosen = msgspec.json.encode(sorted(states)).decode()
        with self._told("cannot be read"):
            found = self._db.execute(_SOME, (after, chosen, limit)).fetchall()
        return [_chunk(values) for values in found]

    def sizes(self) -> dict[int, int]:
        """Ready rows of each chunk whose rows are ready."""
        with self._told("cannot be read"):
            return dict(self._db.execute(_SIZES, (State.READY.value,)).fetchall())

    def members(self, chunk: int, state: State) -> list[Member]:
        """Rows of a chunk in this state, by line."""
        with self._told("cannot be read"):
            found = self._db.execute(
                "SELECT line, reference FROM row WHERE chunk = ? AND state = ? ORDER BY line", (chunk, state.value)
            ).fetchall()
        return [Member(*values) for values in found]

    def advance(self, advance: Advance) -> None:
        """Move a chunk and its rows."""
        with self._transaction():
            self._advance(advance)

    def _advance(self, advance: Advance) -> None:
        found = self._db.execute(_ONE, (advance.chunk,)).fetchone()
        given = advance._asdict() | {"state": advance.state.value, "at": self._now()}
        if found is None or self._db.execute(_ADVANCE, given).rowcount != 1:
            raise OutboxError("a chunk is not in the state that this run left it in; is another process using it?")
        if advance.draft is not None:
            self._db.execute("INSERT OR IGNORE INTO draft VALUES (?)", (advance.draft,))
        old, new = row_state(_chunk(found).state), row_state(advance.state)
        if old is not new:
            self._db.execute(_MOVE_ROWS, given | {"state": new.value, "old": old.value})

    def divide(self, advance: Advance, rejected: Mapping[int, str], parts: Sequence[Sequence[int]]) -> list[Chunk]:
        """Let a chunk be gone, for rejected rows and smaller chunks."""
        with self._transaction():
            found = self._db.execute(_ONE, (advance.chunk,)).fetchone()
            self._advance(advance)
            old = _chunk(found)
            for line, reason in rejected.items():
                self._db.execute(
                    "UPDATE row SET state = ?, reason = ?, at = ? WHERE line = ? AND chunk = ? AND state = ?",
                    (State.REJECTED.value, reason, self._now(), line, old.id, State.READY.value),
                )
            chosen = {line for part in parts for line in part}
            rest = [member.line for member in self.members(old.id, State.READY) if member.line not in chosen]
            self._db.execute("UPDATE row SET chunk = NULL WHERE chunk = ? AND state = ?", (old.id, State.READY.value))
            return [
                self._form(f"{old.label}.{number}", old.practice, lines)
                for number, lines in enumerate([*parts, rest], start=1)
                if lines
            ]

    def note(self, chunk: int, notes: Collection[Note], *, done: bool) -> int:
        """Keep what the server showed of rows that are sent."""
        number = 0
        with self._transaction():
            for person, patient, message_id, reason in notes:
                column, key = ("person", person) if person is not None else ("patient", patient)
                number += self._db.execute(
                    "UPDATE row SET message_id = coalesce(?, message_id), reason = coalesce(?, reason)"  # noqa: S608  # our own names
                    f" WHERE {column} = ? AND chunk = ? AND state = ?",
                    (message_id, reason, key, chunk, State.SENT.value),
                ).rowcount
            if done:
                self._advance(Advance(chunk, ChunkState.DONE))
        return number

    def drafts(self) -> list[str]:
        """Names of drafts that were left behind."""
        with self._told("cannot be read"):
            return [name for (name,) in self._db.execute("SELECT name FROM draft ORDER BY name")]


def _chunk(values: Sequence[Any]) -> Chunk:
    number, label, practice, state, *rest = values
    return Chunk(number, label, practice, ChunkState(state), *rest)
