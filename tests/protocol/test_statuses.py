"""Section 1.7: 200 with cards, 412 for data not obtained, an OperationOutcome for all else; and plain HTTP around it."""

from __future__ import annotations

from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.cds_service.conftest import PATIENT_VIEW, SANDBOX, Send
from tests.protocol.faults import outcome_faults
from tests.protocol.requests import BASE, HOOKS, request_for, searchset
from tests.running_server import RunningServer

NO_DATA = {**request_for("patient-view"), "prefetch": {}}
OUR_LIMIT = 10 * 1024 * 1024
ERRORS: list[tuple[int, str, str, dict[str, Any]]] = [
    (400, "POST", PATIENT_VIEW, {"json": {}}),
    (400, "POST", PATIENT_VIEW, {"content": b"\xff", "headers": {"content-type": "application/json"}}),
    (404, "POST", f"{BASE}/no-such-service", {"json": {}}),
    (404, "GET", "/", {}),
    (405, "GET", PATIENT_VIEW, {}),
    (405, "POST", BASE, {"json": {}}),
    (412, "POST", PATIENT_VIEW, {"json": NO_DATA}),
    (413, "POST", PATIENT_VIEW, {"content": b" " * (OUR_LIMIT + 1), "headers": {"content-type": "application/json"}}),
    (415, "POST", PATIENT_VIEW, {"content": b"{}", "headers": {"content-type": "text/plain"}}),
]


@pytest.mark.parametrize("hook", HOOKS)
def test_guidance_is_200_with_cards(send: Send, hook: str) -> None:
    answer = send("POST", HOOKS[hook], json=request_for(hook))
    assert answer.status_code == 200
    assert set(answer.json()) == {"cards"}
    assert answer.json()["cards"]


def test_no_guidance_is_200_with_an_empty_list(send: Send) -> None:
    body = {**request_for("patient-view"), "prefetch": {"reports": searchset(), "observations": None}}
    answer = send("POST", PATIENT_VIEW, json=body)
    assert (answer.status_code, answer.content) == (200, b'{"cards":[]}')


def test_data_that_came_and_holds_nothing_of_use_is_not_412(send: Send) -> None:
    blood_count = {"coding": [{"system": "http://loinc.org", "code": "58410-2"}]}
    other = {"resourceType": "DiagnosticReport", "id": "lab", "status": "final", "code": blood_count}
    body = {**request_for("patient-view"), "prefetch": {"reports": searchset(other)}}
    assert send("POST", PATIENT_VIEW, json=body).status_code == 200


@pytest.mark.parametrize(("status", "method", "path", "arguments"), ERRORS)
def test_an_error_is_an_operation_outcome(
    send: Send, status: int, method: str, path: str, arguments: dict[str, Any]
) -> None:
    answer = send(method, path, **arguments)
    assert answer.status_code == status
    assert list(outcome_faults(answer.json())) == []


@pytest.mark.parametrize(("status", "method", "path", "arguments"), ERRORS)
def test_a_page_may_read_an_error_too(
    send: Send, status: int, method: str, path: str, arguments: dict[str, Any]
) -> None:
    headers = {**arguments.get("headers", {}), "origin": SANDBOX}
    answer = send(method, path, **{**arguments, "headers": headers})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, SANDBOX)
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", PATIENT_VIEW, "POST"),
        ("HEAD", PATIENT_VIEW, "POST"),
        ("PUT", PATIENT_VIEW, "POST"),
        ("OPTIONS", PATIENT_VIEW, "POST"),
        ("TRACE", PATIENT_VIEW, "POST"),
        ("POST", BASE, "GET, HEAD"),
        ("DELETE", BASE, "GET, HEAD"),
        ("OPTIONS", BASE, "GET, HEAD"),
    ],
)
def test_another_method_is_405_and_told_which_are_answered(send: Send, method: str, path: str, allow: str) -> None:
    answer = send(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)


def asked(server: RunningServer, method: str, target: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Send a request with its target exactly as written, which no client library would leave as it is."""
    address = urlsplit(server.url)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=30)
    connection.putrequest(method, target, skip_accept_encoding=True)
    for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body or b"")))):
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


def test_head_is_answered_like_get_without_a_body(server: RunningServer) -> None:
    assert asked(server, "HEAD", BASE) == (200, b"")
    assert asked(server, "GET", BASE)[1].startswith(b'{"services":[')


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/cds%2Dservices", 200),
        ("/%63ds-services?_format=json", 200),
        (f"{BASE}?x=%ff%00", 200),
        (f"{BASE}/calcification%2dpatient-view%00", 404),
        (f"{BASE}/%ff%fe", 404),
        (f"{BASE}/%zz", 404),
        (f"{BASE}/..%2f..%2fetc%2fpasswd", 404),
        (f"{BASE}/{'a' * 8000}", 404),
        ("/%2e%2e/cds-services", 404),
        (f"{BASE};x=1", 404),
        ("/CDS-SERVICES", 404),
    ],
)
def test_a_path_means_the_same_percent_encoded_and_a_strange_one_is_not_found(
    server: RunningServer, target: str, status: int
) -> None:
    assert asked(server, "GET", target)[0] == status


def test_a_service_is_found_by_its_percent_encoded_path(server: RunningServer) -> None:
    assert asked(server, "POST", PATIENT_VIEW.replace("-", "%2D"), b"{}")[0] == 400
