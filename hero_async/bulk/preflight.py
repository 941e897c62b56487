"""The first pass: every row is validated and stored before anything is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final

import attrs

from hero_async.bulk.identity import Hasher
from hero_async.bulk.outbox import FILL_AT_ONCE, Hold, Row, Twin
from hero_async.bulk.plan import Plan
from hero_async.bulk.rows import BadRow, Layout, plain_name
from hero_async.bulk.segments import count_segments
from hero_async.bulk.source import Reading, close_reading
from hero_async.bulk.thread import OneThread, forget

MOST_BAD_ROWS: Final = 1000
"""Bad rows that are listed. All are counted, and all stand in the results."""


@attrs.frozen(kw_only=True)
class Preflight:
    """What the first pass found. Nothing was sent."""

    rows: int
    """All rows, blank lines not counted."""

    good: int
    """Rows that are to be sent."""

    rules: Mapping[str, int]
    """Bad rows by the rule they break, duplicates included."""

    messages: Mapping[str, int]
    """Good rows by practice group."""

    segments: int | None = None
    """SMS segments in all; None for another channel, or when they were not counted."""

    bad: Sequence[BadRow] = attrs.field(default=(), repr=False)
    """The first thousand bad rows, by line. Empty when the outbox was filled by an earlier run."""

    resumed: bool = False
    """Whether the outbox was there already: the figures are of its first pass, also for rows sent since."""

    @property
    def bad_rows(self) -> int:
        """How many rows will not be sent."""
        return self.rows - self.good

    @property
    def duplicates(self) -> int:
        """How many of them are for a person of an earlier row."""
        return self.rules.get("duplicate_person", 0)

    def summary(self) -> dict[str, Any]:
        """The figures, to be kept in the outbox. No row is in it."""
        return {
            "rows": self.rows,
            "good": self.good,
            "rules": dict(self.rules),
            "messages": dict(self.messages),
            "segments": self.segments,
        }

    @classmethod
    def of_summary(cls, summary: Mapping[str, Any]) -> Preflight:
        """From what an outbox kept."""
        return cls(**summary, resumed=True)


class _Chunk:
    """Some rows, as the reading thread found them."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.bad: list[BadRow] = []
        self.costs: dict[int, tuple[str, int]] = {}
        """Practice and segments of the good ones, by line."""


class _Count:
    """The figures as they grow."""

    def __init__(self) -> None:
        self.rows = 0
        self.rules: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self.segments = 0
        self.bad: list[BadRow] = []

    def add(self, chunk: _Chunk, twins: Sequence[Twin]) -> None:
        self.rows += len(chunk.rows)
        found = chunk.bad
        if twins:
            found = found + [BadRow(line, "duplicate_person", first_line=first) for line, first in twins]
            found.sort(key=lambda bad: bad.line)
            for twin in twins:
                del chunk.costs[twin.line]
        self.rules.update(bad.rule for bad in found)
        self.bad += found[: MOST_BAD_ROWS - len(self.bad)]
        for practice, segments in chunk.costs.values():
            self.messages[practice] += 1
            self.segments += segments


class CutShortError(Exception):
    """A first pass ended early, because it was asked to."""


class FirstPass:
    """Reads, validates and stores all rows. Holds one chunk in memory.

    Args:
        plan: The campaign.
        practice: The client's practice group.
        count_sms: Whether to count SMS segments too, which needs the extra `cli`.
    """

    def __init__(self, plan: Plan, practice: str, *, count_sms: bool) -> None:
        self._plan = plan
        self._practice = practice
        self._count_sms = count_sms and plan.channel == "sms"
        self._count = _Count()

    async def run(self, hold: Hold, thread: OneThread, *, stopped: Callable[[], bool] = bool) -> Preflight:
        """Fill an outbox.

        Args:
            hold: The outbox.
            thread: The thread that reads.
            stopped: Asked after each chunk.

        Raises:
            CutShortError: `stopped` said so. The outbox stays unfilled.
            InputError: The recipients as a whole cannot be used. The outbox stays unfilled.
        """
        await hold.start_fill()
        reading = await thread.acquire(self._plan.source.open, close_reading)
        try:
            layout = self._plan.layout(reading, self._practice)
            if self._count_sms:
                count_segments("")  # says now, not after a million rows, that its package is missing
            chunks = self._chunks(reading, layout, hold.hasher)
            coming = thread.begin(partial(next, chunks, None))
            while (chunk := await coming) is not None:
                coming = thread.begin(partial(next, chunks, None))  # while this one is stored
                try:
                    if stopped():
                        await thread.run(reading.close)  # the run ends now, and its loop perhaps too
                        raise CutShortError
                    self._count.add(chunk, await hold.fill(chunk.rows))
                except BaseException:
                    forget(coming)
                    raise
            found = self._found()
            await hold.finish_fill(reading.sha256(), found.summary())
        finally:
            forget(thread.begin(reading.close))  # behind a chunk that nobody waits for
        return found

    def _chunks(self, reading: Reading, layout: Layout, hasher: Hasher) -> Iterator[_Chunk]:
        reference_at = reference_place(reading.columns, self._plan.source.required)
        rows = iter(reading)
        while part := list(islice(rows, FILL_AT_ONCE)):
            chunk = _Chunk()
            for line, cells in part:
                chunk.rows.append(self._row(line, cells, layout, hasher, reference_at, chunk))
            yield chunk

    def _row(
        self,
        line: int,
        cells: Sequence[str],
        layout: Layout,
        hasher: Hasher,
        reference_at: int | None,
        chunk: _Chunk,
    ) -> Row:
        digest = hasher.row(cells)
        reference = None if reference_at is None else cells[reference_at].strip() or None
        who = layout.read(line, cells)
        if isinstance(who, BadRow) or (reference_at is not None and reference is None):
            bad = who if isinstance(who, BadRow) else BadRow(line, "reference_missing")
            chunk.bad.append(bad)
            return Row(line, reference, digest, None, None, bad.reason)
        chunk.costs[line] = (who.practice, count_segments(layout.render(cells)) if self._count_sms else 0)
        if self._plan.allow_duplicates:
            return Row(line, reference, digest, None, None, None)
        person = hasher.person(who.practice, *who.marks) if who.marks else None
        patient = hasher.patient(who.practice, who.patient_id) if who.patient_id else None
        return Row(line, reference, digest, person, patient, None)

    def _found(self) -> Preflight:
        count = self._count
        return Preflight(
            rows=count.rows,
            good=count.messages.total(),
            rules=dict(count.rules),
            messages=dict(count.messages),
            segments=count.segments if self._count_sms else None,
            bad=tuple(count.bad),
        )


def reference_place(columns: Sequence[str], required: Sequence[str]) -> int | None:
    """The column of the rows' own references; None for a file, whose rows go by line."""
    return [plain_name(column) for column in columns].index("reference") if "reference" in required else None
