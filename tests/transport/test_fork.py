"""A fork under an async client: the child works, and the parent's calls go on."""

import asyncio

import pytest
from programs import run
from scripted import ScriptedServer


@pytest.fixture
def server():
    made = asyncio.run(new_server())
    with made.running_in_thread():
        yield made


async def new_server():
    return ScriptedServer()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_fork_between_two_runs_of_a_loop_leaves_the_parents_connections_alone(server, loop):
    program = """
        hero = AsyncHero(**OPTIONS)

        async def send(count):
            return await asyncio.gather(*(hero.messages.send(**SMS) for _ in range(count)))

        async def use_and_close():
            await send(3)
            await hero.close()

        def does_nothing():
            pass

        def forgets_the_client():
            global hero
            hero = None

        def closes_the_client():
            asyncio.run(hero.close())

        def uses_the_client():
            asyncio.run(send(3))

        def uses_and_closes_the_client():
            asyncio.run(use_and_close())

        runner = asyncio.Runner(loop_factory=sys.modules["uvloop"] and uvloop.new_event_loop)
        for act in (
            does_nothing, forgets_the_client, closes_the_client, uses_the_client, uses_and_closes_the_client
        ):
            runner.run(send(6))
            pid = os.fork()
            if pid == 0:
                act()
                gc.collect()
                if sys.modules["uvloop"]:  # libuv crashes when a forked child exits (libuv issue 4443)
                    os._exit(0)
                sys.exit(0)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            print(act.__name__, code, len(runner.run(send(6))), flush=True)
        runner.run(hero.close())
        runner.close()
    """
    assert run(program, server.url, loop=loop) == [
        "does_nothing 0 6",
        "forgets_the_client 0 6",
        "closes_the_client 0 6",
        "uses_the_client 0 6",
        "uses_and_closes_the_client 0 6",
    ]


def test_forks_inside_a_running_loop_leave_the_traffic_of_the_parent_alone(server):
    program = """
        async def traffic(hero, stop):
            count = 0
            while not stop.is_set():
                await hero.messages.send(**SMS)
                count += 1
            return count

        async def in_child(hero):
            for _ in range(3):
                await hero.messages.send(**SMS)
            await hero.close()

        async def main():
            async with AsyncHero(**OPTIONS) as hero:
                stop = asyncio.Event()
                running = [asyncio.ensure_future(traffic(hero, stop)) for _ in range(5)]
                for _ in range(4):
                    await hero.messages.send(**SMS)
                    pid = os.fork()
                    if pid == 0:
                        code = 1
                        try:
                            asyncio.run(in_child(hero))
                            code = 0
                        finally:
                            os._exit(code)
                    while True:
                        done, status = os.waitpid(pid, os.WNOHANG)
                        if done:
                            break
                        await hero.messages.get("1")
                    print(os.waitstatus_to_exitcode(status))
                stop.set()
                print(all(await asyncio.gather(*running)))

        asyncio.run(main())
    """
    assert run(program, server.url) == ["0", "0", "0", "0", "True"]


def test_a_process_of_multiprocessing_may_use_the_client_that_it_inherited(server):
    program = """
        import multiprocessing

        async def send(hero):
            await hero.messages.send(**SMS)

        def work(hero):
            asyncio.run(send(hero))

        async def main():
            async with AsyncHero(**OPTIONS) as hero:
                await hero.messages.send(**SMS)
                process = multiprocessing.get_context("fork").Process(target=work, args=(hero,))
                process.start()
                await asyncio.to_thread(process.join)
                await hero.messages.send(**SMS)
                print(process.exitcode)

        asyncio.run(main())
    """
    assert run(program, server.url) == ["0"]
    assert server.processed == 3
