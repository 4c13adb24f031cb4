"""Counts and lengths: read in their unit, or quoted as not understood; never guessed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fhir_models.read import read_document
from fhir_models.reading import ReadFinding
from fhir_models.terminology import load_terminology

TERMINOLOGY = load_terminology()
GUIDE = "http://hl7.org/fhir/us/breast-radiology/CodeSystem/RadLexCDE"
CALCIFICATION, COUNT, WIDTH, SIZE = (
    {"coding": [{"system": GUIDE, "code": code}]} for code in ("RDES241", "RDE1567", "RDE1569", "RDE1570")
)


def finding_with(question: dict[str, Any], answer: dict[str, Any]) -> ReadFinding:
    component = {"code": question, **answer}
    observation = {
        "resourceType": "Observation", "id": "o", "status": "final", "code": CALCIFICATION, "component": [component],
    }  # fmt: skip
    return read_document(observation, TERMINOLOGY, date(2026, 3, 1)).exams[0].findings[0]


@pytest.mark.parametrize(
    ("quantity", "millimetres"),
    [
        ({"value": 12, "unit": "mm"}, 12),
        ({"value": 1.5, "unit": "cm"}, 15),
        ({"value": 1.5, "code": "cm"}, 15),
        ({"value": 1.5, "unit": "Centimeters", "code": "cm"}, 15),
        ({"value": 0.5, "code": "[in_i]"}, 12.7),
        ({"value": 300, "unit": "µm"}, 0.3),
        ({"value": 12}, None),
        ({"value": 12, "unit": "dm"}, None),
        ({"value": -3, "unit": "mm"}, None),
        ({"value": 1e300, "unit": "mm"}, None),
    ],
)
@pytest.mark.parametrize(("question", "field"), [(WIDTH, "extent_mm"), (SIZE, "particle_size_mm")])
def test_a_length_is_read_in_its_unit(
    question: dict[str, Any], field: str, quantity: dict[str, Any], millimetres: float | None
) -> None:
    finding = finding_with(question, {"valueQuantity": quantity})
    assert getattr(finding, field) == (None if millimetres is None else pytest.approx(millimetres))
    assert bool(finding.notes) == (millimetres is None)


def test_of_a_range_the_greater_length_and_the_lower_count_are_taken() -> None:
    bounds = {"low": {"value": 3, "unit": "mm"}, "high": {"value": 8, "unit": "mm"}}
    assert finding_with(WIDTH, {"valueRange": bounds}).extent_mm == 8
    assert finding_with(COUNT, {"valueRange": bounds}).count == 3


@pytest.mark.parametrize(
    ("answer", "count", "notes"),
    [
        ({"valueInteger": 7}, 7, ()),
        ({"valueQuantity": {"value": 7.0}}, 7, ()),
        ({"valueInteger": 0}, None, ("not understood: “0”",)),
        ({"valueInteger": -3}, None, ("not understood: “-3”",)),
        ({"valueQuantity": {"value": 4.6}}, None, ("not understood: “4.6 (no unit)”",)),
        ({"valueInteger": 10**12}, None, ("not understood: “1000000000000”",)),
    ],
)
def test_a_count_is_a_number_of_particles(answer: dict[str, Any], count: int | None, notes: tuple[str, ...]) -> None:
    finding = finding_with(COUNT, answer)
    assert (finding.count, finding.notes) == (count, notes)
