"""What each fault does on the wire, and what the ledger says of it."""

import asyncio
import json

import aiohttp
import pytest

from hero_async.clock import VirtualClock
from hero_async.sandbox import (
    CutBody,
    Delay,
    Garbage,
    RateLimited,
    Reset,
    Sandbox,
    SlowDrip,
    Status,
)

pytestmark = pytest.mark.anyio


def wire(sandbox, text="x"):
    """The bytes of a message to the first patient."""
    fields = {"patient_id": sandbox.patients[0].patient_id, "message_type": "sms", "message_string": text}
    body = json.dumps(fields).encode()
    head = (
        f"POST /v1/messages/send HTTP/1.1\r\nHost: sandbox\r\nx-api-key: {sandbox.api_key}\r\n"
        f"x-practice-group-id: 1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def dial(sandbox):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sandbox.url.rpartition(":")[2]))
    writer.write(wire(sandbox))
    return reader, writer


def promised(head):
    return int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])


@pytest.mark.parametrize("after, accepted", [(False, 0), (True, 1)])
async def test_a_reset_is_a_tcp_reset_before_any_byte(sandbox, after, accepted):
    sandbox.faults.add("messages.send", Reset(after_processing=after))
    reader, writer = await dial(sandbox)
    with pytest.raises(ConnectionResetError):
        await reader.read(1)
    writer.close()
    (arrival,) = sandbox.ledger.requests
    assert (arrival.status, arrival.cut) == (None, True)
    assert len(sandbox.ledger.messages) == accepted


@pytest.mark.parametrize("keep", [0, 7])
async def test_a_cut_body_promises_all_and_keeps_some(sandbox, keep):
    sandbox.faults.add("messages.send", CutBody(keep))
    reader, writer = await dial(sandbox)
    head = await reader.readuntil(b"\r\n\r\n")
    rest = await reader.read()
    writer.close()
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert rest == b'{"message_id":'[:keep]
    assert promised(head) > keep
    (arrival,) = sandbox.ledger.requests
    assert (arrival.status, arrival.cut) == (200, True)
    assert len(sandbox.ledger.messages) == 1


async def test_a_slow_drip_lets_the_body_out_as_the_clock_moves(sandbox, clock, until):
    sandbox.faults.add("messages.send", SlowDrip(bytes_per_second=50))
    reader, writer = await dial(sandbox)
    head = await reader.readuntil(b"\r\n\r\n")
    await until(lambda: clock.sleeping)
    assert len(sandbox.ledger.messages) == 1
    assert sandbox.ledger.requests[0].cut
    clock.advance(0.1)
    assert await reader.readexactly(5) == b'{"mes'
    await until(lambda: clock.sleeping)
    clock.advance(60)
    assert (await reader.readexactly(promised(head) - 5)).endswith(b'Z"}')
    writer.close()
    assert not sandbox.ledger.requests[0].cut


async def test_a_drip_to_a_client_that_left_ends(sandbox, clock, until, caplog):
    sandbox.faults.add("messages.send", SlowDrip(bytes_per_second=50))
    reader, writer = await dial(sandbox)
    await reader.readuntil(b"\r\n\r\n")
    await until(lambda: clock.sleeping)
    writer.transport.abort()
    while clock.sleeping:
        clock.advance(0.1)
        await asyncio.sleep(0)
    assert sandbox.ledger.requests[0].cut
    assert not caplog.records


@pytest.mark.parametrize("after, accepted", [(False, 0), (True, 1)])
async def test_a_delay_holds_the_request_or_the_answer(raw, clock, until, after, accepted):
    ledger = raw.sandbox.ledger
    raw.sandbox.faults.add("messages.send", Delay(30, after_processing=after))
    sending = asyncio.create_task(raw.send())
    await until(lambda: clock.sleeping)
    assert (len(ledger.messages), ledger.requests[0].status) == (accepted, None)
    clock.advance(29)
    await asyncio.sleep(0)
    assert not sending.done()
    clock.advance(1)
    assert (await sending).status == 200
    (message,) = ledger.messages
    assert (message.at - ledger.requests[0].at).total_seconds() == (0 if after else 30)


async def test_a_client_that_gives_up_during_a_delay_is_served_all_the_same(sandbox, raw, clock, until):
    sandbox.faults.add("messages.send", Delay(30))
    _, writer = await dial(sandbox)
    await until(lambda: clock.sleeping)
    writer.transport.abort()
    await asyncio.sleep(0)
    await raw("GET", "/_sandbox/ledger")  # when this is answered, the sandbox has seen the other one go
    clock.advance(30)
    await until(lambda: sandbox.ledger.messages)
    (arrival,) = sandbox.ledger.requests
    await until(lambda: arrival.cut)
    assert arrival.status is None


@pytest.mark.parametrize("after, accepted", [(False, 0), (True, 1)])
async def test_a_status_takes_the_place_of_the_answer(raw, after, accepted):
    fault = Status(503, {"retry-after": "7", "content-type": "text/html"}, b"<h1>", after_processing=after)
    raw.sandbox.faults.add("messages.send", fault)
    answer = await raw.send()
    assert (answer.status, answer.headers["Retry-After"], answer.body) == (503, "7", b"<h1>")
    assert answer.headers.getall("Content-Type") == ["text/html"]
    assert raw.sandbox.ledger.count("messages.send", status=503) == 1
    assert len(raw.sandbox.ledger.messages) == accepted


@pytest.mark.parametrize(
    "given, header", [(3, "3"), (0.5, "0.5"), (None, None), ("Wed, 21 Oct 2026 07:28:00 GMT",) * 2]
)
async def test_rate_limited_on_demand(raw, given, header):
    raw.sandbox.faults.add("*", RateLimited(retry_after=given))
    answer = await raw.send()
    assert (answer.status, answer.headers.get("Retry-After")) == (429, header)
    assert raw.sandbox.ledger.messages == ()


async def test_garbage_was_processed(raw):
    raw.sandbox.faults.add("messages.send", Garbage())
    answer = await raw.send()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    with pytest.raises(ValueError):
        _ = answer.json
    assert len(raw.sandbox.ledger.messages) == 1


async def statuses(raw, count, **options):
    return [(await raw.send(**options)).status for _ in range(count)]


async def test_a_fault_strikes_once_unless_told_otherwise(raw):
    rule = raw.sandbox.faults.add("messages.send", Status(500))
    assert await statuses(raw, 3) == [500, 200, 200]
    assert rule.fired == 1
    raw.sandbox.faults.add("messages.send", Status(500), times=2, after=1)
    assert await statuses(raw, 4) == [200, 500, 500, 200]


async def test_a_fault_without_end_goes_on_until_removed(raw):
    rule = raw.sandbox.faults.add("*", Status(500), times=None)
    assert await statuses(raw, 3) == [500] * 3
    rule.remove()
    rule.remove()
    assert await statuses(raw, 1) == [200]
    raw.sandbox.faults.add("*", Status(500), times=None)
    raw.sandbox.faults.clear()
    assert await statuses(raw, 1) == [200]


async def test_a_fault_is_for_its_operation_and_practice_group_alone(raw):
    raw.sandbox.faults.add("messages.send", Status(500), practice_group="2")
    raw.sandbox.faults.add("messages.get", Status(502))
    assert await statuses(raw, 1) == [200]
    assert await statuses(raw, 1, headers={"x-practice-group-id": "2"}) == [500]
    assert (await raw("GET", "/v1/messages/1")).status == 502


async def test_delays_add_up_and_the_first_other_fault_is_the_last_asked(connect):
    clock = VirtualClock()
    async with Sandbox(patients=1, clock=clock) as sandbox, connect(sandbox) as raw:
        for fault in (Delay(1), Delay(2), Status(500), Status(501)):
            sandbox.faults.add("messages.send", fault)
        assert await statuses(raw, 3) == [500, 501, 200]
        assert clock.slept == [1, 2]


async def test_chance_is_the_seeds(connect):
    async def draw(seed):
        async with Sandbox(patients=1, seed=seed) as sandbox, connect(sandbox) as raw:
            sandbox.faults.add("messages.send", Status(500), times=None, probability=0.3)
            return await statuses(raw, 60)

    first, again, other = await draw(1), await draw(1), await draw(2)
    assert first == again != other
    assert 5 < first.count(500) < 35


@pytest.mark.parametrize(
    "operation, options",
    [
        ("messages.sent", {}),
        ("messages.send", {"times": 0}),
        ("messages.send", {"probability": 1.5}),
        ("messages.send", {"after": -1}),
    ],
)
async def test_a_rule_that_could_never_be_meant_is_refused(sandbox, operation, options):
    with pytest.raises(ValueError):
        sandbox.faults.add(operation, Garbage(), **options)


async def test_half_a_request_does_not_count(sandbox, caplog, raw):
    _, writer = await asyncio.open_connection("127.0.0.1", int(sandbox.url.rpartition(":")[2]))
    writer.write(wire(sandbox)[:-3])
    await writer.drain()
    writer.close()
    assert (await raw.send()).status == 200
    assert len(sandbox.ledger.requests) == 1
    assert not caplog.records


async def test_the_connection_lives_on_after_a_whole_answer(raw):
    raw.sandbox.faults.add("messages.send", Status(500))
    await raw.send()
    connections = raw.session.connector
    assert isinstance(connections, aiohttp.TCPConnector)
    kept = [protocol for pool in connections._conns.values() for protocol, *_ in pool]
    await raw.send()
    assert [protocol for pool in connections._conns.values() for protocol, *_ in pool] == kept
