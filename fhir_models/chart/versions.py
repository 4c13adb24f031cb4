"""Versions of one exam become one exam: the last that was issued, with what its addenda add (chart logic 3.3 and 3.4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import cast

import msgspec

from fhir_models.category_text import severity
from fhir_models.reading import Exam, ExamCategory, ReadFinding
from fhir_models.sides import ONE_BREAST
from rules.vocabulary import Laterality, Modality, ReportStatus

WITHDRAWN = (ReportStatus.CANCELLED, ReportStatus.ENTERED_IN_ERROR)


def collapse_versions(exams: Iterable[Exam]) -> tuple[Exam, ...]:
    """Return the exams, each once; withdrawn ones stay as they are. The result does not depend on the order given.

    Reports are versions of one exam by accession number, else by order, code and day. Without either, a preliminary or
    revised report is one of the only final report of its code and day.
    """
    ordered = sorted(exams, key=lambda exam: exam.id)
    standing = [exam for exam in ordered if is_standing(exam)]
    groups = [part for group in _joined_loose(*_by_identity(standing)) for part in _compatible_parts(group)]
    collapsed = [_collapsed(group) if len(group) > 1 else group[0] for group in groups]
    return (*collapsed, *(exam for exam in ordered if not is_standing(exam)))


def _by_identity(exams: Iterable[Exam]) -> tuple[list[list[Exam]], list[Exam]]:
    """Group exams that share an accession number, or order, code and day; return also those that have neither."""
    groups: dict[int, list[Exam]] = {}
    group_of: dict[tuple[object, ...], int] = {}
    numbers = count()
    loose: list[Exam] = []
    for exam in exams:
        tokens = _identity(exam)
        if not tokens:
            loose.append(exam)
            continue
        known = sorted({group_of[token] for token in tokens if token in group_of})
        number = known[0] if known else next(numbers)
        merged = [*(other for one in known for other in groups.pop(one)), exam]
        groups[number] = merged
        for token in tokens if len(known) < 2 else (token for other in merged for token in _identity(other)):
            group_of[token] = number
    return list(groups.values()), loose


def _identity(exam: Exam) -> tuple[tuple[object, ...], ...]:
    if exam.identifiers:
        return tuple(("accession", number) for number in exam.identifiers)
    if exam.study is None or exam.days is None:
        return ()
    return tuple(("order", order, exam.study, exam.days) for order in exam.based_on)


def _joined_loose(groups: list[list[Exam]], loose: Iterable[Exam]) -> list[list[Exam]]:
    """Join reports that name neither number nor order to the one exam of their code and day that they can belong to."""
    of_day: dict[tuple[object, ...], list[list[Exam]]] = {}
    for group in groups:
        for key in {(exam.study, exam.days, exam.modality) for exam in group}:
            of_day.setdefault(key, []).append(group)
    without: dict[tuple[object, ...], list[Exam]] = {}
    alone: list[list[Exam]] = []
    for exam in loose:
        if exam.study is None or exam.days is None:
            alone.append([exam])
        else:
            without.setdefault((exam.study, exam.days, exam.modality), []).append(exam)
    for key, members in without.items():
        finals = [exam for exam in members if exam.revision == 1]
        others = [exam for exam in members if exam.revision != 1]
        homes = of_day.get(key, [])
        if len(homes) == 1 and (not finals or not any(exam.revision == 1 for exam in homes[0])) and len(finals) < 2:
            homes[0].extend(members)
        elif not homes and len(finals) == 1:
            alone.append([*finals, *others])
        elif not homes and not finals and len({exam.revision for exam in others}) > 1:
            alone.append(others)
        else:
            alone.extend([exam] for exam in members)
    return [*groups, *alone]


def _compatible_parts(group: list[Exam]) -> Iterable[list[Exam]]:
    """Left and right breast are two exams under whatever number; so are a mammogram and an ultrasound."""
    kinds: dict[str, list[Exam]] = {}
    additions = [exam for exam in group if exam.addendum and exam.modality == Modality.OTHER]
    for exam in group:
        if exam not in additions:
            kinds.setdefault(exam.modality, []).append(exam)
    if not kinds:
        yield group
        return
    first = Modality.MAMMOGRAPHY if Modality.MAMMOGRAPHY in kinds else min(kinds)
    kinds[first].extend(additions)
    for members in kinds.values():
        if {exam.laterality for exam in members}.issuperset(ONE_BREAST):
            for side in sorted({exam.laterality for exam in members}):
                yield [exam for exam in members if exam.laterality == side]
        else:
            yield members


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
