"""The answer depends on what arrived, never on its order, the key under which it came, how often, or what else came."""

from __future__ import annotations

import copy
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cds_service.timelines import Cards, Timeline, cards_of, read_timelines


def is_whole(value: Any) -> bool:
    """Whether a prefetch value holds all that was found: what was cut off cannot be arranged anew."""
    bundle = value if isinstance(value, dict) else {}
    failed = bundle.get("resourceType") == "OperationOutcome"
    return not failed and "link" not in bundle and bundle.get("total", 0) <= len(bundle.get("entry", ()))


TIMELINES = [
    timeline
    for timeline in read_timelines(Path(__file__).parents[1] / "timelines")
    if all(map(is_whole, timeline["prefetch"].values()))
]
KEYS = ("reports", "observations", "conditions", "procedures", "orders", "appointments")
UNRELATED = (
    ("Observation", {"code": {"coding": [{"system": "http://loinc.org", "code": "2345-7", "display": "Glucose"}]},
                     "valueQuantity": {"value": 92, "unit": "mg/dL"}, "effectiveDateTime": "2025-03-04"}),
    ("Observation", {"code": {"coding": [{"system": "http://loinc.org", "code": "17861-6", "display": "Calcium"}]},
                     "valueQuantity": {"value": 9.2, "unit": "mg/dL"}, "effectiveDateTime": "2026-10-01"}),
    ("Condition", {"code": {"text": "Essential hypertension"}, "recordedDate": "2019-05-05"}),
    ("Procedure", {"code": {"text": "Appendectomy"}, "performedDateTime": "2026-10-30", "status": "completed"}),
    ("ServiceRequest", {"code": {"text": "Chest radiograph"}, "authoredOn": "2026-10-30",
                        "status": "active", "intent": "order"}),
    ("DiagnosticReport", {"code": {"text": "Complete blood count"}, "effectiveDateTime": "2026-10-30",
                          "conclusion": "Normal."}),
    ("Appointment", {"description": "Dental cleaning", "start": "2026-12-30T08:00:00Z", "status": "booked"}),
)  # fmt: skip
"""What every chart is full of: all of it without a word about the breast."""


def normal(cards: Cards) -> list[dict[str, Any]]:
    """Return the cards without what must differ (uuids) and what tells only where something stood (paths)."""
    plain = copy.deepcopy(cards)
    for card in plain:
        card.pop("uuid")
        for piece in card["extension"]["org.fleck.decision"].get("evidence", ()):
            piece.pop("path")
        for suggestion in card.get("suggestions", ()):
            suggestion.pop("uuid")
    return plain


def entries_of(timeline: Timeline) -> list[tuple[str, dict[str, Any]]]:
    return [
        (key, entry)
        for key, bundle in timeline["prefetch"].items()
        if key in KEYS and (bundle or {}).get("resourceType") == "Bundle"
        for entry in bundle.get("entry", ())
    ]


def arranged(timeline: Timeline, entries: list[tuple[str, dict[str, Any]]]) -> Timeline:
    """Return the timeline with these entries under these keys; every key that came still comes."""
    prefetch = copy.deepcopy(timeline["prefetch"])
    for key in KEYS:
        if isinstance(prefetch.get(key), dict):
            prefetch[key] = {"resourceType": "Bundle", "type": "searchset", "entry": []}
    for key, entry in entries:
        prefetch[key]["entry"].append(entry)
    return {**timeline, "prefetch": prefetch}


def unrelated(timeline: Timeline) -> list[tuple[str, dict[str, Any]]]:
    patient = timeline["context"]["patientId"]
    homes = {
        "Observation": "observations", "Condition": "conditions", "Procedure": "procedures",
        "ServiceRequest": "orders", "DiagnosticReport": "reports", "Appointment": "appointments",
    }  # fmt: skip
    made: list[tuple[str, dict[str, Any]]] = []
    for number in range(200):
        kind, members = UNRELATED[number % len(UNRELATED)]
        subject: dict[str, Any] = {"subject": {"reference": f"Patient/{patient}"}}
        if kind == "Appointment":
            subject = {"participant": [{"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"}]}
        resource = {"resourceType": kind, "id": f"noise-{number}", "status": "final", **members, **subject}
        made.append((homes[kind], {"resource": resource}))
    return [(key, entry) for key, entry in made if isinstance(timeline["prefetch"].get(key), dict)]


@pytest.mark.parametrize("timeline", TIMELINES, ids=lambda timeline: timeline["id"])
@given(random=st.randoms(use_true_random=False))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_order_keys_repetition_and_company_change_nothing(timeline: Timeline, random: Random) -> None:
    entries = entries_of(timeline)
    keys = [key for key in KEYS if isinstance(timeline["prefetch"].get(key), dict)]
    moved = [(random.choice(keys), entry) for _, entry in entries]
    repeated = moved + [(random.choice(keys), entry) for _, entry in entries if random.random() < 0.5]
    crowded = repeated + unrelated(timeline)
    random.shuffle(crowded)
    assert normal(cards_of(arranged(timeline, crowded))) == normal(cards_of(timeline))
