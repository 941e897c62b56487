"""OpenTelemetry: a span a call and one an attempt, with names and numbers, and no value."""

import asyncio
import contextlib
import subprocess
import sys

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from scripted import EVERYTHING, PERSON, SMS, answer, head, loses, says

from hero_async import APIConnectionError, APIStatusError, HeroError

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_waiting")]


@pytest.fixture
def spans(monkeypatch):
    """What was exported, in the order in which the spans ended."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield exporter.get_finished_spans
    provider.shutdown()


def attributes(span):
    return dict(span.attributes)


async def test_a_call_and_its_attempt_are_a_span_each(server, hero, spans):
    await hero.messages.get("77001122")
    attempt, call = spans()
    assert (call.name, call.kind, call.parent) == ("messages.get", trace.SpanKind.INTERNAL, None)
    assert attributes(call) == {"hero.operation": "messages.get", "hero.delivery": "yes"}
    assert (attempt.name, attempt.kind) == ("GET /v1/messages/{id}", trace.SpanKind.CLIENT)
    assert attempt.parent.span_id == call.context.span_id
    assert attributes(attempt) == {
        "http.request.method": "GET",
        "url.template": "/v1/messages/{id}",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "http.response.status_code": 200,
        "hero.delivery": "yes",
    }
    assert call.status.status_code is attempt.status.status_code is trace.StatusCode.UNSET


async def test_each_attempt_is_numbered(server, hero, spans):
    server.script(answer(500), answer(429))
    await hero.patients.register_pds(**PERSON)
    *attempts, call = spans()
    assert [attributes(attempt).get("http.request.resend_count") for attempt in attempts] == [None, 1, 2]
    assert [attributes(attempt)["http.response.status_code"] for attempt in attempts] == [500, 429, 200]
    assert [attributes(attempt).get("error.type") for attempt in attempts] == ["500", "429", None]
    assert [attributes(attempt)["hero.delivery"] for attempt in attempts] == ["unknown", "no", "yes"]
    assert {attempt.parent.span_id for attempt in attempts} == {call.context.span_id}
    assert attributes(call) == {"hero.operation": "patients.register_pds", "hero.delivery": "yes"}


ENDS = {
    "404": (answer(404), "404", "NotFoundError", "no"),
    "500": (answer(500), "500", "InternalServerError", "unknown"),
    "a reset": (loses("reset", processed=True), "wait", "APIConnectionError", "unknown"),
    "a cut 200": (says(head(200, length=len(EVERYTHING)) + EVERYTHING[:9]), "body", "APIConnectionError", "yes"),
}


@pytest.mark.parametrize("step, of_attempt, of_call, delivery", ENDS.values(), ids=ENDS)
async def test_a_failure_is_told_by_its_kind(server, hero, spans, step, of_attempt, of_call, delivery):
    server.script(step)
    with pytest.raises((APIConnectionError, APIStatusError)):
        await hero.messages.send(**SMS)
    attempt, call = spans()
    assert attributes(attempt).get("error.type") == of_attempt
    assert attributes(attempt)["hero.delivery"] == delivery
    assert attributes(call) == {"hero.operation": "messages.send", "hero.delivery": delivery, "error.type": of_call}
    assert call.status.status_code is trace.StatusCode.ERROR


async def test_a_call_that_never_left_says_so(connect, closed_port, spans):
    with pytest.raises(APIConnectionError):
        await connect(base_url=f"http://127.0.0.1:{closed_port}", retries=0).messages.send(**SMS)
    attempt, call = spans()
    assert attributes(attempt)["error.type"] == "connect"
    assert attributes(attempt)["hero.delivery"] == attributes(call)["hero.delivery"] == "no"


async def test_a_cancelled_call_ends_its_spans(server, hero, spans):
    server.otherwise = loses("hold", processed=True)
    sending = asyncio.ensure_future(hero.messages.send(**SMS))
    await server.has_arrived()
    sending.cancel()
    await asyncio.wait([sending])
    attempt, call = spans()
    assert (attributes(call)["error.type"], attributes(attempt)["error.type"]) == ("CancelledError", "wait")
    assert attributes(attempt)["hero.delivery"] == attributes(call)["hero.delivery"] == "unknown"


async def test_a_call_is_a_child_of_the_applications_span(hero, spans):
    tracer = trace.get_tracer("application")
    with tracer.start_as_current_span("invite") as outer:
        await asyncio.gather(hero.messages.send(**SMS), hero.messages.get("1"))
    calls = [span for span in spans() if span.name in ("messages.send", "messages.get")]
    assert {span.parent.span_id for span in calls} == {outer.get_span_context().span_id}


async def test_no_span_shows_a_value(server, connect, spans):
    secret = "canary"
    hero = connect(api_key=secret, headers={"X-Trace": secret})
    for step in (answer(), answer(400, secret.encode()), answer(200, secret.encode()), says(secret.encode())):
        server.otherwise = step
        for call in (
            lambda: hero.messages.send(patient_id="1", message_type="sms", message_string=secret),
            lambda: hero.messages.get(secret),
            lambda: hero.patients.list(first_name=secret).first(),
            lambda: hero.request("GET", f"/v1/{secret}", query={"a": secret}),
        ):
            with contextlib.suppress(HeroError):
                await call()
    assert len(spans()) >= 32
    for span in spans():
        assert secret not in span.to_json()
        assert span.events == ()


def test_who_does_not_use_opentelemetry_does_not_load_it():
    program = """
import asyncio, sys
from hero_async import AsyncHero
async def main():
    async with AsyncHero(api_key="k", practice_group_id="1", base_url="http://127.0.0.1:9", retries=0) as hero:
        try:
            await hero.messages.get("1")
        except Exception as error:
            print(type(error).__name__)
asyncio.run(main())
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout.split("\n")[:2] == ["APIConnectionError", "[]"]
