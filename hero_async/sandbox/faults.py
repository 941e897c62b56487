"""What goes wrong, on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from random import Random

import attrs


@attrs.frozen
class Delay:
    """Holds the request or the answer back, on the sandbox's clock."""

    seconds: float
    after_processing: bool = False


@attrs.frozen
class Reset:
    """Resets the connection (TCP RST) before any status line."""

    after_processing: bool


@attrs.frozen
class CutBody:
    """Processes, promises the whole body by content-length, and closes after `keep_bytes` of it."""

    keep_bytes: int = attrs.field(validator=attrs.validators.ge(0))


@attrs.frozen
class SlowDrip:
    """Processes, sends the headers, and lets the body out slowly, on the sandbox's clock."""

    bytes_per_second: float = attrs.field(validator=attrs.validators.gt(0))


@attrs.frozen
class Status:
    """Answers another status."""

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    body: bytes = b""
    after_processing: bool = False


@attrs.frozen
class RateLimited:
    """Answers 429 without processing.

    `retry_after` is the header as sent: seconds, or any text such as an HTTP date; None leaves it out.
    """

    retry_after: float | str | None = None


@attrs.frozen
class Garbage:
    """Processes, and answers 200 with a body that says JSON and is none."""


Fault = Delay | Reset | CutBody | SlowDrip | Status | RateLimited | Garbage

ANY = "*"


class FaultRule:
    """One fault that waits for its requests. Made by `Faults.add`."""

    def __init__(
        self,
        operation: str,
        fault: Fault,
        *,
        times: int | None,
        probability: float,
        after: int,
        practice_group: str | None,
        forget: Callable[[FaultRule], None],
    ) -> None:
        self.operation = operation
        self.fault = fault
        self.fired: int = 0
        """How often it struck."""

        self._times = times
        self._probability = probability
        self._skip = after
        self._practice_group = practice_group
        self._forget = forget

    def remove(self) -> None:
        """Let it strike no more."""
        self._forget(self)

    def strikes(self, operation: str, practice_group: str, chance: Random) -> bool:
        """Whether this request is hit. Counts it."""
        if self.operation not in (ANY, operation) or self._practice_group not in (None, practice_group):
            return False
        if self._skip:
            self._skip -= 1
            return False
        if self._probability < 1 and chance.random() >= self._probability:
            return False
        self.fired += 1
        if self.fired == self._times:
            self.remove()
        return True

    def __repr__(self) -> str:
        return f"FaultRule({self.operation!r}, {type(self.fault).__name__}, fired={self.fired})"


class Faults:
    """The rules in force, in the order they were added. Can be changed from any thread.

    A request meets them in that order: delays add up, and the first other fault that strikes is the last one
    asked, so that rules behind it do not count this request.
    """

    def __init__(self, seed: int, operations: Callable[[], frozenset[str]]) -> None:
        self._chance = Random(f"faults {seed}")
        self._operations = operations
        self._lock = threading.Lock()
        self._rules: tuple[FaultRule, ...] = ()

    def add(
        self,
        operation: str,
        fault: Fault,
        *,
        times: int | None = 1,
        probability: float = 1.0,
        after: int = 0,
        practice_group: str | None = None,
    ) -> FaultRule:
        """Let a fault strike.

        Args:
            operation: Its name, such as "messages.send", or "*" for every request.
            fault: What happens.
            times: How often at most; None for no limit.
            probability: Of striking a request that fits, drawn from the sandbox's seed.
            after: So many requests that fit pass first.
            practice_group: Only requests of this practice group.

        Raises:
            ValueError: There is no such operation, or a number is out of its range.
        """
        if operation != ANY and operation not in self._operations():
            raise ValueError(f'no operation is called {operation!r}: "messages.send" is one, "*" is all')
        if times is not None and times < 1:
            raise ValueError("times must be 1 or more, or None for no limit")
        if not 0 <= probability <= 1:
            raise ValueError("probability must be from 0 to 1")
        if after < 0:
            raise ValueError("after must be 0 or more")
        rule = FaultRule(
            operation,
            fault,
            times=times,
            probability=probability,
            after=after,
            practice_group=practice_group,
            forget=self._forget,
        )
        with self._lock:
            self._rules = (*self._rules, rule)
        return rule

    def clear(self) -> None:
        """Remove every rule."""
        with self._lock:
            self._rules = ()

    def strike(self, operation: str, practice_group: str) -> tuple[Fault, ...]:
        """What hits this request: delays, then at most one other fault."""
        hits: list[Fault] = []
        for rule in self._rules:
            if rule.strikes(operation, practice_group, self._chance):
                hits.append(rule.fault)
                if not isinstance(rule.fault, Delay):
                    break
        return tuple(hits)

    def _forget(self, gone: FaultRule) -> None:
        with self._lock:
            self._rules = tuple(rule for rule in self._rules if rule is not gone)

    def __repr__(self) -> str:
        return f"Faults({', '.join(map(repr, self._rules))})"
