"""What can go wrong with a campaign as a whole, as a tree. A single bad row is a `BadRow`, not an error.

    CampaignError
    ├── InputError               the recipients or the text cannot be used as they are
    │   └── InputChangedError    they are not the ones that the outbox was filled from
    ├── MissingExtraError        an optional package is needed
    ├── OutboxError              the outbox cannot be used: disk, permissions, not an outbox, no such row
    │   ├── OutboxMismatchError  it belongs to another campaign
    │   └── OutboxBusyError      another process is sending from it
    └── CampaignStoppedError     the server refuses the key, the practice or the route; every open row is `ready`

No text holds a value of a row: lines, columns and rules only.
"""

from __future__ import annotations

from hero_async.errors import HeroError


class CampaignError(HeroError):
    """Any error of a campaign. Like every HeroError it pickles and quotes no value."""


class InputError(CampaignError):
    """The recipients or the text cannot be used as they are. Nothing was sent."""

    line: int | None = None
    """The line of the file, from 1, where one is to blame."""

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line


class InputChangedError(InputError):
    """The recipients are not the ones that the outbox was filled from."""


class MissingExtraError(CampaignError):
    """An optional package is needed. The text names the extra that brings it."""


class OutboxError(CampaignError):
    """The outbox cannot be used. What it holds is as it was committed last."""


class OutboxMismatchError(OutboxError):
    """The outbox belongs to another campaign."""

    differs: tuple[str, ...] = ()
    """What differs: "origin", "practice", "channel", "text", "options", "route", "subject", "input"."""

    def __init__(self, message: str, *, differs: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.differs = differs


class OutboxBusyError(OutboxError):
    """Another process, or another run in this one, is sending from the outbox."""


class CampaignStoppedError(CampaignError):
    """The campaign was stopped because every further row would have fared the same.

    Rows that are not settled are `ready`: mend the cause and run the same campaign again.
    """

    reason: str = ""
    """A code, such as "http_401" or "unreachable"."""

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason
