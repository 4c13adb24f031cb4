"""Where a report states its categories: conclusion, conclusion codes, impressions, Observations of their own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from fhir_models.categories import Stated, category_side, coded_category, worded_categories
from fhir_models.category_text import asked_system, sides_not_understood
from fhir_models.days import exam_date, written_day
from fhir_models.entries import Entries, Resource
from fhir_models.findings import ReadObservation, side_of
from fhir_models.reading import Evidence, Unread
from fhir_models.report_texts import LONGEST_TEXT, report_texts
from fhir_models.study import side_in_words
from fhir_models.terminology import Terminology
from fhir_models.views import ClinicalImpression, DiagnosticReport
from rules.vocabulary import ScoringSystem

CONCLUSION_NOT_UNDERSTOOD = "conclusion code not understood"
SIDES_NOT_UNDERSTOOD = "categories of both breasts are stated, and were not understood"


def concluded_categories(resource: Resource, report: DiagnosticReport, terminology: Terminology) -> Iterable[Stated]:
    """Categories of a report's conclusion: its codes, and numbers under the scheme's name in its words."""
    for index, code in enumerate(report.conclusionCode or ()):
        evidence = Evidence(
            resource.reference, f"{resource.path}.conclusionCode[{index}]", terminology.meaning(code).quoted
        )
        yield from coded_category(code, category_side(side_in_words(evidence.text)), evidence, terminology)
    for element, text in report_texts(report):
        if len(text) <= LONGEST_TEXT:
            yield from worded_categories(text, Evidence(resource.reference, f"{resource.path}.{element}", text))


def breast_categories(resource: Resource, report: DiagnosticReport, terminology: Terminology) -> Iterable[Stated]:
    """Categories that only a breast report states: by code, or in words that name BI-RADS."""
    for stated in concluded_categories(resource, report, terminology):
        if stated.basis == "coded" or asked_system(stated.evidence.text) == ScoringSystem.BI_RADS:
            yield stated


def impression_categories(
    entries: Entries, linked: set[str], day: date | None, terminology: Terminology
) -> Iterable[Stated]:
    """Categories of the ClinicalImpressions that belong to an exam: linked with it, or of its day."""
    for impression in entries.of("ClinicalImpression"):
        view = impression.view
        if isinstance(view, ClinicalImpression) and view.status != "entered-in-error":
            same_day = written_day(exam_date(view.effectiveDateTime, view.date)) == day
            if impression.reference in linked or same_day:
                yield from _found_categories(impression, view, terminology)


def _found_categories(resource: Resource, view: ClinicalImpression, terminology: Terminology) -> Iterable[Stated]:
    for index, finding in enumerate(view.finding or ()):
        value = finding.itemCodeableConcept or (finding.item.concept if finding.item else None)
        if value is not None:
            evidence = Evidence(
                resource.reference, f"{resource.path}.finding[{index}]", terminology.meaning(value).quoted
            )
            yield from coded_category(value, "overall", evidence, terminology)


def observed_categories(items: Iterable[ReadObservation]) -> Iterable[Stated]:
    """Categories that stand on Observations which are not the finding itself: for their breast, else overall.

    An impression sent as an Observation is read like a report's conclusion.
    """
    for item in items:
        said, words = item.said, item.observation.valueString
        if said.category and said.category_evidence and not said.is_calcification:
            side, _ = side_of(item)
            yield Stated(
                said.category,
                said.category_system,
                said.category_basis or "coded",
                category_side(side),
                said.category_conflict,
                said.category_evidence,
            )
        elif (
            words and len(words) <= LONGEST_TEXT and not said.category and asked_system(words) == ScoringSystem.BI_RADS
        ):
            yield from worded_categories(
                words, Evidence(item.resource.reference, f"{item.resource.path}.valueString", words)
            )


def unread_conclusions(resource: Resource, report: DiagnosticReport, terminology: Terminology) -> Iterable[Unread]:
    """Yield the conclusion codes that no table knows, and text that gives both breasts a category and is not understood."""
    for index, code in enumerate(report.conclusionCode or ()):
        meaning = terminology.meaning(code)
        if not meaning.concepts and meaning.answer is None:
            yield Unread(resource.reference, f"{resource.path}.conclusionCode[{index}]", CONCLUSION_NOT_UNDERSTOOD)
    for element, text in report_texts(report):
        if len(text) > LONGEST_TEXT:
            yield Unread(resource.reference, f"{resource.path}.{element}", "too long to be read")
        elif sides_not_understood(text):
            yield Unread(resource.reference, f"{resource.path}.{element}", SIDES_NOT_UNDERSTOOD)
