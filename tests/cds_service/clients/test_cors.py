"""What a browser-based EHR needs of the real application, and what a foreign page must not get."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.cds_service.clients.signing import P384, SERVICE, jwk, key_set
from tests.cds_service.clients.test_clients_file import PUBLIC, write
from tests.cds_service.conftest import SANDBOX, Send, sender

PAGE = "https://app.north.example.org"
FOREIGN = "https://evil.example.org"
PREFLIGHT = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization, content-type",
}


@pytest.fixture
def send(tmp_path: Path) -> Send:
    """An application with a registered client that runs in a browser, and an origin of the settings."""
    client = {"id": "north", "issuers": ["https://n.example.org"], "jwks": key_set(jwk(P384)), "origins": [PAGE]}
    path = write(tmp_path, client)
    return sender(create_app(Settings(clients=path, public_url=PUBLIC, allowed_origins=(SANDBOX,))))  # type: ignore[arg-type]


def allowed(answer: httpx.Response, name: str) -> set[str]:
    return {item.strip().lower() for item in answer.headers[f"access-control-allow-{name}"].split(",")}


def cors(headers: Mapping[str, str]) -> list[str]:
    """Headers that let a page read an answer."""
    return [name for name in headers if name in ("access-control-allow-origin", "access-control-allow-credentials")]


@pytest.mark.parametrize("origin", [PAGE, SANDBOX])
@pytest.mark.parametrize("path", ["/cds-services", SERVICE, f"{SERVICE}/feedback"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_preflight_passes_without_credentials(send: Send, origin: str, path: str, method: str) -> None:
    """Browsers send it without the token that the call itself will have."""
    answer = send("OPTIONS", path, headers=PREFLIGHT | {"origin": origin, "access-control-request-method": method})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert {"authorization", "content-type"} <= allowed(answer, "headers")
    assert answer.headers["access-control-allow-methods"] == "GET, POST, OPTIONS"
    assert "origin" in answer.headers["vary"].lower()
    assert int(answer.headers["access-control-max-age"]) > 0
    assert cors(answer.headers) == ["access-control-allow-origin"]


def test_headers_are_named_and_only_those_that_are_needed_or_harmless(send: Send) -> None:
    answer = send("OPTIONS", SERVICE, headers=PREFLIGHT | {"origin": PAGE})
    safe_anyway = {"accept", "accept-language", "content-language"}
    assert allowed(answer, "headers") - safe_anyway == {"authorization", "content-type"}
    asking_for_more = PREFLIGHT | {"origin": PAGE, "access-control-request-headers": "x-api-key"}
    assert send("OPTIONS", SERVICE, headers=asking_for_more).status_code == 400


def test_a_page_of_a_known_origin_may_reach_into_the_private_network(send: Send) -> None:
    headers = PREFLIGHT | {"origin": PAGE, "access-control-request-private-network": "true"}
    answer = send("OPTIONS", SERVICE, headers=headers)
    assert (answer.status_code, answer.headers["access-control-allow-private-network"]) == (200, "true")
    assert not cors(send("OPTIONS", SERVICE, headers=headers | {"origin": FOREIGN}).headers)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/cds-services", 401), ("POST", SERVICE, 401), ("GET", "/nowhere", 404), ("GET", "/health/ready", 200)],
)
def test_every_answer_can_be_read_by_a_known_page_and_by_no_other(
    send: Send, method: str, path: str, status: int
) -> None:
    answer = send(method, path, headers={"origin": PAGE})
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert cors(answer.headers) == ["access-control-allow-origin"]
    for origin in (FOREIGN, "null", f"{PAGE}.evil.example.org", PAGE.replace("https", "http")):
        foreign = send(method, path, headers={"origin": origin})
        assert cors(foreign.headers) == []
        assert "origin" in foreign.headers["vary"].lower(), "a cache must not serve one origin's answer to another"


def test_a_failure_can_be_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that cannot read a 500 sees a network error, and shows nothing."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("cds_service.web.call_endpoint.read_hook_request", fail)
    send = sender(create_app(Settings(allowed_origins=(SANDBOX,))))
    answer = send("POST", SERVICE, json={}, headers={"origin": SANDBOX})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (500, SANDBOX)


def test_without_origins_no_page_reads_anything() -> None:
    send = sender(create_app(Settings()))
    assert cors(send("GET", "/cds-services", headers={"origin": SANDBOX}).headers) == []
    assert cors(send("OPTIONS", SERVICE, headers=PREFLIGHT | {"origin": SANDBOX}).headers) == []
