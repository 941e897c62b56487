"""`SQLiteReplayStore`: a file that all workers of one machine share."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from hero_async import clock
from hero_async.errors import ConfigurationError
from hero_async.webhooks.replay import LEASE, RETENTION, Claim, seconds

_APPLICATION: Final = 0x48655265  # "HeRe": so that we never write into another database
_PATIENCE: Final = 10.0
_SWEEP_EVERY: Final = 60.0

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS delivery (
    key TEXT PRIMARY KEY, owner TEXT NOT NULL, done INTEGER NOT NULL, until REAL NOT NULL
) WITHOUT ROWID
"""

_CLAIM: Final = """
INSERT INTO delivery (key, owner, done, until) VALUES (:key, :owner, 0, :lease_until)
ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, done = 0, until = excluded.until WHERE until <= :now
"""

# It may have been swept: the lease was over, and nobody else came.
_FINISH: Final = """
INSERT INTO delivery (key, owner, done, until) VALUES (:key, :owner, 1, :until)
ON CONFLICT (key) DO UPDATE SET done = 1, until = excluded.until WHERE owner = excluded.owner
"""


class SQLiteReplayStore:
    """For all threads and processes of one machine; not for a file on a network.

    The file holds hashes, names of handlers and times. It is made with mode 0600. Every call opens it anew, so that
    there is nothing to close, and nothing that a fork could break; a claim is on disk before a handler runs.

    Args:
        path: The file; its folder must exist.
        retention: How long a handled delivery is remembered. Default a day.
        lease: How long a claim is good without an end, as after a crash. Default 5 minutes: let no handler take
            longer.

    Raises:
        ConfigurationError: The file cannot be made, or is another database.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        retention: float | timedelta = RETENTION,
        lease: float | timedelta = LEASE,
    ) -> None:
        self.retention: float = seconds("retention", retention)
        self._lease = seconds("lease", lease)
        self._path = Path(path).absolute()
        self._sweep_at = 0.0
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            with self._writing() as db:
                self._make(db)
        except (OSError, sqlite3.Error, ValueError) as error:
            words = type(error).__name__
        else:
            return
        raise ConfigurationError(f"replay store: the file cannot be opened or made ({words})")

    def __repr__(self) -> str:
        return f"SQLiteReplayStore({self._path.name!r})"

    def claim(self, key: str, owner: str) -> Claim:
        """See `ReplayStore`."""
        now = clock.now().timestamp()
        with self._writing() as db:
            if now >= self._sweep_at:
                db.execute("DELETE FROM delivery WHERE until <= ?", (now,))
                self._sweep_at = now + _SWEEP_EVERY
            taken = db.execute(
                _CLAIM, {"key": key, "owner": owner, "now": now, "lease_until": now + self._lease}
            ).rowcount
            if taken:
                return Claim.TAKEN
            (done,) = db.execute("SELECT done FROM delivery WHERE key = ?", (key,)).fetchone()
            return Claim.DONE if done else Claim.BUSY

    def finish(self, key: str, owner: str) -> None:
        """See `ReplayStore`."""
        until = clock.now().timestamp() + self.retention
        with self._writing() as db:
            db.execute(_FINISH, {"key": key, "owner": owner, "until": until})

    def release(self, key: str, owner: str) -> None:
        """See `ReplayStore`."""
        with self._writing() as db:
            db.execute("DELETE FROM delivery WHERE key = ? AND owner = ? AND done = 0", (key, owner))

    def _make(self, db: sqlite3.Connection) -> None:
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if application != _APPLICATION and (application or tables):
            raise ValueError
        db.execute(f"PRAGMA application_id = {_APPLICATION}")
        db.execute(_TABLE)

    @contextmanager
    def _writing(self) -> Generator[sqlite3.Connection, None, None]:
        """A connection that holds the file's write lock, and commits at the end."""
        db = sqlite3.connect(f"{self._path.as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=_PATIENCE)
        try:
            db.execute("PRAGMA synchronous = FULL")
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")
        finally:
            db.close()
