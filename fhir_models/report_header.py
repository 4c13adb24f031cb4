"""What a report says of itself: its day, whether it is screening or diagnostic, and what tells versions of one exam."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files

from fhir_models.days import exam_date
from fhir_models.entries import Entries, Resource
from fhir_models.reading import Unread
from fhir_models.study import StudyKind, study_kind
from fhir_models.terminology import Terminology
from fhir_models.views import CodeableConcept, DiagnosticReport, ImagingStudy, Observation, ServiceRequest, has_words
from rules.vocabulary import StudyContext

_ADDENDUM = re.compile(
    tomllib.loads(files("fhir_models").joinpath("codes/study_words.toml").read_text(encoding="utf-8"))["addendum"],
    re.IGNORECASE,
)


RESULT_NOT_RECEIVED = "names a result that was not received"


def unreceived_results(
    resource: Resource, report: DiagnosticReport, entries: Entries, *, nameless: bool = False
) -> Iterator[Unread]:
    """Yield the results that a report names and that did not come; `nameless`: also those that it names in words only."""
    for index, result in enumerate(report.result or ()):
        if (result.reference or nameless) and entries.resolve(result.reference, resource.reference) is None:
            yield Unread(resource.reference, f"{resource.path}.result[{index}]", RESULT_NOT_RECEIVED)


def report_date(resource: Resource, entries: Entries) -> str | None:
    """Return the day of an exam as written: effective, of its Observations, start of its study, issue (chart logic 3.2)."""
    report = resource.view
    if not isinstance(report, DiagnosticReport):
        return None
    start = report.effectivePeriod.start if report.effectivePeriod else None
    if stated := exam_date(report.effectiveDateTime, start):
        return stated
    results = (entries.resolve(result.reference, resource.reference) for result in report.result or ())
    views = [result.view for result in results if result is not None]
    observed = sorted(filter(None, (_effective(view) for view in views if isinstance(view, Observation))))
    studies = (
        entries.resolve(study.reference, resource.reference)
        for study in (*(report.imagingStudy or ()), *(report.study or ()))
    )
    started = sorted(
        study.view.started for study in studies if study and isinstance(study.view, ImagingStudy) and study.view.started
    )
    return exam_date(*observed[:1], *started[:1], report.issued)


def _effective(observation: Observation) -> str | None:
    start = observation.effectivePeriod.start if observation.effectivePeriod else None
    return exam_date(observation.effectiveDateTime, start)


def observation_date(observation: Observation) -> str | None:
    return exam_date(_effective(observation), observation.issued)


def study_context(
    kind: StudyKind, resource: Resource, report: DiagnosticReport, entries: Entries, terminology: Terminology
) -> StudyContext:
    """Return screening or diagnostic by the report's code or title, else by the reason of its order (chart logic 2)."""
    if kind.context != StudyContext.UNKNOWN or not report.basedOn:
        return kind.context
    orders = (entries.resolve(order.reference, resource.reference) for order in report.basedOn)
    reasons = [
        reason
        for order in orders
        if order is not None and isinstance(order.view, ServiceRequest)
        for reason in (
            *(order.view.reasonCode or ()),
            *(item.concept for item in order.view.reason or () if item.concept),
        )
    ]
    contexts = {study_kind(reason, terminology).context for reason in reasons}
    if any(
        concept.normal == "screening"
        for reason in reasons
        for concept in terminology.context(reason, "reason_for_study")
    ):
        contexts.add(StudyContext.SCREENING)
    stated = contexts - {StudyContext.UNKNOWN}
    return stated.pop() if len(stated) == 1 else StudyContext.UNKNOWN


def is_addendum(report: DiagnosticReport, terminology: Terminology) -> bool:
    """Whether a report adds to another one: by status, by its code, or as its conclusion begins (chart logic 3.3)."""
    coded = any(concept.name == "addendum_section" for concept in terminology.context(report.code, "report"))
    return report.status == "appended" or coded or bool(report.conclusion and _ADDENDUM.match(report.conclusion))


def accessions(report: DiagnosticReport, terminology: Terminology) -> tuple[str, ...]:
    """Return the accession numbers; an identifier without type counts as one."""
    numbers = (
        f"{identifier.system or ''}|{identifier.value}"
        for identifier in report.identifier or ()
        if identifier.value and (not has_words(identifier.type) or terminology.context(identifier.type, "identifier"))
    )
    return tuple(sorted(set(numbers)))


def orders_of(resource: Resource, report: DiagnosticReport, entries: Entries) -> tuple[str, ...]:
    """Return the references of the orders that a report carries out, resolved where the order came."""
    stated = [order.reference for order in report.basedOn or () if order.reference]
    targets = ((reference, entries.resolve(reference, resource.reference)) for reference in stated)
    return tuple(sorted({target.reference if target else reference for reference, target in targets}))


def study_code(code: CodeableConcept | None) -> str | None:
    codings = sorted(
        {f"{coding.system or ''}|{coding.code}" for coding in (code.coding if code else None) or () if coding.code}
    )
    return codings[0] if codings else None
