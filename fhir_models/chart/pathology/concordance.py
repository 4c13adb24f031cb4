"""Concordance that was written elsewhere: in the report of the biopsy itself, or an Observation of its own.

A statement belongs to a result that carries out the same order, else to the one result of its breast within weeks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

import msgspec

from fhir_models.chart.pathology.codes import said_by_observation, texts_of_observation, words_of
from fhir_models.chart.pathology.layout import named_side, sentences
from fhir_models.chart.pathology.reports import may_be_pathology, references
from fhir_models.chart.pathology.statements import breasts
from fhir_models.chart.pathology.table import TABLE, pattern
from fhir_models.chart.pathology.texts import LONGEST_TEXT, Allowance, report_texts
from fhir_models.chart.pathology.words import concordance_in, names_concordance, quote
from fhir_models.chart.records import Concordance, TissueClass, TissueResult
from fhir_models.days import Days, first_written_days
from fhir_models.entries import Entries, Resource
from fhir_models.reading import Evidence
from fhir_models.report_texts import report_texts as texts_of
from fhir_models.sides import place_of
from fhir_models.study import study_kind
from fhir_models.terminology import Terminology
from fhir_models.views import DiagnosticReport, Observation
from rules.vocabulary import Laterality

_BIOPSY = pattern(TABLE.reports.biopsy)


class Written(msgspec.Struct, frozen=True):
    """A sentence on concordance, with the breast, the day and the orders of the resource that has it.

    `of_biopsy`: it stands in the report of the biopsy itself.
    """

    concordance: Concordance
    laterality: Laterality
    days: Days | None
    based_on: frozenset[str]
    evidence: Evidence
    of_biopsy: bool = False


def with_written_concordance(
    results: Sequence[TissueResult],
    based_on: Sequence[frozenset[str]],
    entries: Entries,
    terminology: Terminology,
    allowance: Allowance,
) -> Iterator[TissueResult]:
    """Yield the results with what other resources say of their concordance. A malignant one stays malignant.

    `based_on` are the orders of each result. A concordance that may be of two results is of neither, a discordance of both.
    """
    used = {item.resource for result in results for item in result.evidence} | {result.resource for result in results}
    written = tuple(_written(entries, terminology, used, allowance)) if results else ()
    starts = _starts(results)
    fitting = [
        [item for item in written if _fits(item, result, orders) and not _is_of_earlier(item, result, starts)]
        for result, orders in zip(results, based_on, strict=True)
    ]
    for result, items in zip(results, fitting, strict=True):
        yield _joined(result, [item for item in items if _counts(item, fitting)])


def _counts(item: Written, fitting: Iterable[Sequence[Written]]) -> bool:
    return item.concordance == Concordance.DISCORDANT or sum(item in items for items in fitting) == 1


def _fits(item: Written, result: TissueResult, orders: frozenset[str]) -> bool:
    named, own = breasts(item.laterality), breasts(result.laterality)
    if result.tissue == TissueClass.PENDING or (named and own and not named & own):
        return False
    if item.based_on & orders:
        return True
    if not named or not own or item.days is None or result.days is None:
        return False
    latest = result.days.plus_days(TABLE.reports.concordance_days)
    # An addendum has the day of its biopsy, which is before that of the pathology.
    began = item.days.plus_days(TABLE.reports.follows_days) if item.of_biopsy else item.days
    return result.days.first <= began.last and item.days.last <= latest.last


def _starts(results: Sequence[TissueResult]) -> dict[Laterality, list[date]]:
    """Return the first days of the results of each breast, in order."""
    return {
        side: sorted(result.days.first for result in results if result.days and side in breasts(result.laterality))
        for side in (Laterality.LEFT, Laterality.RIGHT)
    }


def _is_of_earlier(item: Written, result: TissueResult, starts: Mapping[Laterality, Sequence[date]]) -> bool:
    """Whether a biopsy was answered by another result before this one: the tissue of a repeated biopsy is not of it."""
    if not item.of_biopsy or item.days is None or result.days is None:
        return False
    since = ((starts[side], bisect_left(starts[side], item.days.first)) for side in breasts(item.laterality))
    return any(at < len(days) and days[at] < result.days.first for days, at in since)


def _joined(result: TissueResult, items: Sequence[Written]) -> TissueResult:
    if not items:
        return result
    said = {item.concordance for item in items} | {result.concordance}
    evidence = {item.evidence for item in items} | set(result.evidence)
    discordant = Concordance.DISCORDANT in said
    tissue = TissueClass.DISCORDANT if discordant and result.tissue != TissueClass.MALIGNANT else result.tissue
    quoted = next((item.evidence.text for item in items if item.concordance == Concordance.DISCORDANT), result.quoted)
    return msgspec.structs.replace(
        result,
        tissue=tissue,
        concordance=Concordance.DISCORDANT if discordant else Concordance.CONCORDANT,
        quoted=quoted if tissue != result.tissue else result.quoted,
        evidence=tuple(sorted(evidence, key=lambda item: (item.resource, item.path, item.text))),
    )


def _written(entries: Entries, terminology: Terminology, used: set[str], allowance: Allowance) -> Iterator[Written]:
    for resource in entries.of("DiagnosticReport"):
        view = resource.view
        if isinstance(view, DiagnosticReport) and view.status in TABLE.reports.final and resource.reference not in used:
            yield from _of_report(resource, view, entries, terminology, allowance)
    for resource in entries.of("Observation"):
        view = resource.view
        if isinstance(view, Observation) and view.status in TABLE.reports.final and resource.reference not in used:
            yield from _of_observation(resource, view, entries, terminology)


def _of_report(
    resource: Resource, view: DiagnosticReport, entries: Entries, terminology: Terminology, allowance: Allowance
) -> Iterator[Written]:
    """Yield what the report of a biopsy, or an addendum that speaks of one, says of its concordance."""
    titles = words_of(view.code)
    acts = {item.normal for item in terminology.context(view.code, "act")}
    of_biopsy = "biopsy" in acts or any(map(_BIOPSY.search, titles))
    if not (of_biopsy or any(_BIOPSY.search(text) for _, text in texts_of(view))) or may_be_pathology(
        view, terminology
    ):
        return
    texts, _ = report_texts(resource, view, entries, allowance)
    coded = study_kind(view.code, terminology).laterality
    titled = next((side for side in (coded, *(named_side(title)[0] for title in titles)) if breasts(side)), None)
    period = view.effectivePeriod
    days = first_written_days(view.effectiveDateTime, period.start if period else None, view.issued)
    orders = references(view.basedOn, resource.reference, entries)
    for element, text in texts:
        parts = sentences(text)
        sides = {part.side for part in parts if part.side != Laterality.UNKNOWN}
        only = sides.pop() if len(sides) == 1 else Laterality.UNKNOWN
        for part in parts:
            if part.section == "result" and not part.mixed and (concordance := concordance_in(part.text)):
                side = part.side if part.side != Laterality.UNKNOWN else titled or only
                evidence = Evidence(resource.reference, f"{resource.path}.{element}", quote(part.text, 0))
                yield Written(concordance, side, days, orders, evidence, of_biopsy)


def _of_observation(
    resource: Resource, view: Observation, entries: Entries, terminology: Terminology
) -> Iterator[Written]:
    """Yield what an Observation that is no pathology result says of concordance."""
    values = (view, *(view.component or ()))
    words = [word for value in values for word in (value.valueString, *words_of(value.valueCodeableConcept)) if word]
    coded = any(terminology.context(value.valueCodeableConcept, "tissue") for value in values)
    if not coded and not any(names_concordance(word) for word in (*words, *words_of(view.code))):
        return
    place = place_of(view, resource.reference, entries, terminology)
    orders = references(view.basedOn, resource.reference, entries)
    period = view.effectivePeriod
    days = first_written_days(view.effectiveDateTime, period.start if period else None, view.issued)
    found = [
        (element, said.concordance, said.concordance_quoted)
        for element, said in said_by_observation(view, terminology)
        if said.concordance
    ]
    found += [
        (element, concordance, quote(part.text, 0))
        for element, text in texts_of_observation(view)
        for part in sentences(text[:LONGEST_TEXT])
        if (concordance := concordance_in(part.text))
    ]
    for element, concordance, quoted in found:
        yield Written(
            concordance,
            place.laterality,
            days,
            orders,
            Evidence(resource.reference, f"{resource.path}.{element}", quoted),
        )
