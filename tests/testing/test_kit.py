"""The pytest plugin, as a user's tests meet it: pytest in a process of its own, under every way to run async tests."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

ASYNC_TEST = """
    from hero_async.sandbox import Reset, RateLimited
    from hero_async import Delivery, APIConnectionError
    import pytest

    SMS = {"message_type": "sms", "message_string": "Your flu jab is due"}

    async def test_a_429_is_survived(hero, hero_sandbox, no_waiting):
        hero_sandbox.faults.add("messages.send", RateLimited(retry_after=20))
        await hero.messages.send(patient_id=hero_sandbox.patients[0].patient_id, **SMS)
        assert hero_sandbox.ledger.calls == ("messages.send 429", "messages.send 200")
        assert no_waiting.monotonic() >= 20

    async def test_another_test_has_another_sandbox(hero, hero_sandbox):
        assert hero_sandbox.ledger.calls == ()
        hero_sandbox.faults.add("messages.send", Reset(after_processing=True))
        with pytest.raises(APIConnectionError) as failure:
            await hero.messages.send(patient_id=hero_sandbox.patients[0].patient_id, **SMS)
        assert failure.value.delivery is Delivery.UNKNOWN
        assert hero_sandbox.ledger.calls == ("messages.send no answer",)
        assert len(hero_sandbox.ledger.messages) == 1
"""


def run(pytester: pytest.Pytester, *options: str, ini: str = "") -> pytest.RunResult:
    pytester.makeini(f"[pytest]\n{ini}")
    return pytester.runpytest_subprocess("-p", "no:randomly", "-W", "error", *options)


def test_with_anyio(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import pytest\npytestmark = pytest.mark.anyio\n" + _plain(ASYNC_TEST))
    pytester.makeconftest("import pytest\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n")
    run(pytester, "-p", "no:asyncio").assert_outcomes(passed=2)


@pytest.mark.skipif(find_spec("pytest_asyncio") is None, reason="pytest-asyncio is not installed")
@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_with_pytest_asyncio(pytester: pytest.Pytester, mode: str) -> None:
    mark = "import pytest\npytestmark = pytest.mark.asyncio\n" if mode == "strict" else ""
    pytester.makepyfile(mark + _plain(ASYNC_TEST))
    ini = f"asyncio_mode = {mode}\nasyncio_default_fixture_loop_scope = function\n"
    run(pytester, ini=ini).assert_outcomes(passed=2)


UNITTEST = """
    import unittest

    from hero_async import AsyncHero, InternalServerError
    from hero_async.sandbox import Sandbox, Status
    from hero_sync import Hero

    class Reminders(unittest.IsolatedAsyncioTestCase):
        async def asyncSetUp(self):
            self.sandbox = await self.enterAsyncContext(Sandbox(patients=5))
            self.hero = await self.enterAsyncContext(AsyncHero.from_settings(self.sandbox.settings))

        async def test_a_failing_server_is_not_asked_twice(self):
            self.sandbox.faults.add("messages.send", Status(503))
            with self.assertRaises(InternalServerError):
                await self.hero.messages.send(patient_id="100001", message_type="sms", message_string="x")
            self.assertEqual(self.sandbox.ledger.calls, ("messages.send 503",))

    class Blocking(unittest.TestCase):
        def setUp(self):
            self.sandbox = self.enterContext(Sandbox(patients=5))
            self.hero = self.enterContext(Hero.from_settings(self.sandbox.settings))

        def test_a_message_arrives(self):
            self.hero.messages.send(patient_id="100001", message_type="sms", message_string="x")
            self.assertEqual(len(self.sandbox.ledger.messages), 1)
"""


def test_with_unittest(pytester: pytest.Pytester) -> None:
    path = pytester.makepyfile(test_reminders=UNITTEST)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "unittest", path.stem],
        cwd=path.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Ran 2 tests" in done.stderr
    run(pytester, "-p", "no:asyncio").assert_outcomes(passed=2)


def test_the_blocking_client_the_environment_and_the_marker(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        """
        import os
        import pytest
        from hero_async.sandbox import Quirks
        from hero_sync import Hero

        def test_blocking(hero_sync_client, hero_sandbox):
            hero_sync_client.messages.send(patient_id="100001", message_type="sms", message_string="x")
            assert hero_sandbox.ledger.calls == ("messages.send 200",)

        def test_code_that_reads_the_environment(hero_environment):
            assert "HERO_TIMEOUT" not in os.environ
            with Hero.from_env() as hero:
                hero.appointment_types.list().first()
            assert hero_environment.ledger.calls == ("appointment_types.list 200",)

        @pytest.mark.hero_sandbox(patients=3, practice_group_ids=("7",), quirks=Quirks(login_url_share=1.0))
        def test_a_sandbox_of_ones_own(hero_sync_client, hero_sandbox):
            assert len(hero_sandbox.patients) == 3
            assert hero_sync_client.settings.practice_group_id == "7"
            patient = hero_sandbox.patients[0]
            found = hero_sync_client.patients.register_pds(nhs_number=patient.nhs_number, dob=patient.dob)
            assert found.login_url

        @pytest.mark.hero_sandbox(patients=5, rate_limit=1, rate_burst=1)
        def test_sandbox_and_sdk_wait_by_one_clock(hero_sync_client, hero_sandbox, no_waiting):
            for _ in range(4):
                hero_sync_client.appointment_types.list().first()
            assert hero_sandbox.ledger.calls.count("appointment_types.list 200") == 4
            assert "appointment_types.list 429" in hero_sandbox.ledger.calls
            assert no_waiting.monotonic() >= 3

        def test_a_reservation_runs_out(hero_sync_client, hero_sandbox):
            from datetime import timedelta
            slot = hero_sync_client.slots.list(
                start_date=hero_sandbox.clock.now().date() + timedelta(days=7)).first().data[0]
            held = hero_sync_client.appointments.create(
                appointment_type_id=slot.appointment_type_id, location_id=slot.location_id,
                practitioner_id=slot.practitioner_id, duration=10, start_time=slot.start_time, patient_id="100001")
            hero_sandbox.clock.advance(3600)
            with pytest.raises(Exception) as refused:
                hero_sync_client.appointments.book(held.id)
            assert refused.value.delivery.value == "no"
        """
    )
    monkeypatch.setenv("HERO_TIMEOUT", "nonsense")
    run(pytester, "-p", "no:asyncio", "--strict-markers").assert_outcomes(passed=5)


def test_a_failure_shows_what_arrived_and_how_the_ledger_differs_and_no_value(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import attrs

        TEXT = "canary " + "text"

        def test_calls(hero_sync_client, hero_sandbox):
            hero_sync_client.messages.send(patient_id="100001", message_type="sms", message_string=TEXT)
            assert hero_sandbox.ledger.calls == ("patients.register_pds 200", "messages.send 200")

        def test_records(hero_sync_client, hero_sandbox):
            hero_sync_client.messages.send(patient_id="100001", message_type="sms", message_string=TEXT)
            [message] = hero_sandbox.ledger.messages
            wanted = attrs.evolve(message, text="canary " + "other", patient_id="100002")
            assert hero_sandbox.ledger.messages == (wanted,)

        def test_count(hero_sandbox):
            assert hero_sandbox.ledger.messages == (1,)

        def test_many(hero_sync_client, hero_sandbox):
            for _ in range(50):
                hero_sync_client.appointment_types.list().first()
            assert not hero_sandbox.ledger.calls
        """
    )
    outcome = run(pytester, "-p", "no:asyncio", "--tb=short")
    outcome.assert_outcomes(failed=4)
    said = outcome.stdout.str()
    outcome.stdout.fnmatch_lines_random(
        [
            "*hero sandbox: what arrived*",
            "   1  messages.send 200",
            "messages accepted: 1; patients with more than one: 0",
            "*the ledger differs",
            "*[[]0[]] AcceptedMessage.patient_id: '100001' != '100002'",
            "*[[]0[]] AcceptedMessage.text: differs (not shown)",
            "*... 10 more ...",
        ]
    )
    assert "canary text" not in said
    assert "canary other" not in said


def test_the_plugin_loads_nothing_until_a_fixture_is_asked_for() -> None:
    heavy = "{'aiohttp', 'attrs', 'cattrs', 'anyio'}"
    code = f"import sys, hero_async.testing; print(sorted({heavy} & {{*sys.modules}} - {{*before}}))"
    done = subprocess.run(
        [sys.executable, "-c", "import sys, pytest; before = [*sys.modules]; " + code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


def _plain(text: str) -> str:
    import textwrap

    return textwrap.dedent(text)
