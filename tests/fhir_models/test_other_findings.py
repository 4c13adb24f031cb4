"""The rest of the chart: words like round, linear or calcium are everywhere; only some of them are about calcifications."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fhir_models.read import read_document
from fhir_models.reading import Reading
from fhir_models.study import study_kind
from fhir_models.terminology import load_terminology
from fhir_models.views import CodeableConcept
from rules.vocabulary import Modality

TERMINOLOGY = load_terminology()
CALCIFICATION = {"coding": [{"system": "https://radelement.org", "code": "RDES241"}]}
MAMMOGRAM = {"coding": [{"system": "http://loinc.org", "code": "26346-7"}]}


def observation(identity: str, code: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": identity, "status": "final", "code": code, **members}


def report(code: dict[str, Any], *results: str) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": code, "conclusion": "BI-RADS 2",
        "result": [{"reference": f"Observation/{result}"} for result in results],
    }  # fmt: skip


def read(*resources: dict[str, Any]) -> Reading:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}
    return read_document(bundle, TERMINOLOGY, date(2026, 3, 1))


@pytest.mark.parametrize(
    "other",
    [
        observation("o", {"coding": [{"system": "http://loinc.org", "code": "49765-1", "display": "Calcium"}]}),
        observation("o", {"text": "Urine crystals"}, valueString="Amorphous"),
        observation("o", {"text": "Red cell morphology"}, valueCodeableConcept={"text": "round"}),
        observation("o", {"text": "Skin lesion"}, component=[{"code": {"text": "Shape"}, "valueString": "Linear"}]),
    ],
    ids=["calcium in serum", "crystals in urine", "red cells", "skin"],
)
def test_other_findings_are_not_read_as_calcifications(other: dict[str, Any]) -> None:
    for resources in ([other], [report({"text": "Laboratory"}, "o") | {"conclusion": "normal"}, other]):
        reading = read(*resources)
        assert (reading.exams, reading.unread, reading.unknown_codes) == ((), (), ())


@pytest.mark.parametrize(
    ("code", "morphology"),
    [
        ({"text": "Calcifications"}, ("amorphous",)),
        ({"text": "Microcalcifications"}, ("amorphous",)),
        ({"text": "Mikrokalk"}, ("amorphous",)),
        ({"text": "Fine pleomorphic"}, ("fine_pleomorphic", "amorphous")),
        (CALCIFICATION, ("amorphous",)),
    ],
    ids=lambda value: str(value.get("text")) if isinstance(value, dict) else "",
)
def test_the_same_words_describe_what_is_said_to_be_calcifications(
    code: dict[str, Any], morphology: tuple[str, ...]
) -> None:
    (exam,) = read(observation("o", code, valueString="amorphous")).exams
    assert exam.findings[0].morphology == morphology


def test_words_in_a_mammogram_that_describe_something_unnamed_are_reported() -> None:
    reading = read(report(MAMMOGRAM, "o"), observation("o", {"text": "Finding"}, valueString="amorphous"))
    assert reading.exams[0].findings == ()
    assert [(item.resource, item.why) for item in reading.unread] == [
        ("Observation/o", "describes what is not said to be calcifications")
    ]


def test_members_that_only_describe_belong_to_the_calcification_that_has_them() -> None:
    form = observation("form", {"text": "Morphology"}, valueString="amorphous")
    place = observation("place", {"text": "Distribution"}, valueString="grouped")
    members = [{"reference": "Observation/form"}, {"reference": "Observation/place"}]
    reading = read(report(MAMMOGRAM, "o"), observation("o", CALCIFICATION, hasMember=members), form, place)
    (finding,) = reading.exams[0].findings
    assert (finding.morphology, finding.distribution) == (("amorphous",), ("grouped",))
    assert {item.resource for item in finding.evidence} == {"Observation/o", "Observation/form", "Observation/place"}
    assert reading.unread == ()


def test_members_that_are_coded_questions_belong_to_it_too() -> None:
    guide = "http://hl7.org/fhir/us/breast-radiology/CodeSystem/RadLexCDE"

    def answer(question: str, **value: Any) -> dict[str, Any]:
        return observation(question, {"coding": [{"system": guide, "code": question}]}, **value)

    form = answer("RDE1565", valueCodeableConcept={"coding": [{"system": guide, "code": "RDE1565_amorphous"}]})
    extent = answer("RDE1569", valueQuantity={"value": 23, "unit": "mm"})
    members = [{"reference": "Observation/RDE1565"}, {"reference": "Observation/RDE1569"}]
    reading = read(report(MAMMOGRAM, "o"), observation("o", CALCIFICATION, hasMember=members), form, extent)
    (finding,) = reading.exams[0].findings
    assert (finding.morphology, finding.extent_mm) == (("amorphous",), 23)


@pytest.mark.parametrize(
    ("title", "modality"),
    [
        ("MG", Modality.MAMMOGRAPHY),
        ("MG BREAST SCREENING BILATERAL", Modality.MAMMOGRAPHY),
        ("MAM DIGITAL SCREENING", Modality.MAMMOGRAPHY),
        ("Mammogramm beidseits", Modality.MAMMOGRAPHY),
        ("Mamografia", Modality.MAMMOGRAPHY),
        ("US breast left", Modality.US),
        ("Magnesium (Mg)", None),
        ("MG SERUM", None),
        ("GLUCOSE MG/DL", None),
        ("Myasthenia gravis (MG) panel", None),
    ],
)
def test_a_title_is_that_of_a_mammogram_or_not(title: str, modality: Modality | None) -> None:
    assert study_kind(CodeableConcept(text=title), TERMINOLOGY).modality == modality
