"""Credentials: where they come from, what may not replace them, and whose they are."""

import asyncio
import random
import traceback

import pytest
from scripted import EVERYTHING, PERSON, SMS, answer, turns

from hero_async import AuthenticationError, ConfigurationError, Delivery, InternalServerError, clock

pytestmark = pytest.mark.anyio


class Safe:
    """A key that is rotated: what it gives, and how often it was asked."""

    def __init__(self, *keys):
        self.keys = list(keys)
        self.asked = 0

    def __call__(self):
        self.asked += 1
        return self.keys.pop(0) if len(self.keys) > 1 else self.keys[0]

    async def later(self):
        await turns(3)
        return self()


def opened_by(server, key):
    """401 for every other key."""

    async def step(peer, arrival):
        await answer(200 if arrival.headers["x-api-key"] == key else 401)(peer, arrival)

    server.otherwise = step


def keys(server):
    return [arrival.headers["x-api-key"] for arrival in server.arrivals]


@pytest.fixture(params=["sync", "async"])
def safe(request):
    safe = Safe("old", "new")
    safe.source = safe if request.param == "sync" else safe.later
    return safe


async def test_after_a_401_a_callable_is_asked_once_more_and_the_call_tried_once_more(server, connect, safe):
    opened_by(server, "new")
    hero = connect(api_key=safe.source)
    assert (await hero.messages.send.raw(**SMS)).attempts == 2
    assert (keys(server), safe.asked) == (["old", "new"], 2)
    await hero.messages.send(**SMS)
    assert (keys(server), safe.asked) == (["old", "new", "new"], 2)


async def test_after_a_401_a_file_is_read_once_more(server, connect, tmp_path):
    opened_by(server, "new")
    path = tmp_path / "key"
    path.write_text("old\n")
    hero = connect(api_key=path, retries=0)
    with pytest.raises(AuthenticationError):
        await hero.messages.send(**SMS)
    path.write_text("new\n")
    await hero.messages.send(**SMS)
    assert keys(server) == ["old", "old", "new"]


async def test_a_key_that_did_not_change_is_not_tried_again(server, connect):
    opened_by(server, "new")
    safe = Safe("old")
    with pytest.raises(AuthenticationError) as raised:
        await connect(api_key=safe).messages.send(**SMS)
    assert (raised.value.attempts, raised.value.delivery, safe.asked) == (1, Delivery.NO, 2)


async def test_a_new_key_that_is_refused_too_is_final(server, connect):
    opened_by(server, "right")
    safe = Safe("one", "two", "three")
    with pytest.raises(AuthenticationError) as raised:
        await connect(api_key=safe).messages.send(**SMS)
    assert (raised.value.attempts, safe.asked, keys(server)) == (2, 2, ["one", "two"])


async def test_a_key_of_text_is_never_asked_again(server, connect):
    opened_by(server, "new")
    with pytest.raises(AuthenticationError) as raised:
        await connect(api_key="old").messages.send(**SMS)
    assert raised.value.attempts == len(server.arrivals) == 1


async def test_calls_that_are_refused_at_once_ask_once(server, connect, safe):
    opened_by(server, "new")
    hero = connect(api_key=safe.source)
    await asyncio.gather(*(hero.messages.send(**SMS) for _ in range(20)))
    assert safe.asked == 2
    assert keys(server) == ["old"] * 20 + ["new"] * 20


async def test_a_call_that_is_refused_after_another_has_asked_takes_that_answer(server, connect, safe):
    late = asyncio.Event()

    async def refuse_late(peer, arrival):
        await late.wait()
        await answer(401)(peer, arrival)

    hero = connect(api_key=safe.source)
    server.script(refuse_late)
    slow = asyncio.ensure_future(hero.messages.send(**SMS))
    await server.has_arrived()
    opened_by(server, "new")
    await hero.messages.send(**SMS)
    late.set()
    await slow
    assert safe.asked == 2
    assert keys(server) == ["old", "old", "new", "new"]


async def test_the_first_calls_at_once_ask_once(server, connect, safe):
    hero = connect(api_key=safe.source)
    await asyncio.gather(*(hero.messages.send(**SMS) for _ in range(20)))
    assert (safe.asked, set(keys(server))) == (1, {"old"})


async def test_asking_for_the_key_spends_no_retry(server, connect, no_waiting):
    hero = connect(api_key=Safe("old", "new"), retries=1)
    server.script(answer(401), answer(500))
    with pytest.raises(InternalServerError) as raised:
        await connect(api_key=Safe("old", "new"), retries=0).patients.register_pds(**PERSON)
    assert raised.value.attempts == 2
    server.script(answer(500), answer(401))
    assert (await hero.patients.register_pds.raw(**PERSON)).attempts == 3


async def test_what_a_callable_raises_comes_out_and_the_next_call_asks_anew(server, connect):
    class VaultError(Exception):
        pass

    answers = [VaultError(), "key"]

    def vault():
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    hero = connect(api_key=vault)
    with pytest.raises(VaultError):
        await hero.messages.send(**SMS)
    await hero.messages.send(**SMS)
    assert keys(server) == ["key"]


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "ключ", b"bytes", None, 7])
async def test_a_callable_that_gives_no_key_is_a_configuration_error(server, connect, key):
    with pytest.raises(ConfigurationError, match="api_key") as raised:
        await connect(api_key=lambda: key).messages.send(**SMS)
    assert not str(key) or str(key) not in str(raised.value)
    assert not server.arrivals


async def test_a_file_that_is_gone_is_a_configuration_error(server, connect, tmp_path):
    with pytest.raises(ConfigurationError, match="file cannot be read") as raised:
        await connect(api_key=tmp_path / "nothing").messages.send(**SMS)
    assert str(tmp_path) not in str(raised.value)
    assert not server.arrivals


class Gated(clock.VirtualClock):
    """Time that passes only while the gate is open."""

    def __init__(self):
        super().__init__()
        self.gate = asyncio.Event()

    async def sleep(self, seconds):
        await self.gate.wait()
        await super().sleep(seconds)


async def test_a_call_that_waited_for_its_turn_leaves_with_the_key_of_that_moment(server, connect):
    opened_by(server, "new")
    hero = connect(api_key=Safe("old", "new"), rate_limit="1/s")
    with clock.use(Gated()) as time:
        calls = [asyncio.ensure_future(hero.with_options(retries=0).messages.send(**SMS)) for _ in range(3)]
        await server.has_arrived()
        await turns()
        await hero._shared.runtime.key.fetch(1)
        time.gate.set()
        await asyncio.gather(*calls)
    assert keys(server) == ["old", "new", "new", "new"]


@pytest.mark.parametrize(
    "name", ["x-api-key", "X-API-Key", "x-practice-group-id", "X-Practice-Group-ID", "Host", "Content-Length", "Cookie"]
)
async def test_headers_of_a_view_cannot_replace_what_we_set(hero, connect, name):
    with pytest.raises(ConfigurationError, match="cannot be replaced"):
        hero.with_options(headers={name: "x"})
    with pytest.raises(ConfigurationError, match="cannot be replaced"):
        connect(headers={name: "x"})


@pytest.mark.parametrize("value", ["a\r\nx-api-key: b", "a\nb", "a\0b", "é"])
async def test_headers_with_line_breaks_are_refused(hero, value):
    with pytest.raises(ConfigurationError):
        hero.with_options(headers={"X-Trace": value})
    with pytest.raises(ConfigurationError):
        hero.with_options(headers={value: "x"})


async def test_headers_of_a_view_are_sent_and_not_those_of_others(server, connect):
    hero = connect(headers={"X-App": "ours"})
    await hero.with_options(headers={"X-Trace": "1"}).messages.send(**SMS)
    await hero.messages.send(**SMS)
    first, second = (arrival.headers for arrival in server.arrivals)
    assert (first["x-app"], first["x-trace"]) == ("ours", "1")
    assert second["x-app"] == "ours"
    assert "x-trace" not in second
    assert first["x-api-key"] == "test-key"
    assert "," not in first["x-api-key"] + first["x-practice-group-id"] + first["content-type"]


async def test_a_thousand_calls_of_many_views_each_go_to_their_own_practice(server, hero):
    chance = random.Random(5)

    async def echo(peer, arrival):
        await turns(chance.randrange(3))
        group = arrival.headers["x-practice-group-id"].encode()
        await answer(body=EVERYTHING.replace(b'"content": "c"', b'"content": "%b"' % group))(peer, arrival)

    server.otherwise = echo
    hero.messages  # noqa: B018  # touched before the views are made: they must not share it
    views = {str(number): hero.with_options(practice_group_id=str(number)) for number in range(2, 52)}

    async def one(number):
        view = views[number] if chance.random() < 0.5 else hero.with_options(practice_group_id=number)
        sent = await view.messages.send(**{**SMS, "patient_id": number})
        assert sent.content == number

    numbers = [chance.choice(list(views)) for _ in range(1000)]
    await asyncio.gather(*(one(number) for number in numbers))
    assert len(server.arrivals) == 1000
    for arrival in server.arrivals:
        assert b'"patient_id":"%b"' % arrival.headers["x-practice-group-id"].encode() in arrival.body
    await hero.messages.send(**SMS)
    assert server.arrivals[-1].headers["x-practice-group-id"] == "1"


async def test_a_view_of_a_view_keeps_what_it_does_not_change(server, hero, no_waiting):
    server.otherwise = answer(500)
    view = hero.with_options(practice_group_id="7", headers={"X-A": "a"}).with_options(retries=1, headers={"X-B": "b"})
    with pytest.raises(InternalServerError) as raised:
        await view.patients.register_pds(**PERSON)
    assert raised.value.attempts == 2
    for arrival in server.arrivals:
        assert [arrival.headers[name] for name in ("x-practice-group-id", "x-a", "x-b")] == ["7", "a", "b"]


async def test_closing_a_view_closes_nothing(server, hero):
    async with hero.with_options(practice_group_id="2") as view:
        await view.messages.send(**SMS)
    await hero.messages.send(**SMS)
    assert server.connections == 1


@pytest.mark.parametrize("group", ["", "a b", "1\r\nx: y", "é", 7])
async def test_a_practice_group_that_cannot_stand_in_a_header_is_refused(hero, group):
    with pytest.raises(ConfigurationError, match="practice_group_id"):
        hero.with_options(practice_group_id=group)


@pytest.mark.parametrize(
    "name, value",
    [
        ("timeout", "2"),
        ("timeout", True),
        ("timeout", 0),
        ("timeout", float("nan")),
        ("timeout", 10**400),
        ("retries", "2"),
        ("retries", True),
        ("rate_limit", 5),
        ("rate_limit", "often"),
        ("headers", "x"),
        ("headers", [("x", "y")]),
        ("headers", {1: "y"}),
    ],
    ids=str,
)
async def test_an_option_of_a_view_keeps_the_rules_of_the_setting(connect, name, value):
    hero = connect(api_key="canary-key")
    with pytest.raises(ConfigurationError, match=name) as refused:
        hero.with_options(**{name: value})
    with pytest.raises(ConfigurationError, match=name):
        connect(**{name: value})
    frames = [frame.f_locals for frame, _ in traceback.walk_tb(refused.tb)][1:]  # the first is this test
    assert "canary-key" not in str(frames)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
