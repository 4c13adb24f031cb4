"""From a reading to the cases that the rules judge: the exam that governs each breast, and the category that applies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial
from typing import Any

import msgspec

from fhir_models.category_text import most_severe, reconcile, severity
from fhir_models.reading import Exam, ReadFinding, Reading
from fhir_models.report_categories import SIDES_NOT_UNDERSTOOD
from rules.vocabulary import (
    AssociatedFeature,
    Case,
    Change,
    Laterality,
    Modality,
    Morphology,
    ReportStatus,
    Sex,
    StudyContext,
    WorkupDone,
)

BREASTS = (Laterality.LEFT, Laterality.RIGHT)
ACTIONABLE = frozenset({"0", "0P", "3", "4", "4A", "4B", "4C", "5", "6"})
"""Categories that ask for something even where no calcification is described (chart logic 3.9: 1 and 2 do not)."""

UNMENTIONED = "whether there are calcifications"
UNPLACED = "which finding the category belongs to"

UNDATED = "the report's day is not stated, it may be the newest"

_WITHDRAWN = ("cancelled", "entered-in-error")
_CHANGES = {"stable": Change.STABLE_LT2Y, "resolved": Change.DECREASING}
"""A reading's words that the rules know by another: stable without duration counts as less than two years."""

_MORPHOLOGY = {word.value for word in Morphology}
_FEATURES = {word.value for word in AssociatedFeature}


class FindingCase(msgspec.Struct, frozen=True):
    """A case with what it was made of. `missing` names what was not stated and would matter, in the words of a card."""

    case: Case
    laterality: Laterality
    exam: Exam
    finding: ReadFinding | None
    missing: tuple[str, ...]


def cases_for(reading: Reading, today: date) -> tuple[FindingCase, ...]:
    """Return the cases of the exams that govern now: for each breast the newest mammogram that covers it.

    Exams without a day, or after `today`, govern only where there is no other.
    """
    standing = [exam for exam in reading.exams if exam.status not in _WITHDRAWN]
    mammograms = [exam for exam in standing if exam.modality == Modality.MAMMOGRAPHY]
    candidates = mammograms or [exam for exam in standing if exam.findings]
    cases: list[FindingCase] = []
    governing = [*_governing(candidates, today)]
    for exam, sides in governing:
        cases.extend(_exam_cases(exam, sides, reading))
    if any(_is_dated(exam, today) for exam, _ in governing):
        cases.extend(
            _undated_case(exam, reading) for exam in candidates if exam.day is None and _asks_for_something(exam)
        )
    return tuple(cases)


def _governing(exams: Sequence[Exam], today: date) -> Iterable[tuple[Exam, tuple[Laterality, ...]]]:
    """Yield each governing exam once, with the breasts that it governs."""
    ranked = sorted(exams, key=lambda exam: _precedence(exam, today), reverse=True)
    chosen: dict[str, tuple[Exam, list[Laterality]]] = {}
    for side in BREASTS:
        covering = [exam for exam in ranked if _covers(exam, side)]
        issued = next((exam for exam in covering if exam.status != ReportStatus.PRELIMINARY), None)
        # A preliminary report stands beside the issued one that it may replace; it never takes its place.
        for exam in (*covering[:1], *([issued] if issued is not None and issued is not covering[0] else ())):
            chosen.setdefault(exam.id, (exam, []))[1].append(side)
    return ((exam, tuple(sides)) for exam, sides in chosen.values())


def _precedence(exam: Exam, today: date) -> tuple[object, ...]:
    """Newest day first; on one day final before preliminary, what was read before what was not, diagnostic before
    screening (chart logic 3.6), an amended report before others, then the more severe category.
    """
    dated = _is_dated(exam, today)
    return (
        dated,
        exam.day if dated else date.min,
        exam.status != ReportStatus.PRELIMINARY,
        bool(exam.findings) or exam.category.basis is not None,
        {"diagnostic": 2, "unknown": 1}.get(exam.study_context, 0),
        exam.status == ReportStatus.AMENDED,
        max(map(severity, _stated_categories(exam)), default=0),
        bool(exam.findings),
        exam.id,
    )


def _is_dated(exam: Exam, today: date) -> bool:
    return exam.day is not None and exam.day <= today


def _stated_categories(exam: Exam) -> Iterable[str]:
    category = exam.category
    own = (finding.category for finding in exam.findings)
    return (stated for stated in (category.overall, category.left, category.right, *own) if stated)


def _asks_for_something(exam: Exam) -> bool:
    present = any(finding.presence != "absent" for finding in exam.findings)
    return present or not ACTIONABLE.isdisjoint(_stated_categories(exam))


def _covers(exam: Exam, side: Laterality) -> bool:
    sides = {finding.laterality for finding in exam.findings}
    if exam.laterality in BREASTS:
        stated = {Laterality.LEFT: exam.category.left, Laterality.RIGHT: exam.category.right}[side]
        return exam.laterality == side or side in sides or stated is not None
    standalone = not exam.id.startswith("DiagnosticReport/")
    if standalone and sides and sides <= set(BREASTS):
        return side in sides
    return True


def _exam_cases(exam: Exam, sides: tuple[Laterality, ...], reading: Reading) -> Iterable[FindingCase]:
    described = [finding for finding in exam.findings if _falls_on(finding.laterality, sides)]
    if exam.abstained and (exam.category.basis is None or exam.abstained == SIDES_NOT_UNDERSTOOD):
        side = exam.laterality if exam.laterality in BREASTS else Laterality.UNKNOWN
        yield _unread_case(exam, side, reading)
    present = [finding for finding in described if finding.presence != "absent"]
    denials = [finding for finding in described if finding.presence == "absent"]
    contradicted = [finding for finding in present if any(_denies(denial, finding) for denial in denials)]
    for finding in present:
        yield _case(exam, finding, "conflict" if finding in contradicted else finding.presence, reading)
    waiting = [finding for finding in present if finding.status == "preliminary" != exam.status]
    answering = [finding for finding in present if finding not in (*contradicted, *waiting)]
    for side, category in _unanswered_categories(exam, sides, described, answering).items():
        if category in ACTIONABLE:
            if any(_covers_side(finding, side) for finding in denials) and not any(
                _covers_side(finding, side) for finding in present
            ):
                yield _category_case(exam, side, category, "absent", (), reading)
            else:
                question = UNPLACED if present else UNMENTIONED
                yield _category_case(exam, side, category, "unknown", (question,), reading)


def _falls_on(laterality: Laterality, sides: tuple[Laterality, ...]) -> bool:
    return laterality not in BREASTS or laterality in sides


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
        side = Laterality(exam.laterality) if exam.laterality in BREASTS else Laterality.UNKNOWN
        unanswered[side] = exam.category.overall
    return unanswered


def _reaches(categories: Iterable[str | None], stated: str) -> bool:
    """Whether one of the categories is the stated one, a subcategory of it, or more severe."""
    return any(
        severity(category) >= severity(stated) or reconcile(stated, (category,)) == (category, False)
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


def _case(exam: Exam, finding: ReadFinding, presence: str, reading: Reading) -> FindingCase:
    category = _category_of(exam, finding)
    own = finding.category is not None
    fields: dict[str, Any] = {
        "report_status": finding.status if finding.status == ReportStatus.PRELIMINARY else exam.status,
        "presence": presence,
        "laterality": finding.laterality,
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
        **_shared(exam, reading, category, finding.category_system if own else exam.category.system),
    }
    case = msgspec.convert(fields, Case)
    return FindingCase(case, finding.laterality, exam, finding, _missing(case))


def _category_case(
    exam: Exam, side: Laterality, category: str, presence: str, missing: tuple[str, ...], reading: Reading
) -> FindingCase:
    case = _case_without_finding(exam, side, presence, reading, category)
    return FindingCase(case, side, exam, None, missing)


def _unread_case(exam: Exam, side: Laterality, reading: Reading) -> FindingCase:
    """A report of which nothing was read: no older exam may answer for it."""
    case = _case_without_finding(exam, side, "unknown", reading, None)
    return FindingCase(case, side, exam, None, (UNMENTIONED,))


def _undated_case(exam: Exam, reading: Reading) -> FindingCase:
    """A report that may be newer than the one that governs: it is not used, and not passed over in silence."""
    return _unread_case(msgspec.structs.replace(exam, abstained=UNDATED), Laterality.UNKNOWN, reading)


def _case_without_finding(exam: Exam, side: Laterality, presence: str, reading: Reading, category: str | None) -> Case:
    fields = {"report_status": exam.status, "presence": presence, "laterality": side}
    return msgspec.convert({**fields, **_shared(exam, reading, category, exam.category.system)}, Case)


def _shared(exam: Exam, reading: Reading, category: str | None, system: str) -> dict[str, Any]:
    return {
        "modality": exam.modality,
        "system": system,
        "study_context": exam.study_context,
        "workup_done": exam.workup_done,
        "sex": reading.patient.sex,
        "reported_category": category,
    }


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
