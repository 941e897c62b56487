"""What an operator may see: log lines and spans. Names, templates, counts and times; never a value.

Logger `hero_async`: DEBUG an attempt, INFO a retry or a cool-down, WARNING an outcome that is not known.
OpenTelemetry (extra `otel`): a span a call and one an attempt, by the HTTP semantic conventions, when the
application has imported opentelemetry.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from hero_async.delivery import Delivery

if TYPE_CHECKING:
    from hero_async.calls import Route

log = logging.getLogger("hero_async")


def attempt_done(operation: Route, call_id: str, number: int, *, outcome: str, ms: float, delivery: Delivery) -> None:
    """Log one attempt."""
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
    )


def retrying(operation: Route, call_id: str, number: int, *, outcome: str, wait: float) -> None:
    """Log that a call is tried again."""
    log.info("%s attempt %d: %s, trying again in %.2f s, call %s", operation.name, number, outcome, wait, call_id)


def cooling_down(operation: Route, seconds: float) -> None:
    """Log that a practice group pauses."""
    log.info("%s: answered 429, its practice group pauses for %.2f s", operation.name, seconds)


def outcome_unknown(operation: Route, call_id: str, number: int, *, outcome: str) -> None:
    """Log that it is not known whether a request was processed; a warning only where repeating would do harm."""
    log.log(
        logging.DEBUG if operation.idempotent else logging.WARNING,
        "%s attempt %d: %s, it is not known whether it was processed, call %s",
        operation.name,
        number,
        outcome,
        call_id,
    )


class Span(Protocol):
    """The part of an OpenTelemetry span that is used."""

    def set_attribute(self, key: str, value: Any) -> None: ...
    def end(self) -> None: ...


class Tracing:
    """Spans of calls and attempts."""

    def __init__(self, base_url: str) -> None:
        from opentelemetry import context, trace

        self._trace = trace
        self._context = context
        self._tracer = trace.get_tracer("hero_async")
        parts = urlsplit(base_url)
        self._server: dict[str, Any] = {
            "server.address": parts.hostname or "",
            "server.port": parts.port or (443 if parts.scheme == "https" else 80),
        }

    def call(self, operation: Route) -> Any:
        """The span of a call."""
        return self._tracer.start_span(operation.name, attributes={"hero.operation": operation.name})

    def attempt(self, parent: Any, operation: Route, number: int) -> Any:
        """The span of an attempt, a child of the call's."""
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

    def end(self, span: Any, *, status: int | None, error: str | None, delivery: Delivery | None) -> None:
        """Finish a span."""
        if status is not None:
            span.set_attribute("http.response.status_code", status)
        if delivery is not None:
            span.set_attribute("hero.delivery", delivery.value)
        if error is not None:
            span.set_attribute("error.type", error)
            span.set_status(self._trace.Status(self._trace.StatusCode.ERROR))
        span.end()


def tracing(base_url: str) -> Tracing | None:
    """Spans, if the application uses OpenTelemetry; loading it for those who do not would cost start-up."""
    return Tracing(base_url) if "opentelemetry.trace" in sys.modules else None
