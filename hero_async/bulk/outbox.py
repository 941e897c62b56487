"""The durable journal of a campaign: what it must do, whatever it is built on.

An outbox holds the text, the options, the input's path and SHA-256 and, by row: line, reference, keyed hashes, state,
reason, ids and a time. No cell of the input and no message text.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import attrs
import msgspec

from hero_async.bulk.chunks import ChunkHold
from hero_async.bulk.decide import State, Word
from hero_async.bulk.errors import InputChangedError, OutboxMismatchError
from hero_async.bulk.identity import Hasher
from hero_async.bulk.rows import Channel, Route

FILL_AT_ONCE: Final = 1000
"""Rows that are validated and stored in one go."""


@attrs.frozen(kw_only=True)
class Binding:
    """What an outbox is bound to."""

    origin: str
    """Scheme, host and port of the server."""

    practice: str | None
    """The client's practice group; None where every row names its own."""

    channel: Channel
    text: str = attrs.field(repr=False)
    """The template, not a message."""

    options: str = attrs.field(repr=False)
    """Arguments of `messages.send` that are the same for all, as JSON with sorted keys."""

    allow_duplicates: bool = False
    route: Route = "personal"
    subject: str | None = attrs.field(default=None, repr=False)
    """Of the e-mail, on the batch route."""

    input_path: str | None = None
    """Where the recipients were read. Told, not compared: the same file may lie elsewhere."""

    input_sha256: str = ""
    """Of the recipients; empty until the outbox is filled."""

    def check(self, wanted: Binding) -> None:
        """Refuse another campaign. The input is compared by `check_input`.

        Raises:
            OutboxMismatchError: Names what differs, without values.
        """
        names = {
            "origin": "origin",
            "practice": "practice",
            "channel": "channel",
            "text": "text",
            "options": "options",
            "allow_duplicates": "options",
            "route": "route",
            "subject": "subject",
        }
        differs = dict.fromkeys(word for name, word in names.items() if getattr(self, name) != getattr(wanted, name))
        if differs:
            raise OutboxMismatchError(
                f"the outbox belongs to another campaign: {', '.join(differs)} differ"
                f"{'s' if len(differs) == 1 else ''}; give another outbox for another campaign",
                differs=tuple(differs),
            )

    def check_input(self, sha256: str, path: Path | None) -> None:
        """Refuse other recipients.

        Raises:
            InputChangedError: The same file, but its content has changed.
            OutboxMismatchError: Another file, with other content.
        """
        if sha256 == self.input_sha256:
            return
        if path is not None and str(path) != self.input_path:
            raise OutboxMismatchError(
                "the outbox belongs to another campaign: input differs; give another outbox for other recipients",
                differs=("input",),
            )
        raise InputChangedError(
            "the recipients have changed since the outbox was filled (SHA-256 differs); "
            "put them back, or give another outbox for the new ones"
        )

    @property
    def stem(self) -> str:
        """The name an outbox gets by default: the same campaign, the same name.

        Of the input it takes the path, not the content, and it leaves `allow_duplicates` out: a corrected file or a
        second thought must meet the outbox that knows who was sent to, and be refused, not start anew.
        """
        name = Path(self.input_path).stem if self.input_path else "recipients"
        return f"{name}-{self._digest()}.outbox"

    @property
    def tag(self) -> str:
        """What the names of a campaign's batches begin with: the same campaign and recipients, the same tag."""
        return self._digest(self.input_sha256)

    def _digest(self, *more: str) -> str:
        parts = [self.origin, self.practice, self.channel, self.text, self.options, self.input_path, *more]
        if self.route != "personal":
            parts += [self.route, self.subject]
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:12]


class Row(NamedTuple):
    """A row as it enters an outbox."""

    line: int
    reference: str | None
    digest: bytes
    """Of all cells: the row is compared with it before it is sent."""

    person: bytes | None
    """Keyed hash of the person as the input names them; unique. None: not compared."""

    patient: bytes | None
    """Keyed hash of Hero's patient id, where the input has it; unique. None: not known, or not compared."""

    rejected: str | None
    """The reason why it will not be sent, if it will not."""


class Entry(NamedTuple):
    """A row that is to be sent."""

    line: int
    digest: bytes
    patient_id: str | None
    """What registering the patient gave, in this run or an earlier one."""

    chunk: int | None = None
    """The chunk that it is in, on the batch route."""


class Change(NamedTuple):
    """A row's next state. An intent, `sending`, has neither a reason nor an id."""

    line: int
    state: State
    reason: str | None = None
    message_id: str | None = None


class Claim(NamedTuple):
    """A registered patient: kept with the row, and claimed for it if no other row has claimed the patient."""

    line: int
    patient_id: str
    patient: bytes | None


class Twin(NamedTuple):
    """A row whose person an earlier row is for."""

    line: int
    first_line: int


class Record(NamedTuple):
    """A row as it stands in the outbox."""

    line: int
    reference: str | None
    digest: bytes
    state: State
    reason: str | None
    message_id: str | None
    at: datetime
    batch_id: str | None = None
    """The batch that it went out with, on the batch route."""


@attrs.frozen(kw_only=True)
class Status:
    """Where a campaign stands."""

    states: Mapping[State, int]
    """Rows by state; every state is there."""

    reasons: Mapping[str, int]
    """Rows by reason, of those that have one and are not `ready`."""

    running: bool
    """Whether a process is sending from it at this moment. If none is, rows in `sending` are from a run that was
    cut off: the next run, or `reconcile`, makes them unknown."""

    filled: bool
    """Whether every row was validated. Nothing is sent before."""

    summary: Mapping[str, Any] = attrs.field(factory=dict[str, Any], repr=False)
    """What the first pass counted."""

    drafts: Sequence[str] = ()
    """Names of batches that may have been created and that nobody will send: the answer to the create was lost."""

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(self.states.values())

    @property
    def complete(self) -> bool:
        """Whether every row is settled: sent, rejected, or unknown."""
        return self.filled and not self.states[State.READY] and not self.states[State.SENDING]


class Hold(ChunkHold, Protocol):
    """An outbox in the hands of the one run that may send from it.

    Taking hold makes rows that a run left in `sending` unknown.
    """

    @property
    def binding(self) -> Binding:
        """What it is bound to."""
        ...

    @property
    def hasher(self) -> Hasher:
        """Makes its keyed hashes.

        Raises:
            OutboxError: The key is gone.
        """
        ...

    @property
    def filled(self) -> bool:
        """Whether it has all rows. If not, it is filled from the start."""
        ...

    async def status(self) -> Status:
        """Where the campaign stands."""
        ...

    async def start_fill(self) -> None:
        """Begin to store all rows. What a fill that was cut off has left is dropped."""
        ...

    async def fill(self, rows: Sequence[Row]) -> Sequence[Twin]:
        """Store rows. A row whose person is there already is stored as rejected and answered.

        Raises:
            InputError: A reference is there already.
        """
        ...

    async def finish_fill(self, input_sha256: str, summary: Mapping[str, Any]) -> None:
        """All rows are stored."""
        ...

    async def ready(self, after: int, limit: int) -> Sequence[Entry]:
        """The next rows that are ready, by line."""
        ...

    async def write(self, changes: Collection[Change], claims: Collection[Claim]) -> Collection[int]:
        """Make changes and claims durable, all or none: on return they survive a power cut.

        Returns:
            The lines whose patient another row has claimed. They are stored as rejected.

        Raises:
            OutboxError: Nothing was written: the disk, or a move that the rules do not allow.
        """
        ...

    async def mark(self, lines: Collection[int] | None, word: Word) -> int:
        """Settle unknown rows on a person's word; None for all of them. Gives how many.

        Raises:
            OutboxError: A line is not in the outbox, or not unknown. Nothing was changed.
        """
        ...


class Outbox(Protocol):
    """A journal somewhere, which may not exist yet."""

    @property
    def label(self) -> str:
        """How to call it before a person: the file's path."""
        ...

    async def binding(self) -> Binding | None:
        """What it is bound to; None: there is none yet."""
        ...

    async def status(self) -> Status:
        """Where the campaign stands, also while a run has hold of it."""
        ...

    def records(self, states: Collection[State] | None = None) -> AsyncIterator[Record]:
        """Its rows by line, also while a run has hold of it."""
        ...

    def hold(self, create: Binding | None = None) -> AbstractAsyncContextManager[Hold]:
        """Take hold of it.

        Args:
            create: Make it, bound so, if there is none.

        Raises:
            OutboxBusyError: Another run has hold of it.
            OutboxError: There is none, or it cannot be opened.
        """
        ...

    async def purge(self) -> None:
        """Destroy it and its key."""
        ...
