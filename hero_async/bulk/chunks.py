"""Chunks, the unit of the batch route: what an outbox keeps of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

import attrs

from hero_async.bulk.decide import State
from hero_async.bulk.decide_batch import ChunkState


@attrs.frozen
class Chunk:
    """Rows of one practice that go out as one batch."""

    id: int
    label: str
    """Part of its batch's name: "0017"; "0017.2" is the second part of it."""

    practice: str
    state: ChunkState
    revision: int = 0
    """How many names it has had for its batch; the last one is the one in use."""

    batch_id: str | None = None
    before: str | None = None
    """The batch's status when the last send was begun."""

    sends: int = 0
    """How often a send was begun."""


class Advance(NamedTuple):
    """A chunk's next state, with what is learned on the way. None leaves a value as it is."""

    chunk: int
    state: ChunkState
    reason: str | None = None
    revision: int | None = None
    batch_id: str | None = None
    before: str | None = None
    draft: str | None = None
    """The name of a draft that is left behind: it may exist, and nobody will send it."""


class Member(NamedTuple):
    """A row of a chunk, as far as its outcome needs it."""

    line: int
    reference: str | None


class Note(NamedTuple):
    """What the server showed of a recipient later. It changes no state."""

    person: bytes | None
    """Keyed hash of the NHS number; or None, and then `patient` counts."""

    patient: bytes | None
    message_id: str | None
    reason: str | None


class ChunkHold(Protocol):
    """What an outbox does for the batch route. Part of `outbox.Hold`."""

    async def form(self, practice: str, lines: Sequence[int]) -> Chunk:
        """Make a chunk of rows that are ready and in none."""
        ...

    async def chunks(self, states: Collection[ChunkState], after: int = 0, limit: int = 100) -> Sequence[Chunk]:
        """Chunks in these states, by id."""
        ...

    async def sizes(self) -> Mapping[int, int]:
        """How many ready rows each chunk has whose rows are ready."""
        ...

    async def members(self, chunk: int, state: State) -> Sequence[Member]:
        """Rows of a chunk that are in this state, by line."""
        ...

    async def advance(self, advance: Advance) -> None:
        """Move a chunk and its rows, durably.

        Raises:
            OutboxError: Nothing was written: the disk, or a move that the rules do not allow.
        """
        ...

    async def divide(
        self, advance: Advance, rejected: Mapping[int, str], parts: Sequence[Sequence[int]]
    ) -> Sequence[Chunk]:
        """Let a chunk be gone, durably: these lines are rejected, and these form the chunks in its place.

        Lines that are in neither form one more chunk, the last one.
        """
        ...

    async def note(self, chunk: int, notes: Collection[Note], *, done: bool) -> int:
        """Keep what the server showed of a chunk's rows that are sent. Gives how many rows were found.

        Args:
            chunk: The chunk.
            notes: By recipient; who is not found is left out.
            done: There is nothing more to ask.
        """
        ...

    async def drafts(self) -> Sequence[str]:
        """Names of drafts that were left behind."""
        ...
