"""Campaigns for blocking callers: the same as the async ones, one hop for many outcomes, and nobody lost on the way."""

import asyncio
import contextlib
import gc
import inspect
import io
import json
import threading

import anyio
import pytest
from bulk_support import SEND, Gate, Server, accept, lost, names, patients_csv, write_csv
from programs import run, start
from rich.console import Console
from rich.traceback import Traceback
from scripted import answer, loses
from sync_support import TASKS, arrival

from hero_async import AsyncHero, InvalidArgumentError
from hero_async import bulk as async_bulk
from hero_async.bulk import InputError, OutboxBusyError, OutboxError, SQLiteOutbox, State
from hero_sync import Hero
from hero_sync.bulk import Campaign
from hero_sync.loop import background

TEXT = "Dear {first_name}, your flu jab is due"


@pytest.fixture
def memory():
    """A server in memory."""
    return Server()


@pytest.fixture
def hero(memory):
    """A client of it."""
    with Hero(api_key="test-key", practice_group_id="1", base_url="http://127.0.0.1:1", transport=memory) as hero:
        yield hero


@pytest.fixture
def make(tmp_path):
    """A campaign of so many patients."""

    def make(count=5, **changes):
        given = {"text": TEXT, "channel": "sms", "outbox": tmp_path / "it.outbox", **changes}
        return Campaign(patients_csv(tmp_path / "p.csv", count), **given)

    return make


def states(campaign):
    return {state.value: number for state, number in campaign.status().states.items() if number}


async def tasks():
    for _ in range(10):
        await anyio.lowlevel.checkpoint()
    return len(anyio.get_running_tasks()) - 1


def test_a_campaign_sends_each_row_once_and_tells_each_outcome(hero, memory, make, tmp_path):
    campaign = make(1200)
    outcomes = list(campaign.run(hero))
    assert sorted(outcome.line for outcome in outcomes) == list(range(2, 1202))
    assert {outcome.state for outcome in outcomes} == {State.SENT}
    assert memory.doubled() == []
    assert len(memory.processed) == 1200
    assert states(campaign) == {"sent": 1200}
    assert campaign.progress.sent == 1200
    assert list(campaign.run(hero)) == []
    assert len(memory.processed) == 1200
    told = list(campaign.outcomes())
    assert [outcome.line for outcome in told] == list(range(2, 1202))  # over more than one hop
    assert sorted(told, key=lambda one: one.line) == sorted(outcomes, key=lambda one: one.line)
    assert list(campaign.outcomes([State.UNKNOWN])) == []
    assert campaign.results(tmp_path / "results.csv") == 1200


def test_outcomes_come_many_to_a_hop(hero, memory, make, monkeypatch):
    hops = []
    whole = type(background()).run

    def counted(self, function, *args):
        hops.append(function)
        return whole(self, function, *args)

    monkeypatch.setattr(type(background()), "run", counted)
    assert len(list(make(1000).run(hero))) == 1000
    assert len(hops) < 500


def test_the_whole_life_of_a_campaign(hero, memory, make, tmp_path):
    campaign = make(3)
    found = campaign.check(hero.settings)
    assert (found.rows, found.bad_rows) == (3, 0)
    assert names(tmp_path, "*.outbox") == []
    assert campaign.prepare(hero.settings).rows == 3
    assert states(campaign) == {"ready": 3}
    memory.script[SEND].append(lost(processed=True))
    assert sorted(outcome.state.value for outcome in campaign.run(hero)) == ["sent", "sent", "unknown"]
    again = Campaign.open(tmp_path / "it.outbox")
    assert type(again) is Campaign
    assert again.channel == "sms"
    (doubt,) = again.outcomes([State.UNKNOWN])
    assert again.reconcile("unsent", lines=[doubt.line]) == 1
    assert [outcome.line for outcome in again.run(hero)] == [doubt.line]
    assert states(again) == {"sent": 3}
    assert again.outbox.label == campaign.outbox_for(hero.settings).label
    again.purge()
    assert names(tmp_path, "it.outbox*") == []
    with pytest.raises(OutboxError, match="no such outbox"):
        Campaign.open(tmp_path / "it.outbox")


def test_recipients_may_be_rows_of_the_programs_own(hero, memory, tmp_path):
    rows = [{"reference": f"r{number}", "patient_id": str(number), "first_name": "S"} for number in range(1, 4)]
    campaign = Campaign(rows, text=TEXT, channel="sms", outbox=SQLiteOutbox(tmp_path / "x.outbox"))
    assert sorted(outcome.reference for outcome in campaign.run(hero)) == ["r1", "r2", "r3"]


def test_what_is_wrong_with_a_campaign_is_said_before_anything_is_sent(hero, memory, make, tmp_path):
    with pytest.raises(InputError, match="channel"):
        make(channel="pigeon")
    bad = Campaign(write_csv(tmp_path / "b.csv", "first_name", ["x"]), text=TEXT, channel="sms")
    with pytest.raises(InputError):
        list(bad.run(hero))
    with pytest.raises(ValueError, match="concurrency"):
        make(concurrency=0)
    assert memory.attempts == {}


def test_the_wrong_client_is_refused_in_both_worlds(hero, memory, make, tmp_path):
    asynchronous = AsyncHero(api_key="k", practice_group_id="1", base_url="http://127.0.0.1:1", transport=memory)
    with pytest.raises(InvalidArgumentError, match=r"hero: must be a hero_sync\.Hero"):
        make().run(asynchronous)

    async def main():
        await anext(async_bulk.Campaign(patients_csv(tmp_path / "a.csv", 2), text=TEXT, channel="sms").run(hero))

    with pytest.raises(InvalidArgumentError, match="hero: must be an AsyncHero"):
        anyio.run(main)
    assert memory.attempts == {}


def test_leaving_early_finishes_what_is_under_way(hero, memory, make):
    campaign = make(500, concurrency=20)
    for outcome in campaign.run(hero):
        assert outcome.state is State.SENT
        break
    found = states(campaign)
    assert set(found) == {"sent", "ready"}
    assert found["sent"] == len(memory.processed) < 500
    with contextlib.closing(campaign.run(hero)) as outcomes:
        next(outcomes)
    with pytest.raises(ZeroDivisionError):
        print([1 / 0 for _ in campaign.run(hero)])
    assert set(states(campaign)) == {"sent", "ready"}
    assert background().run(tasks) == 0
    list(campaign.run(hero))
    assert states(campaign) == {"sent": 500}
    assert memory.doubled() == []


def test_drain_from_another_thread_ends_a_run(hero, memory, make):
    campaign = make(500, concurrency=5)
    gate = Gate()
    memory.script[SEND].extend([gate] * 5)

    def drain():
        background().run(gate.arrivals, 5)
        campaign.drain()

        async def let_go():
            gate.open()

        background().run(let_go)

    thread = threading.Thread(target=drain)
    thread.start()
    assert len(list(campaign.run(hero))) == 5
    thread.join()
    assert states(campaign) == {"sent": 5, "ready": 495}


def test_drain_without_a_run_does_nothing(make, hero):
    campaign = make(3)
    campaign.drain()
    assert len(list(campaign.run(hero))) == 3


def test_two_runs_of_one_outbox_and_runs_of_two_outboxes(hero, memory, make, tmp_path):
    async def made():
        return Gate()

    async def open_gate():
        gate.open()

    gate = background().run(made)
    campaign = make(10, concurrency=1)
    memory.script[SEND].extend([accept, gate])
    running = campaign.run(hero)
    next(running)
    background().run(gate.arrivals, 1)
    with pytest.raises(OutboxBusyError):
        list(Campaign.open(tmp_path / "it.outbox").run(hero))
    other = Campaign(patients_csv(tmp_path / "o.csv", 10), text=TEXT, channel="sms", outbox=tmp_path / "o.outbox")
    list(other.run(hero))
    background().run(open_gate)
    list(running)
    assert states(campaign) == states(other) == {"sent": 10}


def test_a_run_that_was_left_half_way_may_be_collected_on_the_loops_own_thread(hero, memory, make):
    campaign = make(300, concurrency=5)
    running = campaign.run(hero)
    next(running)
    cycle = [running]
    cycle.append(cycle)
    del running, cycle

    async def collect():
        return gc.collect()

    assert background().run(collect) > 0
    while background().run(tasks):
        pass
    assert set(states(campaign)) == {"sent", "ready"}


def test_a_run_that_nobody_iterates_over_sends_nothing(hero, memory, make):
    campaign = make(3)
    campaign.run(hero)
    assert memory.attempts == {}


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_ctrl_c_in_a_campaign_is_at_once_and_leaves_nothing_behind(server, tmp_path, loop):
    patients_csv(tmp_path / "p.csv", 100)
    text = (
        f"""
from hero_async.bulk import State
from hero_sync.bulk import Campaign
import logging
logging.getLogger("hero_async").setLevel(logging.ERROR)
campaign = Campaign({str(tmp_path / "p.csv")!r}, text="x", channel="sms", concurrency=1)
"""
        + """
def states():
    print({state.value: number for state, number in campaign.status().states.items() if number}, flush=True)

with Hero(**{**OPTIONS, "timeout": 1000.0}) as hero:
    hero.messages.get("1")
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        for outcome in campaign.run(hero):
            print(outcome.state.value, flush=True)
    except KeyboardInterrupt:
        print(left(), acquired(hero), flush=True)
        states()
    print(len(list(campaign.run(hero))))
    states()
"""
    )
    process = start(TASKS + text, server.url, loop=loop)
    try:
        assert process.stdout.readline() == "ready\n"
        server.script(answer())
        arrived = arrival(server)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "sent\n"
        assert arrived.wait(30)
        process.send_signal(2)
        out, err = process.communicate(timeout=50)
    finally:
        process.kill()
    assert (process.returncode, err) == (0, "")
    assert out.splitlines() == [
        "0 0",
        "{'ready': 98, 'sent': 1, 'unknown': 1}",
        "98",
        "{'sent': 99, 'unknown': 1}",
    ]
    sent = [json.loads(one.body)["patient_id"] for one in server.arrivals if one.verb == "POST"]
    assert len(sent) == len(set(sent)) == 100


@pytest.mark.parametrize("way", ["for", "closing", "wait"])
def test_ctrl_c_outside_of_the_wait_for_outcomes_is_at_once_too(server, tmp_path, way):
    patients_csv(tmp_path / "p.csv", 100)
    ways = {
        "for": """
        for outcome in campaign.run(hero):
            print("here", flush=True)
            sys.stdin.readline()
""",
        "closing": """
        with contextlib.closing(campaign.run(hero)) as outcomes:
            for outcome in outcomes:
                print("here", flush=True)
                sys.stdin.readline()
""",
        "wait": """
        outcomes = campaign.run(hero)
        next(outcomes)
        threading.Thread(target=lambda: (held.wait(), print("here", flush=True)), daemon=True).start()
        drain = campaign.inner.drain
        campaign.inner.drain = lambda: (drain(), held.set())
        outcomes.close()
""",
    }
    text = f"""
from hero_sync.bulk import Campaign
import contextlib, logging
logging.getLogger("hero_async").setLevel(logging.ERROR)
held = threading.Event()
campaign = Campaign({str(tmp_path / "p.csv")!r}, text="x", channel="sms", concurrency=2)
with Hero(**{{**OPTIONS, "timeout": 1000.0}}) as hero:
    try:
{ways[way]}
    except KeyboardInterrupt:
        print(left(), acquired(hero), signal.getsignal(signal.SIGINT) is signal.default_int_handler, flush=True)
    found = {{state.value: number for state, number in campaign.status().states.items()}}
    print(found["sending"], found["unknown"] > 0, sum(found.values()))
    hero.messages.get("1")
"""

    async def step(peer, request):
        if request.verb == "POST" and len([one for one in server.arrivals if one.verb == "POST"]) > 1:
            await loses("hold", processed=True)(peer, request)
        else:
            await answer()(peer, request)

    server.otherwise = step
    process = start(TASKS + text, server.url)
    try:
        assert process.stdout.readline() == "here\n"
        process.send_signal(2)
        out, err = process.communicate(timeout=50)
    finally:
        process.kill()
    assert (process.returncode, err) == (0, "")
    assert out.splitlines() == ["0 0 True", "0 True 100"]


def test_sigterm_that_drains_leaves_no_doubt(server, tmp_path):
    patients_csv(tmp_path / "p.csv", 200)
    program = f"""
        from hero_sync.bulk import Campaign
        campaign = Campaign({str(tmp_path / "p.csv")!r}, text="x", channel="sms", concurrency=3)
        signal.signal(signal.SIGTERM, lambda *_: campaign.drain())
        with Hero(**OPTIONS) as hero:
            for outcome in campaign.run(hero):
                os.kill(os.getpid(), signal.SIGTERM)
        states = campaign.status().states
        print(sum(states.values()), 0 < states["sent"] < 200, states["unknown"], states["sending"])
    """
    assert run(program, server.url) == ["200 True 0 0"]


def test_a_fork_during_a_campaign_leaves_it_to_the_parent(server, tmp_path):
    patients_csv(tmp_path / "p.csv", 50)
    program = f"""
        from hero_sync.bulk import Campaign
        campaign = Campaign({str(tmp_path / "p.csv")!r}, text="x", channel="sms", concurrency=3)
        hero = Hero(**OPTIONS)
        count = 0
        for outcome in campaign.run(hero):
            count += 1
            if count == 1:
                for act in ("goes on", "leaves", "calls"):
                    pid = os.fork()
                    if pid == 0:
                        break
                    print(act, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
                else:
                    continue
                if act == "goes on":
                    sys.excepthook = lambda kind, error, trace: print(error, flush=True)
                    continue
                if act == "calls":
                    hero.messages.get("1")
                break
        if count == 50:
            print(count, campaign.status().states["sent"])
        hero.close()
    """
    assert run(program, server.url) == [
        "what was begun before a fork goes on in the parent alone: begin it anew",
        "goes on 1",
        "leaves 0",
        "calls 0",
        "50 50",
    ]
    sent = [json.loads(one.body)["patient_id"] for one in server.arrivals if one.verb == "POST"]
    assert sorted(map(int, sent)) == list(range(1, 51))


def test_a_program_that_ends_in_the_middle_of_a_campaign_ends_in_peace_and_loses_nothing(server, tmp_path):
    patients_csv(tmp_path / "p.csv", 50)
    file = str(tmp_path / "p.csv")
    program = f"""
        from hero_sync.bulk import Campaign
        import logging
        logging.getLogger("hero_async").setLevel(logging.ERROR)
        campaign = Campaign({file!r}, text="x", channel="sms", concurrency=3, outbox={file + ".outbox"!r})
        hero = Hero(**OPTIONS)
        running = campaign.run(hero)
        print(next(running).state.value)
    """
    assert run(program, server.url) == ["sent"]
    with Hero(api_key="k", practice_group_id="1", base_url=server.url) as hero:
        campaign = Campaign.open(file + ".outbox")
        list(campaign.run(hero))
        found = states(campaign)
    assert sum(found.values()) == 50
    sent = [json.loads(one.body)["patient_id"] for one in server.arrivals if one.verb == "POST"]
    assert len(sent) == len(set(sent))
    assert found["sent"] + found.get("unknown", 0) >= len(sent)


def test_the_surface_is_that_of_the_async_campaign():
    def public(cls):
        return {name for name in dir(cls) if not name.startswith("_")}

    assert public(Campaign) == public(async_bulk.Campaign) - {"batches"} | {"progress"}
    for name in public(Campaign) - {"progress"} | {"__init__"}:
        ours, theirs = inspect.getattr_static(Campaign, name), getattr(async_bulk.Campaign, name)
        if isinstance(ours, property):
            assert ours.fget.__doc__
            continue
        parameters = inspect.signature(getattr(Campaign, name)).parameters
        assert list(parameters) == list(inspect.signature(theirs).parameters), name
        assert name == "__init__" or getattr(Campaign, name).__doc__


@pytest.mark.parametrize("world", ["async", "blocking"])
def test_no_frame_of_ours_shows_the_recipients_of_a_campaign_that_cannot_be_opened(tmp_path, world):
    recipients = [{"patient_id": "1", "first_name": "zq7canary"}]
    place = tmp_path / "none.outbox"
    calls = {
        "async": lambda: asyncio.run(async_bulk.Campaign.open(place, recipients=recipients)),
        "blocking": lambda: Campaign.open(place, recipients=recipients),
    }
    with pytest.raises(OutboxError) as raised:
        calls[world]()
    frame = raised.tb
    while not frame.tb_frame.f_globals["__name__"].startswith("hero_"):  # this test's own, and asyncio's
        frame = frame.tb_next
    screen = Console(file=io.StringIO(), width=200)
    screen.print(Traceback.from_exception(OutboxError, raised.value, frame, show_locals=True))
    assert "none.outbox" in screen.file.getvalue()
    assert "zq7canary" not in screen.file.getvalue()
