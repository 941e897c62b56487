"""The second pass: rows that are ready, matched with the input again and rendered, a chunk ahead of the workers."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

import anyio
import attrs
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from hero_async.bulk.errors import InputChangedError
from hero_async.bulk.identity import Hasher
from hero_async.bulk.outbox import Entry, Hold
from hero_async.bulk.preflight import reference_place
from hero_async.bulk.rows import BadRow, Layout, Recipient
from hero_async.bulk.source import Reading
from hero_async.bulk.thread import OneThread
from hero_async.hiding import hidden

CHUNK: Final = 500
"""Rows that are matched and rendered in one go. Two chunks are in memory at most."""


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
    """

    def __init__(
        self,
        hold: Hold,
        matcher: Matcher,
        thread: OneThread,
        limit: int | None,
        room: Callable[[], Awaitable[None]],
    ) -> None:
        self._hold = hold
        self._matcher = matcher
        self._thread = thread
        self._left = limit
        self._room = room
        self._jobs: deque[Job] = deque()
        self._turn = anyio.Lock()
        streams = anyio.create_memory_object_stream[list[Job]](0)
        self._send: MemoryObjectSendStream[list[Job]] = streams[0]
        self._receive: MemoryObjectReceiveStream[list[Job]] = streams[1]

    async def run(self) -> None:
        """Read ahead until all is handed out, or until `close`."""
        after = 0
        with self._send:
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
                try:
                    await self._send.send(jobs)
                except anyio.BrokenResourceError:
                    return

    def next(self) -> Job | None:
        """The next job, if there is one at hand."""
        return self._jobs.popleft() if self._jobs else None

    async def take(self) -> Job | None:
        """The next job; None when there are no more."""
        while not self._jobs:
            async with self._turn:  # one worker fetches a chunk for all
                if self._jobs:
                    continue
                try:
                    self._jobs.extend(await self._receive.receive())
                except (anyio.EndOfStream, anyio.ClosedResourceError):
                    return None
        return self._jobs.popleft()

    def close(self) -> None:
        """Hand out nothing more."""
        self._jobs.clear()
        self._receive.close()
