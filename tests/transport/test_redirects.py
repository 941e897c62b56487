"""A redirect is an error: the key and the message go nowhere else."""

import ssl

import pytest
import trustme
from scripted import SMS, ScriptedServer, answer

from hero_async import APIStatusError, Delivery

pytestmark = pytest.mark.anyio

STATUSES = [301, 302, 303, 307, 308]


@pytest.fixture
async def elsewhere():
    async with ScriptedServer().running() as running:
        yield running


async def refused(hero, call, status):
    with pytest.raises(APIStatusError) as raised:
        await call
    error = raised.value
    assert type(error) is APIStatusError
    assert (error.status, error.delivery, error.attempts) == (status, Delivery.UNKNOWN, 1)
    assert "redirects are not followed" in str(error)
    assert "127.0.0.1" not in str(error)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/v1/x",
        "http://user:word@127.0.0.1:{port}/v1/x",
        "//127.0.0.1:{port}/v1/x",
        "/v1/x",
        "x",
        "",
    ],
)
async def test_a_redirect_is_not_followed(server, elsewhere, hero, status, location):
    server.otherwise = answer(status, b"", [("Location", location.format(port=elsewhere.port))])
    await refused(hero, hero.messages.send(**SMS), status)
    await refused(hero, hero.messages.get("1"), status)
    assert [arrival.target for arrival in server.arrivals] == ["/v1/messages/send", "/v1/messages/1"]
    assert elsewhere.connections == 0


@pytest.mark.parametrize("status", STATUSES)
async def test_a_redirect_from_https_to_http_is_not_followed(connect, elsewhere, status):
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with ScriptedServer().running(serving) as server:
        server.otherwise = answer(status, b"", [("Location", elsewhere.url)])
        hero = connect(base_url=server.url, ssl_context=trusting)
        await refused(hero, hero.messages.send(**SMS), status)
        assert len(server.arrivals) == 1
        await hero.close()
    assert elsewhere.connections == 0


async def test_a_cookie_is_not_kept(server, hero):
    server.script(answer(headers=[("Set-Cookie", "session=1; Path=/")]))
    await hero.messages.send(**SMS)
    await hero.messages.send(**SMS)
    assert all("cookie" not in arrival.headers for arrival in server.arrivals)
