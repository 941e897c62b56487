"""What must not happen twice, noted on disk before it happens."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


class Once:
    """Names of what was begun. All workers of one machine can share the file."""

    def __init__(self, path: str | Path) -> None:
        self._path = path
        with closing(self._open()) as db, db:
            db.execute("CREATE TABLE IF NOT EXISTS begun (name TEXT PRIMARY KEY) WITHOUT ROWID")

    def begin(self, name: str) -> bool:
        """Whether it is yours to do. If you die now it is never done: better no text message than two."""
        with closing(self._open()) as db, db:
            return db.execute("INSERT OR IGNORE INTO begun VALUES (?)", (name,)).rowcount == 1

    def forget(self, name: str) -> None:
        """It did not happen after all: somebody may begin it again."""
        with closing(self._open()) as db, db:
            db.execute("DELETE FROM begun WHERE name = ?", (name,))

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=10)
