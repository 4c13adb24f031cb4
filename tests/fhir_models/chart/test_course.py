"""The course of a finding over the exams of its breast: the category-3 chain, what is new, stability, the open episode."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fhir_models.chart.course import course_of
from fhir_models.days import Days, written_days
from fhir_models.reading import Exam, ExamCategory, ReadFinding
from rules.vocabulary import Category, Laterality

TODAY = date(2026, 11, 20)
LEFT = Laterality.LEFT


def finding(category: str | None = None, quadrant: str | None = "upper_outer", **members: Any) -> ReadFinding:
    members.setdefault("laterality", LEFT)
    return ReadFinding(quadrant=quadrant, category=Category(category) if category else None, **members)


def exam(day: str, category: str | None = None, *findings: ReadFinding, **members: Any) -> Exam:
    assessed = members.pop("assessed", ExamCategory(left=category, basis="coded" if category else None))
    fields: dict[str, Any] = {
        "id": f"DiagnosticReport/{day}", "date": day, "days": written_days(day), "status": "final",
        "study_context": "diagnostic", "workup_done": "yes", "modality": "mammography", "laterality": "left",
        "density": None, "category": assessed,
        "recommendation_stated": (), "findings": findings,
    }  # fmt: skip
    return Exam(**{**fields, **members})


def course(*exams: Exam, found: ReadFinding | None = None, sampled: tuple[str, ...] = ()) -> Any:
    """The course up to the last of the exams, of its first finding."""
    last = exams[-1]
    own = found or (last.findings[0] if last.findings else None)
    days: list[Days] = [day for text in sampled if (day := written_days(text))]
    return course_of(last, own, LEFT, exams, days, TODAY)


def threes(*days: str, quadrant: str = "upper_outer") -> list[Exam]:
    return [exam(day, "3", finding(quadrant=quadrant)) for day in days]


@pytest.mark.parametrize(
    ("exams", "sampled", "month"),
    [
        (threes("2026-11-09"), (), 0),
        (threes("2026-05-04", "2026-11-09"), (), 6),
        (threes("2026-05-12", "2026-11-09"), (), 6),
        (threes("2025-10-27", "2026-05-04", "2026-11-09"), (), 12),
        (threes("2024-11-04", "2025-05-04", "2025-11-09", "2026-11-09"), (), 24),
        (threes("2026-09-09", "2026-11-09"), (), 0),
        ([*threes("2025-05-04"), exam("2025-11-09", "2", finding()), *threes("2026-11-09")], (), 0),
        ([*threes("2025-10-27"), exam("2026-05-04", "4A", finding()), *threes("2026-11-09")], (), 0),
        (threes("2025-10-27", "2026-05-04", "2026-11-09"), ("2026-05-20",), 0),
        (threes("2025-10-27", "2026-05-04", "2026-11-09"), ("2025-11-20",), 6),
        (threes("2025-10-27", "2026-05-04", "2026-11-09"), ("2025-09-20",), 12),
        ([*threes("2026-05-04", quadrant="lower_inner"), *threes("2026-11-09")], (), 0),
        ([*threes("2026-05-04"), exam("2026-11-09", "2", finding())], (), 0),
        ([*threes("2024-11-04", "2025-11-09"), exam("2026-11-09", None, finding())], (), 24),
    ],
    ids=[
        "first visit", "six months", "nearly six months", "third visit", "two years", "two months", "broken by a 2",
        "broken by a 4A", "broken by a biopsy", "a biopsy breaks what was before it", "a biopsy before the chain",
        "another finding", "the chain ends in a 2", "the last exam gives no category",
    ],
)  # fmt: skip
def test_the_visit_of_a_category_3_protocol(exams: list[Exam], sampled: tuple[str, ...], month: int) -> None:
    assert course(*exams, sampled=sampled).surveillance_month == month


NOW = exam("2026-11-09", "4A", finding())


@pytest.mark.parametrize(
    ("before", "new"),
    [
        ([], False),
        ([exam("2025-11-09", "1")], True),
        ([exam("2025-11-09", "2")], False),
        ([exam("2025-11-09", "2", finding(quadrant="lower_inner"))], True),
        ([exam("2025-11-09", "2", finding(quadrant=None))], False),
        ([exam("2025-11-09", "2", finding())], False),
        ([exam("2025-11-09", None, finding(presence="absent", quadrant=None))], True),
        ([exam("2025-11-09", "1", abstained="the report's text was not read")], False),
        ([exam("2025-11-09", laterality="right", assessed=ExamCategory(right="1", basis="coded"))], False),
        ([exam("2024-11-09", "1"), exam("2025-11-09", "2", finding())], False),
        ([exam("2025", "1")], True),
        ([exam("2026", "1")], False),
    ],
    ids=[
        "no earlier exam", "negative before", "benign before", "only elsewhere before", "somewhere before",
        "here before", "denied before", "not readable", "the other breast", "the last exam counts", "a year before",
        "perhaps the same year",
    ],
)  # fmt: skip
def test_new_is_only_what_the_last_exam_says_was_not_there(before: list[Exam], new: bool) -> None:
    assert course(*before, NOW).is_new == new


def test_what_the_report_says_of_change_is_never_called_new() -> None:
    stable = exam("2026-11-09", "3", finding(change="stable"))
    assert not course(exam("2025-11-09", "1"), stable).is_new


@pytest.mark.parametrize(
    ("before", "years"),
    [
        ([exam("2024-12-09", "3", finding())], True),
        ([exam("2024-12-10", "3", finding())], False),
        ([exam("2024-12-09", "3", finding(quadrant="lower_inner"))], False),
        ([exam("2024-12-09", "2")], False),
        ([exam("2023-12-09", "2", finding()), exam("2025-12-09", "2", finding())], True),
    ],
)
def test_stable_means_two_years_where_an_exam_says_so(before: list[Exam], years: bool) -> None:
    assert course(*before, exam("2026-11-09", "3", finding())).stable_for_years == years


def test_the_open_episode_goes_back_to_the_last_exam_that_asked_for_nothing() -> None:
    exams = [exam("2023-11-01", "4B"), exam("2024-11-01", "1"), exam("2026-09-01", "0"), exam("2026-10-01", "4B")]
    found = course(*exams, exam("2026-11-09", "2", finding()))
    assert [one.date for one in found.episode] == ["2026-11-09", "2026-10-01", "2026-09-01"]
    assert found.since == written_days("2026-09-01")
    assert found.worst_category(LEFT) == "4B"
    assert found.asked == (exams[-1], "4B")
    assert course(exams[1], exam("2026-11-09", "2")).asked is None
