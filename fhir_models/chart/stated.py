"""What the exams that govern now state of each finding and each breast, and what of earlier exams is still open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial

import msgspec

from fhir_models.category_text import most_severe, severity
from fhir_models.chart.governing import (
    ACTIONABLE,
    INCOMPLETE,
    SUSPICIOUS,
    Governed,
    category_of_breast,
    earlier_exams,
    governing_exams,
    is_diagnostic,
    is_later,
    is_readable,
    settles_suspicion,
    undated_exams,
)
from fhir_models.chart.records import Chart, Event, Standing
from fhir_models.chart.tissue import (
    CURRENT_DAYS,
    Target,
    Tissue,
    TissueState,
    fits_side,
    surgery_between,
    tissue_of,
)
from fhir_models.reading import Exam, ReadFinding
from fhir_models.report_categories import SIDES_NOT_UNDERSTOOD
from fhir_models.report_exams import WORDS_NOT_READ
from fhir_models.sides import NOWHERE, ONE_BREAST
from rules.follow_up import Act, Limits
from rules.vocabulary import Laterality, ReportStatus

UNMENTIONED = "whether there are calcifications"
UNPLACED = "which finding the category belongs to"

UNDATED = "the report's day is not stated, it may be the newest"


class Stated(msgspec.Struct, frozen=True):
    """What an exam states of one finding or one breast, before anything around it is looked at.

    `presence` is a `Presence` value; `category` the one that applies, `system` its scoring system.
    """

    exam: Exam
    finding: ReadFinding | None
    laterality: Laterality
    presence: str
    category: str | None
    system: str
    unstated: tuple[str, ...] = ()


def statements(exams: Sequence[Exam], chart: Chart, today: date, limits: Limits) -> list[Stated]:
    """Return what is stated now, in a fixed order; `exams` are mammograms."""
    governing = governing_exams(exams, today)
    governed = (*governing, *_open_suspicions(governing, exams, chart, today, limits))
    stated = [
        item for one in governed for item in _stated_by(one.exam, one.sides) if not _is_answered_later(item, exams)
    ]
    stated.extend(_undated(exam) for exam in undated_exams(exams))
    return stated


def _open_suspicions(
    governing: Sequence[Governed], exams: Sequence[Exam], chart: Chart, today: date, limits: Limits
) -> Iterable[Governed]:
    """Yield earlier exams whose category 4 or 5 nothing has settled (chart logic 3.8).

    A later screening exam settles none, and no exam settles tissue that was taken and asks for more, or is awaited.
    """
    found: dict[str, tuple[Exam, list[Laterality]]] = {}
    for side in ONE_BREAST:
        newest = next(
            (item.exam for item in governing if side in item.sides and item.exam.status != ReportStatus.PRELIMINARY),
            None,
        )
        if newest is None or not is_readable(newest):
            continue
        settled = settles_suspicion(newest, side, limits.screening_closes_suspicion)
        for earlier in earlier_exams(exams, newest, side, today):
            if category_of_breast(earlier, side) in SUSPICIOUS:
                sample = _sample_of(earlier, side, exams, chart, today, limits)
                outstanding = not _speaks_for(newest, side) and _is_outstanding(sample, newest)
                if outstanding or not (settled or _is_settled(sample)):
                    found.setdefault(earlier.id, (earlier, []))[1].append(side)
                break
            settled = settled or settles_suspicion(earlier, side, limits.screening_closes_suspicion)
    return (Governed(exam, tuple(sides)) for exam, sides in found.values())


def _speaks_for(exam: Exam, side: Laterality) -> bool:
    """Whether an exam has a finding or a category in a breast to which tissue can be told to belong."""
    present = (finding for finding in exam.findings if finding.presence != "absent")
    return category_of_breast(exam, side) in ACTIONABLE or any(
        finding.laterality in (side, Laterality.BILATERAL, Laterality.UNKNOWN) for finding in present
    )


class _Sample(msgspec.Struct, frozen=True):
    """What became of a suspicious breast: tissue, the newest biopsy without result, whether treated or declined."""

    tissue: Tissue
    biopsy: Event | None
    treated: bool
    declined: bool


def _sample_of(
    exam: Exam, side: Laterality, exams: Sequence[Exam], chart: Chart, today: date, limits: Limits
) -> _Sample:
    other = Laterality.RIGHT if side == Laterality.LEFT else Laterality.LEFT
    category = category_of_breast(exam, side)
    alone = not any(category_of_breast(one, other) in SUSPICIOUS for one in exams)
    target = Target(side, NOWHERE, alone or category_of_breast(exam, other) == category, several=False)
    tissue = tissue_of(chart.tissue, target, exam.days, category, today, limits)
    since = [
        event
        for event in chart.events
        if event.days is not None
        and exam.days is not None
        and event.days.is_from(exam.days)
        and event.acts & {Act.BIOPSY, Act.EXCISION}
        and fits_side(event.laterality, target)
    ]
    done = [event for event in since if event.standing == Standing.DONE]
    result = tissue.result.days if tissue.result else None
    return _Sample(
        tissue=tissue,
        biopsy=done[-1] if done and tissue.result is None else None,
        treated=surgery_between(chart.events, target, result, None) is not None,
        declined=any(event.standing == Standing.REFUSED for event in since),
    )


def _is_settled(sample: _Sample) -> bool:
    """Whether tissue, treatment or refusal has settled a category 4 or 5 (chart logic 3.8)."""
    state = sample.tissue.state
    if state in (TissueState.BENIGN_CONCORDANT, TissueState.EXCISED):
        return True
    return sample.treated if state in (TissueState.MALIGNANT, TissueState.HIGH_RISK) else sample.declined


def _is_outstanding(sample: _Sample, newest: Exam) -> bool:
    """Whether tissue was taken, within a year of the newest exam, and asks for more, or has no result."""
    taken = sample.tissue.result or sample.biopsy
    if taken is None or taken.days is None or newest.days is None or _is_settled(sample):
        return False
    return not taken.days.plus_days(CURRENT_DAYS).is_before(newest.days)


def _is_answered_later(item: Stated, exams: Sequence[Exam]) -> bool:
    """Whether a category 0 without side was worked up: by a later diagnostic exam of either breast with a category."""
    if item.finding is not None or item.laterality != Laterality.UNKNOWN or item.category not in INCOMPLETE:
        return False
    return any(
        is_later(later, item.exam.days)
        and later.status != ReportStatus.PRELIMINARY
        and is_diagnostic(later)
        and any((category_of_breast(later, side) or "0") not in INCOMPLETE for side in ONE_BREAST)
        for later in exams
    )


def _stated_by(exam: Exam, sides: tuple[Laterality, ...]) -> Iterable[Stated]:
    described = [finding for finding in exam.findings if _falls_on(finding.laterality, sides)]
    if exam.abstained not in (None, WORDS_NOT_READ) and (
        exam.category.basis is None or exam.abstained == SIDES_NOT_UNDERSTOOD
    ):
        yield _of_breast(exam, exam_side(exam), "unknown", None, (UNMENTIONED,))
    present = [finding for finding in described if finding.presence != "absent"]
    denials = [finding for finding in described if finding.presence == "absent"]
    contradicted = [finding for finding in present if any(_denies(denial, finding) for denial in denials)]
    for finding in present:
        yield _of_finding(exam, finding, "conflict" if finding in contradicted else finding.presence)
    waiting = [finding for finding in present if finding.status == "preliminary" != exam.status]
    answering = [finding for finding in present if finding not in (*contradicted, *waiting)]
    for side, category in _unanswered_categories(exam, sides, described, answering).items():
        if category in ACTIONABLE:
            if any(_covers_side(finding, side) for finding in denials) and not any(
                _covers_side(finding, side) for finding in present
            ):
                yield _of_breast(exam, side, "absent", category, ())
            else:
                question = UNPLACED if present else UNMENTIONED
                yield _of_breast(exam, side, "unknown", category, (question,))


def _falls_on(laterality: Laterality, sides: tuple[Laterality, ...]) -> bool:
    return laterality not in ONE_BREAST or laterality in sides


def _denies(absent: ReadFinding, finding: ReadFinding) -> bool:
    """Whether an absent finding contradicts another: the absence of one form says nothing of the others."""
    forms = set(absent.morphology) | set(absent.distribution)
    contradicts = not forms or not forms.isdisjoint((*finding.morphology, *finding.distribution))
    return contradicts and _same_breast(finding, absent)


def _same_breast(finding: ReadFinding, other: ReadFinding) -> bool:
    if Laterality.UNKNOWN in (finding.laterality, other.laterality):
        return finding.laterality == other.laterality
    return Laterality.BILATERAL in (finding.laterality, other.laterality) or finding.laterality == other.laterality


def _covers_side(finding: ReadFinding, side: Laterality) -> bool:
    return Laterality.UNKNOWN in (finding.laterality, side) or finding.laterality in (side, Laterality.BILATERAL)


def _unanswered_categories(
    exam: Exam, sides: tuple[Laterality, ...], described: Sequence[ReadFinding], answering: Sequence[ReadFinding]
) -> dict[Laterality, str]:
    """Return by side the category that no finding answers, nor one as severe.

    It belongs to something that is not coded, or to a finding of which the rules can only say that somebody must look:
    denied, contradicted, or preliminary in a final report.
    """
    stated = [(Laterality.LEFT, exam.category.left), (Laterality.RIGHT, exam.category.right)]
    stated = [(side, category) for side, category in stated if side in sides]
    stated += [(finding.laterality, finding.category) for finding in described if finding not in answering]
    unanswered: dict[Laterality, str] = {}
    for side, category in stated:
        answered = [_category_of(exam, finding) for finding in answering if _covers_side(finding, side)]
        if category and not _reaches([*answered, unanswered.get(side)], category):
            unanswered[side] = category
    superseded = [finding for finding in exam.findings if finding.presence != "absent" and finding not in described]
    elsewhere = map(partial(_category_of, exam), (*answering, *superseded))
    everywhere = [exam.category.left, exam.category.right, *elsewhere, *unanswered.values()]
    if exam.category.overall and not _reaches(everywhere, exam.category.overall):
        unanswered[_side_of_overall(exam)] = exam.category.overall
    return unanswered


def _side_of_overall(exam: Exam) -> Laterality:
    """The side of an exam's overall category: that of the exam, or the one breast that has no milder one of its own."""
    without = [side for side in ONE_BREAST if category_of_breast(exam, side) == exam.category.overall]
    one_sided = exam_side(exam) != Laterality.UNKNOWN or len(without) != 1
    return exam_side(exam) if one_sided else without[0]


def _reaches(categories: Iterable[str | None], stated: str) -> bool:
    """Whether one of the categories is the stated one, a subcategory of it, or more severe."""
    return any(
        severity(category) >= severity(stated) or (stated == "4" and category in SUSPICIOUS)
        for category in categories
        if category
    )


def _category_of(exam: Exam, finding: ReadFinding) -> str | None:
    """Finding-level, then breast-level, then overall category; of several on one level the most severe."""
    if finding.category is not None:
        return finding.category
    category = exam.category
    by_side = {Laterality.LEFT: category.left, Laterality.RIGHT: category.right}
    if finding.laterality in by_side:
        return by_side[finding.laterality] or category.overall
    return most_severe(stated for stated in (category.left, category.right, category.overall) if stated)


def exam_side(exam: Exam) -> Laterality:
    """Return the one breast that an exam covers, else unknown."""
    return Laterality(exam.laterality) if exam.laterality in ONE_BREAST else Laterality.UNKNOWN


def _of_finding(exam: Exam, finding: ReadFinding, presence: str) -> Stated:
    system = finding.category_system if finding.category is not None else exam.category.system
    return Stated(exam, finding, finding.laterality, presence, _category_of(exam, finding), system)


def _of_breast(exam: Exam, side: Laterality, presence: str, category: str | None, unstated: tuple[str, ...]) -> Stated:
    return Stated(exam, None, side, presence, category, exam.category.system, unstated)


def _undated(exam: Exam) -> Stated:
    """A report that may be newer than the one that governs: it is not used, and not passed over in silence."""
    return _of_breast(
        msgspec.structs.replace(exam, abstained=UNDATED), Laterality.UNKNOWN, "unknown", None, (UNMENTIONED,)
    )
