"""Keeps what holds patients or keys from tools that look into attrs classes by themselves, as rich does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def _nothing(self: object) -> Iterator[Any]:
    return iter(())


def hidden(cls: type[T]) -> type[T]:
    """Show none of the fields to rich. The class's own repr is what others see."""
    cls.__rich_repr__ = _nothing  # type: ignore[attr-defined]  # rich's protocol  # pyright: ignore
    return cls
