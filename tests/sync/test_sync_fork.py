"""A blocking client across a fork: the child works, the parent's calls go on, and both end in peace."""

import pytest
from programs import run
from scripted import answer

LOOPS = ["asyncio", "uvloop"]


@pytest.mark.parametrize("loop", LOOPS)
def test_forks_under_traffic_leave_parent_and_children_in_peace(server, loop):
    program = """
        hero = Hero(**OPTIONS)
        view = hero.with_options(practice_group_id="2")

        def burst():
            errors = []

            def one():
                try:
                    hero.messages.send(**SMS)
                except BaseException as error:
                    errors.append(repr(error))

            threads = [threading.Thread(target=one) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return errors

        def traffic():
            while not stop.is_set():
                try:
                    view.messages.get("1")
                except BaseException as error:
                    errors.append(repr(error))
                    return

        def does_nothing():
            pass

        def forgets_the_client():
            global hero, view
            hero = view = None
            gc.collect()

        def closes_the_client():
            hero.close()

        def uses_the_client():
            assert burst() == []
            runtime = hero._inner._shared.runtime
            view.messages.send(**SMS)
            hero.messages.send(**SMS)
            assert hero._inner._shared.runtime is runtime

        def uses_and_closes_the_client():
            uses_the_client()
            hero.close()

        def forks_again():
            pid = os.fork()
            if pid == 0:
                uses_the_client()
                sys.exit(0)
            assert os.waitpid(pid, 0)[1] == 0

        errors = []
        stop = threading.Event()
        burst()
        running = threading.Thread(target=traffic)
        running.start()
        for act in (
            does_nothing,
            forgets_the_client,
            closes_the_client,
            uses_the_client,
            uses_and_closes_the_client,
            forks_again,
        ):
            pid = os.fork()
            if pid == 0:
                act()
                sys.exit(0)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            print(act.__name__, code, burst(), flush=True)
        stop.set()
        running.join()
        print(errors)
        hero.close()
    """
    assert run(program, server.url, loop=loop) == [
        "does_nothing 0 []",
        "forgets_the_client 0 []",
        "closes_the_client 0 []",
        "uses_the_client 0 []",
        "uses_and_closes_the_client 0 []",
        "forks_again 0 []",
        "[]",
    ]


def test_a_walk_that_was_begun_before_a_fork_ends_in_the_child_and_goes_on_in_the_parent(server):
    async def pages(peer, arrival):
        index = int(arrival.target.partition("page_index=")[2] or 0)
        item = b'{"dob": "2001-01-0%d"}' % (index + 1) if index < 3 else b""
        await answer(body=b'{"data": [%b]}' % item)(peer, arrival)

    server.otherwise = pages
    program = """
        def walk_in(child):
            days = []
            for patient in hero.patients.list(first_name="x"):
                days.append(patient.dob.day)
                if len(days) == 1:
                    pid = os.fork()
                    if pid == 0 and child == "leaves":
                        break
                    if pid:
                        print(child, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
            else:
                print(days, flush=True)
                return
            assert hero.request("GET", "/v1/x")["data"]
            sys.exit(0)

        hero = Hero(**OPTIONS)
        parent = os.getpid()
        try:
            walk_in(sys.argv[2])
        except RuntimeError as error:
            assert os.getpid() != parent
            print(error, flush=True)
            sys.exit(3)
        hero.close()
    """
    assert run(program.replace("sys.argv[2]", "'leaves'"), server.url) == ["leaves 0", "[1, 2, 3]"]
    assert run(program.replace("sys.argv[2]", "'goes on'"), server.url) == [
        "a list that was begun before a fork cannot go on after it: begin it anew",
        "goes on 3",
        "[1, 2, 3]",
    ]


def test_a_key_that_was_being_asked_for_when_the_process_forked_is_asked_for_in_the_child(server):
    program = """
        asked = threading.Event()
        answered = threading.Event()
        parent = os.getpid()

        async def vault():
            if os.getpid() == parent:
                asked.set()
                while not answered.is_set():
                    await asyncio.sleep(0.001)
            return "key"

        hero = Hero(**{**OPTIONS, "api_key": vault})
        calls = [threading.Thread(target=lambda: hero.messages.send(**SMS)) for _ in range(2)]
        for call in calls:
            call.start()
        asked.wait()
        pid = os.fork()
        if pid == 0:
            print(hero.messages.send(**SMS).message_id, flush=True)
            sys.exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
        answered.set()
        for call in calls:
            call.join()
        hero.close()
    """
    assert run(program, server.url) == ["1", "0"]
    assert server.processed == 3
