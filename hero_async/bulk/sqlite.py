"""The outbox of one machine: a SQLite file, its key and its lock, readable by their owner alone.

    NAME.outbox                            the journal
    NAME.outbox-wal, NAME.outbox-shm       SQLite's own, while it is open
    NAME.outbox-key                        the key of its hashes; keep it apart when you hand the outbox to someone
    NAME.outbox-lock                       held by the process that sends

The disk must be local: SQLite's WAL and its locks do not work across machines.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import stat
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio.to_thread

from hero_async.bulk.chunks import Advance, Chunk, Member, Note
from hero_async.bulk.decide import State, Word
from hero_async.bulk.decide_batch import ChunkState
from hero_async.bulk.errors import OutboxBusyError, OutboxError
from hero_async.bulk.identity import KEY_BYTES, Hasher
from hero_async.bulk.outbox import Binding, Change, Claim, Entry, Record, Row, Status, Twin
from hero_async.bulk.sqlite_store import Store
from hero_async.bulk.thread import OneThread

_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
"""Windows would else write two bytes for a key's line feed."""

_LOCK_PATIENCE: Final = 0.5
"""Seconds to wait for the lock: `status` takes it for a moment to see whether someone holds it."""


class SQLiteOutbox:
    """An outbox in a file. Nothing is opened or made until it is used.

    Args:
        path: Where it is or will be. `*.outbox` is the custom.
        key: The 32 bytes of its hash key, if you keep them yourself. Default: a file beside it, made with it.
    """

    def __init__(self, path: str | Path, *, key: bytes | None = None) -> None:
        if key is not None and len(key) != KEY_BYTES:
            raise ValueError(f"key: must be {KEY_BYTES} bytes")
        self._path = Path(path)
        self._key = key

    def __repr__(self) -> str:
        return f"SQLiteOutbox({self._path.name!r})"

    @property
    def label(self) -> str:
        """Its path."""
        return str(self._path)

    @property
    def path(self) -> Path:
        """Its path."""
        return self._path

    async def binding(self) -> Binding | None:
        """What it is bound to; None: there is none yet."""
        return await anyio.to_thread.run_sync(self._read_binding)

    def _read_binding(self) -> Binding | None:
        if not self._path.exists():
            return None
        store = Store.connect(self._path)
        try:
            return store.binding() if store.is_made else None
        finally:
            store.close()

    async def status(self) -> Status:
        """Where the campaign stands, also while it runs."""
        return await anyio.to_thread.run_sync(self._read_status)

    def _read_status(self) -> Status:
        store = self._existing()
        try:
            return store.status(running=self._is_held())
        finally:
            store.close()

    async def records(self, states: Collection[State] | None = None) -> AsyncGenerator[Record]:
        """Its rows by line, also while it runs."""
        thread = OneThread("hero-outbox-read")
        store = await thread.acquire(self._existing, Store.close)
        try:
            after = 0
            while found := await thread.run(store.records, states, after, 1000):
                for record in found:
                    yield record
                after = found[-1].line
        finally:
            store.close()
            thread.close()

    @asynccontextmanager
    async def hold(self, create: Binding | None = None) -> AsyncGenerator[SQLiteHold]:
        """Take hold of it: one run at a time. With `create`, make it if there is none."""
        thread = OneThread("hero-outbox")
        try:
            held = await thread.acquire(partial(self._take_hold, thread, create), SQLiteHold.release)
            try:
                yield held
            finally:
                await thread.run(held.release)
        finally:
            thread.close()

    def _take_hold(self, thread: OneThread, create: Binding | None) -> SQLiteHold:
        if create is None and not self._path.exists():
            raise OutboxError(f"{self._path.name}: there is no such outbox")
        lock = self._lock(_LOCK_PATIENCE)
        try:
            store = self._made(create)
        except BaseException:
            lock.close()
            raise
        try:
            store.settle_crash()
        except BaseException:
            store.close()
            lock.close()
            raise
        return SQLiteHold(store, thread, lock, self._hasher())

    def _made(self, create: Binding | None) -> Store:
        if create is not None:
            if self._key is None:
                self._make_key()
            _make_private(self._path)
        store = self._existing()
        try:
            if not store.is_made:
                if create is None:
                    raise OutboxError(f"{self._path.name}: is empty; run its campaign again")
                store.make(create)
        except BaseException:
            store.close()
            raise
        return store

    def _existing(self) -> Store:
        _only_ours(self._path)
        return Store.connect(self._path)

    def _beside(self, suffix: str) -> Path:
        return self._path.with_name(self._path.name + suffix)

    def _make_key(self) -> None:
        if self._path.exists():
            return  # never a new key for an old outbox: everyone would be a stranger to it
        path = self._beside("-key")
        if path.is_file() and path.stat().st_size != KEY_BYTES:
            path.unlink()  # a process died while it made it
        _make_private(path, secrets.token_bytes(KEY_BYTES))

    def _hasher(self) -> Hasher | None:
        if self._key is not None:
            return Hasher(self._key)
        path = self._beside("-key")
        try:
            _only_ours(path)
            return Hasher(path.read_bytes())
        except (OSError, OutboxError, ValueError):
            return None

    def _lock(self, patience: float) -> sqlite3.Connection:
        """Hold the lock file. The system lets it go when the process ends, however it ends."""
        path = self._beside("-lock")
        _make_private(path)
        _only_ours(path)
        before = path.stat().st_ino
        lock = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=patience,
        )
        try:
            lock.execute("PRAGMA journal_mode = OFF")  # nothing is ever written to it
            lock.execute("BEGIN EXCLUSIVE")
            if path.stat().st_ino == before:
                return lock
        except (sqlite3.OperationalError, OSError):  # held; or deleted by a purge while we waited for it
            pass
        lock.close()
        raise OutboxBusyError(f"{self._path.name}: another process is sending from it; wait for it, or stop it")

    def _is_held(self) -> bool:
        if not self._beside("-lock").exists():
            return False
        try:
            self._lock(0.0).close()
        except OutboxBusyError:
            return True
        return False

    async def purge(self) -> None:
        """Delete it and its key. What it knew is gone: its campaign, started again, writes to everyone again.

        Raises:
            OutboxBusyError: A process is sending from it.
        """
        await anyio.to_thread.run_sync(self._purge)

    def _purge(self) -> None:
        if not self._path.exists():
            raise OutboxError(f"{self._path.name}: there is no such outbox")
        self._existing().close()  # refuses a file that is not an outbox
        lock = self._lock(_LOCK_PATIENCE)
        why = ""
        try:
            for suffix in ("", "-wal", "-shm", "-key"):
                self._beside(suffix).unlink(missing_ok=True)
            if os.name == "posix":  # while it is held: whoever waits for it then sees that it is gone
                self._beside("-lock").unlink(missing_ok=True)
        except OSError as error:
            why = error.strerror or type(error).__name__
        finally:
            lock.close()
        if os.name != "posix":  # Windows does not delete what is open, and refuses if someone else has it now
            with suppress(OSError):
                self._beside("-lock").unlink(missing_ok=True)
        if why:
            raise OutboxError(f"{self._path.name}: cannot be deleted: {why}")


class SQLiteHold:
    """An outbox in the hands of a run. See `outbox.Hold`."""

    def __init__(self, store: Store, thread: OneThread, lock: sqlite3.Connection | None, hasher: Hasher | None) -> None:
        self._store = store
        self._thread = thread
        self._lock = lock
        self._hasher = hasher

    def __repr__(self) -> str:
        return "<SQLiteHold>"

    @property
    def binding(self) -> Binding:
        """What it is bound to."""
        return self._store.binding()

    @property
    def hasher(self) -> Hasher:
        """Makes its keyed hashes."""
        if self._hasher is None:
            raise OutboxError(
                "the outbox's key file (its name, then -key) is missing or damaged; without it rows cannot be "
                "compared, so nothing is sent"
            )
        return self._hasher

    @property
    def filled(self) -> bool:
        """Whether it has all rows."""
        return self._store.filled

    async def status(self) -> Status:
        """Where the campaign stands."""
        return await self._thread.run(self._store.status, running=True)

    async def fill(self, rows: Sequence[Row]) -> Sequence[Twin]:
        """Store rows, and tell whose person is there already."""
        return await self._thread.run(self._store.fill, rows)

    async def start_fill(self) -> None:
        """Begin to store all rows. What a fill that was cut off stored is gone with it."""
        await self._thread.run(self._store.start_fill)

    async def finish_fill(self, input_sha256: str, summary: Mapping[str, Any]) -> None:
        """All rows are stored."""
        await self._thread.run(self._store.finish_fill, input_sha256, summary)

    async def ready(self, after: int, limit: int) -> Sequence[Entry]:
        """The next rows that are ready, by line."""
        return await self._thread.run(self._store.ready, after, limit)

    async def write(self, changes: Collection[Change], claims: Collection[Claim]) -> Collection[int]:
        """Make changes and claims durable, all or none."""
        return await self._thread.run(self._store.write, changes, claims)

    async def mark(self, lines: Collection[int] | None, word: Word) -> int:
        """Settle unknown rows on a person's word."""
        return await self._thread.run(self._store.mark, lines, word)

    async def form(self, practice: str, lines: Sequence[int]) -> Chunk:
        """Make a chunk of rows that are ready and in none."""
        return await self._thread.run(self._store.chunks.form, practice, lines)

    async def chunks(self, states: Collection[ChunkState], after: int = 0, limit: int = 100) -> Sequence[Chunk]:
        """Chunks in these states, by id."""
        return await self._thread.run(self._store.chunks.chunks, states, after, limit)

    async def sizes(self) -> Mapping[int, int]:
        """How many ready rows each chunk has whose rows are ready."""
        return await self._thread.run(self._store.chunks.sizes)

    async def members(self, chunk: int, state: State) -> Sequence[Member]:
        """Rows of a chunk that are in this state, by line."""
        return await self._thread.run(self._store.chunks.members, chunk, state)

    async def advance(self, advance: Advance) -> None:
        """Move a chunk and its rows, durably."""
        await self._thread.run(self._store.chunks.advance, advance)

    async def divide(
        self, advance: Advance, rejected: Mapping[int, str], parts: Sequence[Sequence[int]]
    ) -> Sequence[Chunk]:
        """Let a chunk be gone, for rejected rows and smaller chunks, durably."""
        return await self._thread.run(self._store.chunks.divide, advance, rejected, parts)

    async def note(self, chunk: int, notes: Collection[Note], *, done: bool) -> int:
        """Keep what the server showed of a chunk's rows that are sent."""
        return await self._thread.run(self._store.chunks.note, chunk, notes, done=done)

    async def drafts(self) -> Sequence[str]:
        """Names of drafts that were left behind."""
        return await self._thread.run(self._store.chunks.drafts)

    def release(self) -> None:
        """Close the file and let the lock go."""
        try:
            self._store.close()
        finally:
            if self._lock is not None:
                self._lock.close()


@asynccontextmanager
async def private_hold(binding: Binding) -> AsyncGenerator[SQLiteHold]:
    """A store that nobody else sees and that is gone afterwards, for a dry run."""
    thread = OneThread("hero-check")
    try:
        store = await thread.acquire(partial(Store.connect, None), Store.close)
        try:
            await thread.run(store.make, binding)
            yield SQLiteHold(store, thread, None, Hasher(secrets.token_bytes(KEY_BYTES)))
        finally:
            store.close()
    finally:
        thread.close()


def _make_private(path: Path, content: bytes = b"") -> bool:
    """Make a file that only its owner can read, if there is none; then it survives a power cut. True: made."""
    try:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        why = error.strerror or type(error).__name__
        file = -1
    else:
        why = ""
    if why:
        raise OutboxError(f"{path.name}: cannot be made: {why}; give another place for the outbox")
    try:
        os.write(file, content)
        os.fsync(file)
    finally:
        os.close(file)
    if os.name == "posix":  # Windows cannot sync a directory, and does not need to
        folder = os.open(path.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return True


def _only_ours(path: Path) -> None:
    """Refuse what is not a plain file, and take the rights of others away."""
    try:
        found = path.lstat()
        if stat.S_ISREG(found.st_mode) and os.name == "posix" and stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o600)
    except FileNotFoundError:
        why = "there is no such file"
    except OSError as error:
        why = error.strerror or type(error).__name__
    else:
        why = "" if stat.S_ISREG(found.st_mode) else "must be a plain file, not a link or a directory"
    if why:
        raise OutboxError(f"{path.name}: {why}")
