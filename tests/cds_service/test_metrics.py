"""What operators watch: numbers by service, client, rule and recommendation, never a word of a sender."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.cds_service.conftest import PATIENT_VIEW, TODAY, sender
from tests.running_server import running_server

SERVICE = "calcification-patient-view"


def metrics_after(*bodies: dict[str, Any]) -> str:
    send = sender(create_app(Settings(today=TODAY)))
    for body in bodies:
        send("POST", PATIENT_VIEW, json=body)
    answer = send("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return answer.text


def value(text: str, name: str, **labels: str) -> float:
    wanted = ",".join(f'{label}="{labels[label]}"' for label in sorted(labels))
    found = re.search(rf"^{name}{{{re.escape(wanted)}}} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_calls_cards_and_rules_are_counted(request_body: dict[str, Any]) -> None:
    text = metrics_after(request_body, request_body, {"hook": "patient-view"})
    assert value(text, "fleck_calls_total", service=SERVICE, client="local", status="200") == 2
    assert value(text, "fleck_calls_total", service=SERVICE, client="local", status="400") == 1
    assert value(text, "fleck_call_seconds_count", service=SERVICE) == 3
    assert value(text, "fleck_cards_total", service=SERVICE, recommendation="biopsy", state="open") == 2
    assert value(text, "fleck_card_rules_total", service=SERVICE, rule="D12") == 2


def test_what_could_not_be_used_is_counted_by_its_type(request_body: dict[str, Any]) -> None:
    made_up = {"resourceType": "Lovelace", "id": "p-3107"}
    request_body["prefetch"]["more"] = {
        "resourceType": "Bundle",
        "entry": [
            {"resource": {"resourceType": "DiagnosticReport", "id": "broken", "status": 7}},
            {"resource": made_up},
        ],
    }
    text = metrics_after(request_body)
    assert value(text, "fleck_unread_total", client="local", type="DiagnosticReport") == 1
    assert not re.search("Lovelace|p-3107", text)


def test_a_code_that_no_table_knows_is_counted_and_not_named(request_body: dict[str, Any]) -> None:
    for entry in request_body["prefetch"]["observations"]["entry"]:
        for component in entry["resource"].get("component", ()):
            for coding in component.get("valueCodeableConcept", {}).get("coding", ()):
                coding["code"] = "SECRET-CODE"
    text = metrics_after(request_body)
    assert value(text, "fleck_unknown_codes_total", client="local") > 0
    assert "SECRET-CODE" not in text


def test_metrics_are_for_loopback_unless_the_site_says_otherwise() -> None:
    hidden = sender(create_app(Settings(today=TODAY, host="192.0.2.1", insecure_open=True)))
    shown = sender(create_app(Settings(today=TODAY, host="192.0.2.1", insecure_open=True, metrics={"enabled": True})))
    assert [send("GET", "/metrics").status_code for send in (hidden, shown)] == [404, 200]


def test_several_workers_answer_for_each_other(tmp_path: Path) -> None:
    with running_server(tmp_path, {"FLECK_WORKERS": "2"}) as server:
        for _ in range(8):
            httpx.post(server.url + PATIENT_VIEW, json={})
        counts = [
            value(httpx.get(f"{server.url}/metrics").text, "fleck_call_seconds_count", service=SERVICE)
            for _ in range(4)
        ]
    assert counts == [8] * 4
