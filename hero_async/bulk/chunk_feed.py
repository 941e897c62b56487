"""Rows that are ready, gathered into chunks of one practice, a few chunks ahead of the workers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import anyio

from hero_async.bulk.chunks import Advance, Chunk
from hero_async.bulk.decide_batch import OPEN, ChunkState
from hero_async.bulk.feed import CHUNK, Job, Matcher
from hero_async.bulk.outbox import Hold
from hero_async.bulk.thread import OneThread

MOST_GATHERED: Final = 20_000
"""Rows that wait for their chunk to be full, of all practices together. Then the largest goes as it is."""

Handed = tuple[Chunk, list[Job]]


class ChunkFeed:
    """Hands out chunks with their rows. Chunks of an earlier run keep the rows that they have.

    Args:
        hold: Where the rows stand.
        matcher: Where they are read.
        thread: The thread that reads them.
        limit: How many rows to take up at most; None: all.
        room: Waits until outcomes are read: a reader who is slow slows the sending.
        size: Rows of a chunk at most.
    """

    def __init__(
        self,
        hold: Hold,
        matcher: Matcher,
        thread: OneThread,
        limit: int | None,
        room: Callable[[], Awaitable[None]],
        *,
        size: int,
    ) -> None:
        self._hold = hold
        self._matcher = matcher
        self._thread = thread
        self._left = limit
        self._room = room
        self._size = size
        self._most = max(MOST_GATHERED, 2 * size)
        self._fresh: dict[str, list[Job]] = {}
        """Rows in no chunk yet, by practice."""

        self._known: dict[int, list[Job]] = {}
        """Rows of chunks that are not whole yet."""

        self._send, self._receive = anyio.create_memory_object_stream[Handed](0)

    async def run(self) -> None:
        """Read ahead until all is handed out, or until `close`."""
        with self._send:
            try:
                await self._run()
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return

    async def _run(self) -> None:
        sizes = await self._hold.sizes()
        chunks = await self._open_chunks()
        after = 0
        while self._left is None or self._left > 0:
            want = CHUNK if self._left is None else min(CHUNK, self._left)
            entries = await self._hold.ready(after, want)
            if not entries:
                break
            after = entries[-1].line
            if self._left is not None:
                self._left -= len(entries)
            jobs = await self._thread.run(self._matcher.match, entries)
            for entry, job in zip(entries, jobs, strict=True):
                if entry.chunk is None:
                    await self._add_fresh(job)
                else:
                    await self._add_known(chunks[entry.chunk], sizes[entry.chunk], job)
            while sum(map(len, self._fresh.values())) > self._most:
                await self._form(max(self._fresh, key=lambda practice: len(self._fresh[practice])))
        for number in list(self._known):  # the limit came first: what is there becomes a chunk of its own
            await self._cut(chunks[number])
        for practice in list(self._fresh):
            await self._form(practice)

    async def _open_chunks(self) -> Mapping[int, Chunk]:
        found: dict[int, Chunk] = {}
        after = 0
        while some := await self._hold.chunks(OPEN, after):
            found.update((chunk.id, chunk) for chunk in some)
            after = some[-1].id
        return found

    async def _add_fresh(self, job: Job) -> None:
        gathered = self._fresh.setdefault(job.who.practice, [])
        gathered.append(job)
        if len(gathered) == self._size:
            await self._form(job.who.practice)

    async def _add_known(self, chunk: Chunk, size: int, job: Job) -> None:
        gathered = self._known.setdefault(chunk.id, [])
        gathered.append(job)
        if len(gathered) == size:
            await self._hand_out(chunk, self._known.pop(chunk.id))

    async def _form(self, practice: str) -> None:
        jobs = self._fresh.pop(practice)
        await self._hand_out(await self._hold.form(practice, _lines(jobs)), jobs)

    async def _cut(self, chunk: Chunk) -> None:
        jobs = self._known.pop(chunk.id)
        made = await self._hold.divide(Advance(chunk.id, ChunkState.GONE), {}, [_lines(jobs)])
        await self._hand_out(made[0], jobs)

    async def _hand_out(self, chunk: Chunk, jobs: list[Job]) -> None:
        await self._room()
        await self._send.send((chunk, jobs))

    async def take(self) -> Handed | None:
        """The next chunk; None when there are no more."""
        try:
            return await self._receive.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            return None

    def close(self) -> None:
        """Hand out nothing more."""
        self._receive.close()


def _lines(jobs: Sequence[Job]) -> list[int]:
    return [job.line for job in jobs]
