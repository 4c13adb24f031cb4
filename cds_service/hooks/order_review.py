"""Is the order being placed the one that the open finding calls for? What order-select and order-sign share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cds_service.cards.answers import BreastAnswer, answer_chart
from cds_service.cards.cards import Remark, remarked_card
from cds_service.cards.markdown import quoted
from cds_service.cards.suggestions import Suggestion
from cds_service.cards.text import TEXT
from cds_service.hooks.hook_chart import answer_with, card_context, read_hook_chart, render
from cds_service.hooks.order_correction import correction
from cds_service.hooks.order_drafts import Draft, breast_drafts, draft_resources
from cds_service.hooks.order_misfit import Misfit, Verdict, misfit_of, open_answers, placed_sides, verdict_on
from cds_service.hooks.prefetch import Delivery
from cds_service.hooks.prefetch_keys import PATIENT_CHART, queries
from cds_service.hooks.service_call import Answer, CallContext, Card
from cds_service.protocol.hook_request import HookRequest, Service
from rules.follow_up import Limits
from rules.vocabulary import URGENCY, Indicator, Recommendation


def order_service(hook: str) -> Service:
    """Return what discovery shows of the service on a hook on orders."""
    return Service(
        id=f"calcification-{hook}",
        hook=hook,
        title="Breast calcifications: is this the order that the open finding calls for?",
        description=(
            "Compares breast orders being placed with what the open calcification findings call for: a screening "
            "mammogram where work-up or biopsy is due, the wrong breast, both breasts where one is meant, a second order "
            "for one already placed. Suggests the corrected draft. A fitting order, or no open finding, gives no card."
        ),
        usage_requirements=(
            "Needs the mammography reports or their findings (prefetch keys reports, observations), and orders to know "
            "what was ordered before. FHIR R4, R4B or R5. Decision support for clinicians: it reads reports, not images."
        ),
        prefetch=queries(PATIENT_CHART),
    )


def review(drafts: Sequence[Draft], request: HookRequest, delivery: Delivery, context: CallContext) -> Answer:
    """Hold the orders being placed against what the open findings call for.

    No open finding, or a draft that fits: no card. Otherwise the card of the open finding says what is wrong with the draft,
    and suggests what corrects it.

    Raises:
        RequestError: 412 data not obtained or FHIR before R4, 413 more than can be read.
    """
    read = read_hook_chart(request, delivery, context)
    knowledge = context.knowledge
    limits = knowledge.ruleset.limits
    asking = open_answers(answer_chart(read.chart, knowledge.ruleset, context.today))
    if not asking:
        return render(read, (), context)  # silent only where nothing that is needed failed
    found = [(answer, verdict_on(answer, drafts, asking, limits)) for answer in asking]
    verdicts = [(answer, verdict) for answer, verdict in found if verdict is not None]
    shown = card_context(read, context, draft_resources(request, context))
    chosen = {draft.name for draft in drafts}
    others = [draft for draft in breast_drafts(request, context) if draft.name not in chosen]
    owners = _owners(verdicts)
    cards: list[Card] = []
    for answer, verdict in verdicts:
        needed = any(_is_drafted(one, [verdict.draft], asking, limits) for one in asking if one is not answer)
        may_change = owners[verdict.draft.name] is answer and not needed
        corrected = (
            None
            if _is_drafted(answer, others, asking, limits)
            else correction(verdict, answer, shown, knowledge, may_change=may_change)
        )
        cards.append(remarked_card(answer, _remark(verdict, answer, corrected), shown, knowledge.ruleset))
    return answer_with(cards, read)


def _owners(verdicts: Sequence[tuple[BreastAnswer, Verdict]]) -> Mapping[str, BreastAnswer]:
    """Return whose card may change each draft, by its name: the more urgent breast's, never two."""
    owners: dict[str, BreastAnswer] = {}
    for answer, verdict in sorted(verdicts, key=lambda item: -URGENCY[item[0].headline.now.recommendation]):
        owners.setdefault(verdict.draft.name, answer)
    return owners


def _is_drafted(answer: BreastAnswer, drafts: Sequence[Draft], asking: Sequence[BreastAnswer], limits: Limits) -> bool:
    """Whether one of the drafts is, as it is, the order that a breast calls for."""
    placed = placed_sides(answer, drafts, limits)
    return any(misfit_of(draft, answer, placed, asking, limits) is None for draft in drafts)


def _remark(verdict: Verdict, answer: BreastAnswer, corrected: Suggestion | None) -> Remark:
    """Return what the card says first: why the draft does not fit, and what corrects it."""
    event = verdict.draft.event
    words = {
        "what": quoted(event.text, 80),
        "drafted": str(event.laterality),
        "reported": str(answer.laterality),
        "by": quoted(answer.headline.closed_by or ""),
    }
    detail = TEXT["draft_detail"][verdict.misfit].format(**words)
    summary = TEXT["draft"].get(verdict.misfit)
    return Remark(
        summary=summary.format(**words) if summary else None,
        detail=f"**The draft order.** {detail}",
        indicator=_indicator(verdict, answer),
        suggestion=corrected,
        members={"draft_misfit": verdict.misfit, "draft": verdict.draft.name},
    )


def _indicator(verdict: Verdict, answer: BreastAnswer) -> Indicator:
    """The wrong breast is never mere information; imaging of both breasts does image the one that asks for it."""
    item = answer.headline
    stated = item.now.indicator
    if verdict.misfit == Misfit.WRONG_SIDE and stated == Indicator.INFO:
        return Indicator.WARNING
    imaged = verdict.misfit == Misfit.BOTH_BREASTS and item.decision.recommendation != Recommendation.BIOPSY
    return Indicator.INFO if imaged else stated
