"""Silence is an answer: it is given where nothing was found to say, and never where something could not be read."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.cds_service.conftest import PATIENT_VIEW, Send

CALCIFICATION = {"coding": [{"system": "https://radelement.org", "code": "RDES241"}]}
VASCULAR = {"coding": [{"system": "https://radelement.org", "code": "RDE1565_vascular"}]}
TYPE = {"coding": [{"system": "https://radelement.org", "code": "RDE1565"}]}
LOINC = "http://loinc.org"
RECENT, OLD = "2026-01-15", "2023-01-15"


def benign(day: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": "b", "status": "final", "code": CALCIFICATION, "effectiveDateTime": day,
        "component": [{"code": TYPE, "valueCodeableConcept": VASCULAR}],
    }  # fmt: skip


def report(**members: Any) -> dict[str, Any]:
    mammogram = {"coding": [{"system": LOINC, "code": "24606-6"}]}
    return {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": mammogram, **members}


LABORATORY = {**report(effectiveDateTime=RECENT), "code": {"coding": [{"system": LOINC, "code": "58410-2"}]}}
UNREADABLE = {"resourceType": "Observation", "id": "x", "status": "final", "code": 3}
OF_ANOTHER = report(subject={"reference": "Patient/another"}, effectiveDateTime=RECENT)
DENIED = {**benign(RECENT), "id": "d", "component": [], "valueBoolean": False}
WITHDRAWN = report(effectiveDateTime=RECENT, result=[{"reference": "Observation/b"}]) | {"status": "cancelled"}
UNKNOWN_STUDY = {**report(effectiveDateTime=RECENT, conclusion="BI-RADS 4"), "code": {"text": "Imaging"}}
NAMED: dict[str, Any] = {
    "effectiveDateTime": RECENT, "result": [{"reference": "Observation/b"}, {"reference": "Observation/gone"}],
}  # fmt: skip
TOMORROW = report(effectiveDateTime=date.max.isoformat())
OTHER_CATEGORY = {**UNKNOWN_STUDY, "conclusion": "Coronary calcification, category 4"}
TEXT_ONLY = report(effectiveDateTime=RECENT, conclusion="Amorphous calcifications.")
UNREAD = ["could not be read"]


@pytest.mark.parametrize(
    ("_what", "resources", "summaries"),
    [
        ("nothing came", [], []),
        ("no mammogram", [LABORATORY], []),
        ("no mammogram, and not said whose", [LABORATORY | {"subject": {"display": "W."}}], []),
        ("benign and long ago", [benign(OLD)], []),
        ("denied", [DENIED], []),
        ("benign", [benign(RECENT)], ["no follow-up"]),
        ("unreadable", [UNREADABLE], UNREAD),
        ("unreadable beside a silent finding", [benign(OLD), UNREADABLE], UNREAD),
        ("unreadable beside a laboratory report", [LABORATORY, UNREADABLE], UNREAD),
        ("of another patient", [OF_ANOTHER], UNREAD),
        ("after today", [TOMORROW], UNREAD),
        ("BI-RADS in a study of unknown kind", [UNKNOWN_STUDY], UNREAD),
        ("another category in one", [OTHER_CATEGORY], []),
        ("a report without code", [{**UNKNOWN_STUDY, "code": {"coding": [{}]}, "conclusion": "M3"}], UNREAD),
        ("an observation without code", [{**DENIED, "code": {"coding": [{"system": LOINC}]}}], UNREAD),
        ("a type that FHIR does not have", [{**benign(RECENT), "resourceType": "Obervation"}], UNREAD),
        ("changed by a modifierExtension", [{**DENIED, "modifierExtension": [{"url": "urn:x"}]}], UNREAD),
        ("a report withdrawn, its finding not", [WITHDRAWN, benign(OLD)], UNREAD),
        ("a type that is not read", [{**benign(RECENT), "resourceType": "Media"}], []),
        ("a missing result beside a category", [report(**NAMED, conclusion="BI-RADS 2")], []),
        ("a missing result without category", [report(**NAMED), benign(RECENT)], ["were not received"]),
        ("an empty report", [report(effectiveDateTime=RECENT)], ["nothing could be read"]),
        ("an empty report after a finding", [report(effectiveDateTime=RECENT), benign(OLD)], ["nothing could be read"]),
        ("text only", [TEXT_ONLY], ["text was not read"]),
    ],
)
def test_a_card_is_given_wherever_something_could_hide(
    send: Send, request_body: dict[str, Any], _what: str, resources: list[dict[str, Any]], summaries: list[str]
) -> None:
    entries = [{"resource": resource} for resource in resources]
    request_body["prefetch"] = {"reports": {"resourceType": "Bundle", "type": "searchset", "entry": entries}}
    cards = send("POST", PATIENT_VIEW, json=request_body).json()["cards"]
    assert len(cards) == len(summaries)
    assert all(words in card["summary"] for card, words in zip(cards, summaries, strict=True))
