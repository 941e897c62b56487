"""Fixtures for your tests, loaded by pytest by itself once `hero-health` is installed.

    async def test_reminder(hero, hero_sandbox):
        patient = hero_sandbox.patients[0]
        await remind(hero, patient.patient_id)
        assert hero_sandbox.ledger.calls == ("messages.send 200",)

They need no key, no network and no particular async plugin. `@pytest.mark.hero_sandbox(patients=5, rate_limit=10)`
makes the sandbox of a test with other arguments of `hero_async.sandbox.Sandbox`. To have your endpoint told of
what happens, signed: `hero_sandbox.webhooks.subscribe("http://127.0.0.1:…/webhooks/hero")`, then
`hero_sandbox.webhooks.wait()`.

When a test that has a sandbox fails, the report shows what the sandbox saw: names, statuses and times, no value.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hero_async.client import AsyncHero
    from hero_async.clock import VirtualClock
    from hero_async.sandbox import Sandbox
    from hero_sync import Hero

__all__ = ["hero", "hero_environment", "hero_sandbox", "hero_sync_client", "no_waiting"]

_MOST_LINES = 40


@pytest.fixture
def hero_sandbox(request: pytest.FixtureRequest) -> Generator[Sandbox, None, None]:
    """A Hero of its own for one test, on this machine, on a thread of its own.

    In a test that also asks for `no_waiting`, it lives by that clock: what is waited passes for both.
    """
    from hero_async.sandbox import Sandbox

    options: dict[str, Any] = {}
    if "no_waiting" in request.fixturenames:
        options["clock"] = request.getfixturevalue("no_waiting")
    marker = request.node.get_closest_marker("hero_sandbox")
    if marker is not None:
        options |= marker.kwargs
    with Sandbox(**options) as sandbox:
        yield sandbox


@pytest.fixture
def hero(hero_sandbox: Sandbox) -> Generator[AsyncHero, None, None]:
    """An asyncio client of that sandbox."""
    import attrs

    from hero_async.client import AsyncHero

    # keep_alive: no connection outlives its call, so there is none to close when the test's loop is gone.
    client = AsyncHero.from_settings(attrs.evolve(hero_sandbox.settings, keep_alive=0))
    yield client
    client.abandon()


@pytest.fixture
def hero_sync_client(hero_sandbox: Sandbox) -> Generator[Hero, None, None]:
    """A blocking client of that sandbox."""
    from hero_sync import Hero

    with Hero.from_settings(hero_sandbox.settings) as client:
        yield client


@pytest.fixture
def hero_environment(hero_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Lets `from_env()` and the `hero` command find that sandbox, and no setting of whoever runs the test."""
    import os

    for name in [name for name in os.environ if name.startswith("HERO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HERO_PROFILE_FILE", os.devnull)
    for name, value in hero_sandbox.variables.items():
        monkeypatch.setenv(name, value)
    return hero_sandbox


@pytest.fixture
def no_waiting() -> Generator[VirtualClock, None, None]:
    """Waits of the SDK return at once; time moves on by what would have been waited. Gives the clock."""
    from datetime import UTC, datetime

    from hero_async.clock import VirtualClock, use

    # From now on, so that your own dates fit those of a sandbox; a whole second, as an HTTP date tells no less.
    virtual = VirtualClock(datetime.now(UTC).replace(microsecond=0))
    with use(virtual):
        yield virtual


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "hero_sandbox(**options): make the fixture hero_sandbox with these arguments of Sandbox"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the sandbox of a failed test saw."""
    report = yield
    sandbox = getattr(item, "funcargs", {}).get("hero_sandbox")
    if report.when == "call" and report.failed and sandbox is not None:
        report.sections.append(("hero sandbox: what arrived", _told(sandbox)))
    return report


def _told(sandbox: Sandbox) -> str:
    calls = sandbox.ledger.calls
    lines = [f"{number:4}  {line}" for number, line in enumerate(calls, start=1)]
    if len(lines) > _MOST_LINES:
        half = _MOST_LINES // 2
        lines[half:-half] = [f"      ... {len(lines) - 2 * half:,} more ..."]
    accepted = len(sandbox.ledger.messages)
    doubled = sum(map(len, sandbox.ledger.doubled().values()))
    return "\n".join(
        [*(lines or ["nothing"]), f"messages accepted: {accepted:,}; patients with more than one: {doubled:,}"]
    )


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Compare what a ledger holds field by field: the reprs hide texts, so they would look alike."""
    import sys

    if op != "==" or "hero_async.sandbox.ledger" not in sys.modules:
        return None
    from hero_async.sandbox.ledger import RECORDS, differences

    ours, theirs = _several(left), _several(right)
    if not any(isinstance(one, RECORDS) for one in (*ours, *theirs)):
        return None
    return ["the ledger differs", *differences(ours, theirs)]


def _several(side: object) -> tuple[object, ...]:
    return tuple(side) if isinstance(side, tuple | list) else (side,)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # what a test compares is of any type
