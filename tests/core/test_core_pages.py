"""Lists, page by page, from servers that count from 0, from 1, or not at all; nothing is sent that is not needed."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from hero_async import AsyncHero, Page, Pages
from hero_async.transport import Attempt, Reply

pytestmark = pytest.mark.anyio

ITEMS = tuple(range(10))
Answer = Callable[[int | None], Sequence[int]]


class Server:
    """A list on a server that only a fetch can see."""

    def __init__(self, answer: Answer, *, count: float | None = None, fail_at: int | None = None) -> None:
        self.answer = answer
        self.count = count
        self.fail_at = fail_at
        self.asked: list[int | None] = []
        self.finished = 0

    async def fetch(self, index: int | None) -> Page[int]:
        self.asked.append(index)
        number = len(self.asked)
        await asyncio.sleep(0)
        if number == self.fail_at:
            raise ConnectionError("lost")
        self.finished += 1
        return Page(data=tuple(self.answer(index)), count=self.count)

    def pages(self, start: int | None = None, *, paged: bool = True) -> Pages[int]:
        return Pages(self.fetch, start, paged)


def cut(index: int, size: int = 4) -> Sequence[int]:
    """A page of `ITEMS`, counted from zero: 4, 4, 2, and then nothing."""
    return ITEMS[index * size : (index + 1) * size] if index >= 0 else ()


def from_zero(index: int | None) -> Sequence[int]:
    return cut(index or 0)


def from_one(index: int | None) -> Sequence[int]:
    return cut((1 if index is None else index) - 1)


def from_one_and_zero_is_the_first(index: int | None) -> Sequence[int]:
    return cut(max(index or 1, 1) - 1)


def unpaged(index: int | None) -> Sequence[int]:
    return ITEMS


def last_for_ever(index: int | None) -> Sequence[int]:
    return cut(min(index or 0, 2))


def from_one_and_last_for_ever(index: int | None) -> Sequence[int]:
    return cut(min((1 if index is None else index) - 1, 2))


async def no_task_is_left() -> None:
    """Let what was cancelled unwind, then look. The test runner has tasks of its own."""
    for _ in range(10):
        await asyncio.sleep(0)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert [task for task in others if "TestRunner." not in repr(task)] == []


SERVERS: list[tuple[Answer, list[int | None]]] = [
    (from_zero, [None, 1, 2, 3]),
    (from_one, [None, 1, 2, 3, 4]),
    (from_one_and_zero_is_the_first, [None, 1, 2, 3, 4]),
    (unpaged, [None, 1, 2]),
    (last_for_ever, [None, 1, 2, 3]),
    (from_one_and_last_for_ever, [None, 1, 2, 3, 4]),
]


@pytest.mark.parametrize(("answer", "asked"), SERVERS)
@pytest.mark.parametrize("count", [None, 0, 3, 10, 10**9, -1])
async def test_every_item_once_however_the_server_counts(
    answer: Answer, asked: list[int | None], count: float | None
) -> None:
    server = Server(answer, count=count)
    assert [item async for item in server.pages()] == list(ITEMS)
    assert server.asked == asked
    await no_task_is_left()


@pytest.mark.parametrize(("answer", "asked"), SERVERS)
async def test_pages_and_collect_give_the_same(answer: Answer, asked: list[int | None]) -> None:
    server = Server(answer)
    assert [item async for page in server.pages().pages() for item in page] == list(ITEMS)
    assert await server.pages().collect() == list(ITEMS)
    assert server.asked == asked * 2
    await no_task_is_left()


async def test_a_page_tells_the_index_that_was_asked_for() -> None:
    server = Server(from_one)
    pages = [page async for page in server.pages().pages()]
    assert [(page.page_index, page.data) for page in pages] == [
        (None, (0, 1, 2, 3)),
        (2, (4, 5, 6, 7)),
        (3, (8, 9)),
    ]
    assert [len(page) for page in pages] == [4, 4, 2]
    assert repr(pages[0]) == "Page(4 items, page_index=None)"


@pytest.mark.parametrize("answer", [from_zero, from_one, unpaged])
async def test_a_list_without_items(answer: Answer) -> None:
    server = Server(lambda index: ())
    assert await server.pages().collect() == []
    assert server.asked == [None]
    assert [page async for page in server.pages().pages()] == []
    await no_task_is_left()


@pytest.mark.parametrize(("answer", "most"), [(from_zero, 2), (from_one, 3), (unpaged, 3)])
async def test_a_list_of_one_page(answer: Answer, most: int) -> None:
    server = Server(lambda index: (1, 2) if answer(index) == answer(None) else ())
    assert await server.pages().collect() == [1, 2]
    assert len(server.asked) == most


async def test_an_empty_page_ends_the_list_for_good() -> None:
    server = Server(lambda index: () if index == 1 else cut(index or 0))
    pager = server.pages().pager()
    assert (await pager.advance() or Page(data=())).data == (0, 1, 2, 3)
    assert await pager.advance() is None
    assert await pager.advance() is None
    assert server.asked == [None, 1]
    assert not pager.is_open


# A start of the caller's own


@pytest.mark.parametrize(
    ("answer", "start", "items", "asked"),
    [
        (from_zero, 0, ITEMS, [0, 1, 2, 3]),
        (from_zero, 1, ITEMS[4:], [1, 2, 3]),
        (from_zero, 2, ITEMS[8:], [2, 3]),
        (from_zero, 9, (), [9]),
        (from_one, 1, ITEMS, [1, 2, 3, 4]),
        (from_one, 2, ITEMS[4:], [2, 3, 4]),
        (from_one_and_zero_is_the_first, 0, ITEMS, [0, 1, 2, 3, 4]),
        (unpaged, 0, ITEMS, [0, 1, 2]),
        (unpaged, 1, ITEMS, [1, 2]),
        (last_for_ever, 1, ITEMS[4:], [1, 2, 3]),
    ],
)
async def test_a_list_from_a_given_page(answer: Answer, start: int, items: Sequence[int], asked: list[int]) -> None:
    server = Server(answer)
    assert await server.pages(start).collect() == list(items)
    assert server.asked == asked


async def test_an_operation_that_takes_no_page_is_asked_once() -> None:
    server = Server(unpaged)
    assert await server.pages(paged=False).collect() == list(ITEMS)
    assert [item async for item in server.pages(paged=False)] == list(ITEMS)
    assert server.asked == [None, None]
    await no_task_is_left()


# The first page alone


@pytest.mark.parametrize("start", [None, 0, 3])
async def test_awaiting_gives_the_first_page_and_asks_for_no_more(start: int | None) -> None:
    server = Server(from_zero, count=10)
    page = await server.pages(start)
    assert (page.data, page.count, page.page_index) == (tuple(cut(start or 0)), 10, start)
    assert (await server.pages(start).first()) == page
    await asyncio.sleep(0)
    assert server.asked == [start, start]
    await no_task_is_left()


async def test_nothing_is_sent_before_it_is_asked_for() -> None:
    server = Server(from_zero)
    pages = server.pages()
    pages.pages()
    pages.__aiter__()
    await asyncio.sleep(0)
    assert server.asked == []


async def test_the_same_list_can_be_walked_again() -> None:
    pages = Server(from_one).pages()
    assert [item async for item in pages] == [item async for item in pages] == list(ITEMS)


# No more than needed


@pytest.mark.parametrize(
    ("limit", "needed"), [(0, 0), (-1, 0), (1, 1), (4, 1), (5, 2), (8, 2), (9, 3), (10, 3), (11, 4), (None, 4)]
)
async def test_collect_asks_for_what_it_needs_and_one_page_ahead(limit: int | None, needed: int) -> None:
    server = Server(from_zero)
    items = await server.pages().collect(limit=limit)
    assert items == list(ITEMS[: max(limit, 0) if limit is not None else None])
    assert needed <= len(server.asked) <= needed + 1
    await no_task_is_left()


async def test_the_next_page_is_fetched_while_the_caller_works() -> None:
    server = Server(from_zero)
    walk = server.pages().__aiter__()
    assert await anext(walk) == 0
    for _ in range(5):
        await asyncio.sleep(0)
    assert server.asked == [None, 1]
    assert server.finished == 2
    for _ in range(5):
        await asyncio.sleep(0)
    assert server.asked == [None, 1]  # one ahead, not more
    await walk.aclose()  # type: ignore[attr-defined]  # it is a generator
    await no_task_is_left()


@pytest.mark.parametrize("walked", [1, 4, 5, 9])
async def test_breaking_out_leaves_no_task(walked: int) -> None:
    server = Server(from_zero)
    seen = []
    async for item in server.pages():
        seen.append(item)
        if len(seen) == walked:
            break
    await no_task_is_left()
    assert seen == list(ITEMS[:walked])
    before = len(server.asked)
    await asyncio.sleep(0)
    assert len(server.asked) == before


async def test_breaking_out_of_pages_leaves_no_task() -> None:
    server = Server(from_zero)
    async for page in server.pages().pages():
        assert len(page) == 4
        break
    await no_task_is_left()


async def test_an_error_in_the_loop_leaves_no_task() -> None:
    server = Server(from_zero)

    async def walk() -> None:
        async for item in server.pages():
            _ = 1 // (5 - item)

    with pytest.raises(ZeroDivisionError):
        await walk()
    await no_task_is_left()


# Errors


@pytest.mark.parametrize(("fail_at", "got"), [(1, 0), (2, 4), (3, 8), (4, 10)])
async def test_an_error_in_a_page_comes_after_the_items_before_it(fail_at: int, got: int) -> None:
    server = Server(from_zero, fail_at=fail_at)
    seen: list[int] = []

    async def walk() -> None:
        async for page in server.pages().pages():
            seen.extend(page.data)

    with pytest.raises(ConnectionError, match="lost"):
        await walk()
    assert seen == list(ITEMS[:got])
    assert len(server.asked) == fail_at
    await no_task_is_left()


async def test_an_error_in_a_page_ahead_that_nobody_wants_is_not_reported() -> None:
    server = Server(from_zero, fail_at=2)
    problems: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context))
    walk = server.pages().__aiter__()
    assert await anext(walk) == 0
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(server.asked) == 2  # it failed behind the caller's back
    await walk.aclose()  # type: ignore[attr-defined]  # it is a generator
    del walk
    await no_task_is_left()
    gc.collect()
    assert problems == []


async def test_a_cancel_while_waiting_for_a_page_ahead_cancels_it() -> None:
    held = asyncio.Event()
    cancelled: list[int | None] = []

    async def fetch(index: int | None) -> Page[int]:
        if index is None:
            return Page(data=(1,))
        try:
            await held.wait()
        except asyncio.CancelledError:
            cancelled.append(index)
            raise
        raise AssertionError

    async def walk() -> None:
        async for _ in Pages(fetch, None, True):
            pass

    task = asyncio.create_task(walk())
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled == [1]
    await no_task_is_left()


# Through an operation


async def test_a_list_operation_walks_a_server() -> None:
    asked: list[str] = []

    async def transport(attempt: Attempt) -> Reply:
        await attempt.leave()
        attempt.status = 200
        asked.append(attempt.target)
        index = int(attempt.target.partition("page_index=")[2] or 1)  # this one counts from 1
        data = [
            {"id": item, "name": "n", "status": "CREATED", "channel": "SMS", "content": "c"} for item in cut(index - 1)
        ]
        return Reply(200, {}, msgspec.json.encode({"data": data, "count": 4}))

    async with AsyncHero(api_key="key", practice_group_id="1", environment="staging", transport=transport) as hero:
        batches = await hero.batch_messages.list(page_size=4).collect()
        first = await hero.batch_messages.list(page_size=4)
        raw = await hero.batch_messages.list.raw(page_size=4)
    assert [batch.id for batch in batches] == [str(item) for item in ITEMS]
    assert asked[:5] == ["/v1/batch_message?page_size=4"] + [
        f"/v1/batch_message?page_size=4&page_index={index}" for index in (1, 2, 3, 4)
    ]
    assert raw.value == first
    assert len(asked) == 7
