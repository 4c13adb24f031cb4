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
UNKNOWN_STUDY = {**report(effectiveDateTime=RECENT, conclusion="BI-RADS 4"), "code": {"text": "Imaging"}}
NAMED: dict[str, Any] = {
    "effectiveDateTime": RECENT, "result": [{"reference": "Observation/b"}, {"reference": "Observation/gone"}],
}  # fmt: skip
TOMORROW = report(effectiveDateTime=date.max.isoformat())


@pytest.mark.parametrize(
    ("resources", "summaries"),
    [
        ([], []),
        ([LABORATORY], []),
        ([benign(OLD)], []),
        ([DENIED], []),
        ([benign(RECENT)], ["no follow-up"]),
        ([UNREADABLE], ["could not be read"]),
        ([benign(OLD), UNREADABLE], ["could not be read"]),
        ([LABORATORY, UNREADABLE], ["could not be read"]),
        ([OF_ANOTHER], ["could not be read"]),
        ([TOMORROW], ["could not be read"]),
        ([UNKNOWN_STUDY], ["could not be read"]),
        ([{**UNKNOWN_STUDY, "code": {"coding": [{}]}, "conclusion": "M3"}], ["could not be read"]),
        ([{**benign(RECENT), "resourceType": "Obervation"}], ["could not be read"]),
        ([{**benign(RECENT), "resourceType": "Media"}], []),
        ([{**UNKNOWN_STUDY, "conclusion": "Coronary calcification, category 4"}], []),
        ([report(**NAMED, conclusion="BI-RADS 2")], []),
        ([report(**NAMED), benign(RECENT)], ["results that the report names were not received"]),
        ([report(effectiveDateTime=RECENT)], ["nothing could be read"]),
        ([report(effectiveDateTime=RECENT), benign(OLD)], ["nothing could be read"]),
        ([report(effectiveDateTime=RECENT, conclusion="Amorphous calcifications.")], ["text was not read"]),
    ],
    ids=[
        "nothing came", "no mammogram", "benign and long ago", "denied", "benign", "unreadable",
        "unreadable beside a finding that is silent", "unreadable beside a laboratory report", "of another patient",
        "after today", "BI-RADS in a study of unknown kind",
        "a report without code", "a resource of a type that FHIR does not have", "a resource of another type",
        "another category in a study of unknown kind",
        "a missing result beside a category", "a missing result without category", "an empty report",
        "an empty report after a finding", "text only",
    ],
)  # fmt: skip
def test_a_card_is_given_wherever_something_could_hide(
    send: Send, request_body: dict[str, Any], resources: list[dict[str, Any]], summaries: list[str]
) -> None:
    entries = [{"resource": resource} for resource in resources]
    request_body["prefetch"] = {"reports": {"resourceType": "Bundle", "type": "searchset", "entry": entries}}
    cards = send("POST", PATIENT_VIEW, json=request_body).json()["cards"]
    assert len(cards) == len(summaries)
    assert all(words in card["summary"] for card, words in zip(cards, summaries, strict=True))
