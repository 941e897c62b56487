"""The text: plain fields and nothing more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hero_async.bulk.errors import InputError
from hero_async.bulk.template import Template


def render(text: str, **cells: str) -> str:
    names = list(cells)
    return Template(text).bind(names.index)(list(cells.values()))


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("Dear {name}, come in", "Dear Ann, come in"),
        ("{name}", "Ann"),
        ("{ name }{name}", "AnnAnn"),
        ("no field", "no field"),
        ("{{name}} is {name}", "{name} is Ann"),
        ("{{{name}}}", "{Ann}"),
        ("}}{{", "}{"),
        ("50 % of %s £5 \\n {name}", "50 % of %s £5 \\n Ann"),
    ],
)
def test_fields_are_filled_and_doubled_braces_are_braces(text: str, made: str) -> None:
    assert render(text, name=" Ann ") == made


def test_a_cell_is_text_and_never_a_template() -> None:
    assert render("Dear {name}", name="{secret}", secret="x") == "Dear {secret}"


def test_it_knows_its_fields_each_once() -> None:
    assert Template("{b} {a} {b} {{c}}").fields == ("b", "a")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "must not be empty"),
        (" \n\t ", "must not be empty"),
        ("Dear {name", "character 6 has no partner"),
        ("Dear name}", "character 10 has no partner"),
        ("Dear {}", "character 6 has no name"),
        ("Dear { }", "character 6 has no name"),
        ("{a.b}", "plain column name"),
        ("{a[0]}", "plain column name"),
        ("{a!r}", "plain column name"),
        ("{a:>10}", "plain column name"),
        ("{a.__class__.__init__.__globals__}", "plain column name"),
        ("{a{b}}", "has no partner"),
    ],
)
def test_a_text_that_is_not_plain_is_refused(text: str, rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        Template(text)


@given(st.text(min_size=1).filter(str.strip))
def test_any_text_with_its_braces_doubled_stays_as_it_is(text: str) -> None:
    assert render(text.replace("{", "{{").replace("}", "}}")) == text
