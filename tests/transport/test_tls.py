"""Certificates that are wrong are final, and nothing is sent."""

import ssl
from datetime import UTC, datetime

import pytest
import trustme
from scripted import PERSON, SMS, ScriptedServer, head

from hero_async import APIConnectionError, Delivery

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def serving(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def trusting(authority):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_a_right_certificate_serves(connect, authority):
    async with ScriptedServer().running(serving(authority.issue_cert("127.0.0.1"))) as server:
        hero = connect(base_url=server.url, ssl_context=trusting(authority))
        await hero.messages.send(**SMS)
        await hero.messages.send(**SMS)
        assert [arrival.connection for arrival in server.arrivals] == [1, 1]
        await hero.close()


def expired(authority):
    return authority.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC))


def of_another_host(authority):
    return authority.issue_cert("other.example")


def of_an_unknown_authority(authority):
    return trustme.CA().issue_cert("127.0.0.1")


@pytest.mark.parametrize("wrong", [expired, of_another_host, of_an_unknown_authority])
async def test_a_wrong_certificate_is_final(connect, authority, wrong, no_waiting):
    async with ScriptedServer().running(serving(wrong(authority))) as server:
        hero = connect(base_url=server.url, ssl_context=trusting(authority))
        with pytest.raises(APIConnectionError) as raised:
            await hero.patients.register_pds(**PERSON)
        error = raised.value
        assert (error.delivery, error.phase, error.attempts) == (Delivery.NO, "tls", 1)
        assert error.__context__ is None
        assert not server.arrivals
        assert no_waiting.slept == []


async def test_without_a_context_of_its_own_a_client_trusts_no_private_authority(connect, authority):
    async with ScriptedServer().running(serving(authority.issue_cert("127.0.0.1"))) as server:
        with pytest.raises(APIConnectionError) as raised:
            await connect(base_url=server.url).messages.send(**SMS)
        assert (raised.value.delivery, raised.value.phase) == (Delivery.NO, "tls")
        assert not server.arrivals


async def test_a_server_that_speaks_no_tls_is_sent_nothing(server, connect):
    async def plain(peer):
        await peer.send(head(400, length=0))

    server.greet(plain)
    with pytest.raises(APIConnectionError) as raised:
        await connect(base_url=server.url.replace("http", "https"), retries=0).messages.send(**SMS)
    assert (raised.value.delivery, raised.value.phase) == (Delivery.NO, "tls")
    assert not server.arrivals
