"""What a call brings: the chart that was prefetched, with its gaps; and its answers as cards, or silence that is safe."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from cds_service.cards.answers import BreastAnswer
from cds_service.cards.cards import CardContext, cards_for, unreadable_card
from cds_service.cards.detail import Gaps
from cds_service.errors import refusing_too_much
from cds_service.hooks.fhir_version import fhir_version, refuse_old_versions
from cds_service.hooks.prefetch import Delivery, not_obtained, read_prefetch
from cds_service.hooks.prefetch_keys import PATIENT_CHART
from cds_service.knowledge import Knowledge
from cds_service.protocol.hook_request import NO_CARDS, HookRequest, encode_answer
from cds_service.settings import Settings
from fhir_models.chart.records import Chart
from fhir_models.entries import Located
from fhir_models.patients import UNTOLD
from fhir_models.read import read_chart
from fhir_models.reading import Unread
from fhir_models.report_header import RESULT_NOT_RECEIVED

NEEDED = ("reports", "observations")
"""Prefetch keys of which at least one must have been answered, if only with an empty result."""

MAY_HOLD_FINDINGS = frozenset({"DiagnosticReport", "Observation", "Composition", "unknown"})
"""Resource types of which an unreadable one could hide a calcification."""


class HookChart(msgspec.Struct, frozen=True):
    """What is known of the patient for this call. `unread` joins what prefetch and readers could not use."""

    patient_id: str
    delivery: Delivery
    chart: Chart
    unread: tuple[Unread, ...]


def read_hook_chart(request: HookRequest, knowledge: Knowledge, settings: Settings, today: date) -> HookChart:
    """Read everything that was prefetched.

    Raises:
        RequestError: 412 data not obtained or FHIR before R4, 413 more than can be read.
    """
    delivery = read_prefetch(request.prefetch, PATIENT_CHART, settings.max_resources)
    if delivery.lacking.issuperset(NEEDED):
        raise not_obtained(delivery, NEEDED)
    refuse_old_versions(request.extension, delivery.resources)
    with refusing_too_much():
        chart = read_chart(delivery.resources, knowledge.terminology, today, request.patient_id)
    found = {(fault.resource, fault.why): fault for fault in (*chart.reading.unread, *delivery.unread)}
    unread = tuple(found[key] for key in sorted(found))  # what is named does not depend on where it stood
    return HookChart(request.patient_id, delivery, chart, unread)


def render(
    read: HookChart, answers: Sequence[BreastAnswer], knowledge: Knowledge, settings: Settings, today: date
) -> bytes:
    """Put the answers on cards; without a card, make sure that nothing hides behind the silence.

    Raises:
        RequestError: 412, nothing was found and a needed key came as an error.
    """
    context = card_context(read, settings, today) if answers or read.unread else None
    if context and (cards := cards_for(answers, context, knowledge.ruleset, knowledge.orders)):
        return encode_answer(cards)
    if context and read.chart.background.deceased is None and any(map(_may_hide_findings, read.unread)):
        return encode_answer([unreadable_card(context, knowledge.ruleset)])
    if failed := [name for name in NEEDED if name in read.delivery.failed]:
        raise not_obtained(read.delivery, failed)
    return NO_CARDS


def _may_hide_findings(fault: Unread) -> bool:
    """A missing result hides nothing where its report's category is known; without category the exam itself asks.

    What does not say whose it is closes nothing, and is still read for findings.
    """
    return fault.resource.partition("/")[0] in MAY_HOLD_FINDINGS and fault.why not in (RESULT_NOT_RECEIVED, UNTOLD)


def card_context(read: HookChart, settings: Settings, today: date, drafts: Sequence[Located] = ()) -> CardContext:
    """Return what a card of this call says besides its decision, and how the client wants it."""
    return CardContext(
        patient_id=read.patient_id,
        today=today,
        fhir_version=fhir_version((*read.delivery.resources, *drafts), settings.fhir_version),
        order_intent=settings.order_intent,
        selection_behavior=settings.selection_behavior,
        source_url=str(settings.public_url) if settings.public_url else None,
        benign_months=settings.benign_card_months,
        gaps=Gaps(
            not_received=read.delivery.not_received,
            incomplete=read.delivery.incomplete,
            unread=read.unread,
            unknown_codes=read.chart.reading.unknown_codes,
        ),
    )
