"""An assessment category arrives in any value element; one that is not understood is reported and asks the radiologist."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fhir_models.read import read_document
from fhir_models.reading import Reading
from fhir_models.terminology import load_terminology
from tests.fhir_models.reading_cases import cases_for

TERMINOLOGY = load_terminology()
TODAY = date(2026, 3, 1)
QUESTION = {"coding": [{"system": "https://radelement.org", "code": "RDE1586"}]}
IN_WORDS = {"text": "BI-RADS assessment category"}
UK = {"text": "NHSBSP score"}
NOT_UNDERSTOOD = "assessment category not understood"


def observation(code: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": "a", "status": "final", "effectiveDateTime": "2026-02-10", "code": code,
        **members,
    }  # fmt: skip


def calcification(*components: dict[str, Any], **members: Any) -> dict[str, Any]:
    code = {"coding": [{"system": "https://radelement.org", "code": "RDES241"}]}
    return observation(code, component=list(components), **{"id": "c", **members})


def read(*resources: dict[str, Any]) -> Reading:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": item} for item in resources]}
    return read_document(bundle, TERMINOLOGY, TODAY)


@pytest.mark.parametrize(
    ("question", "answer", "category"),
    [
        (QUESTION, {"valueCodeableConcept": {"text": "5"}}, "BI-RADS 5"),
        (QUESTION, {"valueCodeableConcept": {"coding": [{"code": "B4", "display": "4 - Suspicious"}]}}, "BI-RADS 4"),
        (QUESTION, {"valueString": "BI-RADS®: 2 (benign)"}, "BI-RADS 2"),
        (QUESTION, {"valueString": "4a"}, "BI-RADS 4A"),
        (QUESTION, {"valueString": "4A-4B"}, "BI-RADS 4B"),
        (QUESTION, {"valueInteger": 0}, "BI-RADS 0"),
        (QUESTION, {"valueQuantity": {"value": 4.0}}, "BI-RADS 4"),
        (IN_WORDS, {"valueString": "4A - low suspicion for malignancy"}, "BI-RADS 4A"),
        (IN_WORDS, {"valueString": "IV"}, "BI-RADS 4"),
        (UK, {"valueString": "4"}, "RCR 4"),
        (UK, {"valueString": "M4"}, "RCR 4"),
    ],
)  # fmt: skip
def test_a_category_is_read_from_any_value_element(
    question: dict[str, Any], answer: dict[str, Any], category: str
) -> None:
    (exam,) = read(observation(question, **answer)).exams
    assert f"{exam.category.system} {exam.category.overall}" == category
    assert exam.category.evidence[0].path == f"$.entry[0].resource.{next(iter(answer))}"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (QUESTION, {"valueCodeableConcept": {"coding": [{"system": "urn:local", "code": "4"}]}}),
        (QUESTION, {"valueString": "suspicious abnormality"}),
        (QUESTION, {"valueString": "4% risk"}),
        (QUESTION, {"valueString": "2 views"}),
        (QUESTION, {"valueQuantity": {"value": 4.5}}),
        (QUESTION, {"valueInteger": 7}),
        (UK, {"valueInteger": 0}),
        (UK, {"valueString": "4B"}),
    ],
)
def test_a_category_that_is_not_understood_is_reported_and_asks_the_radiologist(
    question: dict[str, Any], answer: dict[str, Any]
) -> None:
    reading = read(observation(question, **answer), calcification())
    assert [(item.resource, item.why) for item in reading.unread] == [("Observation/a", NOT_UNDERSTOOD)]
    assert [exam.abstained for exam in reading.exams] == ["the assessment category was not understood"]
    assert "unknown" in [case.case.presence for case in cases_for(reading, TODAY)]


@pytest.mark.parametrize(
    ("words", "overall", "abstained"),
    [
        ("IMPRESSION: Suspicious. BI-RADS 4B.", "4B", None),
        (
            "Grouped calcifications. BI-RADS 4B.",
            "4B",
            "the text mentions calcifications, and what it says of them was not read",
        ),
        ("Suspicious abnormality, biopsy is advised.", None, "the report's text was not read"),
        ("Category 4 hurricane", None, "the report's text was not read"),
    ],
)
def test_an_impression_sent_as_an_observation_is_read_like_a_conclusion(
    words: str, overall: str | None, abstained: str | None
) -> None:
    report = {
        "resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": {"text": "MAMMO DIAGNOSTIC"},
        "effectiveDateTime": "2026-02-10", "result": [{"reference": "Observation/a"}],
    }  # fmt: skip
    (exam,) = read(report, observation({"text": "IMPRESSION"}, valueString=words)).exams
    assert (exam.category.overall, exam.abstained) == (overall, abstained)


def test_a_category_that_is_not_understood_does_not_hide_one_that_is() -> None:
    unclear = observation(QUESTION, valueString="see text", id="b")
    (exam,) = read(unclear, observation(QUESTION, valueInteger=4)).exams
    assert (exam.category.overall, exam.abstained) == ("4", None)


def test_of_two_categories_in_one_observation_the_more_severe_is_taken() -> None:
    severe, mild = ({"code": QUESTION, "valueString": value} for value in ("4B", "2"))
    for components in ((severe, mild), (mild, severe)):
        (finding,) = read(calcification(*components)).exams[0].findings
        assert finding.category == "4B"
        assert "category: stated differently, the higher is taken" in finding.notes


def test_words_beside_a_calcification_that_no_table_knows_are_quoted_and_reported() -> None:
    words = {"code": {"text": "Type"}, "valueString": "fine linear, segmental"}
    reading = read(calcification(words))
    assert reading.exams[0].findings[0].notes == ("not understood: “fine linear, segmental”",)
    assert [(item.path, item.why) for item in reading.unread] == [
        ("$.entry[0].resource.component[0].valueString", "words not understood")
    ]


def test_words_beside_an_absent_calcification_are_no_alarm() -> None:
    absent = {"coding": [{"system": "http://radlex.org", "code": "RID28473"}]}
    assert (
        read(
            calcification({"code": {"text": "Comment"}, "valueString": "none seen"}, valueCodeableConcept=absent)
        ).unread
        == ()
    )
