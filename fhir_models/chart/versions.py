"""Versions of one exam become one exam: the last that was issued, with what its addenda add (chart logic 3.3 and 3.4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import cast

import msgspec

from fhir_models.category_text import severity
from fhir_models.reading import Exam, ExamCategory, ReadFinding
from rules.vocabulary import Laterality, Modality, ReportStatus

ONE_BREAST = (Laterality.LEFT, Laterality.RIGHT)
WITHDRAWN = (ReportStatus.CANCELLED, ReportStatus.ENTERED_IN_ERROR)


def collapse_versions(exams: Iterable[Exam]) -> tuple[Exam, ...]:
    """Return the exams, each once; withdrawn ones stay as they are. The result does not depend on the order given."""
    ordered = sorted(exams, key=lambda exam: exam.id)
    groups: list[list[Exam]] = []
    for exam in ordered:
        same = (
            []
            if exam.status in WITHDRAWN
            else [group for group in groups if any(_same(exam, other) for other in group)]
        )
        merged = [exam, *(other for group in same for other in group)]
        groups = [group for group in groups if group not in same]
        groups.append(merged)
    return tuple(_collapsed(group) if len(group) > 1 else group[0] for group in groups)


def _same(first: Exam, second: Exam) -> bool:
    """Whether two reports are versions of one exam: by accession, else by order, code and day.

    Without any of these, a preliminary or revised report is one of the final report of the same code and day.
    """
    if second.status in WITHDRAWN or not _compatible(first, second):
        return False
    if first.identifiers and second.identifiers:
        return not set(first.identifiers).isdisjoint(second.identifiers)
    if first.study is None or first.study != second.study or first.days is None or first.days != second.days:
        return False
    if first.based_on and second.based_on:
        return not set(first.based_on).isdisjoint(second.based_on)
    return first.revision != second.revision


def _compatible(first: Exam, second: Exam) -> bool:
    """Left and right breast are two exams under whatever number; so are a mammogram and an ultrasound."""
    sides = {first.laterality, second.laterality}
    if sides == set(ONE_BREAST):
        return False
    return first.modality == second.modality or (
        Modality.OTHER in (first.modality, second.modality) and (first.addendum or second.addendum)
    )


def _collapsed(versions: Sequence[Exam]) -> Exam:
    issued = [exam for exam in versions if exam.revision > 0] or list(versions)
    ranked = sorted(issued, key=_recency)
    whole = [exam for exam in ranked if not exam.addendum] or ranked[:1]
    last = whole[-1]
    result = last
    for addendum in (exam for exam in ranked if exam.addendum and exam is not last):
        if ranked.index(addendum) > ranked.index(last):
            result = _with_addendum(result, addendum)
    versions_before = tuple(exam.id for exam in ranked if exam.id != result.id)
    revised = result.revision > 1 or result is not last
    return msgspec.structs.replace(
        result,
        status=ReportStatus.AMENDED if revised and len(issued) > 1 else result.status,
        versions=versions_before,
        amended=_amended(ranked, result) if revised else None,
    )


def _amended(ranked: Sequence[Exam], result: Exam) -> str | None:
    return next((exam.issued for exam in reversed(ranked) if exam.id == result.id), None) or result.date


def _recency(exam: Exam) -> tuple[object, ...]:
    """Later issue first of all; without one the revision, then the more severe category decides."""
    return (
        _instant(exam.issued),
        exam.revision,
        exam.addendum,
        max(map(severity, stated_categories(exam)), default=0),
        exam.id,
    )


def _instant(text: str | None) -> datetime:
    try:
        instant = datetime.fromisoformat(text) if text else None
    except ValueError:
        instant = None
    if instant is None:
        return datetime.min.replace(tzinfo=UTC)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def stated_categories(exam: Exam) -> list[str]:
    """Return every category that an exam states, overall, of a breast or of a finding."""
    category = exam.category
    own = (finding.category for finding in exam.findings)
    return [stated for stated in (category.overall, category.left, category.right, *own) if stated]


def _with_addendum(exam: Exam, addendum: Exam) -> Exam:
    """What an addendum states replaces what stood there; the rest is inherited, and so is the day of the exam."""
    findings = addendum.findings or tuple(_answered(finding, exam, addendum) for finding in exam.findings)
    category = _joined(exam.category, addendum.category)
    return msgspec.structs.replace(
        exam,
        id=addendum.id,
        category=category,
        findings=findings,
        abstained=addendum.abstained if category.basis is None else None,
        issued=addendum.issued or exam.issued,
    )


def _joined(old: ExamCategory, new: ExamCategory) -> ExamCategory:
    """A new overall category replaces that of a breast only where that was the old overall one."""
    if new.basis is None:
        return old

    def of_breast(before: str | None, after: str | None) -> str | None:
        if after is not None or new.overall is None:
            return after or before
        return None if before in (old.overall, new.overall) else before

    return msgspec.structs.replace(
        new,
        overall=new.overall or (None if new.left or new.right else old.overall),
        left=of_breast(old.left, new.left),
        right=of_breast(old.right, new.right),
        evidence=new.evidence if new.overall else (*new.evidence, *old.evidence),
    )


def _answered(finding: ReadFinding, exam: Exam, addendum: Exam) -> ReadFinding:
    """Take a finding's own category away where the addendum gives its breast a new one."""
    category = addendum.category
    of_side = {Laterality.LEFT: category.left, Laterality.RIGHT: category.right}.get(finding.laterality)
    alone = len([other for other in exam.findings if other.category]) == 1
    concerns = of_side or (category.overall and (alone or finding.category == exam.category.overall))
    return msgspec.structs.replace(finding, category=None) if finding.category and concerns else finding


def is_standing(exam: Exam) -> bool:
    """Whether a report was not withdrawn."""
    return exam.status not in cast("tuple[str, ...]", WITHDRAWN)
