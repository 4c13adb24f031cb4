"""What a call brings: the chart that was prefetched, with its gaps; and its answers as cards, or silence that is safe."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cds_service.cards.answers import BreastAnswer
from cds_service.cards.card_context import CardContext
from cds_service.cards.cards import cards_for, unreadable_card
from cds_service.cards.detail import Gaps
from cds_service.errors import refusing_too_much
from cds_service.hooks.fhir_version import fhir_version, refuse_old_versions
from cds_service.hooks.prefetch import Delivery, not_obtained
from cds_service.hooks.prefetch_keys import PATIENT_CHART, required
from cds_service.hooks.service_call import Answer, CallContext, Card
from cds_service.protocol.hook_request import HookRequest
from fhir_models.chart.records import Chart
from fhir_models.entries import Located
from fhir_models.patients import UNTOLD
from fhir_models.read import read_chart
from fhir_models.reading import Unread
from fhir_models.report_header import RESULT_NOT_RECEIVED

MAY_HOLD_FINDINGS = frozenset({"DiagnosticReport", "Observation", "Composition", "unknown"})
"""Resource types of which an unreadable one could hide a calcification."""


class HookChart(msgspec.Struct, frozen=True):
    """What is known of the patient for this call. `unread` joins what prefetch and readers could not use."""

    patient_id: str
    delivery: Delivery
    chart: Chart
    unread: tuple[Unread, ...]


def read_hook_chart(
    request: HookRequest, delivery: Delivery, context: CallContext, needed: Sequence[str] = required(PATIENT_CHART)
) -> HookChart:
    """Read everything that was delivered; of the keys that are needed one must have come.

    Raises:
        RequestError: 412 data not obtained or FHIR before R4, 413 more than can be read.
    """
    if delivery.lacking.issuperset(needed):
        raise not_obtained(delivery, needed)
    refuse_old_versions(request.extension, delivery.resources)
    with refusing_too_much():
        chart = read_chart(delivery.resources, context.knowledge.terminology, context.today, request.patient_id)
    found = {(fault.resource, fault.why): fault for fault in (*chart.reading.unread, *delivery.unread)}
    unread = tuple(found[key] for key in sorted(found))  # what is named does not depend on where it stood
    return HookChart(request.patient_id, delivery, chart, unread)


def render(read: HookChart, answers: Sequence[BreastAnswer], context: CallContext) -> Answer:
    """Put the answers on cards; without a card, make sure that nothing hides behind the silence.

    Raises:
        RequestError: 412, nothing was found and a needed key came as an error.
    """
    shown = card_context(read, context) if answers or read.unread else None
    if shown and (cards := cards_for(answers, shown, context.knowledge.ruleset, context.knowledge.orders)):
        return answer_with(cards, read)
    if shown and read.chart.background.deceased is None and any(map(may_hide_findings, read.unread)):
        return answer_with([unreadable_card(shown, context.knowledge.ruleset)], read)
    if failed := [name for name in required(PATIENT_CHART) if name in read.delivery.failed]:
        raise not_obtained(read.delivery, failed)
    return answer_with((), read)


def answer_with(cards: Sequence[Card], read: HookChart) -> Answer:
    """Return the cards with what could not be used of the chart."""
    return Answer(cards=cards, unread=read.unread, unknown_codes=read.chart.reading.unknown_codes)


def may_hide_findings(fault: Unread) -> bool:
    """A missing result hides nothing where its report's category is known; without category the exam itself asks.

    What does not say whose it is closes nothing, and is still read for findings.
    """
    return fault.resource.partition("/")[0] in MAY_HOLD_FINDINGS and fault.why not in (RESULT_NOT_RECEIVED, UNTOLD)


def card_context(read: HookChart, context: CallContext, drafts: Sequence[Located] = ()) -> CardContext:
    """Return what a card of this call says besides its decision, and how the client wants it."""
    return CardContext(
        patient_id=read.patient_id,
        today=context.today,
        fhir_version=fhir_version((*read.delivery.resources, *drafts), context.profile.fhir_version),
        profile=context.profile,
        source_url=context.source_url,
        gaps=Gaps(
            not_received=read.delivery.not_received,
            incomplete=read.delivery.incomplete,
            unread=read.unread,
            unknown_codes=read.chart.reading.unknown_codes,
        ),
    )
