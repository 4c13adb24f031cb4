"""From a chart to the cases that the rules judge: what the exams state, and everything in the chart that bears on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

import msgspec

from fhir_models.chart.background.of_finding import case_background
from fhir_models.chart.course import Course, course_of, downgraded_from, place_in
from fhir_models.chart.governing import (
    SUSPICIOUS,
    covers,
    is_clip_film,
    is_diagnostic,
    is_later,
    is_readable,
    mammograms,
    precedence,
    speaks_of,
)
from fhir_models.chart.other_imaging import Other, others_of, raised_by, unattached
from fhir_models.chart.records import LIVE, CaseBackground, Chart, Standing, TissueClass, TissueResult
from fhir_models.chart.stated import Stated, statements
from fhir_models.chart.tissue import (
    BIOPSY_RESULTS,
    SURGERY,
    Target,
    Tissue,
    TissueState,
    fits_side,
    is_history,
    surgery_between,
    tissue_of,
)
from fhir_models.days import Days, certainly_before, certainly_from, months_between
from fhir_models.reading import Exam, ReadFinding, TooMuchError
from fhir_models.sides import NOWHERE, ONE_BREAST, breasts_of
from rules.follow_up import Act, Limits
from rules.vocabulary import (
    AssociatedFeature,
    Case,
    Change,
    History,
    Laterality,
    Morphology,
    Priors,
    ReportStatus,
    Sex,
    StudyContext,
    WorkupDone,
)

_CHANGES = {"stable": Change.STABLE_LT2Y, "resolved": Change.DECREASING}
"""A reading's words that the rules know by another: stable without duration counts as less than two years."""

_MORPHOLOGY = {word.value for word in Morphology}
_FEATURES = {word.value for word in AssociatedFeature}
_HISTORY = tuple(History)

MAX_PAIRS = 100_000
"""Pairs of a finding with an exam, an event or a result of tissue; a busy chart has some thousand."""

FINDING_ALONE = 100
"""What a finding costs by itself, in pairs."""

AsksForSomething = Callable[[Case], bool]
"""Whether the table asks for anything beyond routine screening; the caller has the rules."""


class FindingCase(msgspec.Struct, frozen=True):
    """A case with what it was made of. `missing` names what was not stated and would matter, in the words of a card.

    `t0` is the day from which the recommendation runs: of the exam, or of the tissue result that answers it (chart logic 5).
    `older` is the earlier exam that was readable where this newest one was not. `raised_by` is the exam of another modality
    whose category is the more severe, `downgraded` the earlier exam whose category 4 or 5 this one takes back,
    `overtaken_by` the newest exam since, which does not settle this one.
    """

    case: Case
    laterality: Laterality
    exam: Exam
    finding: ReadFinding | None
    missing: tuple[str, ...]
    course: Course = Course()
    tissue: Tissue = Tissue()
    background: CaseBackground = CaseBackground()
    target: Target = Target(Laterality.UNKNOWN, NOWHERE, alone=True, several=False)
    t0: Days | None = None
    older: Exam | None = None
    raised_by: Exam | None = None
    downgraded: tuple[Exam, str] | None = None
    overtaken_by: Exam | None = None
    is_new: bool = False


def cases_for(chart: Chart, today: date, limits: Limits, asks: AsksForSomething) -> tuple[FindingCase, ...]:
    """Return the cases of the exams that govern now, with what the chart says of each.

    Raises:
        TooMuchError: more than `MAX_PAIRS` pairs of a finding with an exam, event or result.
    """
    taken = [event for event in chart.events if event.standing == Standing.DONE and Act.BIOPSY in event.acts]
    biopsied = [(event.laterality, event.days) for event in taken if event.days]
    exams = [exam for exam in mammograms(chart.reading.exams) if not is_clip_film(exam, biopsied)]
    _refuse_too_much(sum(len(exam.findings) for exam in exams), 0)
    stated = [*_one_sided(statements(exams, chart, today, limits), chart)]
    others = others_of(chart.reading.exams)
    around = len(chart.reading.exams) + len(chart.events) + len(chart.tissue)
    _refuse_too_much(len(stated) + len(others), around)
    stated.extend(unattached(stated, others, exams, chart, today, limits))
    asking = [item for item in stated if asks(msgspec.convert(_stated_fields(item), Case))]
    return tuple(_case(item, asking, exams, others, chart, today, limits) for item in stated)


def _refuse_too_much(findings: int, around: int) -> None:
    if findings * (FINDING_ALONE + around) > MAX_PAIRS:
        raise TooMuchError(f"{findings} findings to be judged, with too many exams, orders and results around them")


def _one_sided(stated: Sequence[Stated], chart: Chart) -> Iterable[Stated]:
    """Yield what is stated of both breasts once for each, where something in the chart concerns one of them alone."""
    sided = any(item.laterality in ONE_BREAST for item in (*chart.events, *chart.tissue, *chart.background.facts))
    for item in stated:
        if item.laterality == Laterality.BILATERAL and sided:
            yield from (msgspec.structs.replace(item, laterality=side) for side in ONE_BREAST)
        else:
            yield item


def _case(
    item: Stated,
    asking: Sequence[Stated],
    exams: Sequence[Exam],
    others: Sequence[Other],
    chart: Chart,
    today: date,
    limits: Limits,
) -> FindingCase:
    exam, finding, side = item.exam, item.finding, item.laterality
    target = _target(item, asking)
    sampled = [days for days in _sampled(chart, target) if days]
    course = course_of(exam, finding, side, exams, sampled, today)
    tissue, cancers = _tissue_of_case(item, target, course, chart, today, limits)
    past = (History.PERSONAL_CANCER,) if cancers else ()
    background = case_background(
        chart.background, chart.events, side, target.place, exam.days, today, limits, course.since
    )
    raised, category = raised_by(item, others, target) or (None, item.category)
    sampled_since = tissue.result is not None and certainly_from(tissue.result.days, exam.days)
    answered = tissue.state == TissueState.BENIGN_CONCORDANT and sampled_since
    fields: dict[str, Any] = {
        **_stated_fields(item),
        "priors": Priors.AVAILABLE if any(map(is_readable, course.earlier)) else Priors.UNKNOWN,
        "reported_category": None if answered else category,
        "surveillance_month": course.surveillance_month,
        "biopsy_result": BIOPSY_RESULTS.get(tissue.state),
        "months_since_biopsy": _months_since(tissue, exam.days),
        "history": sorted({*background.history, *past}, key=_HISTORY.index),
        "years_since_rt": background.years_since_rt,
        "neoadjuvant": background.neoadjuvant and category in (None, "6"),
        "node_benign_cause": background.node_benign_cause,
        "symptoms": background.symptoms,
        "sex": chart.background.sex,
        "age": chart.background.age,
        "pregnant": background.pregnant,
        "lactating": background.lactating,
        **_changed(finding, course),
    }
    case = msgspec.convert(fields, Case)
    earlier = next((before for before in course.earlier if is_readable(before)), None)
    return FindingCase(
        case=case,
        laterality=side,
        exam=exam,
        finding=finding,
        missing=_missing(case) if finding else item.unstated,
        course=course,
        tissue=tissue,
        background=background,
        target=target,
        t0=_t0(tissue, raised, exam, today),
        older=earlier if not is_readable(exam) else None,
        raised_by=raised,
        downgraded=downgraded_from(course, category) if is_diagnostic(exam) and tissue.result is None else None,
        overtaken_by=_overtaken_by(item, exams, today),
        is_new=course.is_new,
    )


def _tissue_of_case(
    item: Stated, target: Target, course: Course, chart: Chart, today: date, limits: Limits
) -> tuple[Tissue, tuple[TissueResult, ...]]:
    """Return what tissue says of the finding, and the cancers that are history for it; these too are named as unplaced."""
    exam = item.exam
    tissue = tissue_of(chart.tissue, target, course.since, course.worst_category(item.laterality), today, limits)
    unplaced = tissue.unplaced
    if tissue.result is not None and tissue.result.is_condition and _is_to_be_sampled(chart, target, exam.days):
        unplaced, tissue = (*unplaced, tissue.result), Tissue()
    unplaced = (*unplaced, *_of_other_breast(chart, target, course))
    surgery = surgery_between(chart.events, target, tissue.result.days if tissue.result else None, exam.days)
    cancers = _earlier_cancers(chart, target, course)
    if is_history(tissue, exam.days, surgery.days if surgery else None) or _is_of_an_earlier_finding(tissue, item):
        cancers += (tissue.result,) if tissue.result and tissue.state == TissueState.MALIGNANT else ()
        tissue = Tissue()
    return msgspec.structs.replace(tissue, unplaced=(*unplaced, *cancers)), cancers


def _stated_fields(item: Stated) -> dict[str, Any]:
    """Return the fields of a case that the exam itself states."""
    exam, finding = item.exam, item.finding
    preliminary = finding is not None and finding.status == ReportStatus.PRELIMINARY
    fields: dict[str, Any] = {
        "report_status": ReportStatus.PRELIMINARY if preliminary else exam.status,
        "presence": item.presence,
        "laterality": item.laterality,
        "modality": exam.modality,
        "system": item.system,
        "study_context": exam.study_context,
        "workup_done": exam.workup_done,
        "reported_category": item.category,
    }
    return {**fields, **_described(finding)} if finding else fields


def _changed(finding: ReadFinding | None, course: Course) -> dict[str, Any]:
    """Return what the exams before add to the change that is stated."""
    if course.is_new:
        return {"change": Change.NEW}
    stable = finding is not None and finding.change == "stable" and course.stable_for_years
    return {"change": Change.STABLE_GE2Y} if stable else {}


def _described(finding: ReadFinding) -> dict[str, Any]:
    return {
        "morphology": [word for word in finding.morphology if word in _MORPHOLOGY],
        "certainty": finding.certainty,
        "distribution": finding.distribution,
        "bilateral_similar": finding.bilateral_similar,
        "count": finding.count,
        "extent_mm": finding.extent_mm,
        "particle_size_mm": finding.particle_size_mm,
        "change": _CHANGES.get(finding.change, finding.change),
        "associated_features": [word for word in finding.associated_features if word in _FEATURES],
        "site": finding.site,
    }


def _target(item: Stated, asking: Sequence[Stated]) -> Target:
    """The finding as something that an event may belong to: is another breast, or another finding here, in question?"""
    sides = {other.laterality for other in asking} | {item.laterality}
    here = [other for other in asking if other.laterality == item.laterality and other.finding is not None]
    place = place_in(item.finding) if item.finding else NOWHERE
    return Target(
        item.laterality, place, alone=len(sides) == 1 and Laterality.BILATERAL not in sides, several=len(here) > 1
    )


def _overtaken_by(item: Stated, exams: Sequence[Exam], today: date) -> Exam | None:
    """Return the newest exam since, which does not settle this one: a screening exam after a category 4 or 5."""
    sides = breasts_of(item.laterality)
    since = [
        exam
        for exam in exams
        if is_later(exam, item.exam.days)
        and exam.status != ReportStatus.PRELIMINARY
        and any(covers(exam, side) and speaks_of(exam, side) for side in sides)
    ]
    return max(since, key=lambda exam: precedence(exam, today), default=None)


def _of_other_breast(chart: Chart, target: Target, course: Course) -> Iterable[TissueResult]:
    """Yield tissue of the other breast since the episode began, where nothing is in question there: a side may be wrong."""
    if not target.alone or target.laterality not in ONE_BREAST:
        return
    for result in chart.tissue:
        if {result.laterality, target.laterality} == set(ONE_BREAST) and certainly_from(result.days, course.since):
            yield result


def _earlier_cancers(chart: Chart, target: Target, course: Course) -> tuple[TissueResult, ...]:
    """Return cancers of this breast from before the open episode: the exams that they answered may not have come."""
    return tuple(
        result
        for result in chart.tissue
        if result.tissue == TissueClass.MALIGNANT
        and not result.aside
        and result.laterality in (target.laterality, Laterality.BILATERAL)
        and certainly_before(result.days, course.since)
    )


def _is_of_an_earlier_finding(tissue: Tissue, item: Stated) -> bool:
    """Whether a cancer was found before an exam that calls this finding suspicious: known cancer is category 6."""
    days = tissue.result.days if tissue.result else None
    return (
        certainly_before(days, item.exam.days) and tissue.state == TissueState.MALIGNANT and item.category in SUSPICIOUS
    )


def _is_to_be_sampled(chart: Chart, target: Target, since: Days | None) -> bool:
    """Whether a biopsy is ordered or booked since the exam: a cancer of the problem list is then its indication."""
    return any(
        event.standing in (*LIVE, Standing.BOOKED)
        and event.acts & {Act.BIOPSY, Act.EXCISION}
        and fits_side(event.laterality, target)
        and certainly_from(event.days, since)
        for event in chart.events
    )


def _sampled(chart: Chart, target: Target) -> Iterable[Days | None]:
    """Yield the days on which this breast was biopsied or operated on."""
    taken = SURGERY | {Act.BIOPSY}
    yield from (
        event.days
        for event in chart.events
        if event.standing == Standing.DONE and event.acts & taken and fits_side(event.laterality, target)
    )
    yield from (result.days for result in chart.tissue if fits_side(result.laterality, target))


def _months_since(tissue: Tissue, exam_days: Days | None) -> float | None:
    """Return the months from a biopsy to the exam; 0 where the exam was before it."""
    if tissue.result is None or tissue.result.days is None or tissue.state not in BIOPSY_RESULTS:
        return None
    if exam_days is None:
        return 0.0
    return float(max(0, months_between(tissue.result.days.last, exam_days.first)))


def _t0(tissue: Tissue, raised: Exam | None, exam: Exam, today: date) -> Days | None:
    """Return the day from which the recommendation runs; a vague one lies in the past."""
    days = raised.days if raised else exam.days
    result = tissue.result.days if tissue.result else None
    answered = tissue.state == TissueState.BENIGN_CONCORDANT and result and exam.days and result.is_before(exam.days)
    if result and not answered and tissue.state not in (TissueState.NONE, TissueState.PENDING):
        days = result
    return days.up_to(today) if days else None


def _missing(case: Case) -> tuple[str, ...]:
    stated = (
        (case.morphology, "morphology"),
        (case.distribution, "distribution"),
        (case.laterality != Laterality.UNKNOWN, "side"),
        (case.study_context != StudyContext.UNKNOWN, "whether the exam was screening or diagnostic"),
        (case.workup_done != WorkupDone.UNKNOWN, "whether magnification views were done"),
        (case.change != Change.NOT_STATED, "change against earlier exams"),
        (case.reported_category, "the radiologist's category"),
        (case.sex != Sex.UNKNOWN, "sex"),
    )
    return tuple(word for known, word in stated if not known)
