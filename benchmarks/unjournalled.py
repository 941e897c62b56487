"""An outbox that forgets: what a campaign costs without a journal. For measuring only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from hero_async.bulk.decide import State, Word
from hero_async.bulk.identity import KEY_BYTES, Hasher
from hero_async.bulk.outbox import Binding, Change, Claim, Entry, Record, Row, Status, Twin


class ForgetfulHold:
    """Rows in a list, states nowhere."""

    def __init__(self, binding: Binding) -> None:
        self.binding = binding
        self.hasher = Hasher(b"k" * KEY_BYTES)
        self.filled = False
        self._rows: list[Entry] = []
        self._next = 0

    async def status(self) -> Status:
        states = dict.fromkeys(State, 0) | {State.READY: len(self._rows)}
        return Status(states=states, reasons={}, running=True, filled=self.filled)

    async def start_fill(self) -> None:
        self._rows.clear()

    async def fill(self, rows: Sequence[Row]) -> Sequence[Twin]:
        self._rows.extend(Entry(row.line, row.digest, None) for row in rows if row.rejected is None)
        return ()

    async def finish_fill(self, input_sha256: str, summary: Mapping[str, Any]) -> None:
        self.filled = True

    async def ready(self, after: int, limit: int) -> Sequence[Entry]:
        found = self._rows[self._next : self._next + limit]
        self._next += len(found)
        return found

    async def write(self, changes: Collection[Change], claims: Collection[Claim]) -> Collection[int]:
        return ()

    async def mark(self, lines: Collection[int] | None, word: Word) -> int:
        return 0


class ForgetfulOutbox:
    """Nothing is kept."""

    label = "nowhere"

    async def binding(self) -> Binding | None:
        return None

    async def status(self) -> Status:
        return Status(states=dict.fromkeys(State, 0), reasons={}, running=False, filled=False)

    async def records(self, states: Collection[State] | None = None) -> AsyncIterator[Record]:
        for row in ():
            yield Record(row, None, b"", State.READY, None, None, datetime.now(UTC))

    @asynccontextmanager
    async def hold(self, create: Binding | None = None) -> AsyncIterator[ForgetfulHold]:
        assert create is not None
        yield ForgetfulHold(create)

    async def purge(self) -> None:
        return None
