"""Which breast: every source must agree; where two name different ones none is taken, and nothing is ordered."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fhir_models.read import read_document
from fhir_models.terminology import load_terminology

TERMINOLOGY = load_terminology()
TODAY = date(2026, 3, 1)
SNOMED, LOINC, RADELEMENT = "http://snomed.info/sct", "http://loinc.org", "https://radelement.org"
GUIDE = "http://hl7.org/fhir/us/breast-radiology"
LEFT, RIGHT, BOTH = ({"system": SNOMED, "code": code} for code in ("80248007", "73056007", "63762007"))
SIDE_IN_EXTENSION = {
    "url": f"{GUIDE}/StructureDefinition/BreastBodyLocationExtension",
    "extension": [
        {
            "url": "laterality",
            "valueCodeableConcept": {"coding": [{"system": f"{GUIDE}/CodeSystem/RadLexCDE", "code": "RDE1557_left"}]},
        }
    ],
}
BILATERAL_EXAM, LEFT_EXAM = "26346-7", "26347-5"


def observation(identity: str, **members: Any) -> dict[str, Any]:
    code = {"coding": [{"system": RADELEMENT, "code": "RDES241"}]}
    return {"resourceType": "Observation", "id": identity, "status": "final", "code": code, **members}


@pytest.mark.parametrize(
    ("site", "exam", "side"),
    [
        ({"coding": [LEFT]}, BILATERAL_EXAM, "left"),
        ({"text": "Left breast, upper outer"}, BILATERAL_EXAM, "left"),
        ({"coding": [{"system": "urn:local", "code": "7", "display": "RIGHT BREAST"}]}, BILATERAL_EXAM, "right"),
        ({"coding": [BOTH], "text": "both breasts"}, BILATERAL_EXAM, "bilateral"),
        ({"extension": [SIDE_IN_EXTENSION]}, BILATERAL_EXAM, "left"),
        ({"extension": [SIDE_IN_EXTENSION], "coding": [LEFT], "text": "left"}, BILATERAL_EXAM, "left"),
        (None, BILATERAL_EXAM, "unknown"),
        (None, LEFT_EXAM, "left"),
        ({"coding": [RIGHT]}, LEFT_EXAM, "conflict"),
        ({"coding": [RIGHT], "text": "Left breast"}, BILATERAL_EXAM, "conflict"),
        ({"coding": [{**RIGHT, "display": "Left breast structure"}]}, BILATERAL_EXAM, "conflict"),
        ({"coding": [LEFT, RIGHT]}, BILATERAL_EXAM, "bilateral"),
        ({"extension": [SIDE_IN_EXTENSION], "coding": [RIGHT]}, BILATERAL_EXAM, "conflict"),
        ({"extension": [SIDE_IN_EXTENSION], "text": "right breast"}, LEFT_EXAM, "conflict"),
    ],
)
def test_the_side_is_the_one_that_every_source_names(site: dict[str, Any] | None, exam: str, side: str) -> None:
    assert side_read(observation("f", **({"bodySite": site} if site else {})), exam) == side


@pytest.mark.parametrize(
    ("holder", "own", "side"),
    [
        (LEFT, None, "left"),
        (LEFT, LEFT, "left"),
        (LEFT, RIGHT, "conflict"),
        (BOTH, None, "bilateral"),
        (BOTH, RIGHT, "right"),
    ],
)
def test_a_finding_has_the_side_of_the_observation_that_holds_it(
    holder: dict[str, str], own: dict[str, str] | None, side: str
) -> None:
    finding = observation("f", **({"bodySite": {"coding": [own]}} if own else {}))
    parent = {
        **observation("h", bodySite={"coding": [holder]}, hasMember=[{"reference": "Observation/f"}]),
        "code": {"text": "Findings"},
    }
    assert side_read(finding, BILATERAL_EXAM, parent) == side


def holder(identity: str, side: dict[str, str] | None, *members: str) -> dict[str, Any]:
    named = {"bodySite": {"coding": [side]}} if side else {}
    references = [{"reference": f"Observation/{member}"} for member in members]
    return {**observation(identity, hasMember=references, **named), "code": {"text": "Findings"}}


@pytest.mark.parametrize(
    ("holders", "side"),
    [
        ([holder("h", None, "f"), holder("g", LEFT, "h")], "left"),
        ([holder("h", RIGHT, "f"), holder("g", LEFT, "h")], "right"),
        ([holder("h", LEFT, "f"), holder("g", RIGHT, "f")], "conflict"),
        ([holder("h", None, "f", "g"), holder("g", None, "h", "f")], "unknown"),
        ([holder("h", None, "h", "f"), holder("g", LEFT, "g", "h")], "left"),
    ],
    ids=["from above", "the nearest", "two holders", "a circle without side", "a circle with side"],
)
def test_the_nearest_holder_that_names_a_side_gives_it(holders: list[dict[str, Any]], side: str) -> None:
    assert side_read(observation("f"), BILATERAL_EXAM, *holders) == side


def side_read(finding: dict[str, Any], exam: str, *others: dict[str, Any]) -> str:
    report = {
        "resourceType": "DiagnosticReport", "id": "r", "status": "final", "effectiveDateTime": "2026-02-10",
        "code": {"coding": [{"system": LOINC, "code": exam}]}, "result": [{"reference": "Observation/f"}],
    }  # fmt: skip
    bundle = {"resourceType": "Bundle", "entry": [{"resource": item} for item in (report, finding, *others)]}
    (found,) = read_document(bundle, TERMINOLOGY, TODAY).exams[0].findings
    conflict = "side: stated differently, none is taken" in found.notes
    assert not conflict or found.laterality == "unknown"
    return "conflict" if conflict else found.laterality
