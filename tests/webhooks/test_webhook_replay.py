"""Who may handle a delivery is settled once, whoever asks, from whichever thread or process."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hero_async import ConfigurationError
from hero_async.clock import VirtualClock
from hero_async.webhooks import Claim, MemoryReplayStore, ReplayStore, SQLiteReplayStore, sign

MakeStore = Callable[..., Any]


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStore:
    if request.param == "memory":
        return MemoryReplayStore
    return lambda **options: SQLiteReplayStore(tmp_path / "replay.db", **options)


def test_a_claim_is_taken_once_and_done_when_finished(make: MakeStore, now: VirtualClock) -> None:
    store: ReplayStore = make()
    assert store.claim("a", "one") is Claim.TAKEN
    assert store.claim("a", "two") is Claim.BUSY
    assert store.claim("b", "two") is Claim.TAKEN
    store.finish("a", "one")
    assert store.claim("a", "two") is Claim.DONE
    assert store.claim("b", "one") is Claim.BUSY


def test_a_released_claim_is_free_and_a_finished_one_cannot_be_released(make: MakeStore, now: VirtualClock) -> None:
    store: ReplayStore = make()
    store.claim("a", "one")
    store.release("a", "one")
    assert store.claim("a", "two") is Claim.TAKEN
    store.finish("a", "two")
    store.release("a", "two")
    assert store.claim("a", "three") is Claim.DONE


def test_only_the_owner_ends_a_claim(make: MakeStore, now: VirtualClock) -> None:
    store: ReplayStore = make(lease=10)
    store.claim("a", "one")
    now.advance(10)
    assert store.claim("a", "two") is Claim.TAKEN
    store.release("a", "one")  # it comes back after its lease, and is not asked
    assert store.claim("a", "three") is Claim.BUSY
    store.finish("a", "one")
    assert store.claim("a", "three") is Claim.BUSY
    store.finish("a", "two")
    assert store.claim("a", "three") is Claim.DONE


def test_leases_and_memories_end(make: MakeStore, now: VirtualClock) -> None:
    store: ReplayStore = make(lease=timedelta(seconds=10), retention=timedelta(seconds=100))
    assert store.retention == 100
    store.claim("a", "one")
    now.advance(9.9)
    assert store.claim("a", "two") is Claim.BUSY
    now.advance(0.1)
    assert store.claim("a", "two") is Claim.TAKEN
    store.finish("a", "two")
    now.advance(99.9)
    assert store.claim("a", "three") is Claim.DONE
    now.advance(0.1)
    assert store.claim("a", "three") is Claim.TAKEN


def test_what_took_longer_than_its_lease_and_was_swept_is_still_noted(make: MakeStore, now: VirtualClock) -> None:
    store: ReplayStore = make(lease=10)
    store.claim("slow", "one")
    now.advance(1000)
    for number in range(120):
        store.claim(f"other {number}", "two")
    store.finish("slow", "one")
    assert store.claim("slow", "three") is Claim.DONE


def test_what_is_over_is_forgotten(make: MakeStore, now: VirtualClock, tmp_path: Path) -> None:
    store: Any = make(lease=10, retention=20)
    for number in range(200):
        store.claim(str(number), "one")
        store.finish(str(number), "one")
        now.advance(1)
    if isinstance(store, MemoryReplayStore):
        assert len(store._entries) < 150
    else:
        with sqlite3.connect(tmp_path / "replay.db") as db:
            assert db.execute("SELECT count(*) FROM delivery").fetchone()[0] < 150
        db.close()


def test_of_many_threads_one_gets_it(make: MakeStore, now: VirtualClock) -> None:
    store: ReplayStore = make()
    barrier = threading.Barrier(20)

    def ask(number: int) -> list[Claim]:
        barrier.wait()
        return [store.claim(f"key {key}", str(number)) for key in range(5)]

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(ask, range(20)))
    for of_a_key in zip(*answers, strict=True):
        assert Counter(of_a_key) == {Claim.TAKEN: 1, Claim.BUSY: 19}


WORKER = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from hero_async.webhooks import *

folder, key, threads = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
body = (folder / "body").read_bytes()
events = Events()

@events.on(Event)
def handler(event):
    with (folder / "handled").open("a") as file:
        file.write("once\\n")

receiver = Receiver(Verifier(key), events, replay=SQLiteReplayStore(folder / "replay.db"))
headers = eval((folder / "headers").read_text())
barrier = threading.Barrier(threads + 1)

def deliver(_):
    barrier.wait()
    return receiver.receive_blocking(headers, body).status

with ThreadPoolExecutor(threads) as pool:
    answers = pool.map(deliver, range(threads))
    print("ready", flush=True)
    sys.stdin.readline()
    barrier.wait()
    print(*answers, flush=True)
"""


def test_fifty_deliveries_of_one_event_in_four_processes_are_handled_once(
    tmp_path: Path, key: str, body: Callable[..., bytes]
) -> None:
    (tmp_path / "body").write_bytes(body())
    (tmp_path / "headers").write_text(repr(sign(key, body())))
    workers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", WORKER, str(tmp_path), key, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for threads in (12, 12, 13, 13)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    outputs = [worker.communicate(timeout=50)[0] for worker in workers]
    statuses = Counter(" ".join(outputs).split())
    assert (tmp_path / "handled").read_text() == "once\n"
    assert statuses["200"] == 1
    assert statuses.total() == 50
    assert set(statuses) <= {"200", "204", "409"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_store_that_a_fork_inherited_works_in_both(tmp_path: Path) -> None:
    store = SQLiteReplayStore(tmp_path / "replay.db")
    assert store.claim("parent", "one") is Claim.TAKEN
    child = os.fork()
    if child == 0:
        good = store.claim("parent", "two") is Claim.BUSY and store.claim("child", "two") is Claim.TAKEN
        os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.claim("child", "one") is Claim.BUSY


def test_the_file_is_for_its_owner_only_and_holds_no_value(tmp_path: Path) -> None:
    path = tmp_path / "replay.db"
    store = SQLiteReplayStore(str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    store.claim("a", "one")
    assert [file.name for file in tmp_path.iterdir()] == ["replay.db"]
    assert str(tmp_path) not in repr(store)


def test_another_database_is_not_written_into(tmp_path: Path) -> None:
    path = tmp_path / "mine.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (x)")
    db.close()
    (tmp_path / "text").write_text("not a database, but long enough to be taken for one" * 50)
    before = path.read_bytes()
    for wrong in (path, tmp_path / "text", tmp_path / "nowhere" / "x.db", tmp_path):
        with pytest.raises(ConfigurationError, match="replay store"):
            SQLiteReplayStore(wrong)
    assert path.read_bytes() == before


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf"), True, "300", None, timedelta(0)])
@pytest.mark.parametrize("name", ["lease", "retention"])
def test_durations_that_cannot_work_are_refused(make: MakeStore, name: str, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=name):
        make(**{name: wrong})
