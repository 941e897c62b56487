"""Every client that is measured, driven as its own documentation advises. Each sends the same message.

A peer is an async context manager that opens a client and gives a function: one call, decoded. What a peer needs is
imported inside it, for each runs in a process of its own. `limit` is the number of connections it may open.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any

Call = Callable[[], Awaitable[Any]]
BlockingCall = Callable[[], Any]
Opens = Callable[[str, int], AbstractAsyncContextManager[Call]]
OpensBlocking = Callable[[str], AbstractContextManager[BlockingCall]]

MESSAGE = {"patient_id": "123", "message_type": "sms", "message_string": "Your flu jab is due"}
HEADERS = {"x-api-key": "bench", "x-practice-group-id": "1"}
PATH = "/v1/messages/send"


@asynccontextmanager
async def hero(url: str, limit: int) -> AsyncIterator[Call]:
    """Ours, as the README shows it: retries, signing, throttle and verdict are on."""
    from hero_async import AsyncHero

    async with AsyncHero(api_key="bench", practice_group_id="1", base_url=url, max_connections=limit) as client:

        async def call() -> Any:
            return await client.messages.send(
                patient_id="123", message_type="sms", message_string="Your flu jab is due"
            )

        yield call


@asynccontextmanager
async def aiohttp_documented(url: str, limit: int) -> AsyncIterator[Call]:
    """aiohttp's client quickstart: `session.post(url, json=…)`, `await response.json()`."""
    import aiohttp

    connector = aiohttp.TCPConnector(limit=limit)
    async with aiohttp.ClientSession(url, headers=HEADERS, connector=connector) as session:

        async def call() -> Any:
            async with session.post(PATH, json=dict(MESSAGE)) as response:
                return await response.json()

        yield call


@asynccontextmanager
async def aiohttp_tuned(url: str, limit: int) -> AsyncIterator[Call]:
    """The floor: all that can be switched off or made before is; no timeout, no check, no retry."""
    import aiohttp
    import msgspec
    from yarl import URL

    address = URL(url + PATH)
    headers = {**HEADERS, "Content-Type": "application/json"}
    encode = msgspec.json.Encoder().encode
    decode = msgspec.json.Decoder().decode
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=limit),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
    )
    async with session:

        async def call() -> Any:
            response = await session.request(
                "POST", address, data=encode(dict(MESSAGE)), headers=headers, allow_redirects=False
            )
            return decode(await response.read())

        yield call


def _openai_model() -> Any:
    from openai import BaseModel

    class SentMessage(BaseModel):
        message_id: str
        content: str
        created_at: str
        snomed_code: str | None = None
        write_to_record: bool | None = None
        auth_token: str | None = None
        confirm_write_to_record_url: str | None = None
        submitted_by: str | None = None
        send_at: str | None = None

    return SentMessage


@asynccontextmanager
async def _openai(url: str, limit: int, http_client: Any) -> AsyncIterator[Call]:
    from openai import AsyncOpenAI

    model = _openai_model()
    async with AsyncOpenAI(api_key="bench", base_url=url, default_headers=HEADERS, http_client=http_client) as client:

        async def call() -> Any:
            return await client.post(PATH, body=dict(MESSAGE), cast_to=model)

        yield call


@asynccontextmanager
async def openai_httpx(url: str, limit: int) -> AsyncIterator[Call]:
    """openai's client core on its default transport, HTTPX 2 (it allows 1,000 connections)."""
    async with _openai(url, limit, None) as call:
        yield call


@asynccontextmanager
async def openai_aiohttp(url: str, limit: int) -> AsyncIterator[Call]:
    """openai's client core with `http_client=DefaultAioHttpClient()`."""
    from openai import DefaultAioHttpClient

    async with _openai(url, limit, DefaultAioHttpClient()) as call:
        yield call


@asynccontextmanager
async def openapi_python_client(url: str, limit: int) -> AsyncIterator[Call]:
    """What openapi-python-client makes of our contract."""
    import httpx
    from hero_health_public_api_client import Client
    from hero_health_public_api_client.api.messages import send_message
    from hero_health_public_api_client.models import SendMessageRequest, SendMessageRequestMessageType

    limits = httpx.Limits(max_connections=limit, max_keepalive_connections=limit)
    async with Client(base_url=url, headers=dict(HEADERS), httpx_args={"limits": limits}) as client:

        async def call() -> Any:
            body = SendMessageRequest(
                patient_id="123",
                message_type=SendMessageRequestMessageType.SMS,
                message_string="Your flu jab is due",
            )
            return await send_message.asyncio(client=client, body=body)

        yield call


@asynccontextmanager
async def openapi_generator(url: str, limit: int) -> AsyncIterator[Call]:
    """What openapi-generator makes of our contract (python, asyncio)."""
    import openapi_client

    configuration = openapi_client.Configuration(host=url, api_key={"apiKeyAuth": "bench", "practiceGroupId": "1"})
    configuration.connection_pool_maxsize = limit
    async with openapi_client.ApiClient(configuration) as client:
        api = openapi_client.MessagesApi(client)

        async def call() -> Any:
            request = openapi_client.SendMessageRequest(
                patient_id="123", message_type="sms", message_string="Your flu jab is due"
            )
            return await api.send_message(request)

        yield call


@asynccontextmanager
async def stripe_httpx(url: str, limit: int) -> AsyncIterator[Call]:
    """stripe's async client: a raw request, made its object. It sends a form, not JSON."""
    import stripe

    http_client = stripe.HTTPXClient()
    client = stripe.StripeClient("sk_test_bench", base_addresses={"api": url}, http_client=http_client)

    async def call() -> Any:
        response = await client.raw_request_async("post", PATH, **MESSAGE)
        return client.deserialize(response, api_mode="V1")

    yield call
    await http_client.close_async()


ASYNC: dict[str, tuple[str, Opens]] = {
    "hero": ("hero_async", hero),
    "floor": ("aiohttp, tuned by hand (the floor)", aiohttp_tuned),
    "aiohttp": ("aiohttp, as documented", aiohttp_documented),
    "openai_aiohttp": ("openai's core on aiohttp", openai_aiohttp),
    "openai_httpx": ("openai's core on HTTPX 2", openai_httpx),
    "stripe": ("stripe, async (HTTPX)", stripe_httpx),
    "openapi_generator": ("openapi-generator, asyncio", openapi_generator),
    "openapi_python_client": ("openapi-python-client, asyncio", openapi_python_client),
}
"""By key: label, opener."""


@contextmanager
def hero_sync(url: str) -> Generator[BlockingCall, None, None]:
    """Ours, blocking; on uvloop, as the extra `speed` installs it."""
    from hero_sync import Hero

    with Hero(api_key="bench", practice_group_id="1", base_url=url) as client:
        yield lambda: client.messages.send(patient_id="123", message_type="sms", message_string="Your flu jab is due")


@contextmanager
def hero_sync_plain(url: str) -> Generator[BlockingCall, None, None]:
    """Ours, blocking, without the extra `speed`."""
    import sys

    sys.modules["uvloop"] = None  # type: ignore[assignment]  # as if it were not installed
    with hero_sync(url) as call:
        yield call


@contextmanager
def requests_session(url: str) -> Generator[BlockingCall, None, None]:
    """requests, with a session as its documentation advises."""
    import requests

    with requests.Session() as session:
        session.headers.update(HEADERS)
        yield lambda: session.post(url + PATH, json=dict(MESSAGE)).json()


@contextmanager
def httpx_client(url: str) -> Generator[BlockingCall, None, None]:
    """httpx.Client, as its documentation advises."""
    import httpx

    with httpx.Client(base_url=url, headers=HEADERS) as client:
        yield lambda: client.post(PATH, json=dict(MESSAGE)).json()


@contextmanager
def openai_sync(url: str) -> Generator[BlockingCall, None, None]:
    """openai's blocking client core."""
    from openai import OpenAI

    model = _openai_model()
    with OpenAI(api_key="bench", base_url=url, default_headers=HEADERS) as client:
        yield lambda: client.post(PATH, body=dict(MESSAGE), cast_to=model)


async def _nothing() -> None:
    """What is run when the hop itself is measured."""


@contextmanager
def hop(url: str) -> Generator[BlockingCall, None, None]:
    """The hop of hero_sync to its loop and back, on asyncio's loop."""
    import sys

    sys.modules["uvloop"] = None  # type: ignore[assignment]  # as if it were not installed
    with hop_speed(url) as call:
        yield call


@contextmanager
def hop_speed(url: str) -> Generator[BlockingCall, None, None]:
    """The hop of hero_sync with the extra `speed`."""
    from hero_sync.loop import background

    yield lambda: background().run(_nothing)


@contextmanager
def threadsafe(url: str) -> Generator[BlockingCall, None, None]:
    """What one would write by hand: `asyncio.run_coroutine_threadsafe(…).result()`."""
    with _loop_in_thread(asyncio.new_event_loop()) as loop:
        yield lambda: asyncio.run_coroutine_threadsafe(_nothing(), loop).result()


@contextmanager
def threadsafe_speed(url: str) -> Generator[BlockingCall, None, None]:
    """The same on uvloop."""
    import uvloop

    with _loop_in_thread(uvloop.new_event_loop()) as loop:
        yield lambda: asyncio.run_coroutine_threadsafe(_nothing(), loop).result()


@contextmanager
def _loop_in_thread(loop: asyncio.AbstractEventLoop) -> Generator[asyncio.AbstractEventLoop, None, None]:
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def _uvloop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"hero_uvloop": _uvloop}
"""`hero` on another loop than asyncio's own."""

BLOCKING: dict[str, tuple[str, OpensBlocking]] = {
    "hero_sync": ("hero_sync with uvloop (extra speed)", hero_sync),
    "hero_sync_plain": ("hero_sync", hero_sync_plain),
    "requests": ("requests.Session", requests_session),
    "httpx": ("httpx.Client", httpx_client),
    "openai_sync": ("openai's core, blocking", openai_sync),
    "hop": ("the hop", hop),
    "hop_speed": ("the hop, with uvloop", hop_speed),
    "threadsafe": ("run_coroutine_threadsafe", threadsafe),
    "threadsafe_speed": ("run_coroutine_threadsafe, on uvloop", threadsafe_speed),
}
"""By key: label, opener."""
