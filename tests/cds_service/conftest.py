"""The real application, called in process."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cds_service.app import create_app
from cds_service.settings import Settings

REQUEST = json.loads((Path(__file__).parents[2] / "benchmarks" / "request.json").read_text())
PATIENT_VIEW = "/cds-services/calcification-patient-view"
TODAY = date(2026, 2, 2)
SANDBOX = "https://sandbox.cds-hooks.org"

Send = Callable[..., httpx.Response]


@pytest.fixture(scope="session")
def app() -> FastAPI:
    return create_app(Settings(today=TODAY, allowed_origins=(SANDBOX,), body_limit_bytes=100_000))


@pytest.fixture(scope="session")
def send(app: FastAPI) -> Send:
    return sender(app)


@pytest.fixture
def request_body() -> dict[str, Any]:
    """A valid patient-view request with a readable diagnostic mammogram; tests change what they are about."""
    return copy.deepcopy(REQUEST)


def sender(app: FastAPI) -> Send:
    """Return a function that sends one HTTP request to the application and returns the answer."""

    async def exchange(method: str, path: str, **arguments: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, **arguments)

    return lambda *arguments, **named: asyncio.run(exchange(*arguments, **named))
