"""The hook appointment-book: somebody books a slot; is it what the open finding calls for, and in time?"""

from __future__ import annotations

from cds_service.cards.answers import answer_chart
from cds_service.cards.cards import remarked_card
from cds_service.hooks.context_bundle import bundle_resources
from cds_service.hooks.hook_chart import answer_with, card_context, read_hook_chart, render
from cds_service.hooks.order_misfit import open_answers
from cds_service.hooks.prefetch import Delivery
from cds_service.hooks.prefetch_keys import PATIENT_CHART, queries
from cds_service.hooks.service_call import Answer, CallContext, Offered
from cds_service.hooks.slot_misfit import slot_verdict
from cds_service.hooks.slot_remark import slot_remark
from cds_service.protocol.hook_request import HookRequest, Service
from fhir_models.chart.events.read import read_events
from fhir_models.chart.records import Event, Standing
from fhir_models.entries import Located, read_entries
from fhir_models.patients import set_aside_others
from fhir_models.views import Appointment

SERVICE = Service(
    id="calcification-appointment-book",
    hook="appointment-book",
    title="Breast calcifications: is this the appointment that the open finding calls for?",
    description=(
        "Compares breast appointments being booked with what the open calcification findings call for: a screening slot "
        "where work-up, follow-up or biopsy is due, the wrong breast, a slot after the day by which it is due. A fitting "
        "slot, or no open finding, gives no card."
    ),
    usage_requirements=(
        "Needs the mammography reports or their findings (prefetch keys reports, observations), and orders where "
        "appointments only name the order that they are based on. FHIR R4, R4B or R5. Decision support for clinicians: "
        "it reads reports, not images."
    ),
    prefetch=queries(PATIENT_CHART),
)


def answer(request: HookRequest, delivery: Delivery, context: CallContext) -> Answer:
    """Hold the slots being booked against what the open findings call for.

    Raises:
        RequestError: 412 data not obtained or FHIR before R4, 413 more than can be read.
    """
    read = read_hook_chart(request, delivery, context)
    knowledge = context.knowledge
    slots = _slots(request, delivery, context)
    asking = open_answers(answer_chart(read.chart, knowledge.ruleset, context.today))
    if not asking:
        return render(read, (), context)  # silent only where nothing that is needed failed
    found = [(item, slot_verdict(item, slots, asking, knowledge.ruleset.limits, context.today)) for item in asking]
    shown = card_context(read, context)
    cards = [
        remarked_card(item, slot_remark(verdict, item, shown, knowledge.orders), shown, knowledge.ruleset)
        for item, verdict in found
        if verdict is not None
    ]
    return answer_with(cards, read)


def concerns(request: HookRequest, context: CallContext) -> bool:
    """Whether an appointment may be for a breast of this patient: one may say so only through the order behind it."""
    entries = read_entries(_appointments(request, context))
    set_aside_others(entries, request.patient_id)
    views = (resource.view for resource in entries.of("Appointment"))
    based = any(isinstance(view, Appointment) and view.basedOn for view in views)
    return based or bool(read_events(entries, context.knowledge.terminology, context.today))


def _slots(request: HookRequest, delivery: Delivery, context: CallContext) -> list[Event]:
    """Return the slots being booked that concern a breast, read beside the orders that they are based on."""
    orders = [located for located in delivery.resources if located.resource.get("resourceType") == "ServiceRequest"]
    entries = read_entries([*orders, *_appointments(request, context)])
    set_aside_others(entries, request.patient_id)
    return [
        event
        for event in read_events(entries, context.knowledge.terminology, context.today)
        if event.kind == "appointment"
        and event.path.startswith("context.appointments")
        and event.standing in (Standing.BOOKED, Standing.REQUESTED)
    ]


def _appointments(request: HookRequest, context: CallContext) -> list[Located]:
    return bundle_resources(request, "appointments", context.max_resources)


OFFERED = Offered(service=SERVICE, answer=answer, concerns=concerns)
