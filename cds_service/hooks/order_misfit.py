"""Which order being placed is not the one that an open finding calls for, and why."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from cds_service.cards.answers import BreastAnswer
from cds_service.hooks.order_drafts import Draft
from fhir_models.chart.records import Event, Standing
from fhir_models.chart.tissue import fits_place
from fhir_models.days import certainly_before
from fhir_models.sides import ONE_BREAST
from rules.follow_up import Act, Limits, LoopState
from rules.vocabulary import Laterality, Recommendation

UNDER_WAY = (LoopState.ORDERED, LoopState.BOOKED, LoopState.DONE_PENDING)
MAMMOGRAMS = frozenset({Act.SCREENING_MAMMOGRAPHY, Act.DIAGNOSTIC_MAMMOGRAPHY, Act.MAMMOGRAPHY})


class Misfit(StrEnum):
    """Why an order does not fit; of several the first is named.

    SIDE_IN_DOUBT: the category that asks for it may be the other breast's. OTHER_BREAST: that one asks too. OTHER: another
    act.
    """

    WRONG_SIDE = "wrong_side"
    SIDE_IN_DOUBT = "side_in_doubt"
    DUPLICATE = "duplicate"
    ONE_BREAST = "one_breast"
    BOTH_BREASTS = "both_breasts"
    SIDES_DIFFER = "sides_differ"
    SIDE_UNSTATED = "side_unstated"
    SCREENING = "screening"
    MAMMOGRAM = "mammogram"
    LATE = "late"
    OTHER_BREAST = "other_breast"
    OTHER = "other"


class Verdict(msgspec.Struct, frozen=True):
    """The order that does not fit a breast. `fitted`: another one being placed does."""

    misfit: Misfit
    draft: Draft
    fitted: bool = False


def open_answers(answers: Sequence[BreastAnswer]) -> list[BreastAnswer]:
    """Return the breasts that have something which an order or an appointment may answer or contradict."""
    return [
        answer
        for answer in answers
        if answer.headline.now.recommendation != Recommendation.NO_FOLLOW_UP
        and answer.headline.now.state != LoopState.DECLINED
    ]


def verdict_on(
    answer: BreastAnswer, drafts: Sequence[Draft], asking: Sequence[BreastAnswer], limits: Limits
) -> Verdict | None:
    """Return what is wrong with the orders being placed for a breast, None where one of them is what it calls for.

    `asking` are all breasts that ask for something. An order for the wrong breast is named even beside one that fits.
    """
    placed = placed_sides(answer, drafts, limits)
    found = [(misfit_of(draft, answer, placed, asking, limits), draft) for draft in drafts]
    fitted = any(misfit is None for misfit, _ in found)
    named = (
        _NAMED_WHERE_FITTED if fitted else _NAMED_UNDER_WAY if answer.headline.now.state in UNDER_WAY else tuple(Misfit)
    )
    return next(
        (Verdict(misfit, draft, fitted) for misfit in named for why, draft in found if why == misfit),
        None,
    )


_NAMED_WHERE_FITTED = (Misfit.WRONG_SIDE, Misfit.SIDE_IN_DOUBT)
_NAMED_UNDER_WAY = (Misfit.WRONG_SIDE, Misfit.SIDE_IN_DOUBT, Misfit.DUPLICATE, Misfit.SCREENING)
"""Misfits that are worth a word where the finding is attended to already."""


def placed_sides(answer: BreastAnswer, drafts: Sequence[Draft], limits: Limits) -> frozenset[Laterality]:
    """Return the sides of the orders being placed that are of the kind a breast calls for."""
    return frozenset(one.event.laterality for one in drafts if is_of_kind(one.event, answer, limits))


def misfit_of(
    draft: Draft,
    answer: BreastAnswer,
    placed: frozenset[Laterality],
    asking: Sequence[BreastAnswer],
    limits: Limits,
) -> Misfit | None:
    """Return why an order is not the one for a breast, None where it is, or is the one on file itself.

    `placed` are the sides for which an order of this kind is being placed.
    """
    event, side = draft.event, answer.laterality
    if _is_on_file(draft, answer):
        return None
    if not is_of_kind(event, answer, limits):
        return _other_kind(event, answer)
    if event.conflict:
        return Misfit.SIDES_DIFFER
    if is_for_other_breast(event, answer):
        wanted = any(is_of_kind(event, one, limits) and not is_for_other_breast(event, one) for one in asking)
        if wanted:
            return Misfit.OTHER_BREAST
        return Misfit.WRONG_SIDE if answer.side_is_sure else Misfit.SIDE_IN_DOUBT
    if event.laterality == Laterality.UNKNOWN and (len(asking) > 1 or event.acts <= {Act.MAMMOGRAPHY}):
        return Misfit.SIDE_UNSTATED
    if answer.headline.now.state in UNDER_WAY:
        return Misfit.DUPLICATE if _is_the_same(event, answer, limits) else None
    if side == Laterality.UNKNOWN:
        return None if len(asking) == 1 else Misfit.OTHER
    if side == Laterality.BILATERAL and event.laterality in ONE_BREAST:
        return None if placed.issuperset(ONE_BREAST) else Misfit.ONE_BREAST
    if side in ONE_BREAST and event.laterality == Laterality.BILATERAL:
        return None if _both_are_meant(event, answer, asking, limits) else Misfit.BOTH_BREASTS
    return Misfit.LATE if is_late(event, answer, limits) else None


def is_late(event: Event, answer: BreastAnswer, limits: Limits) -> bool:
    """Whether an order is planned for after the day by which it is due; a follow-up has its days of grace."""
    due, planned = answer.headline.due, event.planned
    if due is None or planned is None or not certainly_before(due, planned):
        return False
    follow_up = answer.headline.decision.recommendation == Recommendation.SHORT_INTERVAL_FOLLOW_UP
    return (planned.first - due.last).days > (limits.grace_days if follow_up else 0)


def is_of_kind(event: Event, answer: BreastAnswer, limits: Limits) -> bool:
    """Whether an event is for what a breast calls for, or goes further than that."""
    recommendation = answer.headline.decision.recommendation
    wanted = [limits.closing.get(name) for name in (recommendation, *_FURTHER.get(recommendation, ()))]
    return any(event.acts & closing.ordered_by for closing in wanted if closing)


_FURTHER = {
    Recommendation.SHORT_INTERVAL_FOLLOW_UP: (Recommendation.BIOPSY,),
    Recommendation.OBTAIN_PRIOR_IMAGES: (Recommendation.DIAGNOSTIC_MAMMOGRAM,),
}
"""What goes further than a recommendation, where its own orders do not say so."""


def is_for_other_breast(event: Event, answer: BreastAnswer) -> bool:
    """Whether an event is for one breast, and the answer for the other."""
    return {event.laterality, answer.laterality} == set(ONE_BREAST)


def _is_on_file(draft: Draft, answer: BreastAnswer) -> bool:
    """Whether a draft is the order on file, or carries it out or replaces it."""
    order = answer.headline.loop.order
    return order is not None and order.resource in (draft.event.resource, *draft.event.based_on)


def _other_kind(event: Event, answer: BreastAnswer) -> Misfit:
    """Return how an order of another kind is named: a mammogram that is less than what this breast calls for, or other."""
    if is_for_other_breast(event, answer) or answer.headline.decision.recommendation not in _LESS_IS_A_MAMMOGRAM:
        return Misfit.OTHER
    if Act.SCREENING_MAMMOGRAPHY in event.acts:
        return Misfit.SCREENING
    return Misfit.MAMMOGRAM if event.acts & MAMMOGRAMS else Misfit.OTHER


_LESS_IS_A_MAMMOGRAM = (
    Recommendation.DIAGNOSTIC_MAMMOGRAM,
    Recommendation.SHORT_INTERVAL_FOLLOW_UP,
    Recommendation.BIOPSY,
)


def _is_the_same(event: Event, answer: BreastAnswer, limits: Limits) -> bool:
    """Whether an order asks again for what is under way: not a biopsy after an order of images, nor one at another place."""
    item = answer.headline
    loop, closing = item.loop, limits.closing[item.decision.recommendation]
    under_way = loop.order or loop.booking or loop.done
    if loop.order is not None and (loop.order.standing != Standing.LIVE or is_late(loop.order, answer, limits)):
        return False
    if under_way is not None and bool(event.acts & MAMMOGRAMS) != bool(under_way.acts & MAMMOGRAMS):
        return False
    return not closing.by_place or fits_place(event.place, item.finding.target) is not False


def _both_are_meant(event: Event, answer: BreastAnswer, asking: Sequence[BreastAnswer], limits: Limits) -> bool:
    """Whether an order for both breasts fits: the other one asks for it too, or the follow-up is past its first visit."""
    if any(one is not answer and is_of_kind(event, one, limits) for one in asking):
        return True
    item = answer.headline
    first_visit = item.decision.interval_months == "6" and item.finding.case.surveillance_month == 0
    return item.decision.recommendation == Recommendation.SHORT_INTERVAL_FOLLOW_UP and not first_visit
