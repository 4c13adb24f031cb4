"""The hook patient-view: somebody opens a chart; is something about these calcifications still open, what is next?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from cds_service.answers import BreastAnswer, answer_breasts
from cds_service.cards import CardContext, cards_for, unreadable_card
from cds_service.fhir_version import fhir_version, refuse_old_versions
from cds_service.knowledge import Knowledge
from cds_service.prefetch import Delivery, not_obtained, read_prefetch
from cds_service.prefetch_keys import PATIENT_CHART
from cds_service.protocol import NO_CARDS, HookRequest, Service, encode_answer, read_hook_request
from cds_service.settings import Settings
from fhir_models.cases import FindingCase, cases_for
from fhir_models.read import RESULT_NOT_RECEIVED, read_resources
from fhir_models.reading import Reading, Unread

SERVICE = Service(
    id="calcification-patient-view",
    hook="patient-view",
    title="Breast calcifications: what is next",
    description=(
        "Reads the mammography reports of the patient and says for each breast what the described calcifications call "
        "for: diagnostic mammogram, biopsy, short-interval follow-up, no follow-up, or a question to the radiologist, "
        "with the words it read, the rule and the evidence."
    ),
    usage_requirements=(
        "Needs the mammography reports or their findings (prefetch keys reports, observations). The other keys widen "
        "what can be said; without them nothing is assumed. FHIR R4, R4B or R5. Decision support for clinicians: it "
        "reads reports, not images."
    ),
    prefetch={key.name: key.query for key in PATIENT_CHART},
)
NEEDED = ("reports", "observations")
"""Prefetch keys of which at least one must have been answered, if only with an empty result."""

MAY_HOLD_FINDINGS = frozenset({"DiagnosticReport", "Observation", "Composition", "unknown"})
"""Resource types of which an unreadable one could hide a calcification."""


class Chart(msgspec.Struct, frozen=True):
    """What is known of the patient for this call. `unread` joins what prefetch and readers could not use."""

    patient_id: str
    delivery: Delivery
    reading: Reading
    cases: tuple[FindingCase, ...]
    unread: tuple[Unread, ...]


def answer(body: bytes, knowledge: Knowledge, settings: Settings, today: date) -> bytes:
    """Answer one call, both sides as encoded JSON.

    Raises:
        RequestError: 400 not JSON or not a patient-view call, 412 data not obtained, 413 too many resources.
    """
    request = read_hook_request(body, SERVICE.hook)
    chart = read_chart(request, knowledge, settings, today)
    return render(chart, answer_breasts(chart.cases, knowledge.ruleset), knowledge, settings, today)


def read_chart(request: HookRequest, knowledge: Knowledge, settings: Settings, today: date) -> Chart:
    """Read everything that was prefetched.

    Raises:
        RequestError: 412 data not obtained or FHIR before R4, 413 too many resources.
    """
    delivery = read_prefetch(request.prefetch, PATIENT_CHART, settings.max_resources)
    if delivery.lacking.issuperset(NEEDED):
        raise not_obtained(delivery, NEEDED)
    refuse_old_versions(request.extension, delivery.resources)
    reading = read_resources(delivery.resources, knowledge.terminology, today, request.patient_id)
    cases = cases_for(reading, today)
    unread = tuple(dict.fromkeys((*reading.unread, *delivery.unread)))
    return Chart(request.patient_id, delivery, reading, cases, unread)


def render(
    chart: Chart, answers: Sequence[BreastAnswer], knowledge: Knowledge, settings: Settings, today: date
) -> bytes:
    """Put the answers on cards; without a card, make sure that nothing hides behind the silence.

    Raises:
        RequestError: 412, nothing was found and a needed key came as an error.
    """
    context = _card_context(chart, settings, today) if answers or chart.unread else None
    if context and (cards := cards_for(answers, context, knowledge.ruleset, knowledge.orders)):
        return encode_answer(cards)
    if context and any(map(_may_hide_findings, chart.unread)):
        return encode_answer([unreadable_card(context, knowledge.ruleset)])
    if failed := [name for name in NEEDED if name in chart.delivery.failed]:
        raise not_obtained(chart.delivery, failed)
    return NO_CARDS


def _may_hide_findings(fault: Unread) -> bool:
    """A missing result hides nothing where its report's category is known; without category the exam itself asks."""
    return fault.resource.partition("/")[0] in MAY_HOLD_FINDINGS and fault.why != RESULT_NOT_RECEIVED


def _card_context(chart: Chart, settings: Settings, today: date) -> CardContext:
    return CardContext(
        patient_id=chart.patient_id,
        today=today,
        fhir_version=fhir_version(chart.delivery.resources, settings.fhir_version),
        order_intent=settings.order_intent,
        selection_behavior=settings.selection_behavior,
        source_url=str(settings.public_url) if settings.public_url else None,
        benign_months=settings.benign_card_months,
        not_received=chart.delivery.not_received,
        unread=chart.unread,
        unknown_codes=chart.reading.unknown_codes,
    )
