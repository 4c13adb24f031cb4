"""Charts, draft orders, appointments and reports as FHIR files, and calls of the services with them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import msgspec
import orjson

from cds_service.clients.client import Profile
from cds_service.hooks.service_call import answer_as_sent, context_for
from cds_service.hooks.services import SERVICES
from cds_service.knowledge import load_knowledge
from cds_service.protocol.hook_request import encode_answer, read_hook_request
from cds_service.settings import Settings
from tests.cds_service.conftest import TODAY

FIXTURES = Path(__file__).parent / "fixtures"
SETTINGS = Settings()
CONTEXT = context_for(load_knowledge(SETTINGS), SETTINGS, SETTINGS.profile, TODAY)
PATIENT = {"resourceType": "Patient", "id": "w1", "gender": "female"}
PROFILES = {"": Profile(), "one action": Profile(one_action_per_suggestion=True)}
_KEYS = {
    "DiagnosticReport": "reports",
    "Observation": "observations",
    "ServiceRequest": "orders",
    "Appointment": "appointments",
}


def fixture(kind: str, name: str) -> dict[str, Any]:
    return json.loads((FIXTURES / kind / f"{name}.json").read_text(encoding="utf-8"))


def names(kind: str) -> list[str]:
    return sorted(path.stem for path in (FIXTURES / kind).glob("*.json"))


def rows(name: str) -> list[dict[str, str]]:
    with (FIXTURES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": item} for item in resources]}


def prefetched(chart: str) -> dict[str, Any]:
    """Return a chart under the prefetch keys; what it does not hold was searched for in vain."""
    entries = [entry["resource"] for entry in fixture("charts", chart)["entry"]]
    found = {key: bundle(*(item for item in entries if item["resourceType"] == kind)) for kind, key in _KEYS.items()}
    return {"patient": PATIENT, "conditions": None, "procedures": None, **found}


def cards_of(
    service: str, context: dict[str, Any], prefetch: dict[str, Any], profile: Profile = PROFILES[""]
) -> list[dict[str, Any]]:
    """Call a service for the patient of the fixtures, and return its cards as they are sent."""
    offered = SERVICES[f"calcification-{service}"]
    request = {
        "hook": offered.service.hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"patientId": "w1", "userId": "Practitioner/u1", **context},
        "prefetch": prefetch,
    }
    call = read_hook_request(orjson.dumps(request), offered.service.hook)
    context_of_client = msgspec.structs.replace(CONTEXT, profile=profile)
    return orjson.loads(encode_answer(answer_as_sent(offered, call, context_of_client).cards))["cards"]


def decision(card: dict[str, Any]) -> dict[str, Any]:
    return card["extension"]["org.fleck.decision"]
