"""OpenTelemetry metrics: durations, retries, waits and doubts, by templates and names, and no value."""

import asyncio
import contextlib
import subprocess
import sys

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from scripted import PERSON, SMS, answer, loses

from hero_async import APIConnectionError, HeroError, InternalServerError
from hero_async.observe import SECONDS

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_waiting")]


@pytest.fixture
def points(monkeypatch):
    """What was measured under a name: (attributes, point) for each series."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    monkeypatch.setattr(metrics, "get_meter", provider.get_meter)
    data = None

    def read(name):
        nonlocal data
        data = reader.get_metrics_data() or data
        if data is None:
            return []
        found = [
            metric
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
        ]
        return [(dict(point.attributes), point) for metric in found for point in metric.data.data_points]

    yield read
    provider.shutdown()


async def test_a_call_and_its_attempt_are_measured(server, hero, points):
    await hero.messages.get("77001122")
    [(of_attempt, attempt)] = points("http.client.request.duration")
    assert of_attempt == {
        "http.request.method": "GET",
        "url.template": "/v1/messages/{id}",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "http.response.status_code": 200,
    }
    assert (attempt.count, tuple(attempt.explicit_bounds)) == (1, SECONDS)
    [(of_call, call)] = points("hero.client.call.duration")
    assert of_call == {"hero.operation": "messages.get", "hero.delivery": "yes"}
    assert call.count == 1
    assert points("hero.client.retries") == points("hero.client.unknown_outcomes") == []


async def test_retries_are_counted_by_their_cause_and_waits_are_in_the_calls_duration(server, hero, points, no_waiting):
    server.script(answer(500), answer(429, headers=[("Retry-After", "20")]))
    await hero.patients.register_pds(**PERSON)
    assert sorted((found["error.type"], point.value) for found, point in points("hero.client.retries")) == [
        ("429", 1),
        ("500", 1),
    ]
    [(of_wait, wait)] = points("hero.client.throttle.wait")
    assert of_wait == {"hero.operation": "patients.register_pds"}
    assert 20 <= wait.sum <= 22
    [(_, call)] = points("hero.client.call.duration")
    assert call.sum == pytest.approx(no_waiting.monotonic())
    attempts = points("http.client.request.duration")
    assert {found.get("http.response.status_code") for found, _ in attempts} == {500, 429, 200}
    assert {found.get("error.type") for found, _ in attempts} == {"500", "429", None}


@pytest.mark.parametrize(
    "call, repeatable", [("messages.send", False), ("patients.register_pds", True)], ids=["send", "register_pds"]
)
async def test_what_ends_in_doubt_is_counted_once_a_call(server, connect, points, call, repeatable):
    server.otherwise = loses("reset", processed=True)
    hero = connect(retries=2)
    subject, name = call.split(".")
    with pytest.raises(APIConnectionError):
        await getattr(getattr(hero, subject), name)(**(PERSON if repeatable else SMS))
    [(found, point)] = points("hero.client.unknown_outcomes")
    assert found == {"hero.operation": call, "hero.idempotent": repeatable}
    assert point.value == 1
    [(of_call, _)] = points("hero.client.call.duration")
    assert of_call == {"hero.operation": call, "hero.delivery": "unknown", "error.type": "APIConnectionError"}


async def test_a_doubt_that_was_settled_by_a_retry_is_none(server, hero, points):
    server.script(answer(500))
    await hero.patients.register_pds(**PERSON)
    assert points("hero.client.unknown_outcomes") == []


async def test_a_cancelled_call_is_measured(server, hero, points):
    server.otherwise = loses("hold", processed=True)
    sending = asyncio.ensure_future(hero.messages.send(**SMS))
    await server.has_arrived()
    sending.cancel()
    await asyncio.wait([sending])
    [(found, _)] = points("hero.client.call.duration")
    assert found == {"hero.operation": "messages.send", "hero.delivery": "unknown", "error.type": "CancelledError"}
    [(of_attempt, _)] = points("http.client.request.duration")
    assert of_attempt["error.type"] == "wait"


async def test_no_series_has_a_value_of_a_request(server, connect, points):
    secret = "canary"
    hero = connect(api_key=secret, headers={"X-Trace": secret})
    for step in (answer(), answer(400, secret.encode()), answer(500, secret.encode())):
        server.otherwise = step
        for call in (
            lambda: hero.messages.send(patient_id="1", message_type="sms", message_string=secret),
            lambda: hero.messages.get(secret),
            lambda: hero.patients.list(first_name=secret).first(),
            lambda: hero.request("GET", f"/v1/{secret}", query={"a": secret}),
        ):
            with contextlib.suppress(HeroError):
                await call()
    names = ("http.client.request.duration", "hero.client.call.duration", "hero.client.retries")
    for name in names:
        assert points(name)
        for found, _ in points(name):
            assert secret not in str(found)


PROGRAM = """
import asyncio, sys
import {module}
from hero_async import AsyncHero
from hero_async.transport import Reply
async def answer(attempt):
    await attempt.leave()
    attempt.status = 200
    return Reply(200, {{}}, b"{{}}")
async def main():
    async with AsyncHero(api_key="k", practice_group_id="1", base_url="http://127.0.0.1:9", transport=answer) as hero:
        await hero.practice_group.get()
asyncio.run(main())
print(*sorted(name for name in ("opentelemetry.trace", "opentelemetry.metrics") if name in sys.modules))
"""


@pytest.mark.parametrize("module", ["opentelemetry.trace", "opentelemetry.metrics"])
def test_each_works_without_the_other(module):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM.format(module=module)],
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert module in done.stdout


async def test_a_server_error_is_told_by_its_status(server, connect, points):
    server.script(answer(503))
    with pytest.raises(InternalServerError):
        await connect(retries=0).messages.send(**SMS)
    [(found, _)] = points("http.client.request.duration")
    assert (found["error.type"], found["http.response.status_code"]) == ("503", 503)
