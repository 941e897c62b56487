"""What an error shows of values: in its text, its pickle, its chain, and the locals of our frames."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.traceback import Traceback

import hero_async
import hero_sync
from hero_async import HeroError

OURS = tuple(str(Path(module.__file__).parent) for module in (hero_async, hero_sync))


def locals_of(error: BaseException | None) -> list[str]:
    """What a tool that prints locals shows of our frames, for the error and all behind it."""
    texts: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename.startswith(OURS):
                place = f"{Path(frame.f_code.co_filename).name} {frame.f_code.co_qualname}"
                texts += [f"{place}: {name}={value!r}" for name, value in frame.f_locals.items()]
        error = error.__cause__ or error.__context__
    return texts


class Watch:
    """Looks for canaries: values that must be shown nowhere."""

    def __init__(self, canaries: Iterable[str]) -> None:
        self.canaries = tuple(canaries)

    def found_in(self, text: str) -> list[str]:
        """The canaries that a text shows."""
        return [canary for canary in self.canaries if canary in text]

    def check(self, error: BaseException) -> None:
        """The error, its notes, its pickle, its chain and its locals show nothing."""
        told = "".join(traceback.format_exception(error)) + repr(error) + str(error)
        lines = [line for line in told.splitlines() if "hero_async" in line or "Error" in line]
        assert not self.found_in("\n".join(lines))
        if isinstance(error, HeroError):
            assert error.__cause__ is None
            assert not self.found_in(repr(pickle.dumps(error)))
            assert not self.found_in(repr(pickle.loads(pickle.dumps(error)).__dict__))  # noqa: S301  # our own
        shown = [text.partition("=")[0] for text in locals_of(error) if self.found_in(text)]
        assert shown == [], shown

    def shown_by_rich(self, error: BaseException) -> list[str]:
        """The locals as rich prints them: it looks into containers and attrs classes by itself, whatever their repr."""
        console = Console(width=1000)
        trace = Traceback.extract(
            type(error),
            error,
            error.__traceback__,
            show_locals=True,
            locals_max_length=10_000,
            locals_max_string=100_000,
        )
        texts: list[str] = []
        for stack in trace.stacks:
            for frame in stack.frames:
                if frame.filename.startswith(OURS):
                    for name, node in (frame.locals or {}).items():
                        with console.capture() as capture:
                            console.print(node.render(), markup=False, highlight=False)
                        texts.append(f"{Path(frame.filename).name} {frame.name}: {name}={capture.get()}")
        return texts
