"""OpenTelemetry spans, where a site switches them on: one a request, with what the log line has and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, Tracer
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds_service.web.request_net import log_fields


class Traced:
    """ASGI middleware around everything else. A span is named after the path, where the path is one of ours."""

    def __init__(self, app: ASGIApp, paths: frozenset[str], tracer: Tracer) -> None:
        """Wrap an application."""
        self.app, self.paths, self.tracer = app, paths, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request within a span; any other scope passes through. Exceptions may quote a patient: none is kept."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self.paths else "other"
        caller = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"] if name in _CONTEXT
        }
        with self.tracer.start_as_current_span(
            f"{scope['method']} {path}",
            propagate.extract(caller),
            SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:

            async def note_status(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            try:
                await self.app(scope, receive, note_status)
            finally:
                fields = cast("Mapping[str, str | int]", log_fields(scope))
                span.set_attributes({f"fleck.{name}": value for name, value in fields.items()})


_CONTEXT = (b"traceparent", b"tracestate")


def exporting_tracer() -> Tracer:
    """Return a tracer that sends to the collector that the standard `OTEL_*` variables name.

    Raises:
        ValueError: the packages of the extra `tracing` are not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise ValueError("tracing needs the extra: pip install 'fleck[tracing]'") from None
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider.get_tracer("fleck")
