"""Traces say what the log line says, and nothing of a patient."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.types import ASGIApp, Receive, Scope, Send

from cds_service.app import create_app
from cds_service.settings import Settings
from cds_service.web.tracing import Traced
from tests.cds_service.conftest import PATIENT_VIEW, TODAY, sender

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def spans_of(app: ASGIApp, path: str, body: dict[str, Any]) -> list[ReadableSpan]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traced = Traced(app, frozenset({PATIENT_VIEW}), provider.get_tracer("test"))
    wrapped = FastAPI()
    wrapped.add_middleware(lambda _: traced)
    sender(wrapped)("POST", path, json=body, headers={"traceparent": PARENT})
    return list(exporter.get_finished_spans())


def test_a_call_is_a_span_of_the_callers_trace(request_body: dict[str, Any]) -> None:
    (span,) = spans_of(create_app(Settings(today=TODAY)), PATIENT_VIEW, request_body)
    assert span.context and f"{span.context.trace_id:032x}" == PARENT.split("-")[1]
    assert span.name == f"POST {PATIENT_VIEW}"
    assert dict(span.attributes or {}) == {
        "http.response.status_code": 200,
        "fleck.client": "local",
        "fleck.hook_instance": request_body["hookInstance"],
    }


def test_a_path_with_an_id_and_a_failure_leave_no_words_in_a_span() -> None:
    async def failing(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ValueError("no birth date for Lovelace, Ada")

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = FastAPI()
    app.add_middleware(lambda _: Traced(failing, frozenset(), provider.get_tracer("test")))
    with pytest.raises(ValueError, match="birth"):
        sender(app)("GET", "/Patient/p-3107")
    (span,) = exporter.get_finished_spans()
    assert (span.name, span.events, span.status.description) == ("GET other", (), None)
