"""What came of one call, as far as the rules of a campaign need it."""

from __future__ import annotations

from typing import Final

import attrs

from hero_async.bulk import decide
from hero_async.bulk.decide import Answer
from hero_async.bulk.decide_batch import paths_of
from hero_async.errors import HeroError, RateLimitError


@attrs.frozen
class Heard:
    """What came of one call."""

    answer: Answer
    reason: str | None = None
    retry_after: float | None = None
    words: str = ""
    paths: tuple[tuple[str | int, ...], ...] = attrs.field(default=(), repr=False)
    """Where the server found faults, if that was asked for."""


ACCEPTED: Final = Heard(Answer.ACCEPTED)


def hear(error: HeroError, *, paths: bool = False) -> Heard:
    """What an error of a call shows."""
    after = error.retry_after if isinstance(error, RateLimitError) else None
    words = f"{error.operation or 'a call'}: {error.args[0]}"
    return Heard(decide.read_error(error), decide.reason_of(error), after, words, paths_of(error) if paths else ())
