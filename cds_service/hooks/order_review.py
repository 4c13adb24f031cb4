"""Is the order being placed the one that the open finding calls for? What order-select and order-sign share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from cds_service.cards.answers import BreastAnswer, answer_chart
from cds_service.cards.cards import SUMMARY_LIMIT, cards_for
from cds_service.cards.markdown import quoted
from cds_service.cards.text import TEXT
from cds_service.hooks.hook_chart import answer_with, card_context, read_hook_chart
from cds_service.hooks.prefetch import Delivery
from cds_service.hooks.prefetch_keys import PATIENT_CHART
from cds_service.hooks.service_call import Answer, CallContext
from cds_service.protocol.hook_request import HookRequest, Service
from fhir_models.chart.events.read import read_events
from fhir_models.chart.records import Event
from fhir_models.entries import Located, document_resources, read_entries
from fhir_models.patients import set_aside_others
from fhir_models.sides import ONE_BREAST
from rules.follow_up import Limits, LoopState
from rules.vocabulary import Indicator, Laterality, Recommendation

DRAFTS = "context.draftOrders"
_UNDER_WAY = (LoopState.ORDERED, LoopState.BOOKED, LoopState.DONE_PENDING)


def order_service(hook: str) -> Service:
    """Return what discovery shows of the service on a hook on orders."""
    return Service(
        id=f"calcification-{hook}",
        hook=hook,
        title="Breast calcifications: is this the order that the open finding calls for?",
        description=(
            "Compares breast orders being placed with what the open calcification findings call for: a screening "
            "mammogram where work-up or biopsy is due, the wrong breast, a second order for one already placed. A fitting "
            "order, or no open finding, gives no card."
        ),
        usage_requirements=(
            "Needs the mammography reports or their findings (prefetch keys reports, observations), and orders to know "
            "what was ordered before. FHIR R4, R4B or R5. Decision support for clinicians: it reads reports, not images."
        ),
        prefetch={key.name: key.query for key in PATIENT_CHART},
    )


def review(drafts: Sequence[Event], request: HookRequest, delivery: Delivery, context: CallContext) -> Answer:
    """Hold the orders being placed against what the open findings call for.

    No open finding, or a draft that fits: no card. Otherwise the card of the open finding stands; a draft of the right kind
    for the wrong breast is named on it.

    Raises:
        RequestError: 412 data not obtained or FHIR before R4, 413 more than can be read.
    """
    read = read_hook_chart(request, delivery, context)
    ruleset = context.knowledge.ruleset
    limits = ruleset.limits
    asking = [answer for answer in answer_chart(read.chart, ruleset, context.today) if _asks(answer)]
    shown = card_context(read, context, _located(request))
    cards: list[dict[str, Any]] = []
    for answer in asking:
        warning = _wrong_side(answer, drafts, asking, limits)
        if warning or not any(_answers(draft, answer, asking, limits) for draft in drafts):
            words = warning or TEXT["draft"]["misfit"].format(
                what=", ".join(quoted(draft.text, 80) for draft in drafts)
            )
            cards += [
                _named(card, words, in_summary=warning is not None)
                for card in cards_for([answer], shown, ruleset, context.knowledge.orders)
            ]
    return answer_with(cards, read)


def breast_drafts(request: HookRequest, context: CallContext) -> tuple[Event, ...]:
    """Return the orders being placed that concern a breast of this patient."""
    entries = read_entries(_located(request))
    set_aside_others(entries, request.patient_id)
    return read_events(entries, context.knowledge.terminology, context.today)


def _located(request: HookRequest) -> list[Located]:
    drafts = document_resources(cast("object", request.context.get("draftOrders")))
    return [located._replace(path=located.path.replace("$", DRAFTS, 1)) for located in drafts]


def _asks(answer: BreastAnswer) -> bool:
    """Whether a breast has something that an order may answer or contradict."""
    item = answer.headline
    return item.now.recommendation != Recommendation.NO_FOLLOW_UP and item.now.state != LoopState.DECLINED


def _answers(draft: Event, answer: BreastAnswer, asking: Sequence[BreastAnswer], limits: Limits) -> bool:
    """Whether a draft is the order that is still missing, or the one on file itself; a second order is not."""
    order = answer.headline.loop.order
    if order is not None and order.resource in (draft.resource, *draft.based_on):
        return True
    if draft.conflict or answer.headline.now.state in _UNDER_WAY:
        return False
    return _is_of_kind(draft, answer, limits) and (
        draft.laterality in (answer.laterality, Laterality.BILATERAL)
        or (Laterality.UNKNOWN in (draft.laterality, answer.laterality) and len(asking) == 1)
    )


def _is_of_kind(draft: Event, answer: BreastAnswer, limits: Limits) -> bool:
    closing = limits.closing.get(answer.headline.decision.recommendation)
    return closing is not None and bool(draft.acts & closing.ordered_by)


def _wrong_side(
    answer: BreastAnswer, drafts: Iterable[Event], asking: Sequence[BreastAnswer], limits: Limits
) -> str | None:
    """Return the words on a draft of the right kind for the other breast, which itself has nothing that asks for it."""
    if answer.laterality not in ONE_BREAST:
        return None
    for draft in drafts:
        other = draft.laterality in ONE_BREAST and draft.laterality != answer.laterality
        wanted_there = any(_answers(draft, one, asking, limits) for one in asking)
        if other and not wanted_there and _is_of_kind(draft, answer, limits):
            return TEXT["draft"]["wrong_side"].format(drafted=draft.laterality, reported=answer.laterality)
    return None


def _named(card: dict[str, Any], words: str, *, in_summary: bool) -> dict[str, Any]:
    """Say on a card why it comes; a draft for the wrong breast stands in the summary, and is never mere information."""
    detail = f"**The draft order.** {words[0].upper()}{words[1:]}\n\n{card['detail']}"
    if not in_summary:
        return {**card, "detail": detail}
    side, _, act = cast("str", card["summary"]).partition(": ")
    summary = f"{side}: {words} - {act}"
    graver = Indicator.WARNING if card["indicator"] == Indicator.INFO else card["indicator"]
    short = summary if len(summary) <= SUMMARY_LIMIT else f"{side}: {words}"
    return {**card, "summary": short, "detail": detail, "indicator": graver}
