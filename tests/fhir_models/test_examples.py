"""Every example reads as its name says; examples.csv has one row a file, to be read beside it."""

from __future__ import annotations

import csv
import os
from datetime import date
from pathlib import Path

import pytest

from fhir_models.read import read_document
from fhir_models.reading import Exam, ReadFinding, Reading
from fhir_models.strict_json import parse_json
from fhir_models.terminology import load_terminology
from rules.engine import decide, load_ruleset
from tests.fhir_models.reading_cases import cases_for

FOLDER = Path(__file__).parent
TODAY = date(2026, 1, 1)
TERMINOLOGY = load_terminology()
RULESET = load_ruleset()
REFERENCE = Path(os.environ.get("FLECK_REFERENCE", "nowhere"))


def read_file(path: Path) -> Reading:
    return read_document(parse_json(path.read_bytes()), TERMINOLOGY, TODAY)


def finding_words(finding: ReadFinding) -> str:
    words = (
        finding.presence,
        finding.laterality,
        "+".join(finding.morphology),
        "+".join(finding.distribution),
        finding.change if finding.change != "not_stated" else "",
        f"with {'+'.join(finding.associated_features)}" if finding.associated_features else "",
        f"category {finding.category}" if finding.category else "",
    )
    return " ".join(word for word in words if word)


def exam_words(exam: Exam) -> str:
    category = exam.category
    sides = (("overall", category.overall), ("left", category.left), ("right", category.right))
    words = " ".join(f"{side} {stated}" for side, stated in sides if stated)
    marks = f"{' conflict' if category.conflict else ''}{' abstained' if exam.abstained else ''}"
    return f"{exam.status} {exam.study_context}: {words}{marks}"


@pytest.mark.parametrize(
    "row",
    list(csv.DictReader((FOLDER / "examples.csv").read_text(encoding="utf-8").splitlines())),
    ids=lambda row: row["file"],
)
def test_example_reads_as_its_name_says(row: dict[str, str]) -> None:
    reading = read_file(FOLDER / "examples" / row["file"])
    decisions = [(case.laterality, decide(case.case, RULESET)) for case in cases_for(reading, TODAY)]
    assert "; ".join(finding_words(finding) for exam in reading.exams for finding in exam.findings) == row["findings"]
    assert "; ".join(exam_words(exam) for exam in reading.exams) == row["categories"]
    assert (
        "; ".join(f"{side}: {decision.recommendation} {decision.estimated_category}" for side, decision in decisions)
        == row["cases"]
    )


def test_every_example_has_a_row() -> None:
    rows = {row["file"] for row in csv.DictReader((FOLDER / "examples.csv").read_text(encoding="utf-8").splitlines())}
    assert rows == {path.name for path in (FOLDER / "examples").glob("*.json")}


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("**/*.json")), ids=lambda path: path.name)
def test_foreign_resources_are_read_without_error(path: Path) -> None:
    assert read_file(path).patient is not None
