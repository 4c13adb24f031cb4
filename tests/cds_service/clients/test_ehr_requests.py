"""Whole calls in the shape that Epic sends, with tokens, through the application as a site would configure it."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.cds_service.clients.signing import BASE, ISSUER, RSA_KEY, claims, jwk, key_set, sign
from tests.cds_service.clients.test_clients_file import write
from tests.cds_service.clients.test_profiles import PREFERENCE_LIST
from tests.cds_service.conftest import TODAY, sender
from tests.cds_service.fhir_client.fhir_server import FhirServer

REQUESTS = Path(__file__).parent / "requests"
HOOKS = ("patient-view", "order-select", "order-sign")
ITEM = {"laterality": "left", "system": PREFERENCE_LIST, "code": "MAMBXL", "display": "Biopsy, left"}


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    """A service with Epic as its one client, which may not book."""
    client = {
        "id": "north",
        "profile": "epic",
        "issuers": [ISSUER],
        "algorithms": ["RS384"],
        "jwks": key_set(jwk(RSA_KEY)),
        "services": [f"calcification-{hook}" for hook in HOOKS],
        "overrides": {"order_codes": [{"recommendation": "biopsy"} | ITEM]},
    }
    settings = {"clients": write(tmp_path, client), "public_url": BASE, "today": TODAY}
    return create_app(Settings.model_validate(settings))


def token(path: str) -> str:
    """A token as Epic makes it: RS384, `sub`, and `nbf` five minutes before `iat`."""
    return sign(claims(path, nbf=int(time.time()) - 300, sub="0f1e2d3c-client"), RSA_KEY, "RS384")


def call(app: FastAPI, hook: str, body: Any = None, **headers: str) -> httpx.Response:
    path = f"/cds-services/calcification-{hook}"
    content = (REQUESTS / f"epic-{hook}.json").read_bytes() if body is None else json.dumps(body).encode()
    given = {"content-type": "application/json", "authorization": f"Bearer {token(path)}"} | headers
    return sender(app)("POST", path, content=content, headers=given)


def test_the_requests_are_as_odd_as_epics() -> None:
    """Order ids of 194 characters, `category` as an object, UUIDs of version 1, absolute references."""
    sign = json.loads((REQUESTS / "epic-order-sign.json").read_text())
    (entry,) = sign["context"]["draftOrders"]["entry"]
    assert len(entry["resource"]["id"]) == 194
    assert isinstance(entry["resource"]["category"], dict)
    assert entry["resource"]["subject"]["reference"].startswith("https://")
    assert sign["hookInstance"][14] == "1"


@pytest.mark.parametrize("hook", HOOKS)
def test_a_call_of_epic_is_answered_with_an_order_that_epic_can_place(app: FastAPI, hook: str) -> None:
    answer = call(app, hook)
    assert answer.status_code == 200, answer.text
    (card,) = answer.json()["cards"]
    assert card["summary"].startswith("Left breast: consider image-guided biopsy")
    assert card["selectionBehavior"] == "any"
    (suggestion,) = card["suggestions"]
    (action,) = suggestion["actions"]
    order = action["resource"]
    assert (order["status"], order["intent"]) == ("draft", "proposal" if action["type"] == "create" else "order")
    assert order["code"]["coding"] == [{name: ITEM[name] for name in ("system", "code", "display")}]
    assert "left breast" in action["description"], "what the user sees"
    assert card["source"]["topic"]["code"].isalnum()


def test_a_call_that_epic_stripped_of_its_data_is_told_what_is_missing(app: FastAPI) -> None:
    body = json.loads((REQUESTS / "epic-patient-view.json").read_text())
    for member in ("prefetch", "fhirServer", "fhirAuthorization"):
        del body[member]
    assert call(app, "patient-view", body).status_code == 412


def test_the_body_is_not_read_before_the_caller_is_known(app: FastAPI) -> None:
    answer = call(app, "patient-view", "x" * 200_000, authorization="Bearer x.y.z")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert answer.json() == {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "login", "details": {"text": "not authenticated"}}],
    }


def test_a_token_is_good_for_one_call_whatever_its_body(app: FastAPI) -> None:
    once = f"Bearer {token('/cds-services/calcification-patient-view')}"
    assert call(app, "patient-view", {}, authorization=once).status_code == 400
    assert call(app, "patient-view", authorization=once).status_code == 401


def test_discovery_asks_for_a_token_too_and_probes_do_not(app: FastAPI) -> None:
    send = sender(app)
    assert send("GET", "/cds-services").status_code == 401
    answer = send("GET", "/cds-services", headers={"authorization": f"Bearer {token('/cds-services')}"})
    assert (answer.status_code, len(answer.json()["services"])) == (200, 5)
    assert send("GET", "/health/live").status_code == 200
    assert send("GET", "/cds-services/unknown").status_code == 404


async def call_once(app: FastAPI, body: dict[str, Any], token: str) -> httpx.Response:
    """Call a service that closes its connections afterwards."""
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        headers = {"authorization": f"Bearer {token}"}
        return await client.post("/cds-services/calcification-patient-view", json=body, headers=headers)


def test_the_callers_token_stays_here_and_the_access_token_goes_to_its_fhir_server(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The two are not confused, and neither is in the answer or in the log."""
    body = json.loads((REQUESTS / "epic-patient-view.json").read_text())
    jwt = token("/cds-services/calcification-patient-view")
    with FhirServer() as server:
        client = {"id": "north", "issuers": [ISSUER], "jwks": key_set(jwk(RSA_KEY)), "fhir_servers": [server.base]}
        settings = {"clients": write(tmp_path, client), "public_url": BASE, "today": TODAY}
        fetching = create_app(Settings.model_validate(settings))
        sent = {**body, "prefetch": {}, "fhirServer": server.base}
        with caplog.at_level(logging.DEBUG, "fleck"):
            answer = asyncio.run(call_once(fetching, sent, jwt))
        access_token = body["fhirAuthorization"]["access_token"]
        assert {asked.headers["authorization"] for asked in server.asked} == {f"Bearer {access_token}"}
    assert answer.status_code == 200, answer.text
    told = answer.text + str([vars(record) for record in caplog.records])
    assert caplog.records
    assert not [secret for secret in (access_token, *jwt.split(".")) if secret in told]
