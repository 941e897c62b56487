"""What is sent again, and what never."""

import pytest
from scripted import EVERYTHING, PERSON, SMS, answer, head, loses, says

from hero_async import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    Delivery,
    InternalServerError,
    NotFoundError,
    RateLimitError,
    transport,
)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_waiting")]

CUT = says(head(200, length=len(EVERYTHING)) + EVERYTHING[:5])


@pytest.mark.parametrize(
    "step", [loses("reset", processed=False), loses("reset", processed=True), loses("close", processed=True)]
)
async def test_a_message_is_never_repeated_after_its_first_byte(server, hero, step):
    server.otherwise = step
    with pytest.raises(APIConnectionError) as raised:
        await hero.messages.send(**SMS)
    assert raised.value.delivery is Delivery.UNKNOWN
    assert raised.value.attempts == len(server.arrivals) == 1


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_a_message_is_never_repeated_after_a_status_that_leaves_it_unknown(server, hero, status):
    server.otherwise = answer(status, headers=[("Retry-After", "1")])
    with pytest.raises(APIStatusError) as raised:
        await hero.messages.send(**SMS)
    assert raised.value.delivery is Delivery.UNKNOWN
    assert raised.value.attempts == len(server.arrivals) == 1


@pytest.mark.parametrize(
    "step", [loses("reset", processed=True), loses("close", processed=False), answer(408), answer(500), answer(503)]
)
async def test_an_operation_that_is_safe_to_repeat_is_repeated_though_it_is_a_post(server, hero, step):
    server.script(step, step)
    assert (await hero.patients.register_pds.raw(**PERSON)).attempts == 3
    assert [arrival.verb for arrival in server.arrivals] == ["POST"] * 3
    assert len({arrival.body for arrival in server.arrivals}) == 1


async def test_what_is_safe_to_repeat_is_not_repeated_for_ever(server, hero):
    server.otherwise = loses("reset", processed=True)
    with pytest.raises(APIConnectionError) as raised:
        await hero.patients.register_pds(**PERSON)
    assert (raised.value.delivery, raised.value.attempts) == (Delivery.UNKNOWN, 3)
    assert len(server.arrivals) == 3


@pytest.mark.parametrize("retries", [0, 1, 4])
@pytest.mark.parametrize("base_url", ["closed", "https://hero.invalid"])
async def test_what_never_left_is_tried_again_for_every_operation(connect, closed_port, base_url, retries):
    hero = connect(base_url=base_url.replace("closed", f"http://127.0.0.1:{closed_port}"), retries=retries)
    with pytest.raises(APIConnectionError) as raised:
        await hero.messages.send(**SMS)
    assert (raised.value.delivery, raised.value.attempts) == (Delivery.NO, retries + 1)


async def test_a_429_is_tried_again_for_every_operation(server, hero):
    server.script(answer(429), answer(429))
    assert (await hero.messages.send.raw(**SMS)).attempts == 3
    assert (len(server.arrivals), server.processed) == (3, 1)


@pytest.mark.parametrize("status", [301, 304, 400, 402, 403, 404, 409, 410, 422])
async def test_other_answers_are_final_also_for_what_is_safe_to_repeat(server, hero, status):
    server.otherwise = says(head(status, [("Retry-After", "1")], 0), then="go on")
    with pytest.raises(APIStatusError) as raised:
        await hero.patients.register_pds(**PERSON)
    assert raised.value.status == status
    assert raised.value.attempts == len(server.arrivals) == 1


async def test_what_was_processed_is_not_repeated_though_its_answer_was_cut(server, hero):
    server.otherwise = CUT
    with pytest.raises(APIConnectionError) as raised:
        await hero.patients.register_pds(**PERSON)
    assert raised.value.delivery is Delivery.YES
    assert raised.value.attempts == len(server.arrivals) == 1


async def test_once_unknown_a_call_stays_unknown_though_its_last_attempt_never_left(server, hero):
    async def last_one(peer, arrival):
        server.stop_listening()
        peer.reset()

    server.script(last_one)
    with pytest.raises(APIConnectionError) as raised:
        await hero.patients.register_pds(**PERSON)
    assert (raised.value.phase, raised.value.attempts) == ("connect", 3)
    assert raised.value.delivery is Delivery.UNKNOWN
    assert len(server.arrivals) == 1


@pytest.mark.parametrize("status, kind", [(404, NotFoundError), (429, RateLimitError)])
async def test_once_unknown_a_call_stays_unknown_though_its_last_answer_says_no(server, connect, status, kind):
    server.script(answer(500), answer(status))
    with pytest.raises(kind) as raised:
        await connect(retries=1).patients.register_pds(**PERSON)
    assert (raised.value.delivery, raised.value.attempts) == (Delivery.UNKNOWN, 2)


async def test_when_all_fails_the_budget_ends_the_retries_and_successes_earn_them_back(server, hero):
    server.otherwise = answer(500)
    for _ in range(60):
        with pytest.raises(InternalServerError):
            await hero.patients.register_pds(**PERSON)
    assert len(server.arrivals) == 60 + 100  # 500 tokens, 5 a retry
    server.otherwise = answer()
    for _ in range(5):
        await hero.patients.register_pds(**PERSON)
    server.script(answer(500))
    assert (await hero.patients.register_pds.raw(**PERSON)).attempts == 2


async def test_a_wait_that_would_outlive_the_deadline_is_not_begun(server, connect, no_waiting):
    server.otherwise = answer(429, headers=[("Retry-After", "31")])
    with pytest.raises(RateLimitError) as raised:
        await connect(timeout=30.0).messages.send(**SMS)
    assert (raised.value.retry_after, raised.value.attempts) == (31.0, 1)
    assert no_waiting.slept == []


async def test_a_retry_that_would_outlive_the_deadline_is_not_waited_for(server, connect, no_waiting):
    server.otherwise = answer(503, headers=[("Retry-After", "31")])
    with pytest.raises(InternalServerError) as raised:
        await connect(timeout=30.0).patients.register_pds(**PERSON)
    assert (raised.value.attempts, raised.value.delivery) == (1, Delivery.UNKNOWN)
    assert no_waiting.slept == []


async def test_a_call_that_would_wait_for_a_pause_beyond_its_deadline_fails_at_once(server, hero, no_waiting):
    server.script(answer(429, headers=[("Retry-After", "40")]))
    with pytest.raises(RateLimitError):
        await hero.messages.send(**SMS)
    with pytest.raises(APITimeoutError) as raised:
        await hero.messages.send(**SMS)
    assert (raised.value.phase, raised.value.delivery, raised.value.attempts) == ("throttle", Delivery.NO, 0)
    assert no_waiting.slept == []
    assert len(server.arrivals) == 1


async def test_no_server_may_make_a_call_wait_longer_than_the_cap(server, connect, no_waiting):
    server.script(answer(429, headers=[("Retry-After", "86400")]))
    await connect(timeout=1000.0).messages.send(**SMS)
    assert sum(no_waiting.slept) == pytest.approx(60.0, abs=1.0)


async def reused(server, hero, verb):
    """A first call, then one on the same connection, that the server cuts."""
    await hero.request(verb, "/v1/anything")
    server.script(loses("close", processed=True))
    return await hero.request(verb, "/v1/anything")


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE"])
async def test_aiohttp_repeats_nothing_behind_our_back(server, connect, verb):
    hero = connect(retries=0)
    with pytest.raises(APIConnectionError) as raised:
        await reused(server, hero, verb)
    assert raised.value.delivery is Delivery.UNKNOWN
    assert [arrival.connection for arrival in server.arrivals] == [1, 1]


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE"])
async def test_aiohttp_would_repeat_if_we_let_it(server, connect, verb, monkeypatch):
    monkeypatch.setattr(transport, "IS_KNOWN", False)
    hero = connect(retries=0)
    await hero.messages.get("1")
    hero._shared.runtime.own_transport._session._retry_connection = True
    server.arrivals.clear()
    await reused(server, hero, verb)
    assert [arrival.connection for arrival in server.arrivals] == [1, 1, 2]
