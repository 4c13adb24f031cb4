"""What an ultrasound or MRI adds to the mammograms: a more severe category, for the breast that it is said of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from fhir_models.category_text import most_severe, severity
from fhir_models.chart.governing import SUSPICIOUS, category_of_breast, is_later, settles_suspicion
from fhir_models.chart.records import Chart
from fhir_models.chart.stated import UNMENTIONED, UNPLACED, Stated, exam_side
from fhir_models.chart.tissue import Target, TissueState, fits_side, tissue_of
from fhir_models.chart.versions import is_standing
from fhir_models.reading import Exam
from fhir_models.sides import NOWHERE, ONE_BREAST, breasts_of
from fhir_models.study import side_in_words
from rules.follow_up import Limits
from rules.vocabulary import Laterality, Modality, Presence, ReportStatus

_MODALITIES = (Modality.US, Modality.MRI)
_SETTLED = (TissueState.BENIGN_CONCORDANT, TissueState.EXCISED)


class Other(msgspec.Struct, frozen=True):
    """An ultrasound or MRI with its category of each breast, under unknown what it says without naming the breast."""

    exam: Exam
    said: dict[Laterality, str]


def others_of(exams: Iterable[Exam]) -> tuple[Other, ...]:
    """Return the issued ultrasound and MRI exams that state a category."""
    issued = (exam for exam in exams if exam.modality in _MODALITIES and is_standing(exam))
    said = (Other(exam, _by_breast(exam)) for exam in issued if exam.status != ReportStatus.PRELIMINARY)
    return tuple(other for other in said if other.said)


def raised_by(item: Stated, others: Iterable[Other], target: Target) -> tuple[Exam, str] | None:
    """Return the ultrasound or MRI whose category for the breast is more severe, and it (chart logic 3.6)."""
    raised: tuple[Exam, str] | None = None
    category = item.category
    for other in others:
        stated = _said_of(other, target)
        if stated and _counts(other.exam, stated, item) and severity(stated) > severity(category or ""):
            raised, category = (other.exam, stated), stated
    return raised


def unattached(
    stated: Sequence[Stated],
    others: Iterable[Other],
    mammograms: Sequence[Exam],
    chart: Chart,
    today: date,
    limits: Limits,
) -> Iterable[Stated]:
    """Yield the categories 4 and 5 of exams of both breasts that nothing stated takes: the breast is asked about."""
    found: dict[Laterality, tuple[Exam, str]] = {}
    for exam, said in ((other.exam, other.said) for other in others):
        if exam in mammograms or (exam_side(exam) in ONE_BREAST and exam_side(exam) in said):
            continue
        for side, category in said.items():
            beside = [item for item in stated if _counts(exam, category, item)]
            if category not in SUSPICIOUS or not _is_open(side, category, beside):
                continue
            target = Target(side, NOWHERE, alone=False, several=False)
            tissue = tissue_of(chart.tissue, target, exam.days, category, today, limits)
            if tissue.state not in _SETTLED and not _is_settled_since(exam, side, mammograms, limits):
                found[side] = max(
                    found.get(side, (exam, category)), (exam, category), key=lambda pair: severity(pair[1])
                )
    for side, (exam, category) in found.items():
        question = UNPLACED if side == Laterality.UNKNOWN else UNMENTIONED
        yield Stated(exam, None, side, Presence.UNKNOWN, category, exam.category.system, (question,))


def _by_breast(exam: Exam) -> dict[Laterality, str]:
    category = exam.category
    said = {side: stated for side in ONE_BREAST if (stated := category_of_breast(exam, side))}
    own = category.left or category.right or any(finding.category for finding in exam.findings)
    if own or len(said) < len(ONE_BREAST):
        return said
    named = side_in_words(" ".join(evidence.text for evidence in category.evidence))
    side = named if named in ONE_BREAST else Laterality.UNKNOWN
    return {side: said[ONE_BREAST[0]]}


def _said_of(other: Other, target: Target) -> str | None:
    """Return what an exam says of the target's breast; a 4 or 5 of no breast would be a biopsy of either."""
    said = other.said
    if target.laterality in said and target.laterality in ONE_BREAST:
        return said[target.laterality]
    if not fits_side(exam_side(other.exam), target):
        return None
    if target.laterality in ONE_BREAST:
        unplaced = said.get(Laterality.UNKNOWN)
        return None if unplaced in SUSPICIOUS else unplaced
    return most_severe(said.values())


def _counts(exam: Exam, category: str, item: Stated) -> bool:
    """Whether an exam is of the day of what is stated, or a later 4 or 5."""
    if exam.days is None or item.exam.days is None:
        return False
    return exam.days == item.exam.days or (exam.days.is_from(item.exam.days) and category in SUSPICIOUS)


def _is_open(side: Laterality, category: str, beside: Sequence[Stated]) -> bool:
    """Whether nothing in question takes the category: nothing of this breast, nothing as severe where none is told.

    What is only stated without side is raised itself.
    """
    if all(item.laterality == Laterality.UNKNOWN for item in beside):
        return False
    told = [item for item in beside if side in ONE_BREAST and item.laterality in ONE_BREAST]
    untold = [item for item in beside if item not in told]
    as_severe = any(
        severity(item.category or "") >= severity(category) or (category == "4" and item.category in SUSPICIOUS)
        for item in untold
    )
    return not as_severe and side not in [item.laterality for item in told]


def _is_settled_since(exam: Exam, side: Laterality, mammograms: Sequence[Exam], limits: Limits) -> bool:
    """Whether later mammograms settle a 4 or 5 of the breast, of both where it is not told which (chart logic 3.8)."""
    later = [mammogram for mammogram in mammograms if is_later(mammogram, exam.days)]
    sides = breasts_of(side)
    return all(
        any(settles_suspicion(one, breast, limits.screening_closes_suspicion) for one in later) for breast in sides
    )
