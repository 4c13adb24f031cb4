"""A radiologist reads or signs a mammography report: does it agree with itself and with the chart?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from cds_service.cards.answers import Decided, answer_breasts, asks_with, decide_finding
from cds_service.cards.cards import unreadable_card
from cds_service.cards.report_card import report_card
from cds_service.cards.report_questions import questions_of
from cds_service.errors import refusing_too_much
from cds_service.hooks.hook_chart import HookChart, answer_with, card_context, may_hide_findings, read_hook_chart
from cds_service.hooks.prefetch import Delivery
from cds_service.hooks.prefetch_keys import PATIENT_CHART, PrefetchKey, queries
from cds_service.hooks.reviewed_report import REPORT_KEY, ReviewedReport, reviewed_report
from cds_service.hooks.service_call import Answer, CallContext, Offered
from cds_service.hooks.written_management import Written, written_management
from cds_service.protocol.hook_request import HookRequest, Service
from fhir_models.cases import FindingCase, cases_for
from fhir_models.chart.governing import is_readable
from fhir_models.chart.records import Chart
from fhir_models.days import certainly_before
from fhir_models.reading import Exam
from fhir_models.sides import ONE_BREAST
from rules.engine import Ruleset, decide
from rules.vocabulary import URGENCY, Laterality, Modality

HOOK = "org.fleck.diagnosticreport-review"

KEYS = (
    PrefetchKey(REPORT_KEY, "DiagnosticReport/{{context.reportId}}", (), failure="required"),
    *(msgspec.structs.replace(key, failure="named") if key.failure == "required" else key for key in PATIENT_CHART),
)
"""The report by itself is enough to find that it disagrees with itself; the chart adds earlier exams and history."""

SERVICE = Service(
    id="calcification-report-review",
    hook=HOOK,
    title="Breast calcifications: does the report agree with itself?",
    description=(
        "For the radiologist who reads or signs a mammography report: the described calcifications against the category, "
        "the category against the kind of exam and the coded recommendation, sides against each other. A preliminary "
        "report is read as it stands. A report that agrees with itself gives no card."
    ),
    usage_requirements=(
        "Needs the report, in context.results or as prefetch key report. Reads coded findings, and categories in codes or "
        "text. FHIR R4, R4B or R5. Decision support for radiologists: it reads reports, not images."
    ),
    prefetch=queries(KEYS),
)


def answer(request: HookRequest, delivery: Delivery, context: CallContext) -> Answer:
    """Say for each breast what in the report disagrees.

    Raises:
        RequestError: 412 the report was not obtained or is FHIR before R4, 413 more than can be read.
    """
    reviewed = reviewed_report(request, delivery, context.max_resources)
    read = read_hook_chart(request, reviewed.delivery, context, needed=(REPORT_KEY,))
    shown = card_context(read, context)
    knowledge = context.knowledge
    report = next(located for located in reviewed.delivery.resources if _is(located.resource, reviewed.name))
    written = written_management(report, reviewed.shown, request.patient_id, knowledge.terminology)
    decided = _decided(read.chart, reviewed, written, knowledge.ruleset, context.today)
    asked = answer_breasts([item for item in decided if questions_of(item)])
    cards: list[dict[str, Any]] = [report_card(one, reviewed.status, shown, knowledge.ruleset) for one in asked]
    if not cards and _hides_findings(read, reviewed):
        cards = [unreadable_card(shown, knowledge.ruleset)]
    return answer_with(cards, read)


def _is(resource: dict[str, Any], name: str) -> bool:
    return f"{resource.get('resourceType')}/{resource.get('id')}" == name


def _hides_findings(read: HookChart, reviewed: ReviewedReport) -> bool:
    """Whether a result of the report could not be read, or nothing of it: what disagrees may stand there."""
    exam = _exam_of(read.chart, reviewed)
    unknown = exam is None or not is_readable(exam)
    return any(
        fault.resource in reviewed.own
        and may_hide_findings(fault)
        and (unknown or fault.resource.startswith("Observation/"))
        for fault in read.unread
    )


def _exam_of(chart: Chart, reviewed: ReviewedReport) -> Exam | None:
    return next((exam for exam in chart.reading.exams if reviewed.name in (exam.id, *exam.versions)), None)


def _decided(
    chart: Chart, reviewed: ReviewedReport, written: Sequence[Written], ruleset: Ruleset, today: date
) -> list[Decided]:
    """Decide every finding of the report, against the exams before it: what came later does not change what it says."""
    exam = _exam_of(chart, reviewed)
    if exam is None or exam.modality != Modality.MAMMOGRAPHY:
        return []
    before = (
        other
        for other in chart.reading.exams
        if other.modality == Modality.MAMMOGRAPHY and certainly_before(other.days, exam.days)
    )
    reading = msgspec.structs.replace(chart.reading, exams=(exam, *before))
    chart = msgspec.structs.replace(chart, reading=reading)
    with refusing_too_much():
        cases = [
            case for case in cases_for(chart, today, ruleset.limits, asks_with(ruleset)) if case.exam.id == exam.id
        ]
    managed = _with_management(cases, written, ruleset)
    return [item for case in managed if (item := decide_finding(case, chart, ruleset, today)) is not None]


def _with_management(cases: Sequence[FindingCase], written: Sequence[Written], ruleset: Ruleset) -> list[FindingCase]:
    """Give the cases what the report recommends for them: without a side it belongs to the most urgent one."""
    urgency = [URGENCY[decide(case.case, ruleset).recommendation] for case in cases]
    first = urgency.index(max(urgency)) if urgency else None
    return [
        _managed(case, [item for item in written if _is_meant(item, case, leads=number == first)])
        for number, case in enumerate(cases)
    ]


def _is_meant(item: Written, case: FindingCase, *, leads: bool) -> bool:
    if item.laterality in ONE_BREAST:
        return case.laterality in (item.laterality, Laterality.BILATERAL)
    return leads or item.laterality == Laterality.BILATERAL


def _managed(case: FindingCase, written: Sequence[Written]) -> FindingCase:
    if not written:
        return case
    fields = msgspec.structs.replace(case.case, reported_management=written[0].management)
    return msgspec.structs.replace(case, case=fields)


OFFERED = Offered(service=SERVICE, keys=KEYS, answer=answer)
