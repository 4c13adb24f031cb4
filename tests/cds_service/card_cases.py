"""Cards for the vignettes: each case as the finding of an exam, through the real answers, texts and draft orders."""

from __future__ import annotations

from datetime import date
from typing import Any

from cds_service.cards.answers import answer_breasts, decide_finding
from cds_service.cards.card_context import CardContext
from cds_service.cards.cards import cards_for
from fhir_models.cases import FindingCase
from fhir_models.chart.records import Chart
from fhir_models.days import Days
from fhir_models.orders import OrderTemplates
from fhir_models.reading import Evidence, Exam, ExamCategory, ReadFinding, Reading, ReadPatient
from fhir_models.terminology import load_terminology
from rules.engine import load_ruleset
from rules.vocabulary import Case, Presence

TODAY = date(2026, 3, 1)
RULESET = load_ruleset()
TERMINOLOGY = load_terminology()
ORDERS = OrderTemplates(TERMINOLOGY)
CONTEXT = CardContext(patient_id="ada", today=TODAY)
EXAM_DAY = Days(date(2026, 2, 25), date(2026, 2, 25))
CHART = Chart(reading=Reading(patient=ReadPatient(), exams=()))
"""Nothing around the findings: no order, no other exam, no history."""


def finding_case(case: Case, words: str = "as described", resource: str = "Observation/f1") -> FindingCase:
    """Return the case as if it had been read from a resource that says `words`."""
    evidence = (Evidence(resource, "prefetch.observations.entry[0].resource.code", words),)
    finding = ReadFinding(laterality=case.laterality, evidence=evidence) if case.presence != Presence.ABSENT else None
    exam = Exam(
        id="DiagnosticReport/r1",
        date="2026-02-25T09:00:00+01:00",
        days=EXAM_DAY,
        status=case.report_status,
        study_context=case.study_context,
        workup_done=case.workup_done,
        modality=case.modality,
        laterality=case.laterality,
        density=None,
        category=ExamCategory(),
        recommendation_stated=(),
        findings=(finding,) if finding else (),
    )
    return FindingCase(case, case.laterality, exam, finding, (), t0=EXAM_DAY)


def cards_of(*cases: FindingCase, context: CardContext = CONTEXT) -> list[dict[str, Any]]:
    """Return the cards that the findings of one exam give."""
    decided = (decide_finding(case, CHART, RULESET, context.today) for case in cases)
    return cards_for(answer_breasts([item for item in decided if item]), context, RULESET, ORDERS)
