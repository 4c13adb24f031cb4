"""A call whose data is fetched from a server on this machine."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Generator, Mapping
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr

from cds_service.clients.client import Client
from cds_service.fhir_client.exchange import FetchLimits
from cds_service.fhir_client.fetch import FhirFetch
from cds_service.hooks.key_fate import KeyFate
from cds_service.hooks.prefetch import Delivery, read_prefetch
from cds_service.hooks.prefetch_keys import PATIENT_CHART
from cds_service.protocol.hook_request import HookRequest
from fhir_models.terminology import load_terminology
from tests.cds_service.fhir_client.fhir_server import FhirServer

TERMINOLOGY = load_terminology()
TOKEN = "opaque-token-1"  # noqa: S105
LIMITS = FetchLimits(seconds=30)
"""Time is what some tests are about; in all others nothing waits for it."""

PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "female"}
EMPTY = {key.name: None for key in PATIENT_CHART}
"""A prefetch that was searched in vain."""

MAMMOGRAM = {"coding": [{"system": "http://loinc.org", "code": "24606-6"}]}


def report(identity: str, **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport", "id": identity, "status": "final", "code": MAMMOGRAM,
        "subject": {"reference": "Patient/p1"}, **members,
    }  # fmt: skip


def without(*names: str, **values: object) -> dict[str, object]:
    """An empty prefetch that lacks some keys, and has others."""
    return {name: value for name, value in EMPTY.items() if name not in names} | values


Complete = Callable[..., Delivery]


@pytest.fixture
def server() -> Generator[FhirServer]:
    with FhirServer() as server:
        yield server


@pytest.fixture
def elsewhere() -> Generator[FhirServer]:
    """Another host, as far as an origin goes: it must never be asked."""
    with FhirServer() as server:
        yield server


def call(prefetch: Mapping[str, object], **members: Any) -> HookRequest:
    request = HookRequest(
        hook="patient-view",
        hook_instance="6f0d0c52-6d0b-4f9e-9c52-2b7d3f0f7a11",
        patient_id="p1",
        context={"patientId": "p1", "userId": "Practitioner/u1"},
        prefetch=prefetch,
        extension={},
        access_token=SecretStr(TOKEN),
    )
    return msgspec.structs.replace(request, **members)


@pytest.fixture
def complete(server: FhirServer) -> Complete:
    """Complete the data of one call from the server, which is registered for the client."""

    def run(
        prefetch: Mapping[str, object],
        *,
        limits: FetchLimits = LIMITS,
        servers: tuple[str, ...] | None = None,
        tls: ssl.SSLContext | None = None,
        keys: Any = PATIENT_CHART,
        **members: Any,
    ) -> Delivery:
        client = Client(id="site", fhir_servers=(server.base,) if servers is None else servers)
        request = call(prefetch, **{"fhir_server": server.base, **members})

        async def once() -> Delivery:
            delivery = read_prefetch(prefetch, keys, 5000)
            async with FhirFetch(limits, TERMINOLOGY, tls) as fetch, asyncio.timeout(60):
                return await fetch.complete(request, delivery, client, keys)

        return asyncio.run(once())

    return run


def fate(delivery: Delivery, key: str) -> KeyFate:
    return next(fate for fate in delivery.fates if fate.key == key)


def ids(delivery: Delivery) -> list[str]:
    return [located.resource["id"] for located in delivery.resources]
