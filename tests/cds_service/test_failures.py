"""A failure inside is a 5xx with a number to ask for, never an empty card list, never a patient's data in the log."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import Receive, Scope
from starlette.types import Send as AsgiSend

from cds_service.app import create_app
from cds_service.log_lines import JsonFormatter
from cds_service.settings import Settings
from tests.cds_service.conftest import PATIENT_VIEW, SANDBOX, TODAY, Send, sender

JSON = {"content-type": "application/json"}
Lines = Callable[[], list[dict[str, object]]]


class Failing:
    """An endpoint with a bug whose exceptions quote a patient."""

    async def __call__(self, _scope: Scope, _receive: Receive, _send: AsgiSend) -> None:
        patients: dict[str, str] = {}
        try:
            patients["Lovelace, Ada"].upper()
        except KeyError as error:
            raise ValueError("no birth date for Lovelace, Ada") from error


class Leaving:
    """An endpoint whose client goes away while it is being served."""

    async def __call__(self, _scope: Scope, _receive: Receive, _send: AsgiSend) -> None:
        raise ClientDisconnect


@pytest.fixture(scope="module")
def failing_app() -> FastAPI:
    app = create_app(Settings(today=TODAY, allowed_origins=(SANDBOX,)))
    app.router.routes[:0] = [Route("/failing", Failing()), Route("/leaving", Leaving())]
    return app


@pytest.fixture
def log_lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """What the log file would hold."""
    caplog.set_level(logging.INFO, logger="fleck")
    formatter = JsonFormatter()
    return lambda: [json.loads(formatter.format(record)) for record in caplog.records if record.name == "fleck"]


def test_an_unexpected_exception_answers_500_with_an_incident_that_is_in_the_log(
    failing_app: FastAPI, log_lines: Lines
) -> None:
    answer = sender(failing_app)("POST", "/failing", json={})
    (issue,) = answer.json()["issue"]
    assert (answer.status_code, issue["code"]) == (500, "exception")
    incident = re.search(r"incident ([0-9a-f]{32})", issue["details"]["text"])
    failure, request = log_lines()
    assert incident
    assert failure["incident"] == incident[1]
    assert request["status"] == 500


def test_neither_answer_nor_log_quotes_the_exception(failing_app: FastAPI, log_lines: Lines) -> None:
    answer = sender(failing_app)("POST", "/failing", json={})
    assert "Lovelace" not in answer.text + json.dumps(log_lines())


def test_the_log_says_where_the_exception_came_from(failing_app: FastAPI, log_lines: Lines) -> None:
    sender(failing_app)("POST", "/failing", json={})
    exception = log_lines()[0]["exception"]
    assert isinstance(exception, dict)
    assert exception["type"] == "ValueError"
    assert exception["after"]["type"] == "KeyError"
    assert "test_failures.py" in exception["frames"][-1]


def test_a_browser_may_read_a_500_too(failing_app: FastAPI) -> None:
    """Without CORS headers the sandbox would show a network error instead of the incident."""
    answer = sender(failing_app)("POST", "/failing", json={}, headers={"origin": SANDBOX})
    assert answer.headers["access-control-allow-origin"] == SANDBOX


def test_a_client_that_left_is_logged_and_not_an_error(failing_app: FastAPI, log_lines: Lines) -> None:
    with pytest.raises(AssertionError):  # httpx has no answer to give
        sender(failing_app)("POST", "/leaving", json={})
    assert [(line["level"], line["status"]) for line in log_lines()] == [("INFO", 499)]


def test_each_request_leaves_one_line_without_ids(
    send: Send, log_lines: Lines, request_body: dict[str, object]
) -> None:
    send("POST", PATIENT_VIEW, json=request_body)
    send("GET", "/Patient/p-3107?name=Sample")
    called, unknown = log_lines()
    assert {name: called[name] for name in ("method", "path", "status")} == {
        "method": "POST",
        "path": PATIENT_VIEW,
        "status": 200,
    }
    assert (unknown["status"], unknown["path"]) == (404, None)
    for secret in ("p-3107", "Sample", "opaque-token"):
        assert secret not in json.dumps([called, unknown])


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_browser_based_client_passes_the_preflight(send: Send, method: str) -> None:
    """The sandbox sends Authorization even on discovery; "*" would not cover it."""
    preflight = {
        "origin": SANDBOX,
        "access-control-request-method": method,
        "access-control-request-headers": "authorization,content-type",
    }
    answer = send("OPTIONS", PATIENT_VIEW, headers=preflight)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == SANDBOX
    assert {"Authorization", "Content-Type"} <= set(answer.headers["access-control-allow-headers"].split(", "))
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]


def test_other_origins_get_no_permission(send: Send) -> None:
    answer = send("GET", "/cds-services", headers={"origin": "https://elsewhere.example.org"})
    assert "access-control-allow-origin" not in answer.headers


def test_answers_about_a_patient_are_not_cached(send: Send, request_body: dict[str, object]) -> None:
    assert send("POST", PATIENT_VIEW, json=request_body).headers["cache-control"] == "no-store"


def test_health_and_readiness(send: Send) -> None:
    assert send("GET", "/health/live").json() == {"status": "alive"}
    ready = send("GET", "/health/ready").json()
    assert ready["status"] == "ready"
    assert ready["table_version"]
