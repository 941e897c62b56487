"""Clients of settings that are resolved: in both worlds, and nothing else is read."""

import os

import pytest

from hero_async import AsyncHero, ConfigurationError, Settings
from hero_async.transport import Reply
from hero_sync import Hero

MADE = {"api_key": "test-key", "practice_group_id": "1"}


@pytest.fixture
def no_environment(monkeypatch):
    """Whoever looks into the environment fails."""
    for name in [name for name in os.environ if name.startswith("HERO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HERO_TIMEOUT", "not a number")


def settings(server):
    return Settings.resolve({**MADE, "base_url": server.url, "timeout": 7.0}, environ={})


async def answer(attempt):
    await attempt.leave()
    attempt.status = 200
    return Reply(200, {}, b'{"data": [], "count": 0}')


@pytest.mark.usefixtures("no_environment")
def test_a_blocking_client_of_resolved_settings(server):
    resolved = settings(server)
    with Hero.from_settings(resolved) as hero:
        assert hero.settings is resolved
        assert hero.with_options(timeout=2).settings.timeout == 2
        hero.messages.send(patient_id="1", message_type="sms", message_string="x")
    assert server.processed == 1


@pytest.mark.anyio
@pytest.mark.usefixtures("no_environment")
async def test_an_async_client_of_another_clients_settings(server):
    async with AsyncHero.from_settings(settings(server)) as first:
        async with AsyncHero.from_settings(first.settings) as second:
            await second.messages.send(patient_id="1", message_type="sms", message_string="x")
        await first.messages.send(patient_id="1", message_type="sms", message_string="x")
        with pytest.raises(ConfigurationError, match="closed"):
            await second.messages.get("1")
    assert server.processed == 2


def test_it_takes_a_transport_and_a_subclass_stays_itself(server):
    class Ours(Hero):
        pass

    with Ours.from_settings(settings(server), transport=answer) as hero:
        assert isinstance(hero, Ours)
        assert hero.appointment_types.list().first().data == ()
    assert server.processed == 0
