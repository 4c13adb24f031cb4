"""Present or absent: only a question about calcifications denies them, and a denial of one form denies nothing else."""

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
SNOMED, LOINC, V2 = "http://snomed.info/sct", "http://loinc.org", "http://terminology.hl7.org/CodeSystem/v2-0136"
GUIDE = "http://hl7.org/fhir/us/breast-radiology/CodeSystem/RadLexCDE"
ANY, AMORPHOUS, VASCULAR, MICRO = (
    {"coding": [{"system": GUIDE, "code": code}]}
    for code in ("RDES241", "RDE1565_amorphous", "RDE1565_vascular", "RDE1571_microCalcifications")
)
TYPE, PRESENCE = ({"coding": [{"system": GUIDE, "code": code}]} for code in ("RDE1565", "RDE1556"))
UNKNOWN_QUESTION = {"text": "Clip placed?"}
YES, NO = {"valueCodeableConcept": {"text": "Yes"}}, {"valueCodeableConcept": {"text": "No"}}
TRUE, FALSE = {"valueBoolean": True}, {"valueBoolean": False}


def observation(code: dict[str, Any], *components: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": "o", "status": "final", "effectiveDateTime": "2026-02-10", "code": code,
        "bodySite": {"text": "left breast"}, "component": list(components), **members,
    }  # fmt: skip


def read(*resources: dict[str, Any]) -> Reading:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": item} for item in resources]}
    return read_document(bundle, TERMINOLOGY, TODAY)


@pytest.mark.parametrize(
    ("answer", "presence"),
    [
        ({"valueCodeableConcept": {"coding": [{"system": SNOMED, "code": "373067005"}]}}, "absent"),
        ({"valueCodeableConcept": {"coding": [{"system": SNOMED, "code": "260415000"}]}}, "absent"),
        ({"valueCodeableConcept": {"coding": [{"system": LOINC, "code": "LA32-8"}]}}, "absent"),
        ({"valueCodeableConcept": {"coding": [{"system": LOINC, "code": "LA9634-2"}]}}, "absent"),
        ({"valueCodeableConcept": {"coding": [{"system": V2, "code": "N"}]}}, "absent"),
        ({"valueString": "none seen"}, "absent"),
        ({"valueCodeableConcept": {"coding": [{"system": SNOMED, "code": "373066001"}]}}, "present"),
        ({"valueCodeableConcept": {"coding": [{"system": V2, "code": "Y"}]}}, "present"),
        ({"valueString": "Present"}, "present"),
        ({"valueString": "perhaps"}, "present"),
    ],
)
def test_yes_and_no_in_the_codes_and_words_that_senders_use(answer: dict[str, Any], presence: str) -> None:
    (finding,) = read(observation(ANY, **answer)).exams[0].findings
    assert finding.presence == presence


@pytest.mark.parametrize(
    ("components", "presence", "morphology"),
    [
        ([{"code": PRESENCE, **NO}], "absent", ()),
        ([{"code": PRESENCE, **FALSE}], "absent", ()),
        ([{"code": PRESENCE, **NO}, {"code": TYPE, "valueCodeableConcept": AMORPHOUS}], "absent", ()),
        ([{"code": PRESENCE, **YES}, {"code": PRESENCE, **NO}], "present", ()),
        ([{"code": VASCULAR, **YES}, {"code": AMORPHOUS, **NO}], "present", ("vascular",)),
        ([{"code": VASCULAR, **TRUE}, {"code": AMORPHOUS, **FALSE}], "present", ("vascular",)),
        ([{"code": MICRO, **FALSE}, {"code": AMORPHOUS, **TRUE}], "present", ("amorphous",)),
        ([{"code": UNKNOWN_QUESTION, **NO}, {"code": AMORPHOUS, **TRUE}], "present", ("amorphous",)),
        ([{"code": ANY, **FALSE}], "absent", ()),
    ],
)
def test_a_component_denies_only_what_it_asks_for(
    components: list[dict[str, Any]], presence: str, morphology: tuple[str, ...]
) -> None:
    (finding,) = read(observation(ANY, *components)).exams[0].findings
    assert (finding.presence, finding.morphology) == (presence, morphology)


def test_what_is_denied_is_not_quoted_as_read() -> None:
    (finding,) = read(observation(ANY, {"code": VASCULAR, **TRUE}, {"code": AMORPHOUS, **FALSE})).exams[0].findings
    assert [item.text for item in finding.evidence] == ["breast calcification (RDES241)", "vascular (RDE1565_vascular)"]


def test_an_answer_to_an_unknown_question_is_quoted() -> None:
    (finding,) = read(observation(ANY, {"code": UNKNOWN_QUESTION, **NO})).exams[0].findings
    assert finding.notes == ("not understood: “No”",)


@pytest.mark.parametrize(
    ("denied", "presence"),
    [
        (observation(ANY, **FALSE), "conflict"),
        (observation(VASCULAR, **FALSE), "present"),
        (observation(VASCULAR, **NO), "present"),
        (observation(AMORPHOUS, **NO), "conflict"),
    ],
    ids=["all calcifications", "another form", "another form, in words", "the same form"],
)
def test_the_absence_of_one_form_contradicts_no_other(denied: dict[str, Any], presence: str) -> None:
    found = observation(AMORPHOUS, **TRUE, id="present")
    cases = cases_for(read(found, {**denied, "id": "absent"}), TODAY)
    assert [case.case.presence for case in cases] == [presence]
