"""The second pass: rows that are ready, matched with the input again and rendered, a chunk ahead of the workers."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

import anyio
import attrs

from hero_async.bulk.errors import InputChangedError
from hero_async.bulk.identity import Hasher
from hero_async.bulk.outbox import Entry, Hold
from hero_async.bulk.preflight import reference_place
from hero_async.bulk.rows import BadRow, Layout, Recipient
from hero_async.bulk.source import Reading
from hero_async.bulk.thread import OneThread
from hero_async.hiding import hidden

CHUNK: Final = 500
"""Rows that are matched and rendered in one go."""

MOST_AHEAD: Final = 5000
"""Rows in memory at most that wait for a worker. With several practices, one that is paused is read past."""


@hidden
@attrs.define(repr=False, eq=False)
class Job:
    """One row, ready to be sent. It holds patient data, so its repr shows none of it."""

    line: int
    who: Recipient
    text: str
    reference: str | None
    patient_id: str | None

    def __repr__(self) -> str:
        return f"Job(line={self.line})"


class Matcher:
    """Finds the rows of an outbox in the input again."""

    def __init__(self, reading: Reading, layout: Layout, hasher: Hasher, required: Sequence[str]) -> None:
        self._rows: Iterator[tuple[int, Sequence[str]]] = iter(reading)
        self._layout = layout
        self._hasher = hasher
        self._reference_at = reference_place(reading.columns, required)

    def match(self, entries: Sequence[Entry]) -> list[Job]:
        """The jobs of these entries, which are in order and behind those of the last call.

        Raises:
            InputChangedError: A row is not what it was when the outbox was filled.
        """
        return [self._match(entry) for entry in entries]

    def _match(self, entry: Entry) -> Job:
        for line, cells in self._rows:
            if line < entry.line:
                continue
            who = self._layout.read(line, cells)
            if line > entry.line or self._hasher.row(cells) != entry.digest or isinstance(who, BadRow):
                break
            reference = None if self._reference_at is None else cells[self._reference_at].strip()
            return Job(line, who, self._layout.render(cells), reference, entry.patient_id or who.patient_id)
        raise InputChangedError("the row is not what it was when the outbox was filled", line=entry.line)


class Feed:
    """Hands out jobs to many workers.

    Args:
        hold: Where the rows stand.
        matcher: Where they are read.
        thread: The thread that reads them.
        limit: How many to hand out at most; None: all.
        room: Waits until outcomes are read: a reader who is slow slows the sending.
        most_each: How many jobs of a practice may be under way while others could be served; None: there is one.
            A practice that is paused would else take every worker, one after the other.
    """

    def __init__(
        self,
        hold: Hold,
        matcher: Matcher,
        thread: OneThread,
        limit: int | None,
        room: Callable[[], Awaitable[None]],
        most_each: int | None = None,
    ) -> None:
        self._hold = hold
        self._matcher = matcher
        self._thread = thread
        self._left = limit
        self._room = room
        self._jobs = Queues(most_each)
        self._some = anyio.Event()
        self._less = anyio.Event()
        self._ended = False

    async def run(self) -> None:
        """Read ahead until all is handed out, or until `close`."""
        try:
            await self._read()
        finally:
            self._ended = True
            self._jobs.most_each = None  # nothing comes any more that others could do
            self._some.set()

    async def _read(self) -> None:
        after = 0
        while self._left is None or self._left > 0:
            want = CHUNK if self._left is None else min(CHUNK, self._left)
            entries = await self._hold.ready(after, want)
            if not entries:
                return
            after = entries[-1].line
            if self._left is not None:
                self._left -= len(entries)
            jobs = await self._thread.run(self._matcher.match, entries)
            await self._room()
            while not self._ended and not self._jobs.has_room:
                self._less = anyio.Event()
                await self._less.wait()
            if self._ended:
                return
            self._jobs.extend(jobs)
            self._some.set()

    def next(self) -> Job | None:
        """The next job, if there is one at hand."""
        job = self._jobs.pop()
        if self._jobs.has_room:
            self._less.set()
        return job

    async def take(self) -> Job | None:
        """The next job; None when there are no more."""
        while (job := self.next()) is None:
            if self._ended:
                return None
            if self._some.is_set():
                self._some = anyio.Event()
            await self._some.wait()
        return job

    def done(self, job: Job) -> None:
        """A worker is through with a job."""
        if self._jobs.done(job.who.practice):
            self._some.set()
            self._less.set()

    def close(self) -> None:
        """Hand out nothing more."""
        self._ended = True
        self._jobs.clear()
        self._some.set()
        self._less.set()


class Queues:
    """Jobs that wait, by practice. The practice with the fewest under way is served first, else the first come."""

    __slots__ = ("_ahead", "_under_way", "_waiting", "most_each")

    def __init__(self, most_each: int | None) -> None:
        self.most_each: int | None = most_each
        self._waiting: dict[str, deque[Job]] = {}
        self._under_way: Counter[str] = Counter()
        self._ahead = 0

    def _chosen(self) -> str | None:
        """Which practice is served next; None: none can be."""
        under_way, most = self._under_way, self.most_each
        practice = min(self._waiting, key=under_way.__getitem__, default=None)
        return practice if practice is None or most is None or under_way[practice] < most else None

    @property
    def has_room(self) -> bool:
        """Whether to read on: little is left, or nothing of it can be served."""
        return self._ahead < CHUNK or (self._ahead < MOST_AHEAD and self._chosen() is None)

    def extend(self, jobs: Sequence[Job]) -> None:
        """Let more jobs wait."""
        for job in jobs:
            self._waiting.setdefault(job.who.practice, deque()).append(job)
        self._ahead += len(jobs)

    def pop(self) -> Job | None:
        """The next job."""
        practice = self._chosen()
        if practice is None:
            return None
        waiting = self._waiting[practice]
        job = waiting.popleft()
        if not waiting:
            del self._waiting[practice]
        self._under_way[practice] += 1
        self._ahead -= 1
        return job

    def done(self, practice: str) -> bool:
        """A job is done. Whether that lets another one of its practice be served."""
        self._under_way[practice] -= 1
        if not self._under_way[practice]:
            del self._under_way[practice]
        return self.most_each is not None

    def clear(self) -> None:
        """Let nothing wait."""
        self._waiting.clear()
        self._ahead = 0
