"""Versions of one exam are one exam: which reports belong together, which one stands, and what an addendum changes."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from fhir_models.chart.versions import collapse_versions
from fhir_models.days import written_days
from fhir_models.reading import Exam, ExamCategory, ReadFinding
from rules.vocabulary import Category, Laterality

ACCESSION = ("|A1",)


def exam(name: str, revision: int = 1, day: str = "2026-10-14", **members: Any) -> Exam:
    overall, sides = members.pop("overall", None), members.pop("sides", {})
    basis = "coded" if overall or sides else None
    fields: dict[str, Any] = {
        "id": name, "date": day, "days": written_days(day), "status": ("preliminary", "final", "amended")[revision],
        "study_context": "screening", "workup_done": "unknown", "modality": "mammography", "laterality": "bilateral",
        "density": None, "category": ExamCategory(overall=overall, basis=basis, **sides), "recommendation_stated": (),
        "findings": (), "revision": revision, "study": "loinc|24606-6", "identifiers": ACCESSION,
    }  # fmt: skip
    return Exam(**{**fields, **members})


def collapsed(*exams: Exam) -> list[Exam]:
    """Collapse in every order of arrival; the answer may not depend on it."""
    answers = [collapse_versions(order) for order in permutations(exams)]
    assert all(
        sorted(answer, key=lambda one: one.id) == sorted(answers[0], key=lambda one: one.id) for answer in answers
    )
    return sorted(answers[0], key=lambda one: one.id)


@pytest.mark.parametrize(
    ("exams", "left"),
    [
        ([exam("a", issued="2026-10-14"), exam("b", 2, issued="2026-10-20")], ["b"]),
        ([exam("a", issued="2026-10-20"), exam("b", issued="2026-10-14")], ["a"]),
        ([exam("a", issued="2026-10-14T23:00:00-05:00"), exam("b", issued="2026-10-15T01:00:00Z")], ["a"]),
        ([exam("a"), exam("b", 2)], ["b"]),
        ([exam("a", overall="2"), exam("b", overall="4")], ["b"]),
        ([exam("a"), exam("b", 0, issued="2026-12-01")], ["a"]),
        ([exam("a", 0, issued="2026-10-14"), exam("b", 0, issued="2026-10-15")], ["b"]),
        ([exam("a", day="2026-10-20", issued="2026-10-20"), exam("b", 2, day="2026-10-19", issued="2026-10-21")], ["b"]),
        ([exam("a"), exam("b", identifiers=("|A2",))], ["a", "b"]),
        ([exam("a", laterality="left"), exam("b", laterality="right")], ["a", "b"]),
        ([exam("a"), exam("b", modality="us")], ["a", "b"]),
        ([exam("a"), exam("b", status="entered-in-error")], ["a", "b"]),
        ([exam("a", identifiers=(), based_on=("o1",)), exam("b", identifiers=(), based_on=("o1",))], ["b"]),
        ([exam("a", identifiers=(), based_on=("o1",)), exam("b", identifiers=(), based_on=("o2",))], ["a", "b"]),
        ([exam("a", identifiers=()), exam("b", identifiers=())], ["a", "b"]),
        ([exam("a", identifiers=()), exam("b", 2, identifiers=())], ["b"]),
        ([exam("a", identifiers=()), exam("b", 2, identifiers=(), study="loinc|26346-7")], ["a", "b"]),
        ([exam("a", identifiers=()), exam("b", 2, identifiers=(), day="2026-10-15")], ["a", "b"]),
        ([exam("a", identifiers=(), day="2026"), exam("b", identifiers=(), day="2026", study=None)], ["a", "b"]),
    ],
    ids=[
        "amended", "by issue", "by instant, not by day", "by revision without issue", "the more severe where nothing tells",
        "a later preliminary does not replace a final one", "only preliminary: the last", "a corrected day",
        "another accession", "two breasts under one accession", "an ultrasound under the same accession",
        "a withdrawn report stands alone", "one order", "two orders", "two final reports of one day and nothing else",
        "a revision of the same code and day", "of another code", "of another day", "no code",
    ],
)  # fmt: skip
def test_which_reports_are_one_exam_and_which_of_them_stands(exams: list[Exam], left: list[str]) -> None:
    assert [one.id for one in collapsed(*exams)] == left


def test_many_numbers_join_what_they_connect_and_nothing_else() -> None:
    single = [exam(f"s{number}", identifiers=(f"|{number}",)) for number in range(8)]
    joining = exam("z", 2, identifiers=("|0", "|1", "|2"))
    later = [exam(f"zz{number}", identifiers=(f"|n{number}",)) for number in range(4)]
    left = {one.id: one.versions for one in collapse_versions([*single, joining, *later])}
    assert left["z"] == ("s0", "s1", "s2")
    assert len(left) == 5 + 1 + 4


def test_the_standing_version_names_the_others_and_when_it_was_amended() -> None:
    (one,) = collapsed(exam("a", issued="2026-10-14"), exam("b", 2, issued="2026-10-20T08:00:00Z"))
    assert (one.versions, one.amended, one.status) == (("a",), "2026-10-20T08:00:00Z", "amended")


def finding(side: str, category: str | None = None) -> ReadFinding:
    return ReadFinding(laterality=Laterality(side), category=Category(category) if category else None)


TWO = (finding("left", "0"), finding("right", "4"))


@pytest.mark.parametrize(
    ("before", "addendum", "categories", "own"),
    [
        ({"overall": "0", "sides": {"left": "0", "right": "1"}}, {"overall": "2"}, ("2", None, "1"), []),
        ({"overall": "4", "sides": {"left": "4", "right": "0"}}, {"overall": "2"}, ("2", None, "0"), []),
        ({"overall": "0"}, {"sides": {"left": "2"}}, (None, "2", None), []),
        ({"overall": "0"}, {}, ("0", None, None), []),
        ({"overall": "0", "findings": (finding("left", "0"),)}, {"overall": "2"}, ("2", None, None), [None]),
        ({"findings": TWO}, {"sides": {"left": "2"}}, (None, "2", None), [None, "4"]),
        ({"findings": TWO}, {}, (None, None, None), ["0", "4"]),
    ],
)  # fmt: skip
def test_an_addendum_overwrites_what_it_states_and_inherits_the_rest(
    before: dict[str, Any], addendum: dict[str, Any], categories: tuple[str | None, ...], own: list[str | None]
) -> None:
    first = exam("a", issued="2026-10-14", **before)
    (one,) = collapsed(first, exam("b", 2, day="2026-10-21", issued="2026-10-21", addendum=True, **addendum))
    assert (one.category.overall, one.category.left, one.category.right) == categories
    assert [found.category for found in one.findings] == own
    assert (one.id, one.days, one.amended) == ("b", first.days, "2026-10-21")
