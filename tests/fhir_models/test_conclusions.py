"""What a report concludes reaches the breast that it names, or asks; it never vanishes beside a benign finding."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fhir_models.read import read_document
from fhir_models.terminology import load_terminology
from tests.fhir_models.reading_cases import cases_for
from tests.timelines.resources import ASSESSMENTS

TERMINOLOGY = load_terminology()
BILATERAL, RIGHT_ONLY = "26346-7", "26348-3"
BENIGN_RIGHT = {
    "resourceType": "Observation", "id": "o", "status": "final", "bodySite": {"text": "right breast"},
    "code": {"coding": [{"system": "https://radelement.org", "code": "RDES241"}]},
    "component": [{"code": {"text": "Type"}, "valueString": "vascular"}],
}  # fmt: skip


def cases(exam: str, *, finding: bool = True, **members: Any) -> list[str]:
    report = {
        "resourceType": "DiagnosticReport", "id": "r", "status": "final", "effectiveDateTime": "2026-02-10",
        "code": {"coding": [{"system": "http://loinc.org", "code": exam}]}, **members,
        "result": [{"reference": "Observation/o"}] if finding else [],
    }  # fmt: skip
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"resource": report}, *([{"resource": BENIGN_RIGHT}] if finding else [])],
    }
    reading = read_document(bundle, TERMINOLOGY, date(2026, 3, 1))
    return sorted(f"{case.laterality} {case.case.reported_category}" for case in cases_for(reading, date(2026, 3, 1)))


ASK = "unknown None"


@pytest.mark.parametrize(
    ("exam", "conclusion", "expected"),
    [
        (BILATERAL, "RIGHT BREAST: BI-RADS 2\nLEFT BREAST: BI-RADS 5", ["left 5", "right 2"]),
        (BILATERAL, "BI-RADS 2 (right), 5 (left)", ["right 2", ASK]),
        (BILATERAL, "BI-RADS: Right 2, Left 5", ["right None", ASK]),
        (RIGHT_ONLY, "BI-RADS 5, left breast.", ["left 5", "right None"]),
        (RIGHT_ONLY, "Left: BI-RADS 5. Right: BI-RADS 2.", ["left 5", "right 2"]),
    ],
)
def test_a_category_in_words_reaches_its_breast_or_asks(exam: str, conclusion: str, expected: list[str]) -> None:
    assert cases(exam, conclusion=conclusion) == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"conclusion": "HIGHLY SUSPICIOUS. BIOPSY RECOMMENDED."}, ["right None", ASK]),
        ({"presentedForm": [{"contentType": "application/pdf", "data": "AAAA"}]}, ["right None", ASK]),
        ({"conclusion": "Stable. BI-RADS 2."}, ["right 2"]),
        ({"conclusion": f"{'Stable. ' * 30_000}BI-RADS 5."}, ["right None", ASK]),
        ({}, ["right None"]),
    ],
)
def test_text_that_may_hold_a_category_asks_where_none_is_known(members: dict[str, Any], expected: list[str]) -> None:
    assert cases(BILATERAL, **members) == expected


def test_without_a_finding_the_other_breast_is_not_forgotten() -> None:
    assert cases(BILATERAL, finding=False, conclusion="BI-RADS 2 (right), 5 (left)") == [ASK]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([{"text": "Left BI-RADS 5"}, {"text": "Right BI-RADS 2"}], ["left 5", "right 2"]),
        ([{"coding": [{"system": "urn:local", "code": "4C"}]}], ["right None", "right None"]),
        ([{"text": "Highly suggestive of malignancy"}], ["right None", "right None"]),
        ([{"coding": [{"code": "397144001"}]}], ["right None", "right None"]),
        ([{"concept": {"text": "BI-RADS 5"}}], ["right None", "right None"]),
        ([{"text": "Right BI-RADS 2"}, {"text": "see comment"}], ["right 2"]),
    ],
)
def test_a_conclusion_code_reaches_its_breast_or_asks(codes: list[dict[str, Any]], expected: list[str]) -> None:
    assert cases(RIGHT_ONLY, conclusionCode=codes) == expected


@pytest.mark.parametrize(
    ("code", "conclusion", "expected"),
    [
        ("3", "BI-RADS 3. ADDENDUM 11/10: outside priors show these are new. BI-RADS 5.", ["right 5"]),
        ("2", "BI-RADS 2. ADDENDUM: compared, these are new. Final assessment: BI-RADS 4A.", ["right 4A"]),
        ("2", "BI-RADS 2: benign. Addendum: after tumor board review, BI-RADS 4C, biopsy recommended.", ["right 4C"]),
        ("2", "ADDENDUM: new calcifications. BI-RADS 4A. Original report: BI-RADS 2.", ["right 4A"]),
        ("4", "BI-RADS 4. ADDENDUM: BI-RADS 5.", ["right 5"]),
        ("2", "BI-RADS 2. Final assessment after the additional views: BI-RADS 4A.", ["right 4A"]),
        ("2", "Comparison: mammogram of 2024, BI-RADS 4A. Impression: BI-RADS 2.", ["right 2"]),
        ("2", "Last mammogram BI-RADS 4B, benign at biopsy. Now BI-RADS 2.", ["right 2"]),
        ("4A", "BI-RADS 4A. ADDENDUM: stable for 7 years. BI-RADS 2.", ["right 4A"]),
        ("4", "BI-RADS 4A. ADDENDUM: BI-RADS 2.", ["right 4A"]),
        ("2", "Prior exam BI-RADS 4A. BI-RADS 2.", ["right 2"]),
        (
            "2",
            "BI-RADS 2. BI-RADS 0 incomplete, BI-RADS 1 negative, BI-RADS 3 probably benign, BI-RADS 5.",
            ["right 2"],
        ),
        ("2", "BI-RADS 2. ADDENDUM: left BI-RADS 4A.", ["left 4A", "right 2"]),
    ],
)
def test_an_addendum_raises_the_code_that_still_stands_in_the_text(
    code: str, conclusion: str, expected: list[str]
) -> None:
    coded = {"coding": [{"system": "http://snomed.info/sct", "code": ASSESSMENTS[code][0]}]}
    assert cases(RIGHT_ONLY, conclusionCode=[coded], conclusion=conclusion) == expected
