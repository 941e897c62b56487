"""The first pass: every row is validated and stored before anything is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import attrs

from hero_async.bulk.identity import Hasher
from hero_async.bulk.outbox import FILL_AT_ONCE, Hold, Row
from hero_async.bulk.plan import Plan
from hero_async.bulk.rows import BadRow, Layout, plain_name
from hero_async.bulk.segments import count_segments
from hero_async.bulk.source import Reading, close_reading
from hero_async.bulk.thread import OneThread

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


class _Count:
    """The figures as they grow."""

    def __init__(self) -> None:
        self.rows = 0
        self.rules: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self.segments = 0
        self.bad: list[BadRow] = []

    def reject(self, bad: BadRow) -> None:
        self.rules[bad.rule] += 1
        if len(self.bad) < MOST_BAD_ROWS:
            self.bad.append(bad)


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

    async def run(self, hold: Hold, thread: OneThread) -> Preflight:
        """Fill an outbox.

        Raises:
            InputError: The recipients as a whole cannot be used. The outbox stays unfilled.
        """
        await hold.start_fill()
        reading = await thread.acquire(self._plan.source.open, close_reading)
        try:
            layout = self._plan.layout(reading, self._practice)
            if self._count_sms:
                count_segments("")  # says now, not after a million rows, that its package is missing
            chunks = self._chunks(reading, layout, hold.hasher)
            while (chunk := await thread.run(next, chunks, None)) is not None:
                rows, costs = chunk
                twins = await hold.fill(rows)
                for twin in twins:
                    self._count.reject(BadRow(twin.line, "duplicate_person", first_line=twin.first_line))
                gone = {twin.line for twin in twins}
                for line, (practice, segments) in costs.items():
                    if line not in gone:
                        self._count.messages[practice] += 1
                        self._count.segments += segments
            found = self._found()
            await hold.finish_fill(reading.sha256(), found.summary())
        finally:
            reading.close()
        return found

    def _chunks(
        self, reading: Reading, layout: Layout, hasher: Hasher
    ) -> Iterator[tuple[list[Row], dict[int, tuple[str, int]]]]:
        reference_at = reference_place(reading.columns, self._plan.source.required)
        rows = iter(reading)
        while part := list(islice(rows, FILL_AT_ONCE)):
            costs: dict[int, tuple[str, int]] = {}
            yield [self._row(line, cells, layout, hasher, reference_at, costs) for line, cells in part], costs

    def _row(
        self,
        line: int,
        cells: Sequence[str],
        layout: Layout,
        hasher: Hasher,
        reference_at: int | None,
        costs: dict[int, tuple[str, int]],
    ) -> Row:
        self._count.rows += 1
        digest = hasher.row(cells)
        reference = None if reference_at is None else cells[reference_at].strip() or None
        who = layout.read(line, cells)
        if isinstance(who, BadRow) or (reference_at is not None and reference is None):
            bad = who if isinstance(who, BadRow) else BadRow(line, "reference_missing")
            self._count.reject(bad)
            return Row(line, reference, digest, None, None, bad.reason)
        costs[line] = (who.practice, count_segments(layout.render(cells)) if self._count_sms else 0)
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
            bad=tuple(sorted(count.bad, key=lambda bad: bad.line)),
        )


def reference_place(columns: Sequence[str], required: Sequence[str]) -> int | None:
    """The column of the rows' own references; None for a file, whose rows go by line."""
    return [plain_name(column) for column in columns].index("reference") if "reference" in required else None
