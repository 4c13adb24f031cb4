"""The HTTP application: CDS Hooks under /cds-services, health, metrics, and the plain interface under /api."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import date

import msgspec
import orjson
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp, Lifespan

from cds_service.api import answer_decide, answer_read
from cds_service.clients.gate import Gate
from cds_service.clients.registry import load_registry, log_registry
from cds_service.clients.replay import ProcessMemory, StoreAndMemory
from cds_service.clients.urls import is_loopback
from cds_service.fhir_client.exchange import FetchLimits
from cds_service.fhir_client.fetch import FhirFetch
from cds_service.hooks.service_call import context_for
from cds_service.hooks.services import SERVICES
from cds_service.knowledge import load_knowledge, prepare_orders
from cds_service.ledger.call_writer import Lag
from cds_service.ledger.ledger import Ledger, open_ledger
from cds_service.log_lines import LOGGER
from cds_service.protocol.hook_request import discovery_document
from cds_service.settings import Settings, unknown_variables
from cds_service.web.admission import Admitted
from cds_service.web.call_endpoint import CallEndpoint, Desk
from cds_service.web.endpoints import BodyCall, MadeAnswer, NotFound, PreparedAnswer
from cds_service.web.feedback_endpoint import FeedbackEndpoint
from cds_service.web.host_check import HostCheck
from cds_service.web.load import Load
from cds_service.web.metrics import CONTENT_TYPE, Metrics
from cds_service.web.request_body import BodyLimits
from cds_service.web.request_net import RequestNet
from cds_service.web.tracing import Traced, exporting_tracer

BASE = "/cds-services"
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""Spans would carry paths and exception messages out of the house."""

LARGE_AT_ONCE = 2
"""Threads for large calls. They share one interpreter: more would only make each other wait."""

MAX_FEEDBACK = 256 * 1024
"""Bytes of a batch of feedback: more than a thousand items. Each is a row, written before the next caller's."""

WATCH_SECONDS, CLOSING_SECONDS = 5.0, 10.0

GC_THRESHOLD = 50_000
"""Allocations between collections. What start-up built is frozen; a request leaves little behind that is cyclic."""


def create_app(settings: Settings) -> FastAPI:
    """Load the knowledge and wire the routes.

    Raises:
        ValueError: a policy switch, a ConceptMap or a client that the settings name is wrong, or anyone could call.
    """
    knowledge = load_knowledge(settings)
    registry = load_registry(settings, SERVICES)
    log_registry(registry, insecure_open=settings.insecure_open)
    for client in registry.clients:
        prepare_orders(knowledge, client.profile)
    public_url = str(settings.public_url) if settings.public_url else None
    limits = BodyLimits(settings.body_limit_bytes, settings.body_timeout_seconds)
    metrics, ledger = Metrics(), open_ledger(settings)
    fetch = FhirFetch(
        limits=FetchLimits(
            seconds=settings.fhir_budget_seconds, pages=settings.fhir_max_pages, resources=settings.max_resources
        ),
        terminology=knowledge.terminology,
    )
    gate = Gate(
        registry,
        public_url,
        StoreAndMemory(ledger, ProcessMemory()),
        discovery_open=settings.discovery_open or False,
        count_refusal=lambda reason: metrics.refused.labels(reason).inc(),
    )

    def today() -> date:
        return settings.today or date.today()

    feedback_limits = BodyLimits(min(MAX_FEEDBACK, settings.body_limit_bytes), settings.body_timeout_seconds)
    desk = Desk(
        gate=gate,
        fetch=fetch,
        ledger=ledger,
        metrics=metrics,
        table_version=knowledge.ruleset.version,
        context_of=lambda client, day: context_for(knowledge, settings, client.profile, day),
        today=today,
        limits=limits,
        load=Load(settings.max_calls, settings.max_bytes_in_hand),
        threads=ThreadPoolExecutor(LARGE_AT_ONCE, thread_name_prefix="large-call"),
        seconds=settings.call_seconds,
    )
    discovery = PreparedAnswer(discovery_document([offered.service for offered in SERVICES.values()]))
    endpoints: dict[str, ASGIApp] = {
        **{f"{BASE}/{name}": CallEndpoint(offered=offered, desk=desk) for name, offered in SERVICES.items()},
        **{
            f"{BASE}/{name}/feedback": FeedbackEndpoint(
                service=name, limits=feedback_limits, ledger=ledger, metrics=metrics, admit=gate.admit
            )
            for name in SERVICES
        },
        BASE: Admitted(gate, BASE, discovery),
        "/health/live": PreparedAnswer(b'{"status":"alive"}'),
        "/health/ready": MadeAnswer(lambda: _ready(knowledge.ruleset.version, ledger.lag)),
    }
    if settings.metrics_enabled:
        endpoints["/metrics"] = MadeAnswer(lambda: _metrics(metrics, ledger), CONTENT_TYPE)
    if settings.api_enabled:
        endpoints["/api/decide"] = BodyCall(lambda body: answer_decide(body, knowledge), limits)
        endpoints["/api/read"] = BodyCall(lambda body: answer_read(body, knowledge, today()), limits)
    app = FastAPI(
        title="Fleck", openapi_url=None, redirect_slashes=False, lifespan=_lifespan(desk), telemetry=NO_TELEMETRY
    )
    app.router.routes += [
        *(Route(path, endpoint) for path, endpoint in endpoints.items()),
        Route(f"{BASE}/{{service_id}}", NotFound(f"no service of this id; GET {BASE} lists them")),
        Route("/{path:path}", NotFound("no such path")),
    ]
    if is_loopback(settings.host) or settings.allowed_hosts:
        app.add_middleware(HostCheck, allowed=settings.host_names)
    app.add_middleware(RequestNet, paths=frozenset(endpoints))
    if origins := (*settings.allowed_origins, *registry.origins):
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "OPTIONS"],
            allow_headers=["Authorization", "Content-Type"],
            allow_private_network=True,  # the public sandbox calls a service on loopback or inside the hospital
        )
    if settings.tracing:
        app.add_middleware(Traced, paths=frozenset(endpoints), tracer=exporting_tracer())
    return app


def _ready(table_version: str, lag: Lag) -> bytes:
    """A ledger that is behind is no reason to send calls elsewhere: advice goes on, and it catches up."""
    return orjson.dumps({"status": "ready", "table_version": table_version, "ledger": msgspec.structs.asdict(lag)})


def _metrics(metrics: Metrics, ledger: Ledger) -> bytes:
    metrics.ledger_stands(ledger.lag)
    return metrics.exposition()


def _lifespan(desk: Desk) -> Lifespan[FastAPI]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        for name in unknown_variables(os.environ):
            LOGGER.warning("environment variable names no setting", extra={"fields": {"variable": name}})
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)
        watch = asyncio.create_task(_watch(desk))
        try:
            yield
        finally:
            watch.cancel()
            await desk.fetch.aclose()
            if lost := await asyncio.to_thread(desk.ledger.close, CLOSING_SECONDS):
                LOGGER.error("ledger not written at the end", extra={"fields": {"calls": lost}})

    return lifespan


async def _watch(desk: Desk) -> None:
    """Show the ledger's state where another worker may be asked for it."""
    while True:
        desk.metrics.ledger_stands(desk.ledger.lag)
        await asyncio.sleep(WATCH_SECONDS)
