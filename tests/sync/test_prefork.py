"""Real prefork: gunicorn with a preloaded application, workers by os.fork and by multiprocessing, and 200 threads."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from programs import run
from scripted import EVERYTHING, answer, turns

from hero_async.sandbox import Sandbox

HERE = Path(__file__).parent
LOOPS = ["asyncio", "uvloop"]

EIGHT_WORKERS = """
import multiprocessing

def works(number):
    # A text of its own for each call: an answer to somebody else's call would be seen.
    for count in range(500):
        text = f"{number}-{count}"
        assert hero.messages.send(**{**SMS, "message_string": text}).content == text

def traffic():
    count = 0
    while not stop.is_set():
        count += 1
        text = f"parent-{threading.get_ident()}-{count}"
        try:
            assert view.messages.send(**{**SMS, "message_string": text}).content == text
        except BaseException as error:
            errors.append(repr(error))
            return
        counts.append(text)

errors, counts = [], []
stop = threading.Event()
hero = Hero(**OPTIONS)
view = hero.with_options(practice_group_id="2")
for _ in range(20):
    hero.messages.send(**SMS)  # before
running = [threading.Thread(target=traffic) for _ in range(3)]  # during
for thread in running:
    thread.start()
while len(counts) < 10:
    time.sleep(0.001)
"""

BY_OS_FORK = """
workers = []
for number in range(8):
    pid = os.fork()
    if pid == 0:
        works(number)
        hero.close()
        sys.exit(0)
    workers.append(pid)
print([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in workers])
"""

BY_MULTIPROCESSING = """
fork = multiprocessing.get_context("fork")
workers = [fork.Process(target=works, args=(number,)) for number in range(8)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
print([worker.exitcode for worker in workers])
"""

BY_A_POOL = """
with multiprocessing.get_context("fork").Pool(8) as pool:
    print([0 if one is None else one for one in pool.map(works, range(8), chunksize=1)])
    pool.close()
    pool.join()
"""

END = """
stop.set()
for thread in running:
    thread.join()
hero.messages.send(**SMS)
hero.close()
print(errors)
"""


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("way", [BY_OS_FORK, BY_MULTIPROCESSING, BY_A_POOL], ids=["os.fork", "multiprocessing", "pool"])
def test_eight_workers_of_500_calls_each_under_traffic_in_the_parent(server, way, loop):
    heard: dict[int, set[str]] = {}

    async def echo(peer, arrival):
        text = json.loads(arrival.body)["message_string"]
        heard.setdefault(arrival.connection, set()).add(text.partition("-")[0])
        await turns(2)
        await answer(body=EVERYTHING.replace(b'"content": "c"', b'"content": "%b"' % text.encode()))(peer, arrival)

    server.otherwise = echo
    assert run(EIGHT_WORKERS + way + END, server.url, loop=loop) == [f"{[0] * 8}", "[]"]
    sent = Counter(json.loads(one.body)["message_string"] for one in server.arrivals)
    assert {sent[f"{number}-{count}"] for number in range(8) for count in range(500)} == {1}
    assert [texts for texts in heard.values() if len(texts - {"x"}) > 1] == []  # each socket is one process's own


@pytest.mark.parametrize(("kind", "requests"), [("sync", 2000), ("gevent", 500)])
def test_gunicorn_with_four_workers_and_a_preloaded_application_that_used_its_client(tmp_path, kind, requests):
    with Sandbox(patients=5) as sandbox, (tmp_path / "log").open("wb") as log:
        with socket.create_server(("127.0.0.1", 0), backlog=200) as listening:
            port = listening.getsockname()[1]
            options = ["--preload", "-k", kind, "-w", "4", "-b", f"fd://{listening.fileno()}", "--chdir", str(HERE)]
            gunicorn = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", *options, "wsgi_app:flask_app"],
                env={
                    **os.environ,
                    "HERO_API_KEY": sandbox.api_key,
                    "HERO_PRACTICE_GROUP_ID": sandbox.practice_group_ids[0],
                    "HERO_BASE_URL": sandbox.url,
                    "PATIENT": sandbox.patients[0].patient_id,
                },
                pass_fds=[listening.fileno()],
                stdout=log,
                stderr=log,
            )

        def ask(number):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                connection.request("GET", f"/send/{number}")
                reply = connection.getresponse()
                return number, reply.status, json.loads(reply.read())
            finally:
                connection.close()

        try:
            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(ask, range(requests)))
        finally:
            gunicorn.terminate()
            code = gunicorn.wait(30)
        assert [one for one in answers if one[1] != 200] == []
        assert [one for one in answers if one[2]["content"] != f"number {one[0]}"] == []
        assert len({one[2]["id"] for one in answers}) == requests
        assert len({one[2]["pid"] for one in answers}) == 4 or kind == "gevent"  # which takes what one worker can
        assert sandbox.ledger.count("messages.send") == requests
    said = (tmp_path / "log").read_text()
    assert code == 0, said
    assert "Traceback" not in said
    assert "[ERROR]" not in said


def test_two_hundred_threads_on_one_client_and_one_loop_thread(server):
    program = """
        def work(number):
            barrier.wait()
            for count in range(20):
                text = f"{number}-{count}"
                assert hero.messages.send(**{**SMS, "message_string": text}).content == text
            done.append(number)

        done, barrier = [], threading.Barrier(200)
        with Hero(**OPTIONS) as hero:
            threads = [threading.Thread(target=work, args=(number,)) for number in range(200)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            print(len(done), [thread.name for thread in threading.enumerate()])
    """

    async def echo(peer, arrival):
        text = json.loads(arrival.body)["message_string"].encode()
        await answer(body=EVERYTHING.replace(b'"content": "c"', b'"content": "%b"' % text))(peer, arrival)

    server.otherwise = echo
    assert run(program, server.url) == ["200 ['MainThread', 'hero-sync']"]
    assert server.processed == 4000
    assert server.connections <= 100
