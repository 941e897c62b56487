"""docs/errors.md: an entry for each error, none left out, and a table that says what the code says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import hero_async.bulk.errors
import hero_async.errors
from hero_async.delivery import of_status
from hero_async.errors import HeroError, class_for

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text("utf-8")
ENTRIES = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
QUESTIONS = ("**What happened:**", "**Was it sent?**", "**What now:**")


def classes(*modules: ModuleType) -> Iterator[str]:
    for module in modules:
        for name, value in vars(module).items():
            if inspect.isclass(value) and issubclass(value, HeroError) and value.__module__ == module.__name__:
                yield name


ERRORS = sorted(classes(hero_async.errors, hero_async.bulk.errors))


def test_each_error_has_an_entry_and_no_entry_is_of_an_error_that_is_gone() -> None:
    assert sorted(ENTRIES) == [name for name in ERRORS if name != "HeroError"]


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_an_entry_answers_three_questions(name: str) -> None:
    places = [ENTRIES[name].find(question) for question in QUESTIONS]
    assert min(places) >= 0
    assert places == sorted(places)


ROWS = re.findall(r"^\| (\d)(\d\d|xx) \| `(\w+)` \| (\w+) \|$", PAGE, re.MULTILINE)


def test_the_table_has_every_status_that_has_a_class_of_its_own() -> None:
    assert {name for *_, name, _ in ROWS} == {class_for(status).__name__ for status in range(300, 600)}


@pytest.mark.parametrize("first, rest, name, delivery", ROWS)
def test_the_table_says_what_the_code_says(first: str, rest: str, name: str, delivery: str) -> None:
    for status in (int(first + ("00" if rest == "xx" else rest)), int(first + ("99" if rest == "xx" else rest))):
        assert class_for(status).__name__ == name
        assert of_status(status).name == delivery
