"""Every Python snippet of the README and the docs runs, against the sandbox."""

from __future__ import annotations

import ast
import asyncio
import builtins
import inspect
import re
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from hero_async.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def snippets() -> Iterator[tuple[str, str]]:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]:
        for number, found in enumerate(FENCE.finditer(page.read_text("utf-8")), start=1):
            yield f"{page.relative_to(ROOT)}:{number}", found[1]


SNIPPETS = dict(snippets())


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sandbox]:
    """A reader's shell: the variables that the pages name point to a sandbox."""
    with Sandbox(patients=50) as sandbox:
        monkeypatch.setenv("HERO_API_KEY", sandbox.api_key)
        monkeypatch.setenv("HERO_PRACTICE_GROUP_ID", sandbox.practice_group_ids[0])
        monkeypatch.setenv("HERO_BASE_URL", sandbox.url)
        monkeypatch.chdir(tmp_path)
        yield sandbox


def test_there_are_snippets() -> None:
    assert len(SNIPPETS) >= 4


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("name", [name for name, text in SNIPPETS.items() if "def test_" not in text])
def test_a_snippet_runs(name: str) -> None:
    code = compile(SNIPPETS[name], name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    scope = {"__name__": "__main__", "__builtins__": builtins}
    if code.co_flags & inspect.CO_COROUTINE:
        asyncio.run(types.FunctionType(code, scope)())
    else:
        exec(code, scope)  # noqa: S102  # our own pages


@pytest.mark.parametrize("name", [name for name, text in SNIPPETS.items() if "def test_" in text])
def test_a_snippet_that_is_a_test_passes(name: str, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("import pytest\n\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n")
    pytester.makepyfile(SNIPPETS[name])
    outcome = pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:asyncio", "-W", "error")
    assert outcome.parseoutcomes().get("passed", 0) >= 1, outcome.stdout.str()
    assert "failed" not in outcome.parseoutcomes()
