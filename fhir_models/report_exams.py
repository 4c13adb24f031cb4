"""Exams: each report with the Observations that it has, and findings that no report has, one exam a day."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files

from fhir_models.categories import exam_category
from fhir_models.days import written_day, written_days
from fhir_models.entries import Entries, Resource
from fhir_models.findings import (
    GONE_STATUS,
    ReadObservation,
    finding_of,
    is_finding,
    unclaimed_descriptions,
)
from fhir_models.meaning import mentions_calcification
from fhir_models.reading import Exam, ExamCategory, ReadFinding, TooMuchError, Unread
from fhir_models.report_categories import (
    SIDES_NOT_UNDERSTOOD,
    breast_categories,
    concluded_categories,
    impression_categories,
    observed_categories,
    unread_conclusions,
)
from fhir_models.report_header import (
    accessions,
    is_addendum,
    observation_date,
    orders_of,
    report_date,
    study_code,
    study_context,
    unreceived_results,
)
from fhir_models.report_texts import report_texts
from fhir_models.study import StudyKind, study_kind
from fhir_models.terminology import Terminology
from fhir_models.views import (
    Composition,
    DiagnosticReport,
    Observation,
    Section,
    has_words,
)
from rules.vocabulary import Laterality, Modality, StudyContext, WorkupDone

TEXT_NOT_READ = "the report's text was not read"
NOTHING_READABLE = "nothing could be read"
WORDS_NOT_READ = "only the codes were read, not the words beside them"
"""Not that anything is missing: no word of the text asks for more than its coded findings do."""

CATEGORY_NOT_UNDERSTOOD = "the assessment category was not understood"
STUDY_NOT_KNOWN = "what study it is was not understood"
RESULTS_NOT_RECEIVED = "results that the report names were not received"
WITHDRAWN = "was withdrawn, and a finding that it names was not"
_STATUS = {
    "final": "final",
    "corrected": "final",
    "amended": "amended",
    "appended": "amended",
    "cancelled": "cancelled",
    "entered-in-error": "entered-in-error",
}
"""FHIR status to report status; registered, partial, preliminary, unknown and a missing status are preliminary."""

MAX_RESULTS = 5_000
"""Results of all reports together; each is read for every report that names it."""

_REVISIONS = {"final": 1, "corrected": 2, "amended": 2, "appended": 2}
"""FHIR status to the revision of an exam; any other is not issued yet."""

_WORDS = tomllib.loads(files("fhir_models").joinpath("codes/study_words.toml").read_text(encoding="utf-8"))
_ASKS_FOR_MORE = re.compile(_WORDS["asks_for_more"], re.IGNORECASE)


def report_exams(
    entries: Entries, observations: Mapping[str, ReadObservation], terminology: Terminology
) -> Iterable[tuple[Exam, set[str]]]:
    """Yield the exam of each report, with the Observations that it has.

    Raises:
        TooMuchError: reports that share more results than all reports of a patient have.
    """
    composed = _composed(entries)
    named = _named(entries, composed)
    claimed_days = [
        (resource.reference, written_day(report_date(resource, entries)))
        for resource in entries.of("DiagnosticReport")
        if isinstance(resource.view, DiagnosticReport)
        and study_kind(resource.view.code, terminology).modality == Modality.MAMMOGRAPHY
    ]
    taken = 0
    for resource in entries.of("DiagnosticReport"):
        report = resource.view
        if not isinstance(report, DiagnosticReport):
            continue
        kind = study_kind(report.code, terminology)
        linked = {target.reference for target in _results(resource, report, entries)}
        linked |= composed.get(resource.reference, set())
        day = written_day(report_date(resource, entries))
        if kind.modality == Modality.MAMMOGRAPHY and [place for place, on in claimed_days if on == day] == [
            resource.reference
        ]:
            linked |= {
                key
                for key, item in observations.items()
                if not item.parents and key not in named and written_day(observation_date(item.observation)) == day
            }
        items = _with_members(linked, observations)
        taken += len(items)
        if taken > MAX_RESULTS:
            raise TooMuchError(f"reports with more than {MAX_RESULTS} results, counted once for each report")
        if kind.modality is None and not any(item.said.is_calcification for item in items):
            if not has_words(report.code) or any(breast_categories(resource, report, terminology)):
                entries.unread.append(Unread(resource.reference, f"{resource.path}.code", STUDY_NOT_KNOWN))
            continue
        entries.unread.extend(unreceived_results(resource, report, entries))
        unread = [*unread_conclusions(resource, report, terminology)]
        entries.unread.extend(unread)
        if kind.modality == Modality.MAMMOGRAPHY:
            entries.unread.extend(unclaimed_descriptions(items, observations))
        reasons = {item.why for item in unread}
        exam = _exam(resource, report, kind, items, linked, reasons, observations, entries, terminology)
        if exam.status in GONE_STATUS and any(finding.presence != "absent" for finding in exam.findings):
            entries.unread.append(Unread(resource.reference, resource.path, WITHDRAWN))
        yield exam, {item.resource.reference for item in items}


def _exam(
    resource: Resource,
    report: DiagnosticReport,
    kind: StudyKind,
    items: list[ReadObservation],
    linked: set[str],
    reasons: set[str],
    observations: Mapping[str, ReadObservation],
    entries: Entries,
    terminology: Terminology,
) -> Exam:
    findings = tuple(
        finding_of(item, observations, kind.laterality) for item in items if is_finding(item, observations)
    )
    when = report_date(resource, entries)
    stated = [
        *concluded_categories(resource, report, terminology),
        *impression_categories(entries, linked, written_day(when), terminology),
        *observed_categories(items),
    ]
    category = exam_category(stated)
    silent = not findings and category.basis is None
    return Exam(
        id=resource.reference,
        date=when,
        days=written_days(when),
        status=_STATUS.get((report.status or "").lower(), "preliminary"),
        study_context=study_context(kind, resource, report, entries, terminology),
        workup_done=kind.workup,
        modality=kind.modality or Modality.MAMMOGRAPHY,
        laterality=kind.laterality,
        density=next((item.said.density for item in items if item.said.density), None),
        category=category,
        recommendation_stated=(),
        findings=findings,
        abstained=_not_understood(reasons, items, findings, category)
        or ((TEXT_NOT_READ if _has_text(report, items) else NOTHING_READABLE) if silent else None)
        or _partly(resource, report, items, findings, category, entries),
        issued=report.issued,
        revision=_REVISIONS.get((report.status or "").lower(), 0),
        addendum=is_addendum(report, terminology),
        identifiers=accessions(report, terminology),
        based_on=orders_of(resource, report, entries),
        study=study_code(report.code),
    )


def _partly(
    resource: Resource,
    report: DiagnosticReport,
    items: Iterable[ReadObservation],
    findings: tuple[ReadFinding, ...],
    category: ExamCategory,
    entries: Entries,
) -> str | None:
    if category.basis is None and any(unreceived_results(resource, report, entries)):
        return RESULTS_NOT_RECEIVED
    known = category.basis is not None or any(finding.category for finding in findings)
    if findings and not known:
        texts = [*_texts(report, items)]
        if len(report.presentedForm or ()) > len([*report_texts(report)]) - bool(report.conclusion):
            return TEXT_NOT_READ
        if any(map(_ASKS_FOR_MORE.search, texts)):
            return TEXT_NOT_READ
        return WORDS_NOT_READ if texts else None
    if not findings and any(map(mentions_calcification, _texts(report, items))):
        return "the text mentions calcifications, and what it says of them was not read"
    return None


def _not_understood(
    reasons: set[str],
    items: Iterable[ReadObservation],
    findings: tuple[ReadFinding, ...],
    category: ExamCategory,
) -> str | None:
    if SIDES_NOT_UNDERSTOOD in reasons:
        return SIDES_NOT_UNDERSTOOD
    known = category.basis is not None or any(finding.category for finding in findings)
    if reasons and not known:
        return CATEGORY_NOT_UNDERSTOOD
    return _category_not_understood(items, findings, category)


def _category_not_understood(
    items: Iterable[ReadObservation], findings: tuple[ReadFinding, ...], category: ExamCategory
) -> str | None:
    known = category.basis is not None or any(finding.category for finding in findings)
    return CATEGORY_NOT_UNDERSTOOD if not known and any(item.said.unread_categories for item in items) else None


def standalone_exams(
    left: Mapping[str, ReadObservation],
    observations: Mapping[str, ReadObservation],
    exams: Iterable[Exam],
    entries: Entries,
    terminology: Terminology,
) -> Iterable[Exam]:
    """Findings and categories that no report has (`left`): one exam a day."""
    read = {evidence.resource for exam in exams for evidence in exam.category.evidence}
    days: dict[str, list[ReadObservation]] = {}
    for item in left.values():
        if item.said.is_calcification or item.said.category or item.said.unread_categories:
            days.setdefault((observation_date(item.observation) or "")[:10], []).append(item)
    for day, items in days.items():
        when = observation_date(items[0].observation)
        categories = [
            *observed_categories(items),
            *(
                stated
                for stated in impression_categories(entries, set(), written_day(day), terminology)
                if stated.evidence.resource not in read
            ),
        ]
        findings = tuple(finding_of(item, observations) for item in items if is_finding(item, observations))
        category = exam_category(categories)
        kinds = [study_kind(item.observation.code, terminology) for item in items]
        contexts = [kind.context for kind in kinds if kind.context != StudyContext.UNKNOWN]
        modalities = [kind.modality for kind in kinds if kind.modality]
        statuses = {_STATUS.get(item.observation.status or "", "preliminary") for item in items}
        yield Exam(
            id=items[0].resource.reference,
            date=when,
            days=written_days(when),
            status="preliminary" if "preliminary" in statuses else min(statuses),
            study_context=contexts[0] if contexts else StudyContext.UNKNOWN,
            workup_done=WorkupDone.UNKNOWN,
            modality=modalities[0] if modalities else Modality.MAMMOGRAPHY,
            laterality=Laterality.UNKNOWN,
            density=next((item.said.density for item in items if item.said.density), None),
            category=category,
            recommendation_stated=(),
            findings=findings,
            abstained=_category_not_understood(items, findings, category),
        )


def withdrawn_exams(entries: Entries) -> Iterable[Exam]:
    """Observations that were entered in error or cancelled: named, never read as findings."""
    for resource in entries.of("Observation"):
        view = resource.view
        if isinstance(view, Observation) and view.status in GONE_STATUS:
            yield Exam(
                id=resource.reference,
                date=observation_date(view),
                days=written_days(observation_date(view)),
                status=view.status,
                study_context=StudyContext.UNKNOWN,
                workup_done=WorkupDone.UNKNOWN,
                modality=Modality.OTHER,
                laterality=Laterality.UNKNOWN,
                density=None,
                category=ExamCategory(),
                recommendation_stated=(),
                findings=(),
            )


def _composed(entries: Entries) -> dict[str, set[str]]:
    """Return for each report what the Composition that holds it lists beside it."""
    composed: dict[str, set[str]] = {}
    for resource in entries.of("Composition"):
        view = resource.view
        if isinstance(view, Composition):
            targets = [entries.resolve(entry, resource.reference) for entry in _section_entries(view.section)]
            listed = {target.reference for target in targets if target}
            for target in targets:
                if target and target.name == "DiagnosticReport":
                    composed.setdefault(target.reference, set()).update(listed)
    return composed


def _section_entries(sections: Iterable[Section] | None) -> Iterable[str | None]:
    for section in sections or ():
        yield from (entry.reference for entry in section.entry or ())
        yield from _section_entries(section.section)


def _with_members(references: Iterable[str], observations: Mapping[str, ReadObservation]) -> list[ReadObservation]:
    """Return the Observations named, and their members, down to the last."""
    found: dict[str, ReadObservation] = {}
    waiting = sorted(references)
    while waiting:
        reference = waiting.pop()
        item = observations.get(reference)
        if item is not None and reference not in found:
            found[reference] = item
            waiting.extend(item.members)
    return [found[reference] for reference in sorted(found)]


def _named(entries: Entries, composed: Mapping[str, set[str]]) -> set[str]:
    """Return what any report, or a Composition that holds one, names as its own."""
    named = {
        target.reference
        for resource in entries.of("DiagnosticReport")
        if isinstance(resource.view, DiagnosticReport)
        for target in _results(resource, resource.view, entries)
    }
    return named.union(*composed.values())


def _results(resource: Resource, report: DiagnosticReport, entries: Entries) -> Iterable[Resource]:
    for result in report.result or ():
        if target := entries.resolve(result.reference, resource.reference):
            yield target


def _texts(report: DiagnosticReport, items: Iterable[ReadObservation]) -> Iterable[str]:
    """Yield the short texts of a report: its conclusion, and findings or impression sent as Observations."""
    plain = (text for _, text in report_texts(report))
    return filter(None, (*plain, *(item.observation.valueString for item in items)))


def _has_text(report: DiagnosticReport, items: Iterable[ReadObservation]) -> bool:
    return bool(any(_texts(report, items)) or report.presentedForm or (report.text and report.text.div))
