"""Certificates and versions that are not right are refused before anything is sent."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import warnings
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
import trustme
from scripted import PERSON, SMS, ScriptedServer, tunnels_to

from hero_async import APIConnectionError, AsyncHero, Delivery

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_waiting")]

AUTHORITY = trustme.CA()
OF_CLIENTS = trustme.CA()


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


def expired() -> ssl.SSLContext:
    return serving(AUTHORITY.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC)))


def not_yet_valid() -> ssl.SSLContext:
    return serving(
        AUTHORITY.issue_cert(
            "127.0.0.1", not_before=datetime(2126, 1, 1, tzinfo=UTC), not_after=datetime(2127, 1, 1, tzinfo=UTC)
        )
    )


def of_another_host() -> ssl.SSLContext:
    return serving(AUTHORITY.issue_cert("other.example", "*.0.0.1"))


def self_signed() -> ssl.SSLContext:
    alone = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    alone.issue_cert("127.0.0.1").configure_cert(context)
    return context


def only_tls_1_1() -> ssl.SSLContext:
    context = serving(AUTHORITY.issue_cert("127.0.0.1"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the version: that is what is tried
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def asking_for_clients(context: ssl.SSLContext) -> ssl.SSLContext:
    OF_CLIENTS.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


WRONG = [expired, not_yet_valid, of_another_host, self_signed]


@asynccontextmanager
async def served(context: ssl.SSLContext) -> AsyncGenerator[ScriptedServer, None]:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: None)  # a handshake that fails is told to the loop of the server
    async with ScriptedServer().running(context) as server:
        yield server


@pytest.mark.parametrize("wrong", WRONG, ids=lambda one: one.__name__)
@pytest.mark.parametrize("call", ["messages.send", "patients.register_pds"])
async def test_what_is_wrong_is_refused_finally_before_anything_is_sent(
    connect: Callable[..., AsyncHero], wrong: Callable[[], ssl.SSLContext], call: str, no_waiting: Any
) -> None:
    async with served(wrong()) as server:
        hero = connect(base_url=server.url, ssl_context=trusting())
        with pytest.raises(APIConnectionError) as raised:
            await (hero.messages.send(**SMS) if call == "messages.send" else hero.patients.register_pds(**PERSON))
        error = raised.value
        assert (error.delivery, error.phase, error.attempts) == (Delivery.NO, "tls", 1)
        assert error.__context__ is error.__cause__ is None
        assert not server.arrivals
        assert no_waiting.slept == []
        await hero.close()


@contextmanager
def refusing(context: ssl.SSLContext) -> Iterator[int]:
    """A server on a thread that says in an alert why it refuses; asyncio's hangs up before the alert is out."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    accepted = listening.accept()[0]
                except OSError:
                    return
                with accepted, suppress(OSError), context.wrap_socket(accepted, server_side=True) as wrapped:
                    wrapped.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


async def test_tls_1_1_is_refused(connect: Callable[..., AsyncHero], no_waiting: Any) -> None:
    with refusing(only_tls_1_1()) as port:
        hero = connect(base_url=f"https://127.0.0.1:{port}", ssl_context=trusting())
        with pytest.raises(APIConnectionError) as raised:
            await hero.messages.send(**SMS)
        assert (raised.value.delivery, raised.value.phase, raised.value.attempts) == (Delivery.NO, "tls", 1)
        assert no_waiting.slept == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda one: one.name)
async def test_without_the_client_certificate_that_it_wants_a_server_hears_nothing(
    connect: Callable[..., AsyncHero], version: ssl.TLSVersion
) -> None:
    context = asking_for_clients(serving(AUTHORITY.issue_cert("127.0.0.1")))
    context.minimum_version = context.maximum_version = version
    async with served(context) as server:
        hero = connect(base_url=server.url, ssl_context=trusting(), retries=0)
        with pytest.raises(APIConnectionError) as raised:
            await hero.messages.send(**SMS)
        if version is ssl.TLSVersion.TLSv1_2:
            assert raised.value.delivery is Delivery.NO
        else:  # the handshake of 1.3 ends before the server has looked: the request has left, and only the server knows
            assert raised.value.delivery is not Delivery.YES
        assert raised.value.attempts == 1
        assert not server.arrivals
        await hero.close()


async def test_a_client_certificate_of_the_user_is_shown_to_the_server(connect: Callable[..., AsyncHero]) -> None:
    async with served(asking_for_clients(serving(AUTHORITY.issue_cert("127.0.0.1")))) as server:
        trust = trusting()
        OF_CLIENTS.issue_cert("client.example").configure_cert(trust)
        hero = connect(base_url=server.url, ssl_context=trust)
        await hero.messages.send(**SMS)
        assert len(server.arrivals) == 1
        await hero.close()


async def test_the_certificate_is_looked_at_behind_a_proxy_too(connect: Callable[..., AsyncHero]) -> None:
    async with served(of_another_host()) as server, ScriptedServer().running() as proxy:
        proxy.otherwise = tunnels_to(server.port)
        hero = connect(base_url=server.url, proxy=proxy.url, ssl_context=trusting())
        with pytest.raises(APIConnectionError) as raised:
            await hero.messages.send(**SMS)
        assert (raised.value.delivery, raised.value.phase, raised.value.attempts) == (Delivery.NO, "tls", 1)
        assert not server.arrivals
        await hero.close()
