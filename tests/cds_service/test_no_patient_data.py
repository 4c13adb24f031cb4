"""Names, ids and tokens, put wherever a client can put them, end in no log, metric, error, readiness or ledger."""

from __future__ import annotations

import copy
import json
from collections.abc import Generator
from typing import Any

import httpx
import pytest

from tests.cds_service.conftest import PATIENT_VIEW, REQUEST
from tests.running_server import RunningServer, running_server

NAME, NUMBER, TOKEN = "Zaphodine", "MRN884422", "tok9f8e7d6c"
SECRETS = (NAME, NUMBER, TOKEN)
FEEDBACK = f"{PATIENT_VIEW}/feedback"
HEADERS = {"authorization": f"Bearer {TOKEN}.{TOKEN}.{TOKEN}", "x-patient": NAME, "content-type": "application/json"}


def marked(value: Any) -> Any:
    """The same document with secrets in every text, id and reference that may hold something of a patient."""
    if isinstance(value, list):
        return [marked(item) for item in value]
    if not isinstance(value, dict):
        return value
    told = {name: marked(item) for name, item in value.items()}
    for member in ("display", "text", "conclusion", "valueString"):
        if isinstance(told.get(member), str):
            told[member] = f"{told[member]} {NAME} {NUMBER}"
    if isinstance(told.get("resourceType"), str) and told["resourceType"] != "Bundle":
        told["note"] = [{"text": f"{NAME} called"}]
        told["identifier"] = [{"system": "urn:hospital", "value": NUMBER}]
    return told


def calls() -> Generator[tuple[str, str, bytes]]:
    """Method, path and body of calls that are answered, refused, unreadable and misdirected."""
    whole = marked(copy.deepcopy(REQUEST))
    text = json.dumps(whole).replace(REQUEST["context"]["patientId"], NUMBER)
    whole = json.loads(text)
    whole |= {"fhirServer": f"https://{NAME}.example.org/{NUMBER}", "extension": {"who": NAME}}
    whole["fhirAuthorization"] = {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": NAME,
        "subject": NUMBER,
    }
    yield "POST", PATIENT_VIEW, json.dumps(whole).encode()
    yield "POST", PATIENT_VIEW, json.dumps({**whole, "prefetch": {}}).encode()
    yield "POST", PATIENT_VIEW, json.dumps({**whole, "prefetch": {NAME: {"resourceType": NAME, "id": NUMBER}}}).encode()
    yield "POST", PATIENT_VIEW, json.dumps({**whole, "hook": NAME, "hookInstance": NUMBER}).encode()
    yield (
        "POST",
        PATIENT_VIEW,
        json.dumps({**whole, "context": {"patientId": f"{NAME} {NUMBER}", "userId": NAME}}).encode(),
    )
    yield "POST", PATIENT_VIEW, f'{{"{NAME}": {TOKEN}'.encode()
    yield "POST", PATIENT_VIEW, b'"' + NAME.encode() * 20_000 + b'"'
    yield "POST", f"/cds-services/{NAME}", b"{}"
    yield "GET", f"/Patient/{NUMBER}?name={NAME}", b""
    reason = {
        "reason": {"code": "patient-refuses", "system": "urn:x", "display": NAME},
        "userComment": f"{NAME} said no",
    }
    items = [
        {"card": NAME, "outcome": "overridden", "outcomeTimestamp": NUMBER, "overrideReason": reason},
        NAME,
        {"card": 7},
    ]
    yield "POST", FEEDBACK, json.dumps({"feedback": items}).encode()
    yield "POST", FEEDBACK, json.dumps({NAME: [NUMBER]}).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningServer]:
    folder = tmp_path_factory.mktemp("private")
    settings = {"FLECK_DATABASE_URL": f"sqlite:///{folder / 'fleck.db'}", "FLECK_LOG_LEVEL": "DEBUG"}
    with running_server(folder, settings) as running:
        yield running


@pytest.fixture(scope="module")
def answers(server: RunningServer) -> list[httpx.Response]:
    return [
        httpx.request(method, server.url + path, content=body, headers=HEADERS, timeout=30)
        for method, path, body in calls()
    ]


def test_the_calls_are_answered_and_refused_in_every_way(answers: list[httpx.Response]) -> None:
    assert [answer.status_code for answer in answers] == [200, 412, 412, 400, 400, 400, 400, 404, 404, 200, 400]
    assert answers[0].json()["cards"]


def test_no_error_holds_a_secret(answers: list[httpx.Response]) -> None:
    assert _found("".join(answer.text for answer in answers if answer.status_code != 200)) == []


@pytest.mark.usefixtures("answers")
def test_no_metric_nor_readiness_holds_a_secret(server: RunningServer) -> None:
    told = [httpx.get(server.url + path).text for path in ("/metrics", "/health/ready")]
    assert "fleck_calls_total" in told[0]
    assert _found("".join(told)) == []


@pytest.mark.usefixtures("answers")
def test_no_log_line_holds_a_secret(server: RunningServer) -> None:
    assert server.log.count('"message":"request"') >= 11
    assert _found(server.log) == []


def test_the_ledger_holds_no_secret_but_the_name_that_a_client_gave_its_card(
    server: RunningServer, answers: list[httpx.Response]
) -> None:
    """A card's id comes back as it was given; what is no id of ours is what the client made of it."""
    server.process.terminate()
    server.process.wait(timeout=20)
    kept = b"".join(file.read_bytes() for file in server.folder.glob("fleck.db*"))
    assert answers[0].json()["cards"][0]["uuid"].encode() in kept
    assert [secret for secret in _found(kept.decode("latin-1")) if secret != NAME] == []


def _found(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret.lower() in text.lower()]
