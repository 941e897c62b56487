"""Lists, page by page.

The reference does not say whether pages count from 0 or from 1, nor what `count` counts. So the first request
leaves `page_index` out and the next asks for page 1. If that answers just what the first did, the server counts
from 1 and page 2 follows; if that is the same again, the server does not page, and its items are given once.
An empty page ends the list; `count` is never trusted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any, Generic, TypeVar

import attrs

from hero_async.hiding import hidden

T = TypeVar("T")
Fetch = Callable[[int | None], Awaitable["Page[T]"]]


@attrs.frozen(kw_only=True, repr=False)
class Page(Generic[T]):
    """One page of a list."""

    data: tuple[T, ...]
    """The items."""

    count: float | None = None
    """What the server counts: not confirmed whether of this page or in all. The SDK does not use it."""

    page_index: int | None = None
    """The index that was asked for; None when it was left to the server."""

    def __repr__(self) -> str:
        return f"Page({len(self.data)} items, page_index={self.page_index})"

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Generator[T, None, None]:
        yield from self.data


class Pager(Generic[T]):
    """Walks through the pages: `await advance()` gives the next one or None. Both worlds step it.

    The page after is fetched ahead while the caller works on this one.
    """

    __slots__ = ("_ahead", "_fetch", "_first", "_index", "_last", "_paged", "_probing")

    def __init__(self, fetch: Fetch[T], start: int | None, *, paged: bool) -> None:
        self._fetch = fetch
        self._index = start
        self._paged = paged
        self._probing = not start  # page 0 may be page 1 to a server that counts from 1
        self._first = True
        self._last: Page[T] | None = None
        self._ahead: asyncio.Task[Page[T] | None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether a page is being fetched ahead."""
        return self._ahead is not None

    async def advance(self) -> Page[T] | None:
        """The next page, or None at the end."""
        if self._ahead is None:
            page = await self._next()
        else:
            try:
                page = await self._ahead
            finally:
                await self.close()
        if page is None or not self._paged:
            self._paged = False
            return page
        self._ahead = asyncio.get_running_loop().create_task(self._next())
        return page

    async def _next(self) -> Page[T] | None:
        if self._first:
            self._first = False
            page = await self._get(self._index)
        elif not self._paged:
            return None
        else:
            self._index = 1 if self._index is None else self._index + 1
            page = await self._get(self._index)
            if self._probing and self._last is not None and page.data == self._last.data:
                self._index = 2  # it counts from 1: what we have is page 1
                page = await self._get(self._index)
            self._probing = False
            if self._last is not None and page.data == self._last.data:
                return None  # it does not page, or repeats its last page for ever
        if not page.data:
            return None
        self._last = page
        return page

    async def _get(self, index: int | None) -> Page[T]:
        return attrs.evolve(await self._fetch(index), page_index=index)

    async def close(self) -> None:
        """Drop what is fetched ahead."""
        task, self._ahead = self._ahead, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task])
        if task is not None and not task.cancelled():
            task.exception()  # looked at, so that it is not reported as forgotten


@hidden
@attrs.frozen(repr=False)
class Pages(Generic[T]):
    """A list on the server: nothing is sent until you await it or iterate over it.

    `await pages` gives the first page, `async for` the items, `.pages()` the pages, `.collect()` a list.
    One page is held in memory, the next is fetched ahead.
    """

    _fetch: Fetch[T]
    _start: int | None
    _paged: bool

    def __repr__(self) -> str:
        return "Pages(***)"

    def __await__(self) -> Generator[Any, None, Page[T]]:
        return self.first().__await__()

    async def first(self) -> Page[T]:
        """The first page, or the one at the given `page_index`."""
        return attrs.evolve(await self._fetch(self._start), page_index=self._start)

    def pager(self) -> Pager[T]:
        """A walk of its own through the pages."""
        return Pager(self._fetch, self._start, paged=self._paged)

    async def pages(self) -> AsyncIterator[Page[T]]:
        """Every page that holds items."""
        pager = self.pager()
        try:
            while (page := await pager.advance()) is not None:
                yield page
        finally:
            await pager.close()

    async def __aiter__(self) -> AsyncIterator[T]:
        pager = self.pager()
        try:
            while (page := await pager.advance()) is not None:
                for item in page.data:
                    yield item
        finally:
            await pager.close()

    async def collect(self, *, limit: int | None = None) -> list[T]:
        """All items, or the first `limit` of them, as a list. Stops asking when it has enough."""
        items: list[T] = []
        pager = self.pager()
        try:
            while (limit is None or len(items) < limit) and (page := await pager.advance()) is not None:
                items.extend(page.data)
        finally:
            await pager.close()
        return items if limit is None else items[:limit]
