"""The tag of the message builder, read back by a parser."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import django
import pytest
from django.conf import settings as django_settings
from django.template import Context, Engine
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from hero_async import InvalidArgumentError
from hero_async.api.access_tokens import AccessToken
from hero_async.elements import message_builder

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.c2lnbmF0dXJl-_"
REQUIRED: dict[str, Any] = {"token": JWT, "tenant_id": "42", "env": "staging"}


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ends: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs)
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.ends.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_script_and_the_element_with_all_attributes() -> None:
    theme = {"loadFonts": False, "font": 'O\'Hara "Sans"', "colours": {"primary": "</hh-message-builder><b>&amp;"}}
    page = Page(
        message_builder(
            AccessToken(access_token=JWT), "42", env="production", admin_id="7", patient_id="100001", theme=theme
        )
    )
    assert page.tags[0] == ("script", {"src": "https://scripts.htech.app/message-builder/web-component/latest.js"})
    tag, attributes = page.tags[1]
    assert tag == "hh-message-builder"
    assert json.loads(attributes.pop("theme") or "") == theme
    assert attributes == {
        "jwt-token": JWT,
        "tenant-id": "42",
        "admin-id": "7",
        "patient-id": "100001",
        "env": "production",
    }
    assert page.ends == ["script", "hh-message-builder"]
    assert page.text.strip() == ""
    assert len(page.tags) == 2


def test_what_is_optional_is_left_out() -> None:
    assert Page(message_builder(JWT, "42", env="staging")).tags[1][1] == {
        "jwt-token": JWT,
        "tenant-id": "42",
        "env": "staging",
    }


def test_the_environment_must_be_said() -> None:
    with pytest.raises(TypeError):
        message_builder(JWT, "42")  # type: ignore[call-arg]  # that is the point


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(), JSON, max_size=4), st.from_regex(r"[\x21-\x7e]{1,30}", fullmatch=True))
def test_nothing_breaks_out_of_its_attribute(theme: dict[str, Any], tenant: str) -> None:
    page = Page(message_builder(JWT, tenant, env="staging", theme=theme))
    assert [tag for tag, _ in page.tags] == ["script", "hh-message-builder"]
    attributes = page.tags[1][1]
    assert set(attributes) == {"jwt-token", "tenant-id", "env", "theme"}
    assert attributes["tenant-id"] == tenant
    assert json.loads(attributes["theme"] or "") == theme


@pytest.mark.parametrize(
    "change",
    [
        {"token": ""}, {"token": "not a jwt"}, {"token": "a.b"}, {"token": "a.b.c.d"}, {"token": 'a.b."><script>'},
        {"token": None}, {"token": b"a.b.c"}, {"token": "a.b.c\n"}, {"token": "a.b." + "c" * 9000},
        {"tenant_id": ""}, {"tenant_id": "4 2"}, {"tenant_id": 42}, {"tenant_id": None}, {"tenant_id": "ü"},
        {"env": "prod"}, {"env": ""}, {"env": None}, {"env": "Production"},
        {"admin_id": ""}, {"admin_id": "7a"}, {"admin_id": 7}, {"admin_id": "٧"},
        {"patient_id": "-1"}, {"patient_id": "1\n"},
        {"theme": "dark"}, {"theme": []}, {"theme": {"x": float("nan")}},
        {"theme": {"x": {2}}}, {"theme": {(1, 2): 3}},
    ],
    ids=str,  # no object with an address in it: workers must agree on names
)  # fmt: skip
def test_a_value_that_cannot_be_right_is_refused_and_not_quoted(change: dict[str, Any]) -> None:
    name, value = next(iter(change.items()))
    with pytest.raises(InvalidArgumentError) as failure:
        message_builder(**REQUIRED | change)
    assert str(failure.value).startswith(f"{name}: must ")
    if isinstance(value, str) and len(value) > 4:
        assert value not in str(failure.value)
    assert failure.value.__context__ is None


def test_templates_put_it_in_as_it_is_and_a_repr_shows_no_token() -> None:
    made = message_builder(**REQUIRED)
    assert JWT not in repr(made)
    assert Environment(autoescape=True).from_string("{{ it }}").render(it=made) == str(made)
    if not django_settings.configured:
        django_settings.configure()
        django.setup()
    assert Engine().from_string("{{ it }}").render(Context({"it": made})) == str(made)
