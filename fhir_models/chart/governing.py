"""Which exam governs each breast now: the newest that says anything of it, and what it does not answer (chart logic 3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import msgspec

from fhir_models.category_text import most_severe, severity
from fhir_models.chart.versions import is_standing, stated_categories
from fhir_models.days import Days, certainly_before
from fhir_models.reading import Exam
from fhir_models.sides import ONE_BREAST
from rules.vocabulary import Laterality, Modality, ReportStatus, StudyContext, WorkupDone

ACTIONABLE = frozenset({"0", "0P", "3", "4", "4A", "4B", "4C", "5", "6"})
"""Categories that ask for something even where no calcification is described (chart logic 3.9: 1 and 2 do not)."""

INCOMPLETE = frozenset({"0", "0P"})
SUSPICIOUS = frozenset({"4", "4A", "4B", "4C", "5"})
SETTLED = frozenset({"1", "2", "3"})

_CONTEXTS: dict[str, int] = {StudyContext.DIAGNOSTIC: 2, StudyContext.UNKNOWN: 1}


class Governed(msgspec.Struct, frozen=True):
    """An exam with the breasts for which it governs."""

    exam: Exam
    sides: tuple[Laterality, ...]


def mammograms(exams: Iterable[Exam]) -> list[Exam]:
    """Return the standing mammographic exams; where there is none, standing exams of any kind that have findings."""
    standing = [exam for exam in exams if is_standing(exam)]
    return [exam for exam in standing if exam.modality == Modality.MAMMOGRAPHY] or [
        exam for exam in standing if exam.findings
    ]


def is_clip_film(exam: Exam, biopsied: Iterable[tuple[Laterality, Days]]) -> bool:
    """Whether an exam is the mammogram that shows the clip after a biopsy: made on its day or the next, describing nothing.

    It is never the newest exam of a breast.
    """
    day = exam.days.exact if exam.days else None
    if day is None or asks_for_something(exam):
        return False
    return any(
        days.exact is not None and 0 <= (day - days.exact).days <= 1 and (side not in ONE_BREAST or covers(exam, side))
        for side, days in biopsied
    )


def governing_exams(exams: Sequence[Exam], today: date) -> tuple[Governed, ...]:
    """Return the exams that govern, newest first for each breast, each once.

    `exams` are mammograms. One exam takes the place of another only if it certainly is later. A preliminary one stands
    beside the issued one that it may replace. Exams without a day govern only where none has one.
    """
    ranked = sorted(exams, key=lambda exam: precedence(exam, today), reverse=True)
    dated = [exam for exam in ranked if exam.days is not None]
    chosen: dict[str, tuple[Exam, list[Laterality]]] = {}
    for side in ONE_BREAST:
        for exam in _governing(dated or ranked, side):
            chosen.setdefault(exam.id, (exam, []))[1].append(side)
    return tuple(Governed(exam, tuple(sides)) for exam, sides in chosen.values())


def undated_exams(exams: Sequence[Exam]) -> Iterator[Exam]:
    """Yield the exams without a day that ask for something, where others are dated: any of them may be the newest."""
    if any(exam.days for exam in exams):
        yield from (exam for exam in exams if exam.days is None and asks_for_something(exam))


def _governing(ranked: Sequence[Exam], side: Laterality) -> Iterator[Exam]:
    covering = [exam for exam in ranked if covers(exam, side)]
    issued = [exam for exam in covering if exam.status != ReportStatus.PRELIMINARY]
    newest = next((exam for exam in issued if speaks_of(exam, side)), None)
    if covering and covering[0].status == ReportStatus.PRELIMINARY:
        yield covering[0]
    if newest is not None:
        yield newest
        yield from (
            exam for exam in issued if exam is not newest and _may_be_later(exam, newest) and speaks_of(exam, side)
        )


def _may_be_later(exam: Exam, newest: Exam) -> bool:
    """Whether an exam of a vague date may be as late as another; on one and the same day the precedence decides."""
    if exam.days is None or newest.days is None or (exam.days.exact and exam.days == newest.days):
        return False
    return not exam.days.is_before(newest.days)


def precedence(exam: Exam, today: date) -> tuple[object, ...]:
    """Newest day first; on one day final before preliminary, what was read before what was not, diagnostic before
    screening (chart logic 3.6), an amended report before others, then the more severe category.
    """
    days = exam.days.up_to(today) if exam.days else None
    return (
        days is not None,
        days.last if days else date.min,
        exam.status != ReportStatus.PRELIMINARY,
        is_readable(exam),
        _CONTEXTS.get(exam.study_context, 0),
        exam.status == ReportStatus.AMENDED,
        max(map(severity, stated_categories(exam)), default=0),
        bool(exam.findings),
        exam.id,
    )


def covers(exam: Exam, side: Laterality) -> bool:
    """Whether an exam covers a breast: a two-sided exam, or one of an unknown side, covers both (chart logic 3.5)."""
    sides = {finding.laterality for finding in exam.findings}
    if exam.laterality in ONE_BREAST:
        return exam.laterality == side or side in sides or _of_side(exam, side) is not None
    standalone = not exam.id.startswith("DiagnosticReport/")
    if standalone and sides and sides <= set(ONE_BREAST):
        return side in sides
    return True


def is_readable(exam: Exam) -> bool:
    """Whether any finding or category of an exam was read."""
    return bool(exam.findings) or exam.category.basis is not None


def speaks_of(exam: Exam, side: Laterality) -> bool:
    """Whether an exam says anything of a breast, be it that its content was not read.

    An overall category 0 beside findings of the other breast is theirs, and leaves this one open.
    """
    if exam.abstained or category_of_breast(exam, side) or _describes(exam, side):
        return True
    return exam.category.overall is not None and exam.category.overall not in INCOMPLETE


def category_of_breast(exam: Exam, side: Laterality) -> str | None:
    """Return the category that an exam gives to a breast: its own, of findings in it, or the overall one.

    The overall category is the breast's where it has a finding, or where the exam has no finding in the other one, and
    not where the other one has that category itself.
    """
    own = [finding.category for finding in exam.findings if finding.laterality == side and finding.category]
    if stated := most_severe(filter(None, (_of_side(exam, side), *own))):
        return stated
    elsewhere = any(finding.laterality not in (side, Laterality.UNKNOWN) for finding in exam.findings)
    one_sided = exam.laterality in ONE_BREAST and exam.laterality != side
    if one_sided or (elsewhere and not _describes(exam, side)):
        return None
    return (
        exam.category.overall if _is_above(exam.category.overall, exam.category.left or exam.category.right) else None
    )


def _is_above(overall: str | None, of_other: str | None) -> bool:
    """Whether an overall category must be this breast's, as the other one has a milder one of its own, or none."""
    return of_other is None or severity(overall or "") > severity(of_other)


def _of_side(exam: Exam, side: Laterality) -> str | None:
    return exam.category.left if side == Laterality.LEFT else exam.category.right


def _describes(exam: Exam, side: Laterality) -> bool:
    sides = (side, Laterality.BILATERAL, Laterality.UNKNOWN)
    return any(finding.laterality in sides for finding in exam.findings)


def asks_for_something(exam: Exam) -> bool:
    """Whether an exam has a finding that is present, or a category that asks for something."""
    present = any(finding.presence != "absent" for finding in exam.findings)
    return present or not ACTIONABLE.isdisjoint(stated_categories(exam))


def is_diagnostic(exam: Exam) -> bool:
    """Whether an exam is known to be a diagnostic one."""
    return exam.study_context == StudyContext.DIAGNOSTIC or exam.workup_done == WorkupDone.YES


def is_later(exam: Exam, than: Days | None) -> bool:
    """Whether an exam certainly is later."""
    return certainly_before(than, exam.days)


def settles_suspicion(later: Exam, side: Laterality, screening_too: bool) -> bool:
    """Whether a later exam settles, or replaces, a category 4 or 5 of a breast (chart logic 3.8).

    Only a diagnostic exam of category 1 to 3 does, or one that is as suspicious itself; a screening exam does not.
    """
    if later.status == ReportStatus.PRELIMINARY or not covers(later, side):
        return False
    stated = category_of_breast(later, side)
    if stated in SUSPICIOUS or stated == "6":
        return True
    bound = stated or later.category.overall
    return bound in SETTLED and (screening_too or is_diagnostic(later))


def earlier_exams(exams: Sequence[Exam], than: Exam, side: Laterality, today: date) -> list[Exam]:
    """Return the issued exams of a breast that certainly are earlier and say something of it, newest first."""
    earlier = [
        exam
        for exam in exams
        if exam.status != ReportStatus.PRELIMINARY
        and certainly_before(exam.days, than.days)
        and covers(exam, side)
        and speaks_of(exam, side)
    ]
    return sorted(earlier, key=lambda exam: precedence(exam, today), reverse=True)
