"""Lists for blocking code: one hop to the loop a page."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Iterator
from typing import Any, Generic, TypeVar

from hero_async.pages import Page, Pages
from hero_sync.loop import generation, post

T = TypeVar("T")
Run = Callable[..., Any]


class SyncPages(Generic[T]):
    """A list on the server: nothing is sent until you ask for a page or iterate over it.

    `.first()` gives the first page, `for` the items, `.pages()` the pages, `.collect()` a list. One page is held in
    memory, the next is fetched ahead.
    """

    __slots__ = ("_pages", "_run")

    def __init__(self, pages: Pages[T], run: Run) -> None:
        self._pages = pages
        self._run = run

    def __repr__(self) -> str:
        return "SyncPages(***)"

    def first(self) -> Page[T]:
        """The first page, or the one at the given `page_index`."""
        page: Page[T] = self._run(self._pages.first)
        return page

    def pages(self) -> Generator[Page[T], None, None]:
        """Every page that holds items."""
        pager = self._pages.pager()
        born = generation()
        try:
            while (page := self._step(pager.advance)) is not None:
                yield page
                if born != generation():
                    raise RuntimeError("a list that was begun before a fork cannot go on after it: begin it anew")
        finally:
            # Not waited for: a walk that was left half-way may be collected on any thread, or at exit.
            if pager.is_open and born == generation():
                post(pager.close)

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.data

    def collect(self, *, limit: int | None = None) -> list[T]:
        """All items, or the first `limit` of them, as a list. Stops asking when it has enough."""
        items: list[T] = self._run(lambda: self._pages.collect(limit=limit))
        return items

    def _step(self, advance: Callable[[], Coroutine[Any, Any, Page[T] | None]]) -> Page[T] | None:
        page: Page[T] | None = self._run(advance)
        return page
