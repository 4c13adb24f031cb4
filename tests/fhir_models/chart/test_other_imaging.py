"""The category of an ultrasound or MRI is that of the breast it is said of; of no breast, it is asked about."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fhir_models.read import read_document
from fhir_models.terminology import load_terminology
from tests.fhir_models.reading_cases import cases_for
from tests.timelines.resources import LOINC, coded, exam, report

TERMINOLOGY = load_terminology()
DAY, TODAY = "2026-05-01", date(2026, 6, 15)
BOTH, NO_SIDE, RIGHT_ONLY = "26256-8", "24601-7", "35955-4"


def cases(*resources: dict[str, Any]) -> list[str]:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}
    reading = read_document(bundle, TERMINOLOGY, TODAY)
    return sorted(f"{case.laterality} {case.case.reported_category}" for case in cases_for(reading, TODAY))


def other(study: str, words: str | None, category: str | None, day: str = DAY, **members: Any) -> dict[str, Any]:
    titles = {BOTH: "MRI breast bilateral", NO_SIDE: "Ultrasound breast", RIGHT_ONLY: "MRI breast right"}
    return report("m1", day, ("ultrasound", None), words, category, code=coded(LOINC, study, titles[study]), **members)


@pytest.mark.parametrize(
    ("study", "words", "category", "expected"),
    [
        (BOTH, "Left: BI-RADS 4. Right: BI-RADS 2.", "4", ["left 4", "right 2"]),
        (BOTH, "Left: BI-RADS 4. Right: BI-RADS 2.", None, ["left 4", "right 2"]),
        (BOTH, "Left breast mass 4 mm. BI-RADS 4. Right: BI-RADS 2", "4", ["left 4", "right 2"]),
        (BOTH, "Left breast mass. BI-RADS 4.", "4", ["left 4", "right 2"]),
        (BOTH, "Left: BI-RADS 2. Right: BI-RADS 4.", "4", ["right 4"]),
        (BOTH, "Left: BI-RADS 4. Right: BI-RADS 4B.", "4", ["left 4", "right 4B"]),
        (BOTH, "Left: BI-RADS 2. Right: BI-RADS 2.", "2", ["right 2"]),
        (BOTH, None, "4", ["right 2", "unknown 4"]),
        (NO_SIDE, None, "5", ["right 2", "unknown 5"]),
        (NO_SIDE, "Right breast: mass at the calcifications. BI-RADS 4A.", "4A", ["right 4A"]),
        (BOTH, None, "0", ["right 0"]),
        (RIGHT_ONLY, None, "4", ["right 4"]),
        (RIGHT_ONLY, "Left: BI-RADS 4.", "4", ["left 4", "right 2"]),
    ],
)
def test_a_category_raises_only_the_breast_that_it_is_said_of(
    study: str, words: str | None, category: str | None, expected: list[str]
) -> None:
    assert cases(*exam(DAY, "right", "vascular", "2"), other(study, words, category)) == expected


LEFT_4 = "Left: BI-RADS 4. Right: BI-RADS 2."
LEFT_SCREENED = exam(
    "2026-06-01", "left", "vascular", "2", name="r2", study="screening", code=coded(LOINC, "26176-8"), in_words=False
)


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        ([other(BOTH, LEFT_4, "4", day="2026-05-20")], ["left 4", "right 2"]),
        ([other(BOTH, LEFT_4, "4", day="2026-04-01")], ["right 2"]),
        ([other(BOTH, LEFT_4, "4", status="preliminary")], ["right 2"]),
        ([other(BOTH, LEFT_4, "4", status="entered-in-error")], ["right 2"]),
        ([other(BOTH, LEFT_4, "4"), *exam(DAY, "left", "amorphous", "0", name="r2")], ["left 4", "right 2"]),
        ([other(BOTH, LEFT_4, "4"), *exam("2026-06-01", "left", "vascular", "2", name="r2")], ["left 2", "right 2"]),
        (
            [other(BOTH, None, "4"), *exam(DAY, "left", "amorphous", "4A", name="r2")],
            ["left 4A", "right 2"],
        ),
        (
            [other(BOTH, None, "5"), *exam(DAY, "left", "amorphous", "4B", name="r2")],
            ["left 4B", "right 2", "unknown 5"],
        ),
        ([other(BOTH, None, "4"), *exam(DAY, "left", "amorphous", "4B", name="r2")], ["left 4B", "right 2"]),
        (
            [other(BOTH, LEFT_4, "4"), *LEFT_SCREENED],
            ["left 2", "left 4", "right 2"],
        ),
        (
            [other(BOTH, None, "4"), *exam("2026-06-01", "left", "vascular", "2", name="r2")],
            ["left 2", "right 2", "unknown 4"],
        ),
    ],
)
def test_a_category_of_a_breast_without_finding_is_asked_about_while_nothing_takes_it(
    beside: list[dict[str, Any]], expected: list[str]
) -> None:
    assert cases(*exam(DAY, "right", "vascular", "2"), *beside) == expected
