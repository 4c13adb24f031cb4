"""Section 1.1: JSON, nothing empty in it, and within the patience of a client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_models.strict_json import parse_json
from tests.cds_service.conftest import PATIENT_VIEW, Send
from tests.protocol.faults import empties
from tests.protocol.requests import BASE, HOOKS, request_for, searchset
from tests.running_server import RunningServer

LONG_HISTORY = Path(__file__).parents[2] / "benchmarks" / "long_history.json"
PATIENCE_SECONDS = 5.0
"""After which a Da Vinci CRD client may give up; CDS Hooks itself names no number but "on the order of 500 ms"."""

CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", BASE, {}),
    ("GET", "/health/live", {}),
    ("GET", "/health/ready", {}),
    ("GET", "/nowhere", {}),
    ("DELETE", BASE, {}),
    ("POST", PATIENT_VIEW, {"json": {}}),
    ("POST", PATIENT_VIEW, {"content": b"{"}),
    ("POST", PATIENT_VIEW, {"json": {**request_for("patient-view"), "prefetch": {}}}),
    ("POST", PATIENT_VIEW, {"json": {**request_for("patient-view"), "prefetch": {"reports": searchset()}}}),
    *(("POST", path, {"json": request_for(hook)}) for hook, path in HOOKS.items()),
]
"""A call for every kind of answer: discovery, health, no path, no method, 400, 412, without cards, with cards."""


def documents(send: Send) -> Iterator[bytes]:
    for method, path, arguments in CALLS:
        yield send(method, path, **arguments).content


@pytest.mark.parametrize(("method", "path", "arguments"), CALLS)
def test_every_answer_is_json_of_its_media_type(send: Send, method: str, path: str, arguments: dict[str, Any]) -> None:
    """As strict as what is read: UTF-8, no comment, no trailing comma, no name twice."""
    answer = send(method, path, **arguments)
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(parse_json(answer.content), dict)


def test_nothing_in_any_answer_is_empty(send: Send) -> None:
    for document in documents(send):
        assert list(empties(json.loads(document))) == []


def test_no_answer_names_the_address_that_was_called(send: Send) -> None:
    """TLS ends at a proxy: a URL made of what arrives here would be an http one of a machine that nobody can reach."""
    for method, path, arguments in CALLS:
        answer = send(method, path, headers={"host": "inside.example.org"}, **arguments)
        assert "inside.example.org" not in answer.text + str(answer.headers)


def test_a_client_of_little_patience_gets_its_answer(server: RunningServer) -> None:
    """The longest history that we know of: some three hundred resources of ten years."""
    body = json.loads(LONG_HISTORY.read_text()) | {"hook": "patient-view"}
    answer = httpx.post(f"{server.url}{PATIENT_VIEW}", json=body, timeout=PATIENCE_SECONDS)
    assert answer.status_code == 200
    assert answer.json()["cards"]
