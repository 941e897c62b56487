"""A resource is imported when it is touched, and nothing else is."""

from __future__ import annotations

import subprocess
import sys

from api_reference import table

SHARED = {
    "messages": {"_shared"},
    "episodes": {"_shared"},
    "patients": {"_shared", "_patients"},
    "pharmacies": {"_shared"},
    "prescribers": {"_shared"},
}

SCRIPT = """
import sys
from hero_async import AsyncHero
for resource in sys.argv[1:]:
    hero = AsyncHero(api_key="k", practice_group_id="1", base_url="https://hero.test")
    before = sorted(name for name in sys.modules if name.startswith("hero_async.api"))
    assert not before, before
    getattr(hero, resource)
    loaded = [name for name in sys.modules if name.startswith("hero_async.api")]
    print(resource, *sorted(name.removeprefix("hero_async.api.") for name in loaded if name != "hero_async.api"))
    for name in loaded:
        del sys.modules[name]
assert "aiohttp" not in sys.modules
"""


def test_touching_a_resource_loads_its_module_alone():
    resources = sorted({name.partition(".")[0] for name in table()})
    ran = subprocess.run([sys.executable, "-c", SCRIPT, *resources], capture_output=True, text=True, check=True)
    loaded = {line.split()[0]: set(line.split()[1:]) for line in ran.stdout.splitlines()}
    assert loaded == {resource: {resource} | SHARED.get(resource, set()) for resource in resources}


def test_a_resource_is_an_attribute_of_both_clients():
    from hero_async import AsyncHero
    from hero_sync import Hero

    for resource in {name.partition(".")[0] for name in table()}:
        for client in (AsyncHero, Hero):
            assert getattr(client, resource).__doc__
