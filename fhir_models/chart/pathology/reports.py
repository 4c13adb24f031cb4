"""Which reports are pathology of the breast, and what belongs to one: specimens, results, orders, texts (logic 5.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from fhir_models.chart.pathology.codes import site_names_breast, texts_of_observation, words_of
from fhir_models.chart.pathology.layout import is_past, names_breast, names_other_organ, sentences
from fhir_models.chart.pathology.specimens import Sample, read_sample
from fhir_models.chart.pathology.table import TABLE, pattern
from fhir_models.chart.pathology.texts import LONGEST_TEXT, TOO_LONG, Allowance, report_texts
from fhir_models.days import Days, first_written_days
from fhir_models.entries import Entries, Resource, type_and_id
from fhir_models.reading import Unread
from fhir_models.study import study_kind
from fhir_models.terminology import Terminology
from fhir_models.views import (
    CodeableConcept,
    Coding,
    DiagnosticReport,
    Observation,
    Reference,
    ServiceRequest,
    Specimen,
)
from rules.vocabulary import Modality

_BIOPSY, _TITLE = pattern(TABLE.reports.biopsy), pattern(TABLE.reports.title)


class PathologyReport(msgspec.Struct, frozen=True):
    """A pathology report with what it names, or an Observation that stands for one.

    `texts` are its conclusion and plain text forms with their elements; `orders` the ServiceRequests that it carries out;
    `based_on` their references, received or not. `cut`: a part of its text was too long to be read.
    """

    resource: Resource
    view: DiagnosticReport | Observation
    texts: tuple[tuple[str, str], ...]
    observations: tuple[tuple[Resource, Observation], ...]
    samples: tuple[Sample, ...]
    orders: tuple[ServiceRequest, ...]
    based_on: frozenset[str]
    cut: bool = False

    @property
    def is_pending(self) -> bool:
        """Whether the report is not final, whatever it states."""
        return self.view.status not in TABLE.reports.final


class Sampled(msgspec.Struct, frozen=True):
    """Biopsies and operations of the breasts: references of their orders and procedures, and the days of the latter."""

    references: frozenset[str] = frozenset()
    days: tuple[Days, ...] = ()


NOTHING_SAMPLED = Sampled()


def pathology_reports(
    entries: Entries, terminology: Terminology, sampled: Sampled, allowance: Allowance
) -> Iterator[PathologyReport]:
    """Yield the pathology reports of the breast, newest first, without those that a corrected one replaces.

    A report that names no organ is of the breast where it carries out the order of a breast biopsy, or follows one.
    """
    linked: set[str] = set()
    reports: list[PathologyReport] = []
    for resource in sorted(entries.of("DiagnosticReport"), key=_written_day, reverse=True):
        view = resource.view
        if isinstance(view, DiagnosticReport) and may_be_pathology(view, terminology):
            report = _gathered(resource, view, entries, terminology, allowance)
            of_breast = _is_of_breast(report, terminology) or _follows(report, sampled)
            if view.status not in TABLE.reports.gone and of_breast:
                reports.append(report)
            linked.update(item.reference for item, _ in report.observations)
    yield from _without_replaced(reports)
    for resource in entries.of("Observation"):
        view = resource.view
        if resource.reference not in linked and isinstance(view, Observation) and _is_coded(view.code, terminology):
            report = _standing_alone(resource, view, entries, terminology, allowance)
            if view.status not in TABLE.reports.gone and _is_of_breast(report, terminology):
                yield report


def _written_day(resource: Resource) -> tuple[str, str]:
    view = resource.view
    stated = (view.effectiveDateTime or view.issued or "") if isinstance(view, DiagnosticReport) else ""
    return stated[:10], resource.reference


def may_be_pathology(report: DiagnosticReport, terminology: Terminology) -> bool:
    """Whether code or category make a report one of pathology; a known imaging study never is."""
    codings = report.code.coding if report.code else None
    plain = CodeableConcept(coding=tuple(Coding(coding.system, coding.code) for coding in codings or ()))
    if study_kind(plain, terminology).modality is not None:
        return False
    if _is_coded(report.code, terminology):
        return True
    categories = {item.normal for part in report.category or () for item in terminology.context(part, "category")}
    title = " ".join(words_of(report.code))
    if "pathology" not in categories:
        return "radiology" not in categories and _TITLE.search(title) is not None
    return bool(_BIOPSY.search(title)) or study_kind(report.code, terminology).modality != Modality.MAMMOGRAPHY


def references(named: Iterable[Reference] | None, within: str, entries: Entries) -> frozenset[str]:
    """Return the references of what is named, as they are known here, or plain where it was not received."""
    found: set[str] = set()
    for item in named or ():
        target = entries.resolve(item.reference, within)
        if target is not None:
            found.add(target.reference)
        elif item.reference and not item.reference.startswith("#"):
            found.add(type_and_id(item.reference))
    return frozenset(found)


def _is_coded(code: CodeableConcept | None, terminology: Terminology) -> bool:
    return bool(terminology.context(code, "pathology_code"))


def is_breast_code(code: CodeableConcept | None, terminology: Terminology) -> bool:
    """Whether the report code is of the breast by itself."""
    codings = (code.coding if code else None) or ()
    return any(
        coding.code in TABLE.reports.breast_codes and _is_coded(CodeableConcept(coding=(coding,)), terminology)
        for coding in codings
    )


def _is_of_breast(report: PathologyReport, terminology: Terminology) -> bool:
    """Whether the breast is named: by the report code, else by specimen, title, result or text."""
    code = report.view.code
    if is_breast_code(code, terminology) or any(map(names_breast, words_of(code))):
        return True
    if any(sample.breast for sample in report.samples):
        return True
    if any(sample.elsewhere for sample in report.samples):
        return False
    sites = [view.bodySite for _, view in report.observations]
    sites += [site for order in report.orders for site in order.bodySite or ()]
    if any(site_names_breast(site, terminology) for site in sites):
        return True
    concluded = report.view.conclusionCode if isinstance(report.view, DiagnosticReport) else None
    texts = [text for _, text in report.texts]
    texts += [word for concept in concluded or () for word in words_of(concept)]
    texts += [view.valueString for _, view in report.observations if view.valueString]
    texts += [word for _, view in report.observations for word in words_of(view.code)]
    return any(
        names_breast(part.text) and not is_past(part.text) for text in texts for part in sentences(text[:LONGEST_TEXT])
    )


def _follows(report: PathologyReport, sampled: Sampled) -> bool:
    """Whether a report that names no organ can only be of a biopsy of the breast: its order, or its day, says so."""
    concluded = report.view.conclusionCode if isinstance(report.view, DiagnosticReport) else None
    words = [text for _, text in report.texts]
    words += [word for concept in (report.view.code, *(concluded or ())) for word in words_of(concept)]
    if any(sample.elsewhere for sample in report.samples) or any(map(names_other_organ, words)):
        return False
    if report.based_on & sampled.references:
        return True
    day = first_written_days(report.view.effectiveDateTime, report.view.issued)
    return day is not None and any(
        days.first <= day.last and day.first <= days.plus_days(TABLE.reports.follows_days).last for days in sampled.days
    )


def _gathered(
    resource: Resource, view: DiagnosticReport, entries: Entries, terminology: Terminology, allowance: Allowance
) -> PathologyReport:
    based_on = references(view.basedOn, resource.reference, entries)
    specimens = references(view.specimen, resource.reference, entries)
    observations = {**_named_results(resource, view, entries), **_shared(based_on, specimens, entries, terminology)}
    texts, cut = report_texts(resource, view, entries, allowance)
    observations, too_long = _readable(observations, entries, allowance)
    cut = cut or too_long
    return PathologyReport(
        resource=resource,
        view=view,
        texts=texts,
        observations=tuple(observations[reference] for reference in sorted(observations)),
        samples=tuple(_samples(specimens, resource, observations.values(), entries, terminology)),
        orders=tuple(_orders(based_on, entries)),
        based_on=based_on,
        cut=cut,
    )


def _standing_alone(
    resource: Resource, view: Observation, entries: Entries, terminology: Terminology, allowance: Allowance
) -> PathologyReport:
    based_on = references(view.basedOn, resource.reference, entries)
    members, cut = _readable(_members([(resource, view)], entries), entries, allowance)
    specimens = references([view.specimen] if view.specimen else (), resource.reference, entries)
    return PathologyReport(
        resource=resource,
        view=view,
        texts=(),
        observations=tuple(members[reference] for reference in sorted(members)),
        samples=tuple(_samples(specimens, resource, members.values(), entries, terminology)),
        orders=tuple(_orders(based_on, entries)),
        based_on=based_on,
        cut=cut,
    )


def _readable(
    observations: Mapping[str, tuple[Resource, Observation]], entries: Entries, allowance: Allowance
) -> tuple[dict[str, tuple[Resource, Observation]], bool]:
    """Return results with as much of their texts as may be read, and whether one was too long; what is cut is reported."""
    kept = dict(observations)
    for reference, (resource, view) in observations.items():
        taken = {element: allowance.take(text) for element, text in texts_of_observation(view)}
        cut = [element for element, text in texts_of_observation(view) if len(taken[element]) < len(text)]
        entries.unread.extend(Unread(resource.reference, f"{resource.path}.{element}", TOO_LONG) for element in cut)
        if cut:
            value = (view.valueString or "")[: len(taken.get("valueString", ""))]
            parts = tuple(msgspec.structs.replace(part, valueString=None) for part in view.component or ())
            kept[reference] = resource, msgspec.structs.replace(view, valueString=value, component=parts, note=None)
    return kept, any(kept[reference] is not observations[reference] for reference in kept)


def _named_results(
    resource: Resource, view: DiagnosticReport, entries: Entries
) -> dict[str, tuple[Resource, Observation]]:
    named = (entries.resolve(result.reference, resource.reference) for result in view.result or ())
    return _members([(item, item.view) for item in named if item and isinstance(item.view, Observation)], entries)


def _members(waiting: list[tuple[Resource, Observation]], entries: Entries) -> dict[str, tuple[Resource, Observation]]:
    """Return Observations and their members, down to the last, without those that were withdrawn."""
    found: dict[str, tuple[Resource, Observation]] = {}
    while waiting:
        resource, view = waiting.pop()
        if resource.reference in found or view.status in TABLE.reports.gone:
            continue
        found[resource.reference] = resource, view
        members = (entries.resolve(member.reference, resource.reference) for member in view.hasMember or ())
        waiting += [(item, item.view) for item in members if item and isinstance(item.view, Observation)]
    return found


def _shared(
    based_on: frozenset[str], specimens: frozenset[str], entries: Entries, terminology: Terminology
) -> dict[str, tuple[Resource, Observation]]:
    """Return the pathology Observations that carry out the same order, or are of the same specimen."""
    if not based_on and not specimens:
        return {}
    found: list[tuple[Resource, Observation]] = []
    for resource in entries.of("Observation"):
        view = resource.view
        if isinstance(view, Observation) and _is_coded(view.code, terminology):
            sampled = [view.specimen] if view.specimen else ()
            same_order = based_on & references(view.basedOn, resource.reference, entries)
            if same_order or specimens & references(sampled, resource.reference, entries):
                found.append((resource, view))
    return _members(found, entries)


def _samples(
    specimens: frozenset[str],
    resource: Resource,
    observations: Iterable[tuple[Resource, Observation]],
    entries: Entries,
    terminology: Terminology,
) -> Iterator[Sample]:
    """Yield the specimens that a report or its results name; one that was entered in error is none."""
    named = set(specimens)
    for item, view in observations:
        named |= references([view.specimen] if view.specimen else (), item.reference, entries)
    for reference in sorted(named):
        target = entries.resolve(reference, resource.reference)
        if target is not None and isinstance(target.view, Specimen) and target.view.status not in TABLE.reports.gone:
            yield read_sample(target.reference, target.view, terminology)


def _orders(based_on: frozenset[str], entries: Entries) -> Iterator[ServiceRequest]:
    for reference in sorted(based_on):
        target = entries.resources.get(reference)
        if (
            target is not None
            and isinstance(target.view, ServiceRequest)
            and target.view.status not in TABLE.reports.gone
        ):
            yield target.view


def _without_replaced(reports: list[PathologyReport]) -> Iterator[PathologyReport]:
    """Leave out what a corrected or amended report with the same identifier, issued later, replaces."""
    corrected = [report for report in reports if report.view.status in TABLE.reports.replaces]
    names = {report.resource.reference: _identifiers(report.view) for report in reports}
    for report in reports:
        mine, issued = names[report.resource.reference], _instant(report.view.issued)
        if not any(
            other is not report
            and mine & names[other.resource.reference]
            and issued is not None
            and (later := _instant(other.view.issued)) is not None
            and later > issued
            for other in corrected
        ):
            yield report


def _identifiers(view: DiagnosticReport | Observation) -> frozenset[tuple[str, str]]:
    """Return the identifiers of a report; an accession is shared by the reports of one specimen, and is none."""
    identifiers = view.identifier if isinstance(view, DiagnosticReport) else None
    return frozenset(
        (item.system, item.value)
        for item in identifiers or ()
        if item.system
        and item.value
        and not any(
            coding.code in TABLE.reports.accession for coding in (item.type.coding if item.type else None) or ()
        )
    )


def _instant(text: str | None) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return instant if instant is not None and instant.tzinfo else None
