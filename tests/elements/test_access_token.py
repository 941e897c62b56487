"""When a token for an Element ends."""

from __future__ import annotations

import json
import pickle
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hero_async import AsyncHero, clock
from hero_async.api.access_tokens import AccessToken
from hero_async.codec import read
from hero_async.elements import message_builder
from hero_async.sandbox import Sandbox
from hero_sync import Hero

NINE = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def jwt(claims: bytes) -> str:
    return f"eyJhbGciOiJIUzI1NiJ9.{urlsafe_b64encode(claims).rstrip(b'=').decode()}.c2ln"


@pytest.fixture
def nine() -> Iterator[clock.Clock]:
    with clock.use(clock.VirtualClock(NINE)) as virtual:
        yield virtual


@pytest.mark.usefixtures("nine")
@pytest.mark.parametrize("exp", [1767605400, 1767605400.0])
def test_it_ends_when_it_says_so(exp: float) -> None:
    token = AccessToken(access_token=jwt(json.dumps({"exp": exp, "sub": "nobody"}).encode()))
    assert token.expires_at == datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


@pytest.mark.usefixtures("nine")
@pytest.mark.parametrize(
    "text",
    [
        "", "not a jwt", "a.b.c", "a.b", "....", "ä.ö.ü", jwt(b""), jwt(b"{}"), jwt(b"[]"), jwt(b'{"exp":null}'),
        jwt(b'{"exp":"soon"}'), jwt(b'{"exp":1e300}'), jwt(b'{"exp":-1e18}'), jwt(b'{"exp":NaN}'), jwt(b"\xff"),
        jwt(b"[" * 5000), jwt(b'{"exp":' + b"9" * 400 + b"}"),
    ],
    ids=range(17),
)  # fmt: skip
def test_if_it_does_not_say_so_it_ends_half_an_hour_after_it_came(text: str) -> None:
    assert AccessToken(access_token=text).expires_at == NINE + timedelta(minutes=30)


def test_when_it_came_is_ours_to_say(nine: clock.VirtualClock) -> None:
    token = read(b'{"access_token":"a.b.c","received_at":"2020-01-01T00:00:00Z"}', AccessToken)
    assert token.received_at == NINE
    nine.advance(60)
    assert read(b'{"access_token":"a.b.c","received_at":7}', AccessToken) == token
    assert pickle.loads(pickle.dumps(token)).received_at == NINE  # noqa: S301  # our own
    assert "a.b.c" not in repr(token)


@pytest.mark.anyio
async def test_both_worlds_get_one_for_the_message_builder() -> None:
    with Sandbox(patients=1) as sandbox:
        settings: dict[str, Any] = {
            "api_key": sandbox.api_key, "practice_group_id": "1", "base_url": sandbox.url
        }  # fmt: skip
        async with AsyncHero(**settings) as hero:
            token = await hero.access_tokens.create()
        with Hero(**settings) as blocking:
            other = blocking.access_tokens.create()
        for made in (token, other):
            left = made.expires_at - sandbox.clock.now()
            assert timedelta(minutes=29) < left <= timedelta(minutes=30)
            assert made.access_token in message_builder(made, "1", env="staging")
