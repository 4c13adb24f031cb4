"""Tissue: what pathology reports say of which breast, and new cancers of the problem list (chart logic 0.6 and 5.3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec

from fhir_models.chart.pathology.codes import is_unknown, quoted_code, words_of
from fhir_models.chart.pathology.concordance import with_written_concordance
from fhir_models.chart.pathology.layout import named_side
from fhir_models.chart.pathology.reports import (
    NOTHING_SAMPLED,
    PathologyReport,
    Sampled,
    is_breast_code,
    pathology_reports,
)
from fhir_models.chart.pathology.specimens import is_excision
from fhir_models.chart.pathology.statements import Share, breasts, order_code, order_place, shares, statements_of
from fhir_models.chart.pathology.table import TABLE, pattern
from fhir_models.chart.pathology.texts import Allowance, unread_texts
from fhir_models.chart.pathology.words import LONGEST_QUOTE, concluded, joined, takes_cancer_back
from fhir_models.chart.records import Concordance, TissueClass, TissueResult
from fhir_models.days import Days, first_written_days
from fhir_models.entries import Entries, Resource
from fhir_models.reading import AFTER_TODAY, Evidence, Unread
from fhir_models.report_header import unreceived_results
from fhir_models.sides import Place, agreed_side, condition_side, site_place
from fhir_models.terminology import ContextConcept, Terminology
from fhir_models.views import CodeableConcept, Condition, DiagnosticReport
from rules.vocabulary import Laterality

_CALCIFIED, _MASS = pattern("|".join(TABLE.terms["calcification"])), pattern(TABLE.reports.mass)
_ASIDE, _SKIN, _SAMPLED = pattern(TABLE.reports.aside), pattern(TABLE.reports.skin), pattern(TABLE.reports.sampled)
CODE_NOT_UNDERSTOOD = "conclusion code not understood"


def read_tissue(
    entries: Entries, terminology: Terminology, today: date, sampled: Sampled = NOTHING_SAMPLED
) -> tuple[TissueResult, ...]:
    """Return what pathology says, one result a report and breast, in a fixed order.

    What could not be read is added to `entries.unread`. Two reports on one specimen are two results: the caller takes the
    worse. A result without side, or without day, is returned as such.
    """
    found: list[TissueResult] = []
    links: list[frozenset[str]] = []
    allowance = Allowance()
    for report in pathology_reports(entries, terminology, sampled, allowance):
        for result in _results(report, entries, terminology, today):
            found.append(result)
            links.append(report.based_on)
    joined_results = with_written_concordance(found, links, entries, terminology, allowance)
    return tuple(sorted(joined_results, key=_order))


def new_cancers(entries: Entries, terminology: Terminology, today: date) -> tuple[TissueResult, ...]:
    """Return the active cancers and carcinomas in situ of the problem list that have a side and a day, as MALIGNANT.

    Whether one is new, and of this finding, is for the caller. Histories, LCIS, and what is refuted, unconfirmed, a
    differential diagnosis or ended are none.
    """
    found: list[TissueResult] = []
    for resource in entries.of("Condition"):
        view = resource.view
        if isinstance(view, Condition) and "#" not in resource.reference and _is_active_cancer(view, terminology):
            result = _cancer(resource, view, terminology)
            if result.laterality == Laterality.UNKNOWN or result.days is None:
                continue
            days = result.days.up_to(today)
            if days is None:
                entries.unread.append(Unread(resource.reference, resource.path, AFTER_TODAY))
            else:
                found.append(msgspec.structs.replace(result, days=days))
    return tuple(sorted(found, key=_order))


def _order(result: TissueResult) -> tuple[str, ...]:
    return result.resource, result.path, result.laterality, str(result.place)


def _results(
    report: PathologyReport, entries: Entries, terminology: Terminology, today: date
) -> Iterator[TissueResult]:
    statements = statements_of(report, entries, terminology)
    says = any(item.said.tissue or item.said.calcifications for item in statements)
    if isinstance(report.view, DiagnosticReport):
        entries.unread.extend(_not_understood(report, report.view, terminology))
        if not report.texts and not says:
            entries.unread.extend(unread_texts(report.resource, report.view))
            entries.unread.extend(unreceived_results(report.resource, report.view, entries, nameless=True))
    elif not says and not (report.is_pending and is_breast_code(report.view.code, terminology)):
        return
    worded = any(item.said.tissue for item in statements if item.source != "code")
    doubtful = report.cut or (not worded and _has_unknown_code(report, terminology))
    for share in shares(report, statements, terminology):
        days = _days(report, share.laterality)
        known = days.up_to(today) if days else None
        if days is not None and known is None:
            entries.unread.append(Unread(report.resource.reference, report.resource.path, AFTER_TODAY))
            continue
        pending = TissueResult(
            resource=report.resource.reference,
            path=report.resource.path,
            tissue=TissueClass.PENDING,
            laterality=share.laterality,
            place=_place(report, share, terminology),
            days=known,
            excision=_is_excision(report, share, terminology),
            evidence=_evidence(report, share),
        )
        if report.is_pending:
            yield pending
            continue
        result = _classed(pending, share, doubtful=doubtful)
        yield msgspec.structs.replace(result, aside=_is_aside(report, share, result.tissue))


def _classed(result: TissueResult, share: Share, *, doubtful: bool) -> TissueResult:
    """Return the result with its class; one of which a part was not read is never benign."""
    said = concluded(joined(item.said for item in share.statements))
    tissue = said.tissue or TissueClass.UNCLASSIFIED
    return msgspec.structs.replace(
        result,
        tissue=TissueClass.UNCLASSIFIED if doubtful and tissue == TissueClass.BENIGN else tissue,
        concordance=said.concordance or Concordance.NOT_STATED,
        no_cancer=said.no_cancer and not doubtful,
        quoted=said.quoted[:LONGEST_QUOTE],
    )


def _is_aside(report: PathologyReport, share: Share, tissue: TissueClass) -> bool:
    """Whether the tissue is of something else than what a mammogram shows: fluid of a cyst, a capsule, skin, a node.

    Benign tissue of a mass that says nothing of calcifications is no answer to them either.
    """
    sentences = (item.said.quoted for item in share.statements)
    words = " ".join((*words_of(report.view.code), *sentences, *(text for _, text in report.texts)))
    if _CALCIFIED.search(words):
        return False
    if tissue == TissueClass.BENIGN and _MASS.search(words):
        return True
    return not _SAMPLED.search(words) and bool((_SKIN if tissue == TissueClass.MALIGNANT else _ASIDE).search(words))


def _not_understood(report: PathologyReport, view: DiagnosticReport, terminology: Terminology) -> Iterator[Unread]:
    for index, code in enumerate(view.conclusionCode or ()):
        if is_unknown(code, terminology):
            path = f"{report.resource.path}.conclusionCode[{index}]"
            yield Unread(report.resource.reference, path, CODE_NOT_UNDERSTOOD)


def _has_unknown_code(report: PathologyReport, terminology: Terminology) -> bool:
    codes = report.view.conclusionCode if isinstance(report.view, DiagnosticReport) else None
    return any(is_unknown(code, terminology) for code in codes or ())


def _days(report: PathologyReport, side: Laterality) -> Days | None:
    """Return the days of collection of this breast's specimens, else those of the report, else its issue."""
    samples = [sample for sample in report.samples if side in breasts(sample.place.laterality)] or report.samples
    collected = [sample.days for sample in samples if sample.days]
    if collected:
        return Days(min(days.first for days in collected), max(days.last for days in collected))
    period = report.view.effectivePeriod
    return first_written_days(report.view.effectiveDateTime, period.start if period else None, report.view.issued)


def _place(report: PathologyReport, share: Share, terminology: Terminology) -> Place:
    """Return the place that specimens, else results, else orders name in this breast; none where they differ."""
    sources = (
        [sample.place for sample in report.samples],
        [item.place for item in share.statements],
        [order_place(order, terminology) for order in report.orders],
    )
    if share.conflict:
        return Place(side_conflict=True)
    for places in sources:
        fitting = {
            msgspec.structs.replace(place, laterality=share.laterality, side_conflict=False)
            for place in places
            if place.laterality in (share.laterality, Laterality.UNKNOWN)
        } - {Place(laterality=share.laterality)}
        if fitting:
            return fitting.pop() if len(fitting) == 1 else Place(laterality=share.laterality)
    return Place(laterality=share.laterality)


def _is_excision(report: PathologyReport, share: Share, terminology: Terminology) -> bool:
    """Whether the specimen of this breast, or one of no stated side, comes of a surgical excision."""
    own = breasts(share.laterality)
    samples = [sample for sample in report.samples if not own or own & breasts(sample.place.laterality)]
    ordered = (item.normal for order in report.orders for item in terminology.context(order_code(order), "act"))
    return (
        any(sample.excision for sample in samples or report.samples)
        or any(item.excision for item in share.statements)
        or is_excision(report.view.code)
        or any(act in TABLE.excision.acts for act in ordered)
    )


def _evidence(report: PathologyReport, share: Share) -> tuple[Evidence, ...]:
    """Return where the statements stand; a report that states nothing is named by its status."""
    found = {item.evidence for item in share.statements if item.evidence.text}
    if not found:
        found = {Evidence(report.resource.reference, f"{report.resource.path}.status", report.view.status or "")}
    return tuple(sorted(found, key=lambda item: (item.resource, item.path, item.text)))


def _is_active_cancer(condition: Condition, terminology: Terminology) -> bool:
    verified, status = _status_words(condition.verificationStatus), _status_words(condition.clinicalStatus)
    abated = condition.abatementDateTime or condition.abatementPeriod or condition.abatementString
    if (
        verified & TABLE.new_cancer.not_this
        or status & TABLE.new_cancer.ended
        or abated
        or condition.abatementAge is not None
        or condition.onsetAge is not None
        or condition.onsetString
        or _is_of_an_encounter(condition)
    ):
        return False
    named = bool(_cancer_concepts(condition, terminology))
    return named and not any(map(takes_cancer_back, words_of(condition.code)))


def _is_of_an_encounter(condition: Condition) -> bool:
    codes = {coding.code for item in condition.category or () for coding in item.coding or ()}
    return bool(codes) and codes <= TABLE.new_cancer.not_alone


def _status_words(concept: CodeableConcept | None) -> set[str]:
    codes = [coding.code for coding in (concept.coding if concept else None) or ()]
    return {word.strip().lower() for word in (*codes, concept.text if concept else None) if word}


def _cancer_concepts(condition: Condition, terminology: Terminology) -> list[ContextConcept]:
    found = terminology.context(condition.code, "condition")
    return [item for item in found if item.normal in TABLE.new_cancer.kinds]


def _cancer(resource: Resource, condition: Condition, terminology: Terminology) -> TissueResult:
    concepts = _cancer_concepts(condition, terminology)
    sites = [site_place(site, terminology) for site in condition.bodySite or ()]
    coded = [Laterality(item.laterality) for item in concepts if item.laterality]
    worded = [named_side(word)[0] for word in words_of(condition.code)]
    laterality, conflict = agreed_side((*coded, condition_side(condition.bodySite or (), terminology), *worded))
    if any(site.side_conflict for site in sites):
        laterality, conflict = Laterality.UNKNOWN, True
    quadrants = {item.quadrant for item in (*concepts, *sites) if item.quadrant}
    quoted = quoted_code(condition.code, terminology)[:LONGEST_QUOTE]
    onset = condition.onsetPeriod.start if condition.onsetPeriod else None
    return TissueResult(
        resource=resource.reference,
        path=resource.path,
        tissue=TissueClass.MALIGNANT,
        laterality=laterality,
        place=Place(
            laterality=laterality,
            side_conflict=conflict,
            quadrant=quadrants.pop() if len(quadrants) == 1 else None,
        ),
        days=first_written_days(condition.onsetDateTime, onset, condition.recordedDate),
        quoted=quoted,
        evidence=(Evidence(resource.reference, f"{resource.path}.code", quoted),),
    )
