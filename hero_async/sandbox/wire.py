"""How an answer leaves: whole, or as a fault wants it. All of the sandbox's knowledge of sockets is here."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from collections.abc import Callable, Mapping

import attrs
from aiohttp import hdrs, web

from hero_async.sandbox.clock import SettableClock
from hero_async.sandbox.faults import CutBody, Delay, Fault, Garbage, RateLimited, Reset, SlowDrip, Status
from hero_async.sandbox.ledger import Arrival

_LINGER_OFF = struct.pack("ii", 1, 0)
_JSON: dict[str, str] = {hdrs.CONTENT_TYPE: "application/json; charset=utf-8"}
_STEPS_A_SECOND = 10


@attrs.frozen(repr=False)
class Answer:
    """What the sandbox would answer if nothing went wrong."""

    status: int
    body: bytes
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])

    def response(self) -> web.Response:
        """The answer for aiohttp."""
        response = web.Response(status=self.status, body=self.body, headers=_JSON)
        if self.headers:
            response.headers.update(self.headers)
        return response


async def answer_through(
    faults: tuple[Fault, ...],
    request: web.Request,
    arrival: Arrival,
    clock: SettableClock,
    process: Callable[[], Answer],
) -> web.StreamResponse:
    """Process the request, unless a fault comes before, and answer as the faults want."""
    try:
        return await _answer(faults, request, arrival, clock, process)
    except ConnectionError:  # the client has gone while it was answered
        arrival.cut = True
        return web.Response()


async def _answer(
    faults: tuple[Fault, ...],
    request: web.Request,
    arrival: Arrival,
    clock: SettableClock,
    process: Callable[[], Answer],
) -> web.StreamResponse:
    instead = await _before(faults, request, arrival, clock)
    if instead is not None:
        return instead
    answer = process()
    for fault in faults:
        match fault:
            case Delay(seconds, after_processing=True):
                await clock.sleep(seconds)
            case Reset(after_processing=True):
                return _reset(request, arrival)
            case Status(status, headers, body, after_processing=True):
                return _whole(Answer(status, body, headers), request, arrival)
            case Garbage():
                return _whole(Answer(200, b"<html>{not JSON"), request, arrival)
            case CutBody(keep_bytes):
                return await _cut(request, arrival, answer, keep_bytes)
            case SlowDrip(bytes_per_second):
                return await _drip(request, arrival, answer, bytes_per_second, clock)
            case _:
                pass
    return _whole(answer, request, arrival)


async def _before(
    faults: tuple[Fault, ...], request: web.Request, arrival: Arrival, clock: SettableClock
) -> web.StreamResponse | None:
    for fault in faults:
        match fault:
            case Delay(seconds, after_processing=False):
                await clock.sleep(seconds)
            case Reset(after_processing=False):
                return _reset(request, arrival)
            case Status(status, headers, body, after_processing=False):
                return _whole(Answer(status, body, headers), request, arrival)
            case RateLimited(retry_after):
                return _whole(_too_many(retry_after), request, arrival)
            case _:
                pass
    return None


def _whole(answer: Answer, request: web.Request, arrival: Arrival) -> web.Response:
    if request.transport is None:
        raise ConnectionResetError
    arrival.status = answer.status
    return answer.response()


def _too_many(retry_after: float | str | None) -> Answer:
    headers: dict[str, str] = {}
    if retry_after is not None:
        headers[hdrs.RETRY_AFTER] = retry_after if isinstance(retry_after, str) else f"{retry_after:g}"
    return Answer(429, b'{"error":true,"statusCode":429,"message":"Too Many Requests"}', headers)


def _reset(request: web.Request, arrival: Arrival) -> web.StreamResponse:
    arrival.cut = True
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)
        transport.abort()
    return web.Response()  # aiohttp finds the connection gone and drops it


async def _begin(request: web.Request, arrival: Arrival, answer: Answer) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=_JSON)
    response.headers.update(answer.headers)
    response.content_length = len(answer.body)
    await response.prepare(request)
    arrival.status = answer.status
    return response


async def _cut(request: web.Request, arrival: Arrival, answer: Answer, keep: int) -> web.StreamResponse:
    response = await _begin(request, arrival, answer)
    arrival.cut = keep < len(answer.body)
    await response.write(answer.body[:keep])
    if request.transport is not None:
        request.transport.close()  # what was written still leaves, then the end of the stream
    return response


async def _drip(
    request: web.Request, arrival: Arrival, answer: Answer, rate: float, clock: SettableClock
) -> web.StreamResponse:
    step = max(1, math.floor(rate / _STEPS_A_SECOND))
    response = await _begin(request, arrival, answer)
    arrival.cut = True  # until the last byte
    began = clock.monotonic()
    for start in range(0, len(answer.body), step):
        chunk = answer.body[start : start + step]
        await clock.sleep(began + (start + len(chunk)) / rate - clock.monotonic())
        await response.write(chunk)
        await asyncio.sleep(0)  # a clock that jumps must not join the drops
    arrival.cut = False
    return response
