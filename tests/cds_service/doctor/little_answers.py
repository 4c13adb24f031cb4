"""What the little service says: its discovery, and a card with everything on it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

SERVICE = "little-breast-service"

DISCOVERY = {
    "services": [
        {
            "id": SERVICE,
            "hook": "patient-view",
            "title": "Little breast service",
            "description": "Answers every mammogram report with a card.",
            "version": "2.0.1",
            "usageRequirements": "FHIR R4",
            "prefetch": {
                "patient": "Patient/{{context.patientId}}",
                "reports": "DiagnosticReport?patient={{context.patientId}}&category=RAD&_sort=-date&_count=20",
            },
            "extension": {"org.example.version": "1"},
        }
    ]
}


def order_for(patient: str) -> dict[str, Any]:
    return {
        "resourceType": "ServiceRequest",
        "id": "order-1",
        "status": "draft",
        "intent": "proposal",
        "code": {"text": "Diagnostic mammogram"},
        "subject": {"reference": f"Patient/{patient}"},
    }


def card_about(patient: str) -> dict[str, Any]:
    topic = {"system": "urn:example:topics", "code": "diagnosticMammogram", "display": "Diagnostic mammogram"}
    return {
        "uuid": str(uuid4()),
        "summary": "Right breast: consider a biopsy",
        "detail": "**What was read.** A mammogram report.",
        "indicator": "warning",
        "source": {"label": "Little breast service", "url": "https://little.example.org", "topic": topic},
        "suggestions": [
            {
                "uuid": str(uuid4()),
                "label": "Draft order",
                "isRecommended": True,
                "actions": [
                    {"type": "create", "description": "Draft an order", "resource": order_for(patient)},
                    {"type": "delete", "description": "Drop the old one", "resourceId": "ServiceRequest/old"},
                ],
            }
        ],
        "selectionBehavior": "any",
        "overrideReasons": [{"system": "urn:example:reasons", "code": "declined", "display": "Patient declined"}],
        "links": [
            {"label": "Guideline", "type": "absolute", "url": "https://little.example.org/guideline"},
            {"label": "App", "type": "smart", "url": "https://little.example.org/launch", "appContext": "x"},
        ],
        "extension": {"org.example.rules": ["r1"]},
    }
