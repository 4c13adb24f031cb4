"""Which appointment being booked is not the one that an open finding calls for, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

import msgspec

from cds_service.cards.answers import BreastAnswer, Decided
from cds_service.hooks.order_misfit import MAMMOGRAMS, is_for_other_breast, is_of_kind
from fhir_models.chart.records import Event
from fhir_models.days import certainly_before
from rules.follow_up import Act, Limits, LoopState
from rules.vocabulary import Recommendation


class SlotMisfit(StrEnum):
    """Why an appointment does not fit; of several the first is named."""

    WRONG_SIDE = "wrong_side"
    LATE = "late"
    SCREENING = "screening"
    MAMMOGRAM = "mammogram"


class SlotVerdict(msgspec.Struct, frozen=True):
    """The appointment that does not fit a breast. `pressing`: booking another one would help."""

    misfit: SlotMisfit
    slot: Event
    pressing: bool = True


_IMAGED_OR_SAMPLED = (
    Recommendation.DIAGNOSTIC_MAMMOGRAM,
    Recommendation.SHORT_INTERVAL_FOLLOW_UP,
    Recommendation.BIOPSY,
)


def slot_verdict(
    answer: BreastAnswer, slots: Sequence[Event], asking: Sequence[BreastAnswer], limits: Limits, today: date
) -> SlotVerdict | None:
    """Return what is wrong with the slots being booked for a breast, None where one of them is what it calls for.

    `asking` are all breasts that ask for something. Only mammograms and biopsies are judged: a visit at the surgeon's, or an
    ultrasound beside them, takes nothing away.
    """
    item = answer.headline
    if item.decision.recommendation not in _IMAGED_OR_SAMPLED:
        return None
    fitting = [slot for slot in slots if _is_for(slot, answer, limits)]
    in_time = [slot for slot in fitting if not certainly_before(item.due, slot.days)]
    if in_time or (item.now.state == LoopState.DONE_PENDING and fitting):
        return None
    if wrong := next((slot for slot in slots if _is_wrong_side(slot, answer, asking, limits)), None):
        return SlotVerdict(SlotMisfit.WRONG_SIDE, wrong)
    if fitting:
        first = min(fitting, key=lambda slot: (str(slot.days), slot.resource))
        return SlotVerdict(SlotMisfit.LATE, first, _is_pressing(item, first, limits, today))
    less = [slot for slot in slots if slot.acts & MAMMOGRAMS and not is_for_other_breast(slot, answer)]
    for slot in less:
        if not is_of_kind(slot, answer, limits):
            screening = Act.SCREENING_MAMMOGRAPHY in slot.acts
            misfit = SlotMisfit.SCREENING if screening else SlotMisfit.MAMMOGRAM
            return SlotVerdict(misfit, slot, pressing=item.now.state != LoopState.BOOKED)
    return None


def _is_for(slot: Event, answer: BreastAnswer, limits: Limits) -> bool:
    """Whether a slot is for what a breast calls for; one that names no side, or both, may be."""
    return not slot.conflict and is_of_kind(slot, answer, limits) and not is_for_other_breast(slot, answer)


def _is_wrong_side(slot: Event, answer: BreastAnswer, asking: Sequence[BreastAnswer], limits: Limits) -> bool:
    wanted = any(_is_for(slot, one, limits) for one in asking)
    return is_of_kind(slot, answer, limits) and is_for_other_breast(slot, answer) and not wanted


def _is_pressing(item: Decided, slot: Event, limits: Limits, today: date) -> bool:
    """Whether a late slot is worth a warning: where it is overdue already, any slot helps; a follow-up has its grace."""
    if item.due is None or slot.days is None or item.due.last < today:
        return False
    grace = limits.grace_days if item.decision.recommendation == Recommendation.SHORT_INTERVAL_FOLLOW_UP else 0
    return (slot.days.first - item.due.last).days > grace
