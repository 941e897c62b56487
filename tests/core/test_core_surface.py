"""The public names: all there, loaded when first used, and nothing loaded before."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cached_property
from importlib import import_module
from pathlib import Path

import pytest

import hero_async
import hero_sync
from hero_async.resources import Resources

PACKAGES = [hero_async, hero_sync]
ROOT = Path(hero_async.__file__).parent.parent


def imported_for_checkers(package: object) -> dict[str, str]:
    """What a package's `if TYPE_CHECKING:` block imports: name to module."""
    source = Path(str(getattr(package, "__file__", ""))).read_text(encoding="utf-8")
    blocks = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    ]
    assert len(blocks) == 1
    found: dict[str, str] = {}
    for line in blocks[0].body:
        assert isinstance(line, ast.ImportFrom)
        for alias in line.names:
            assert alias.asname == alias.name  # else a checker takes it for private
            found[alias.name] = str(line.module)
    return found


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: str(package.__name__))
def test_what_checkers_see_is_what_there_is(package: object) -> None:
    seen = imported_for_checkers(package)
    names: list[str] = getattr(package, "__all__")  # noqa: B009  # of two packages
    assert set(seen) == set(names)
    assert len(names) == len(set(names))
    assert dir(package) == sorted(names)
    for name, module in seen.items():
        assert getattr(package, name) is getattr(import_module(module), name)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: str(package.__name__))
@pytest.mark.parametrize("name", ["AsyncHera", "__path_", "messages", "_WHERE_", "Hera"])
def test_an_unknown_name_is_an_attribute_error(package: object, name: str) -> None:
    with pytest.raises(AttributeError, match=f"has no attribute {name!r}"):
        getattr(package, name)


def test_every_error_and_type_that_a_caller_meets_is_public() -> None:
    assert {"Call", "Response", "Page", "Pages", "Delivery", "RetryPolicy", "RateLimit", "NULL", "OpenEnum"} <= set(
        hero_async.__all__
    )


def loaded_by(code: str, *, before: str = "") -> set[str]:
    """The modules that some code loads in a process of its own."""
    script = f"import sys\n{before}\nbefore = set(sys.modules)\n{code}\nprint(*sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT, timeout=30
    )
    return set(done.stdout.split())


CLIENT = "hero = hero_async.AsyncHero(api_key='key', practice_group_id='1', environment='staging')"


def test_importing_the_package_loads_nothing_but_itself() -> None:
    assert loaded_by("import hero_async") <= {"hero_async", "__future__"}
    assert loaded_by("import hero_sync") <= {"hero_sync", "__future__"}


def test_a_star_import_gives_all_names() -> None:
    code = "from hero_async import *\nfrom hero_sync import *\nassert Hero and AsyncHero and NULL and OPERATIONS"
    assert {"hero_async.client", "hero_sync.client"} <= loaded_by(code)


RESOURCES = sorted(name for name, of in vars(Resources).items() if isinstance(of, cached_property))


def test_touching_a_resource_loads_its_module_and_no_other() -> None:
    code = f"""
for name in {RESOURCES!r}:
    known = set(sys.modules)
    getattr(hero, name)
    new = {{module for module in set(sys.modules) - known if module.startswith("hero_async.api.")}}
    new = {{module for module in new if not module.startswith("hero_async.api._")}}  # models that subjects share
    assert new == {{"hero_async.api." + name}}, (name, new)
"""
    loaded = loaded_by(code, before=f"import hero_async\n{CLIENT}")
    assert {f"hero_async.api.{name}" for name in RESOURCES} <= loaded
    assert not {"aiohttp", "yarl", "hero_async.transport", "hero_async.registry"} & loaded


def test_every_operation_can_be_reached_from_a_client() -> None:
    assert {operation.name.partition(".")[0] for operation in hero_async.OPERATIONS} == set(RESOURCES)


def test_making_a_client_loads_no_network_and_no_models() -> None:
    loaded = loaded_by(CLIENT, before="import hero_async")
    heavy = {"aiohttp", "yarl", "msgspec", "cattrs", "anyio", "opentelemetry", "ssl", "asyncio", "backoff"}
    assert not heavy & loaded
    assert not {name for name in loaded if name.startswith("hero_async.api")}


def test_opentelemetry_is_never_loaded_by_us() -> None:
    code = (
        f"{CLIENT}\nhero.messages.get.build(id='1')\nimport hero_async.pipeline, hero_async.registry, hero_sync.client"
    )
    assert not {name for name in loaded_by(code, before="import hero_async") if name.startswith("opentelemetry")}


def test_the_package_says_that_it_is_typed() -> None:
    assert all((Path(str(package.__file__)).parent / "py.typed").is_file() for package in PACKAGES)
