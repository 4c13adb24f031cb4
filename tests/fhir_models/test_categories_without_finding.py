"""A radiologist's category is never lost: where no finding carries it, it is a case of its own."""

from __future__ import annotations

from datetime import date

import pytest

from fhir_models.days import Days
from fhir_models.reading import Exam, ExamCategory, ReadFinding, Reading, ReadPatient
from rules.vocabulary import Category, Laterality, Modality, StudyContext, WorkupDone
from tests.fhir_models.reading_cases import cases_for

DAY = date(2026, 2, 10)
NONE = ExamCategory()


def stated(overall: str | None = None, left: str | None = None, right: str | None = None) -> ExamCategory:
    return ExamCategory(overall=overall, left=left, right=right, basis="coded")


def found(side: str, category: str | None = None, presence: str = "present") -> ReadFinding:
    return ReadFinding(
        laterality=Laterality(side), presence=presence, category=Category(category) if category else None
    )


def cases_of(findings: list[ReadFinding], category: ExamCategory) -> list[str]:
    exam = Exam(
        id="DiagnosticReport/r", date=DAY.isoformat(), days=Days(DAY, DAY), status="final",
        study_context=StudyContext.DIAGNOSTIC, workup_done=WorkupDone.YES, modality=Modality.MAMMOGRAPHY,
        laterality=Laterality.UNKNOWN, density=None, category=category, recommendation_stated=(), findings=tuple(findings),
    )  # fmt: skip
    reading = Reading(patient=ReadPatient(), exams=(exam,), history=(), unread=(), unknown_codes=())
    return [
        f"{'finding' if case.finding else case.case.presence} {case.laterality} {case.case.reported_category}"
        for case in cases_for(reading, DAY)
    ]


@pytest.mark.parametrize(
    ("findings", "category", "cases"),
    [
        ([found("left", "2")], stated(left="4"), ["finding left 2", "unknown left 4"]),
        ([found("left", "2")], stated(overall="5"), ["finding left 2", "unknown unknown 5"]),
        ([found("left", "2")], stated(overall="6"), ["finding left 2", "unknown unknown 6"]),
        ([found("left")], stated(overall="4"), ["finding left 4"]),
        ([found("left")], stated(overall="4", left="2"), ["finding left 2", "unknown unknown 4"]),
        ([found("left")], stated(overall="4", left="2", right="4B"), ["finding left 2", "unknown right 4B"]),
        ([found("left", "4A")], stated(overall="4"), ["finding left 4A"]),
        ([found("left", "4A")], stated(left="4C"), ["finding left 4A", "unknown left 4C"]),
        ([found("left", "0P")], stated(overall="0"), ["finding left 0P", "unknown unknown 0"]),
        ([found("left", "2"), found("left", "5")], stated(overall="5"), ["finding left 2", "finding left 5"]),
        ([found("bilateral", "2")], stated(left="0", right="2"), ["finding bilateral 2", "unknown left 0"]),
        ([found("unknown")], stated(left="0", right="2"), ["finding unknown 0"]),
        ([found("left", presence="absent")], stated(left="4"), ["absent left 4"]),
        ([found("left", "3"), found("left", presence="absent")], stated(left="4"), ["finding left 3", "unknown left 4"]),
        ([found("left", "4"), found("left", presence="absent")], NONE, ["finding left 4", "unknown left 4"]),
        ([found("left", "4", presence="absent")], NONE, ["absent left 4"]),
        ([], stated(overall="4", left="2"), ["unknown right 4"]),
        ([], stated(left="4", right="0"), ["unknown left 4", "unknown right 0"]),
        ([found("left", "2")], stated(left="2", overall="2"), ["finding left 2"]),
        ([], stated(overall="1"), []),
    ],
)  # fmt: skip
def test_a_category_above_what_the_findings_carry_is_a_case_of_its_own(
    findings: list[ReadFinding], category: ExamCategory, cases: list[str]
) -> None:
    assert cases_of(findings, category) == cases
