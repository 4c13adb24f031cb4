"""The course of a finding over the exams of its breast: earlier exams, what is new, the category-3 chain, the episode."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from fhir_models.category_text import most_severe
from fhir_models.chart.governing import (
    ACTIONABLE,
    SUSPICIOUS,
    category_of_breast,
    earlier_exams,
    is_readable,
    precedence,
)
from fhir_models.chart.places import same_place
from fhir_models.days import Days, months_between
from fhir_models.reading import Exam, ReadFinding
from fhir_models.sides import ONE_BREAST, Place, breasts_of
from rules.vocabulary import Laterality

_VISITS = ((3, 0), (9, 6), (18, 12))
"""Months since the first exam of a category-3 chain below which this is the visit of that month; from 18 on it is 24."""

LAST_VISIT = 24
TWO_YEARS = 23
"""Months between two exams that count as two years of stability."""


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """`earlier` are the exams of this breast before the exam, newest first. `episode` are the exam and those before it
    that asked for something, newest first; `asked` is the last of the latter with its category, None where there is none.
    `stable_for_years`: the finding was described here at least 23 months before, so that "stable" means two years.
    """

    earlier: tuple[Exam, ...] = ()
    episode: tuple[Exam, ...] = ()
    asked: tuple[Exam, str] | None = None
    surveillance_month: int = 0
    is_new: bool = False
    stable_for_years: bool = False

    @property
    def since(self) -> Days | None:
        """The day of the first exam of the open episode."""
        return self.episode[-1].days if self.episode else None

    def worst_category(self, side: Laterality) -> str | None:
        """Return the most severe category of the breast in the open episode."""
        return most_severe(filter(None, (category_of_breast(exam, side) for exam in self.episode)))


def course_of(
    exam: Exam,
    finding: ReadFinding | None,
    side: Laterality,
    exams: Sequence[Exam],
    sampled: Iterable[Days],
    today: date,
) -> Course:
    """Return the course up to `exam`; `exams` are mammograms, `sampled` the days of biopsies of this breast."""
    sides = breasts_of(side)
    found = {earlier.id: earlier for one in sides for earlier in earlier_exams(exams, exam, one, today)}
    earlier = tuple(sorted(found.values(), key=lambda before: precedence(before, today), reverse=True))
    episode = [exam]
    for before in earlier:
        category = _category(before, sides)
        if category is not None and category not in ACTIONABLE:
            break
        episode.append(before)
    last = _category(earlier[0], sides) if earlier else None
    asked = (earlier[0], last) if last is not None and last in ACTIONABLE else None
    return Course(
        earlier=earlier,
        episode=tuple(episode),
        asked=asked,
        surveillance_month=_visit(exam, finding, sides, earlier, tuple(sampled)),
        is_new=finding is not None and _is_new(finding, side, earlier),
        stable_for_years=finding is not None and _is_old(exam, finding, sides, earlier),
    )


def downgraded_from(course: Course, category: str | None) -> tuple[Exam, str] | None:
    """Return the earlier exam whose category 4 or 5 this exam's category takes back, with that category."""
    if course.asked is None or course.asked[1] not in SUSPICIOUS or category not in ("1", "2", "3"):
        return None
    return course.asked


def _category(exam: Exam, sides: Sequence[Laterality]) -> str | None:
    return most_severe(filter(None, (category_of_breast(exam, side) for side in sides)))


def _visit(
    exam: Exam,
    finding: ReadFinding | None,
    sides: Sequence[Laterality],
    earlier: Sequence[Exam],
    sampled: Sequence[Days],
) -> int:
    """Return the month of the protocol: from the first exam of the unbroken chain of category 3 to this one."""
    if (finding.category if finding else None) not in ("3", None) or _category(exam, sides) not in ("3", None):
        return 0
    first = exam
    for before in earlier:
        if _category(before, sides) != "3" or _is_elsewhere(finding, before, sides):
            break
        if any(
            not day.is_before(before.days) and not exam.days.is_before(day)
            for day in sampled
            if before.days and exam.days
        ):
            break
        first = before
    if first.days is None or exam.days is None:
        return 0
    months = months_between(first.days.last, exam.days.first)
    return next((visit for limit, visit in _VISITS if months < limit), LAST_VISIT)


def _is_elsewhere(finding: ReadFinding | None, before: Exam, sides: Sequence[Laterality]) -> bool:
    """Whether an earlier exam describes findings of this breast, and each of them at another place."""
    described = [other for other in before.findings if other.laterality in sides and other.presence != "absent"]
    if finding is None or not described:
        return False
    return all(same_place(place_in(finding), place_in(other), finding.laterality) is False for other in described)


def _is_new(finding: ReadFinding, side: Laterality, earlier: Sequence[Exam]) -> bool:
    """Whether the last exam of the breast was readable and says that nothing was at this place (chart logic section 4)."""
    if not earlier or side not in ONE_BREAST or finding.presence != "present" or finding.change != "not_stated":
        return False
    before = earlier[0]
    if before.abstained or not is_readable(before):
        return False
    there = [other for other in before.findings if other.laterality in (side, Laterality.BILATERAL, Laterality.UNKNOWN)]
    present = [other for other in there if other.presence != "absent"]
    if present:
        return all(same_place(place_in(finding), place_in(other), side) is False for other in present)
    return bool(there) or category_of_breast(before, side) == "1"


def _is_old(exam: Exam, finding: ReadFinding, sides: Sequence[Laterality], earlier: Sequence[Exam]) -> bool:
    """Whether an exam two years before described a finding here: "stable" then means two years (chart logic 2, change)."""
    return any(
        before.days is not None
        and exam.days is not None
        and months_between(before.days.last, exam.days.first) >= TWO_YEARS
        and any(other.laterality in sides and other.presence == "present" for other in before.findings)
        and not _is_elsewhere(finding, before, sides)
        for before in earlier
    )


def place_in(finding: ReadFinding) -> Place:
    """Return the place of a finding."""
    return Place(
        laterality=finding.laterality,
        quadrant=finding.quadrant,
        clock=finding.clock,
        depth=finding.depth,
        distance_mm=finding.distance_mm,
    )
