"""Starting, stopping, seeds, the ledger, and use from blocking code."""

import asyncio
import contextlib
import http.client
import json
import re
import subprocess
import sys
import threading
from datetime import UTC, datetime

import aiohttp
import anyio
import nhs_number
import pytest

from hero_async.clock import VirtualClock
from hero_async.errors import InvalidArgumentError
from hero_async.sandbox import Delay, Quirks, Reset, Sandbox, SandboxClock, Status, serve
from hero_async.sandbox.synthetic import check_digit, make_patients

pytestmark = pytest.mark.anyio


def test_the_same_seed_makes_the_same_patients():
    assert make_patients(300, 7) == make_patients(300, 7)
    assert make_patients(300, 7)[:100] == make_patients(100, 7)
    others = {patient.nhs_number for patient in make_patients(300, 8)}
    assert len(others & {patient.nhs_number for patient in make_patients(300, 7)}) < 30


@pytest.mark.parametrize("seed", [0, 1, 20261122])
def test_the_patients_are_synthetic_and_no_one_is_there_twice(seed):
    patients = make_patients(20_000, seed)
    assert len({patient.nhs_number for patient in patients}) == 20_000
    assert len({patient.patient_id for patient in patients}) == 20_000
    for patient in patients:
        assert nhs_number.is_valid(patient.nhs_number)
        assert patient.nhs_number.startswith("999")
        assert re.fullmatch(r"07700 900\d{3}", patient.mobile)
        assert patient.last_name.startswith("XXTESTPATIENT-")
        assert patient.email.endswith("@example.com")
        assert patient.patient_id.isdigit()
        assert 1930 <= patient.dob.year <= 2007


def test_the_range_holds_as_many_as_promised():
    assert sum(check_digit(f"999{rest:06d}") is not None for rest in range(1_000_000)) > 900_000
    with pytest.raises(InvalidArgumentError):
        Sandbox(patients=900_001)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "example.com", "::", "", "127.0.0.1.example.com"])
def test_a_host_that_is_not_loopback_is_refused(host):
    with pytest.raises(InvalidArgumentError, match="loopback"):
        Sandbox(host=host, patients=1)


@pytest.mark.parametrize("options", [{"patients": -1}, {"practice_group_ids": ()}, {"practice_group_ids": "12"}])
def test_arguments_that_cannot_be_meant_are_refused(options):
    with pytest.raises(InvalidArgumentError):
        Sandbox(**options)


@pytest.mark.parametrize("host, url", [("localhost", "http://127.0.0.1:"), ("127.0.0.9", "http://127.0.0.9:")])
async def test_other_loopback_hosts_serve(connect, host, url):
    async with Sandbox(host=host, patients=1) as sandbox, connect(sandbox) as raw:
        assert sandbox.url.startswith(url)
        assert (await raw.send()).status == 200


async def test_without_having_been_entered_there_is_no_url():
    sandbox = Sandbox(patients=1)
    with pytest.raises(RuntimeError):
        _ = sandbox.url
    async with sandbox:
        with pytest.raises(RuntimeError, match="already"):
            await sandbox.__aenter__()
        assert sandbox.url
    with pytest.raises(RuntimeError):
        _ = sandbox.url


async def test_a_port_in_use_is_an_error_that_leaves_nothing_behind():
    async with Sandbox(patients=1) as first:
        second = Sandbox(patients=1, port=int(first.url.rpartition(":")[2]))
        with pytest.raises(OSError):
            await second.__aenter__()
    async with second:
        assert second.url == f"http://127.0.0.1:{second.url.rpartition(':')[2]}"


async def test_entered_again_it_goes_on_as_a_server_that_was_restarted(connect):
    sandbox = Sandbox(patients=1)
    async with sandbox, connect(sandbox) as raw:
        message_id = (await raw.send()).json["message_id"]
    async with sandbox, connect(sandbox) as raw:
        assert (await raw("GET", f"/v1/messages/{message_id}")).status == 200
        await raw.send()
    assert sandbox.ledger.doubled() == {"1": (sandbox.patients[0].patient_id,)}


async def test_an_answer_that_is_held_does_not_hold_up_the_end(connect, until):
    sandbox = Sandbox(patients=1, clock=SandboxClock(frozen=True))
    async with connect(sandbox) as raw:
        async with sandbox:
            sandbox.faults.add("messages.send", Delay(3600))
            sending = asyncio.create_task(raw.send())
            await until(lambda: sandbox.clock.sleeping)
        with pytest.raises(aiohttp.ClientConnectionError):
            await sending
    assert sandbox.clock.sleeping == 0
    assert sandbox.ledger.messages == ()
    assert sandbox.ledger.requests[0].status is None


async def test_serve_runs_until_it_is_cancelled(connect):
    running = []
    async with anyio.create_task_group() as group:

        async def use():
            async with connect(running[0]) as raw:
                assert (await raw.send()).status == 200
            group.cancel_scope.cancel()

        def ready(sandbox):
            running.append(sandbox)
            group.start_soon(use)

        await serve(Sandbox(patients=1), ready)
    with pytest.raises(RuntimeError):
        _ = running[0].url


def send(sandbox):
    """A message by the standard library's client."""
    headers = {"x-api-key": sandbox.api_key, "x-practice-group-id": "1", "content-type": "application/json"}
    body = {"patient_id": sandbox.patients[0].patient_id, "message_type": "sms", "message_string": "x"}
    address = sandbox.url.removeprefix("http://")
    with contextlib.closing(http.client.HTTPConnection(address, timeout=30)) as connection:
        connection.request("POST", "/v1/messages/send", json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.load(answer)


def test_blocking_code_uses_it_from_its_own_thread():
    before = threading.active_count()
    with Sandbox(patients=3) as sandbox:
        status, answer = send(sandbox)
        assert (status, answer["content"]) == (200, "x")
        sandbox.faults.add("messages.send", Reset(after_processing=True))
        with pytest.raises(OSError):
            send(sandbox)
        assert len(sandbox.ledger.messages) == 2
    assert threading.active_count() == before


def test_blocking_code_moves_the_clock_from_its_own_thread():
    clock = SandboxClock(frozen=True)
    with Sandbox(patients=1, clock=clock) as sandbox:
        sandbox.faults.add("messages.send", Delay(3600))
        answers = []
        caller = threading.Thread(target=lambda: answers.append(send(sandbox)))
        caller.start()
        for _ in range(3000):
            if clock.sleeping:
                break
            caller.join(0.01)
        clock.advance(3600)
        caller.join(30)
        assert [status for status, _ in answers] == [200]


def test_blocking_use_ends_when_the_block_fails():
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), Sandbox(patients=1) as sandbox:
        _ = 1 / 0
    assert threading.active_count() == before
    with pytest.raises(RuntimeError):
        _ = sandbox.url


def test_blocking_use_that_cannot_start_leaves_no_thread():
    before = threading.active_count()
    with Sandbox(patients=1) as first, pytest.raises(OSError):
        Sandbox(patients=1, port=int(first.url.rpartition(":")[2])).__enter__()
    assert threading.active_count() == before


async def test_the_ledger_counts_and_finds_who_was_sent_to_twice(raw):
    ledger = raw.sandbox.ledger
    for index in (0, 1, 1, 2, 2, 2):
        await raw.send(index)
    await raw.send(0, headers={"x-practice-group-id": "2"})
    await raw.send(message_type="pigeon")
    ids = [patient.patient_id for patient in raw.sandbox.patients]
    assert ledger.doubled() == {"1": (ids[1], ids[2])}
    assert ledger.count("messages.send") == 8
    assert ledger.count("messages.send", status=400) == 1
    assert ledger.count("messages.get") == 0


async def test_other_processes_see_counts_and_no_values(raw):
    await raw.send()
    await raw.send()
    raw.sandbox.faults.add("messages.send", Status(503))
    await raw.send()
    answer = await raw("GET", "/_sandbox/ledger", headers={"x-api-key": None, "x-practice-group-id": None})
    assert answer.json == {
        "requests": 3,
        "by_operation": {"messages.send": 3},
        "by_status": {"200": 2, "503": 1},
        "messages": 2,
        "batches": 0,
        "batch_sends": 0,
        "changes": {},
        "doubled": 1,
        "practice_groups": {"1": {"messages": 2, "doubled": 1}},
    }


async def test_no_repr_holds_a_value(raw):
    sandbox = raw.sandbox
    sandbox.faults.add("messages.get", Status(500, body=b"secret-body"))
    await raw.send(message_string="secret-text")
    patient = sandbox.patients[0]
    recipients = [{"nhs_number": patient.nhs_number, "dob": patient.dob.isoformat()}]
    body = {"name": "secret-name", "channel": "SMS", "content": "secret-text", "recipients": recipients}
    batch = (await raw("POST", "/v1/batch_message", json=body)).json
    await raw("PATCH", f"/v1/batch_message/{batch['id']}/send")
    ledger = sandbox.ledger
    shown = repr((sandbox, patient, ledger, ledger.requests, ledger.messages, ledger.batches, ledger.batch_sends))
    shown += repr(sandbox.faults)
    assert "messages.send" in shown
    for value in ("secret", sandbox.api_key, patient.nhs_number, patient.last_name, patient.mobile, patient.email):
        assert value not in shown
    assert patient.dob.isoformat() not in shown
    assert repr(patient.dob) not in shown


async def test_real_time_can_be_moved_on():
    clock = SandboxClock()
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 5
    sleeping = asyncio.create_task(clock.sleep(3600))
    await asyncio.sleep(0)
    clock.advance(3600)
    with anyio.fail_after(5):
        await sleeping
    assert (clock.now() - datetime.now(UTC)).total_seconds() > 3590
    await clock.sleep(0.001)
    await clock.sleep(-1)
    with pytest.raises(ValueError):
        clock.advance(-1)


async def test_client_and_sandbox_can_live_by_one_clock(connect):
    clock = VirtualClock()
    async with Sandbox(patients=1, clock=clock, rate_limit=1) as sandbox, connect(sandbox) as raw:
        assert [(await raw.send()).status for _ in range(2)] == [200, 429]
        await clock.sleep(1)
        assert (await raw.send()).status == 200


def test_importing_the_sandbox_loads_nothing_heavy():
    code = (
        "import sys; import hero_async.sandbox as s; assert 'aiohttp' not in sys.modules; "
        "assert 'attrs' not in sys.modules and 'attr' not in sys.modules; "
        "assert all(getattr(s, name) is not None for name in s.__all__); assert 'aiohttp' in sys.modules; "
        "assert set(s.__all__) <= set(dir(s))"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)


def test_a_name_that_is_not_there_is_an_attribute_error():
    import hero_async.sandbox as package

    with pytest.raises(AttributeError):
        _ = package.Sandpit


def test_a_quirk_out_of_its_range_is_refused():
    with pytest.raises(ValueError):
        Quirks(default_page_size=0)
