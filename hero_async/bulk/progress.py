"""How a campaign is doing, for the eye: counts that can be read at any time, and what became of single rows."""

from __future__ import annotations

from datetime import datetime

import attrs

from hero_async import clock
from hero_async.bulk.decide import State


@attrs.frozen
class Outcome:
    """What became of a row. Its repr shows no reference: that is yours and may say who the patient is."""

    line: int
    """The line of the file where the row starts, from 1; of other recipients, the position."""

    state: State
    reason: str | None = None
    """A code: why it was rejected, why nobody knows."""

    message_id: str | None = None
    """Hero's id of the message; None on the batch route, until it was collected."""

    reference: str | None = attrs.field(default=None, repr=False)
    """Your reference; None for a file."""

    batch_id: str | None = None
    """Hero's id of the batch, on the batch route."""


@attrs.define
class Progress:
    """Counts of this moment. Rows of earlier runs are counted too."""

    total: int = 0
    ready: int = 0
    sending: int = 0
    """Under way at this moment."""

    sent: int = 0
    rejected: int = 0
    unknown: int = 0
    repeated: int = 0
    """Attempts of this run that were refused for now and made again."""

    settled: int = 0
    """Rows that this run settled."""

    started_at: float | None = None
    """On `clock.monotonic`; None before the first row."""

    stopped_at: float | None = None
    opens_at: datetime | None = None
    """When sending goes on, UTC, while it waits for the hours in which patients may be written to."""

    @property
    def elapsed(self) -> float:
        """Seconds of sending."""
        if self.started_at is None:
            return 0.0
        return (clock.monotonic() if self.stopped_at is None else self.stopped_at) - self.started_at

    @property
    def rate(self) -> float:
        """Rows settled a second, over the whole run."""
        return self.settled / self.elapsed if self.elapsed > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Until all is settled at this rate; None while there is no rate."""
        return (self.ready + self.sending) / self.rate if self.rate > 0 else None

    def settle(self, state: State, rows: int = 1) -> None:
        """So many rows were settled alike."""
        self.settled += rows
        match state:
            case State.SENT:
                self.sent += rows
            case State.REJECTED:
                self.rejected += rows
            case State.UNKNOWN:
                self.unknown += rows
            case State.READY | State.SENDING:
                raise ValueError(f"{state} is not settled")
