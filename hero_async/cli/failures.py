"""Whatever went wrong, as one line and an exit code."""

from __future__ import annotations

import sys
import traceback
from enum import IntEnum
from typing import TYPE_CHECKING

import attrs
from cyclopts.exceptions import ArgumentOrderError, CycloptsError, UnusedCliTokensError

from hero_async.cli import output
from hero_async.delivery import Delivery
from hero_async.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    HeroError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ResponseDecodeError,
    ResponseTooLargeError,
    UnprocessableEntityError,
)

if TYPE_CHECKING:
    from hero_async.bulk.errors import CampaignError


class Exit(IntEnum):
    """What the process ends with."""

    OK = 0
    SOME = 1
    """Some rows were rejected, are unknown or were not sent; or the API answered with an error."""

    USAGE = 2
    """Usage, configuration, or an input that cannot be used as a whole."""

    INTERRUPTED = 130
    """Stopped by Ctrl-C or SIGTERM; a campaign can be resumed."""


class UsageError(Exception):
    """What was asked for cannot be done. The text names the argument and the rule."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@attrs.frozen
class Told:
    """A failure, for people and for the shell."""

    message: str
    hint: str | None
    code: Exit


_SETTINGS_HINTS = {
    "api_key: is missing": "--api-key-file FILE; 'hero demo' needs no key",
    "practice_group_id: is missing": "--practice-group ID",
    "environment: is missing": "--environment staging, or --base-url URL",
    "": "'hero config show' tells where each setting comes from",
}
_HINTS: dict[type[HeroError], str] = {
    BadRequestError: "the server found these arguments wrong: 'hero call OPERATION --help' shows what they take",
    AuthenticationError: "the key was not accepted: is it of this environment? 'hero doctor'",
    PermissionDeniedError: "the key may not do this, or not for this practice group: 'hero doctor'",
    NotFoundError: "there is no such thing, or not for this practice group",
    ConflictError: "it is in another state: look at it first",
    UnprocessableEntityError: "it was understood, but refused: look at the arguments",
    RateLimitError: "too many requests for this practice group: try again later, or slower (HERO_RATE_LIMIT)",
    ResponseDecodeError: "it was processed; only the answer cannot be read, so do not repeat it",
    ResponseTooLargeError: "ask for less at once (--page-size), or set HERO_MAX_RESPONSE_BYTES",
    APITimeoutError: "nothing was processed; --timeout allows more time",
    APIConnectionError: "nothing was processed: is the address right, and can it be reached? 'hero doctor'",
    APIStatusError: "it was refused: 'hero doctor' tells whether address and key are right",
}
"""What to do next, by the first class that fits; where it is not in doubt whether it was processed."""

_WHOLE = frozenset({"http_401", "http_403", "http_404", "not_possible"})


def tell(error: BaseException) -> Told:
    """What to say of an error, and how to end."""
    if isinstance(error, UsageError):
        return Told(str(error), error.hint, Exit.USAGE)
    if isinstance(error, CycloptsError):
        return Told(_of_words(error), "'hero --help', or --help after a command", Exit.USAGE)
    from hero_async.bulk.errors import CampaignError  # here: it brings all of bulk along

    if isinstance(error, CampaignError):
        return _of_campaign(error)
    if isinstance(error, ConfigurationError):
        hint = next(hint for start, hint in _SETTINGS_HINTS.items() if str(error).startswith(start))
        return Told(str(error), hint, Exit.USAGE)
    if isinstance(error, InvalidArgumentError):
        return Told(
            str(error), "nothing was sent; 'hero call OPERATION --help' shows what an argument takes", Exit.USAGE
        )
    if isinstance(error, HeroError):
        return Told(str(error), _of_call(error), Exit.SOME)
    if isinstance(error, OSError):
        name = f"{error.filename}: " if isinstance(error.filename, str) else ""
        return Told(f"{name}{error.strerror or type(error).__name__}", None, Exit.USAGE)
    # A fault of ours. Its text may hold anything, so only its type is told.
    return Told(f"unexpected {type(error).__name__}", "--debug shows where", Exit.SOME)


def _of_words(error: CycloptsError) -> str:
    """cyclopts' words, save those that would quote a text with a forgotten quotation mark."""
    if isinstance(error, UnusedCliTokensError | ArgumentOrderError):
        return "there are more words than the command takes; a text with spaces needs quotes around it"
    error.verbose = False
    return str(error)


def _of_campaign(error: CampaignError) -> Told:
    from hero_async.bulk.errors import CampaignStoppedError, OutboxMismatchError

    if isinstance(error, OutboxMismatchError) and {"origin", "practice"} & {*error.differs}:
        return Told(str(error), "'hero status OUTBOX' shows for whom it was made", Exit.USAGE)
    if isinstance(error, CampaignStoppedError):
        if error.reason in _WHOLE:
            return Told(str(error), "check the key, the practice group and the environment", Exit.USAGE)
        return Told(str(error), None, Exit.SOME)
    return Told(str(error), None, Exit.USAGE)


def _of_call(error: HeroError) -> str | None:
    if error.delivery is Delivery.UNKNOWN:
        return "it may have been processed: look before you repeat it"
    if error.delivery is Delivery.YES and isinstance(error, APIConnectionError):
        return "it was processed; only the answer is lost, so do not repeat it"
    return next((hint for kind, hint in _HINTS.items() if isinstance(error, kind)), None)


def report(error: BaseException, *, debug: bool) -> Exit:
    """Say what went wrong and give the exit code."""
    told = tell(error)
    if debug:
        trace(error)
    output.fail(told.message, told.hint)
    return told.code


def trace(error: BaseException | None) -> None:
    """Where it happened, without what others' exceptions say: they quote values."""
    while error is not None:
        sys.stderr.write("".join(traceback.format_tb(error.__traceback__)))
        said = f": {error}" if isinstance(error, HeroError | UsageError) else ""
        sys.stderr.write(f"{type(error).__module__}.{type(error).__qualname__}{said}\n")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if error is not None:
            sys.stderr.write("\nwhich followed on:\n\n")
