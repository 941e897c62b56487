"""Settings: every bad input ends in one clear line, layers have an order, and no secret is shown."""

from __future__ import annotations

import copy
import pickle
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from core_support import leaks
from hypothesis import given
from hypothesis import strategies as st

from hero_async import ConfigurationError, RateLimit, RetryPolicy, Settings

KEY = "sk-zq7secret"
GOOD = {"api_key": KEY, "practice_group_id": "42", "environment": "staging"}
NOWHERE = {"XDG_CONFIG_HOME": "/nonexistent"}


def resolve(*without: str, environ: Any = None, **arguments: Any) -> Settings:
    given = {name: value for name, value in {**GOOD, **arguments}.items() if name not in without}
    return Settings.resolve(given, environ={**NOWHERE, **(environ or {})})


def refusal(*without: str, environ: Any = None, **arguments: Any) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as refused:
        resolve(*without, environ=environ, **arguments)
    return refused.value


# What is missing


def test_no_key() -> None:
    assert str(refusal("api_key")).startswith("api_key: is missing; give it as an argument or set HERO_API_KEY")


def test_no_practice_group() -> None:
    assert str(refusal("practice_group_id")).startswith("practice_group_id: is missing;")


def test_no_environment_and_there_is_no_default() -> None:
    error = str(refusal("environment"))
    assert error.startswith('environment: is missing; say environment="staging" or "production", or give a base_url')
    assert error.endswith("there is no default")


def test_empty_variables_count_as_absent() -> None:
    error = refusal("api_key", environ={"HERO_API_KEY": ""})
    assert str(error).startswith("api_key: is missing")


# The address


@pytest.mark.parametrize(
    ("environment", "address"),
    [("production", "https://api.herohealth.net"), ("staging", "https://api.staging.htech.app")],
)
def test_the_environments_of_the_reference(environment: str, address: str) -> None:
    settings = resolve(environment=environment)
    assert (settings.base_url, settings.origin) == (address, address)
    assert settings.is_production is (environment == "production")


@pytest.mark.parametrize("environment", ["prod", "Staging", "", " staging", "mock", 1, ["staging"], {"a": 1}])
def test_an_unknown_environment(environment: Any) -> None:
    assert str(refusal(environment=environment)) == "environment: must be one of production, staging"


def test_environment_and_base_url_at_once() -> None:
    error = str(refusal(base_url="https://hero.example"))
    assert error.startswith("environment and base_url: give one of them, not both")
    error = str(
        refusal("environment", environ={"HERO_ENVIRONMENT": "staging", "HERO_BASE_URL": "https://hero.example"})
    )
    assert error.startswith("environment and base_url: give one of them, not both")


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("hero.example", "must be an https:// address with a host"),
        ("", "must be an https:// address with a host"),
        ("https://", "must be an https:// address with a host"),
        ("https:///v1", "must be an https:// address with a host"),
        ("https://:443", "must be an https:// address with a host"),
        ("ftp://hero.example", "must be an https:// address with a host"),
        ("file:///etc/passwd", "must be an https:// address with a host"),
        ("javascript:alert(1)", "must be an https:// address with a host"),
        ("https://hero.example:port", "must be an https:// address with a host"),
        ("https://hero.example:99999", "must be an https:// address with a host"),
        ("https://[::1", "must be an https:// address with a host"),
        ("https://[not-an-address]", "must be an https:// address with a host"),
        ("https://hero.example\\@evil.example", "must not hold a user name or password"),
        ("https://evil\\.example", "must be an https:// address with a host"),
        ("https://hero%2eexample", "must be an https:// address with a host"),
        ("https://-hero.example", "must be an https:// address with a host"),
        ("https://hero.example\r\nHost: evil", "must be an address without spaces or control characters"),
        ("https://hero example", "must be an address without spaces or control characters"),
        ("https://hero.example\x00", "must be an address without spaces or control characters"),
        ("https://hero.exämple", "must be an address without spaces or control characters"),
        (b"https://hero.example", "must be an address without spaces or control characters"),
        (7, "must be an address without spaces or control characters"),
        ("https://user@hero.example", "must not hold a user name or password"),
        (f"https://user:{KEY}@hero.example", "must not hold a user name or password"),
        ("https://@hero.example", "must not hold a user name or password"),
        ("https://hero.example?", "must not hold a query or fragment"),
        ("https://hero.example?x=1", "must not hold a query or fragment"),
        ("https://hero.example/v1#", "must not hold a query or fragment"),
        ("https://hero.example/#frag", "must not hold a query or fragment"),
        ("https://hero.example/a/../b", "must not hold '.' or '..' segments"),
        ("https://hero.example/./b", "must not hold '.' or '..' segments"),
        ("https://hero.example/%2e%2E/b", "must not hold '.' or '..' segments"),
        ("https://hero.example/a%2f..%2fb", "must not hold '.' or '..' segments"),
        ("http://hero.example", "must be https://; plain http:// is for this machine (loopback) only"),
        ("HTTP://hero.example", "must be https://; plain http:// is for this machine (loopback) only"),
        ("http://10.0.0.1", "must be https://; plain http:// is for this machine (loopback) only"),
        ("http://0.0.0.0:80", "must be https://; plain http:// is for this machine (loopback) only"),
        ("http://127.0.0.1.evil.example", "must be https://; plain http:// is for this machine (loopback) only"),
        ("http://localhost.evil.example", "must be https://; plain http:// is for this machine (loopback) only"),
        ("http://2130706433", "must be https://; plain http:// is for this machine (loopback) only"),
    ],
)
def test_a_bad_base_url(url: Any, rule: str) -> None:
    error = refusal("environment", base_url=url)
    assert str(error) == f"base_url: {rule}"
    assert error.__context__ is None
    assert not leaks(error, KEY, frames=False)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://hero.example", "https://hero.example"),
        ("https://hero.example/", "https://hero.example"),
        ("https://hero.example:8443/prefix/", "https://hero.example:8443/prefix"),
        ("https://my_gateway/x", "https://my_gateway/x"),
        ("https://[2001:db8::1]:443", "https://[2001:db8::1]:443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://127.8.9.10:1", "http://127.8.9.10:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_good_base_url(url: str, kept: str) -> None:
    assert resolve("environment", base_url=url).base_url == kept


def test_credentials_go_to_scheme_host_and_port_only() -> None:
    settings = resolve("environment", base_url="https://hero.example:8443/prefix")
    assert settings.origin == "https://hero.example:8443"


@pytest.mark.parametrize(
    "url",
    [
        "https://api.herohealth.net/",
        "https://API.HeroHealth.net",
        "https://api.herohealth.net:443",
        "https://api.herohealth.net.",
    ],
)
def test_production_is_known_however_it_is_written(url: str) -> None:
    assert resolve("environment", base_url=url).is_production


def test_another_host_is_not_production() -> None:
    assert not resolve("environment", base_url="https://api.herohealth.net.evil.example").is_production


@given(st.text(max_size=40))
def test_any_text_as_an_address_is_taken_or_refused_in_one_line(text: str) -> None:
    told = base_url = ""
    try:
        base_url = resolve("environment", base_url=f"https://{text}").base_url
    except ConfigurationError as refused:
        told = str(refused)
    assert told.startswith("base_url: must ") or base_url.startswith("https://")
    assert "\n" not in told
    assert not set(base_url) & set("@?#\\ \r\n\t")
    assert base_url.isascii()


# The key and the practice group


@pytest.mark.parametrize(
    "key",
    [f"{KEY}\n", f"{KEY}\r\nX-Evil: 1", f" {KEY}", f"{KEY} ", f"{KEY}\x00", f"{KEY}\x7f", f"{KEY}é", f"{KEY}\u2028"],
)
def test_a_key_that_no_header_may_hold(key: str) -> None:
    error = refusal(api_key=key)
    assert str(error).startswith("api_key: must be printable ASCII without spaces or line breaks")
    assert KEY not in repr(error)
    assert error.__context__ is None


@pytest.mark.parametrize("key", ["", 5, b"bytes", ["list"]])
def test_a_key_that_is_none(key: Any) -> None:
    assert str(refusal(api_key=key)).startswith("api_key: must be text, a Path to a file that holds it, or a callable")


@pytest.mark.parametrize("group", ["", " ", "4\r\n2", "4 2", "42\n", "é", 42, b"42"])
def test_a_practice_group_that_no_header_may_hold(group: Any) -> None:
    assert str(refusal(practice_group_id=group)).startswith("practice_group_id: must be text, printable ASCII")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Api-Key": "other"},
        {"x-practice-group-id": "43"},
        {"Host": "evil.example"},
        {"Content-Length": "0"},
        {"Transfer-Encoding": "chunked"},
        {"Cookie": "a=b"},
    ],
)
def test_what_the_sdk_sets_cannot_be_replaced(headers: dict[str, str]) -> None:
    name = next(iter(headers)).lower()
    assert str(refusal(headers=headers)) == f"headers: {name} is set by the SDK and cannot be replaced"


@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        ({"X-A": "1\r\nX-Api-Key: other"}, "x-a must be printable ASCII without line breaks"),
        ({"X-A": "é"}, "x-a must be printable ASCII without line breaks"),
        ({"X A": "1"}, "a name must be a plain HTTP header name"),
        ({"X-A\r\n": "1"}, "a name must be a plain HTTP header name"),
        ({"": "1"}, "a name must be a plain HTTP header name"),
        ({"X-A": 1}, "names and values must be text"),
        ({1: "a"}, "names and values must be text"),
        (["X-A"], "must be a mapping of names to values"),
    ],
)
def test_bad_headers(headers: Any, rule: str) -> None:
    assert str(refusal(headers=headers)) == f"headers: {rule}"


# Numbers


@pytest.mark.parametrize("name", ["timeout", "connect_timeout", "keep_alive", "fresh_for"])
@pytest.mark.parametrize("value", ["5", True, float("nan"), 10**400, [5], 5j])
def test_seconds_that_are_no_number(name: str, value: Any) -> None:
    assert str(refusal(**{name: value})) == f"{name}: must be a number"


@pytest.mark.parametrize("name", ["timeout", "connect_timeout"])
@pytest.mark.parametrize("value", [0, -1, -0.001, float("-inf")])
def test_limits_that_are_not_positive(name: str, value: float) -> None:
    assert str(refusal(**{name: value})) == f"{name}: must be more than zero"


@pytest.mark.parametrize("name", ["keep_alive", "fresh_for"])
def test_an_idle_time_may_be_zero_but_not_less(name: str) -> None:
    assert getattr(resolve(**{name: 0}), name) == 0.0
    assert str(refusal(**{name: -1})) == f"{name}: must be zero or more"


@pytest.mark.parametrize("name", ["max_connections", "max_response_bytes"])
@pytest.mark.parametrize("value", [0, -1, 1.0, True, "10", float("inf")])
def test_counts_that_are_none(name: str, value: Any) -> None:
    assert str(refusal(**{name: value})) == f"{name}: must be a whole number, 1 or more"


@pytest.mark.parametrize("value", [-1, 2.0, True, "2"])
def test_retries_that_are_no_policy(value: Any) -> None:
    assert str(refusal(retries=value)) == "retries: must be a RetryPolicy or how many times, 0 or more"


@pytest.mark.parametrize("value", [20, "20", "20/fortnight", "0/s", "-1/s", "nan/s", ""])
def test_a_rate_limit_that_is_none(value: Any) -> None:
    assert str(refusal(rate_limit=value)).startswith("rate_limit: must be a count and a unit")


@pytest.mark.parametrize(
    "name",
    ["timeout", "connect_timeout", "retries", "max_connections", "keep_alive", "fresh_for", "max_response_bytes"],
)
@pytest.mark.parametrize("text", ["ten", "1,5", "0x10", "5s", "9" * 5000 + "x"])
def test_variables_that_are_no_numbers(name: str, text: str) -> None:
    variable = f"HERO_{name.upper()}"
    assert str(refusal(environ={variable: text})) == f"{variable}: must be a number"


def test_a_variable_that_is_not_a_number_in_the_other_sense() -> None:
    assert str(refusal(environ={"HERO_TIMEOUT": "nan"})) == "timeout: must be a number"


@pytest.mark.parametrize(
    ("proxy", "rule"),
    [("proxy", "an https:// address with a host"), ("http://a b", "an address without spaces or control characters")],
)
def test_a_bad_proxy(proxy: str, rule: str) -> None:
    assert str(refusal(proxy=proxy)) == f"proxy: must be {rule}"


def test_an_ssl_context_must_be_one() -> None:
    assert str(refusal(ssl_context=True)) == "ssl_context: must be an ssl.SSLContext"
    context = ssl.create_default_context()
    assert resolve(ssl_context=context).ssl_context is context


def test_an_unknown_setting() -> None:
    assert str(refusal(base_uri="https://hero.example")) == "base_uri: is not a setting"


def test_the_defaults_are_those_of_the_docs() -> None:
    settings = resolve()
    assert (settings.timeout, settings.connect_timeout, settings.keep_alive, settings.fresh_for) == (30, 5, 15, 2)
    assert (settings.max_connections, settings.max_response_bytes) == (100, 16 * 1024 * 1024)
    assert settings.retries == RetryPolicy(retries=2, base=0.5, cap=8, floor_429=1, retry_after_cap=60)
    assert settings.rate_limit is None
    assert settings.proxy is None


# Made without `resolve`, or from other settings


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"base_url": "http://hero.example"}, "base_url: must be https://"),
        ({"timeout": -1}, "timeout: must be more than zero"),
        ({"api_key": f"{KEY}\n"}, "api_key: must be printable ASCII"),
        ({"practice_group_id": "4\n2"}, "practice_group_id: must be text"),
        ({"headers": {"x-api-key": "other"}}, "headers: x-api-key is set by the SDK"),
    ],
)
def test_no_way_to_make_settings_leaves_out_the_rules(change: dict[str, Any], rule: str) -> None:
    whole = {"api_key": KEY, "practice_group_id": "42", "base_url": "https://hero.example", **change}
    with pytest.raises(ConfigurationError) as refused:
        Settings(**whole)
    assert str(refused.value).startswith(rule)
    with pytest.raises(ConfigurationError) as refused:
        attrs.evolve(resolve(), **change)
    assert str(refused.value).startswith(rule)


def test_retries_and_rate_are_made_of_a_count_and_a_text() -> None:
    settings = resolve(retries=5, rate_limit="120/min")
    assert settings.retries.retries == 5
    assert settings.rate_limit == RateLimit("2/s")


def test_headers_are_a_copy_that_cannot_be_changed() -> None:
    given = {"X-Trace": "1"}
    settings = resolve(headers=given)
    given["X-Api-Key"] = "other"
    assert dict(settings.headers) == {"X-Trace": "1"}
    headers: Any = settings.headers
    with pytest.raises(TypeError):
        headers["X-Api-Key"] = "other"


# Secrets


class Vault:
    """A callable whose repr would tell."""

    def __call__(self) -> str:
        return KEY

    def __repr__(self) -> str:
        return f"Vault({KEY})"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (lambda _: KEY, "*** (text)"),
        (lambda folder: folder / "zq7secret", "*** (a file)"),
        (lambda _: Vault(), "*** (a callable)"),
    ],
    ids=["text", "file", "callable"],
)
def test_a_secret_is_never_shown(source: Callable[[Path], Any], told: str, tmp_path: Path) -> None:
    settings = resolve(
        api_key=source(tmp_path),
        proxy="http://proxyuser:zq7secret@proxy.example:3128/zq7secret",
        headers={"Authorization": "zq7secret"},
    )
    texts = [repr(settings), str(settings), f"{settings}", str(settings.shown()), repr(settings.sources)]
    assert not [text for text in texts if "zq7secret" in text or "proxyuser" in text]
    assert settings.shown()["api_key"] == told
    assert settings.shown()["proxy"] == "http://***@proxy.example:3128"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_settings_are_not_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="settings hold secrets and are not pickled") as refused:
        pickle.dumps(resolve(), protocol)
    assert KEY not in repr(refused.value)


def test_settings_are_not_copied_by_way_of_a_pickle() -> None:
    with pytest.raises(TypeError, match="settings hold secrets"):
        copy.deepcopy(resolve())


def test_settings_are_frozen() -> None:
    settings = resolve()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        settings.base_url = "https://evil.example"  # type: ignore[misc]  # that is what is tried
