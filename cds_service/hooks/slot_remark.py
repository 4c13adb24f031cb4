"""What the card of an open finding says of the appointment being booked."""

from __future__ import annotations

from cds_service.cards.answers import BreastAnswer
from cds_service.cards.card_context import CardContext
from cds_service.cards.cards import Remark
from cds_service.cards.markdown import quoted
from cds_service.cards.suggestions import usual_suggestion
from cds_service.cards.text import TEXT
from cds_service.hooks.slot_misfit import SlotMisfit, SlotVerdict
from fhir_models.orders import OrderTemplates
from rules.vocabulary import Indicator


def slot_remark(verdict: SlotVerdict, answer: BreastAnswer, context: CardContext, orders: OrderTemplates) -> Remark:
    """Return why the slot does not fit; the usual draft order is offered, the slot itself is never changed."""
    slot, due = verdict.slot, answer.headline.due
    late = (slot.days.first - due.last).days if slot.days and due else 0
    words = {
        "what": quoted(slot.text, 80),
        "date": str(slot.days) if slot.days else "an unknown day",
        "drafted": str(slot.laterality),
        "reported": str(answer.laterality),
        "days": "1 day" if late == 1 else f"{late} days",
        "due": str(due),
    }
    return Remark(
        summary=TEXT["slot"][verdict.misfit].format(**words),
        detail=f"**The appointment.** {TEXT['slot_detail'][verdict.misfit].format(**words)}",
        indicator=_indicator(verdict, answer.headline.now.indicator),
        suggestion=usual_suggestion(answer, context, orders) if verdict.misfit != SlotMisfit.LATE else None,
        members={"slot_misfit": verdict.misfit, "slot": slot.resource},
    )


def _indicator(verdict: SlotVerdict, stated: Indicator) -> Indicator:
    if not verdict.pressing:
        return Indicator.INFO
    return Indicator.WARNING if stated == Indicator.INFO else stated
