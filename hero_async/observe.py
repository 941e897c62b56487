"""What an operator may see: log lines, spans and metrics. Names, templates, counts and times; never a value.

Logger `hero_async`: DEBUG an attempt, INFO a retry or a cool-down, WARNING an outcome that is not known.
OpenTelemetry (extra `otel`): a span a call and one an attempt, and metrics, by the HTTP semantic conventions, when
the application has imported `opentelemetry.trace` or `opentelemetry.metrics` before the first call.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from hero_async.delivery import Delivery

if TYPE_CHECKING:
    from hero_async.calls import Route

log: logging.Logger = logging.getLogger("hero_async")


def _fields(operation: Route, call_id: str | None, number: int | None, **more: Any) -> dict[str, Any]:
    """What a log line says, as attributes of its record, for structured logging."""
    said = {"operation": operation.name, "call_id": call_id, "attempt": number, **more}
    return {f"hero_{name}": value for name, value in said.items() if value is not None}


def attempt_done(operation: Route, call_id: str, number: int, *, outcome: str, ms: float, delivery: Delivery) -> None:
    """Log one attempt."""
    if not log.isEnabledFor(logging.DEBUG):
        return
    log.debug(
        "%s %s %s attempt %d: %s in %.0f ms, processed: %s, call %s",
        operation.name,
        operation.verb,
        operation.path,
        number,
        outcome,
        ms,
        delivery.value,
        call_id,
        extra=_fields(operation, call_id, number, outcome=outcome, ms=round(ms, 1), delivery=delivery.value),
    )


def retrying(operation: Route, call_id: str, number: int, *, outcome: str, wait: float) -> None:
    """Log that a call is tried again."""
    if not log.isEnabledFor(logging.INFO):
        return
    log.info(
        "%s attempt %d: %s, trying again in %.2f s, call %s",
        operation.name,
        number,
        outcome,
        wait,
        call_id,
        extra=_fields(operation, call_id, number, outcome=outcome, wait=round(wait, 3)),
    )


def cooling_down(operation: Route, seconds: float) -> None:
    """Log that a practice group pauses."""
    if not log.isEnabledFor(logging.INFO):
        return
    log.info(
        "%s: answered 429, its practice group pauses for %.2f s",
        operation.name,
        seconds,
        extra=_fields(operation, None, None, outcome="status 429", wait=round(seconds, 3)),
    )


def outcome_unknown(operation: Route, call_id: str, number: int, *, outcome: str) -> None:
    """Log that it is not known whether a request was processed; a warning only where repeating would do harm."""
    level = logging.DEBUG if operation.idempotent else logging.WARNING
    if not log.isEnabledFor(level):
        return
    log.log(
        level,
        "%s attempt %d: %s, it is not known whether it was processed, call %s",
        operation.name,
        number,
        outcome,
        call_id,
        extra=_fields(operation, call_id, number, outcome=outcome, delivery=Delivery.UNKNOWN.value),
    )


class _Tracing:
    """Spans of calls and attempts."""

    def __init__(self, server: Mapping[str, Any]) -> None:
        from opentelemetry import trace

        self._trace = trace
        self._tracer = trace.get_tracer("hero_async")
        self._server = server

    def call(self, operation: Route) -> Any:
        return self._tracer.start_span(operation.name, attributes={"hero.operation": operation.name})

    def attempt(self, parent: Any, operation: Route, number: int) -> Any:
        attributes: dict[str, Any] = {
            "http.request.method": operation.verb,
            "url.template": operation.path,
            **self._server,
        }
        if number > 1:
            attributes["http.request.resend_count"] = number - 1
        return self._tracer.start_span(
            f"{operation.verb} {operation.path}",
            context=self._trace.set_span_in_context(parent),
            kind=self._trace.SpanKind.CLIENT,
            attributes=attributes,
        )

    def end(self, span: Any, *, status: int | None, error: str | None, delivery: Delivery) -> None:
        if status is not None:
            span.set_attribute("http.response.status_code", status)
        span.set_attribute("hero.delivery", delivery.value)
        if error is not None:
            span.set_attribute("error.type", error)
            span.set_status(self._trace.Status(self._trace.StatusCode.ERROR))
        span.end()


SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Bounds of histograms of seconds, as the HTTP semantic conventions advise."""


class _Metrics:
    """Instruments of calls and attempts. docs/observability.md has them as a table."""

    def __init__(self, server: Mapping[str, Any]) -> None:
        from opentelemetry import metrics

        self._server = server
        meter = metrics.get_meter("hero_async")

        def seconds(name: str, about: str) -> Any:
            return meter.create_histogram(name, "s", about, explicit_bucket_boundaries_advisory=SECONDS)

        self.attempts = seconds("http.client.request.duration", "Duration of HTTP client requests.")
        self.calls = seconds("hero.client.call.duration", "Duration of calls, with their waits and retries.")
        self.waits = seconds("hero.client.throttle.wait", "Time that attempts waited for their practice's turn.")
        self.retries = meter.create_counter("hero.client.retries", "{retry}", "Attempts after the first.")
        self.unknown = meter.create_counter(
            "hero.client.unknown_outcomes", "{call}", "Calls of which it is not known whether they were processed."
        )

    def attempt_done(self, operation: Route, *, status: int | None, error: str | None, seconds: float) -> None:
        attributes: dict[str, Any] = {
            "http.request.method": operation.verb,
            "url.template": operation.path,
            **self._server,
        }
        if status is not None:
            attributes["http.response.status_code"] = status
        if error is not None:
            attributes["error.type"] = error
        self.attempts.record(seconds, attributes)

    def call_done(self, operation: Route, *, error: str | None, delivery: Delivery, seconds: float) -> None:
        attributes: dict[str, Any] = {"hero.operation": operation.name, "hero.delivery": delivery.value}
        if error is not None:
            attributes["error.type"] = error
        self.calls.record(seconds, attributes)
        if delivery is Delivery.UNKNOWN:
            self.unknown.add(1, {"hero.operation": operation.name, "hero.idempotent": operation.idempotent})


class Telemetry:
    """Spans and metrics of a client: those that the application has loaded."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        server: dict[str, Any] = {
            "server.address": parts.hostname or "",
            "server.port": parts.port or (443 if parts.scheme == "https" else 80),
        }
        self._tracing = _Tracing(server) if "opentelemetry.trace" in sys.modules else None
        self._metrics = _Metrics(server) if "opentelemetry.metrics" in sys.modules else None

    def call(self, operation: Route) -> Any:
        """The span of a call, or None."""
        return None if self._tracing is None else self._tracing.call(operation)

    def attempt(self, parent: Any, operation: Route, number: int) -> Any:
        """The span of an attempt, a child of the call's, or None."""
        return None if self._tracing is None else self._tracing.attempt(parent, operation, number)

    def attempt_done(
        self,
        span: Any,
        operation: Route,
        *,
        status: int | None,
        error: str | None,
        delivery: Delivery,
        seconds: float,
    ) -> None:
        """An attempt ended."""
        if self._tracing is not None:
            self._tracing.end(span, status=status, error=error, delivery=delivery)
        if self._metrics is not None:
            self._metrics.attempt_done(operation, status=status, error=error, seconds=seconds)

    def call_done(self, span: Any, operation: Route, *, error: str | None, delivery: Delivery, seconds: float) -> None:
        """A call ended."""
        if self._tracing is not None:
            self._tracing.end(span, status=None, error=error, delivery=delivery)
        if self._metrics is not None:
            self._metrics.call_done(operation, error=error, delivery=delivery, seconds=seconds)

    def waited(self, operation: Route, seconds: float) -> None:
        """An attempt waited for its practice's turn."""
        if self._metrics is not None:
            self._metrics.waits.record(seconds, {"hero.operation": operation.name})

    def retried(self, operation: Route, error: str) -> None:
        """A call is tried again."""
        if self._metrics is not None:
            self._metrics.retries.add(1, {"hero.operation": operation.name, "error.type": error})


def telemetry(base_url: str) -> Telemetry | None:
    """Spans and metrics, if the application uses OpenTelemetry; loading it for those who do not would cost start-up."""
    if "opentelemetry.trace" in sys.modules or "opentelemetry.metrics" in sys.modules:
        return Telemetry(base_url)
    return None
