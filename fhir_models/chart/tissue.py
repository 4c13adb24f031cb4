"""What tissue says of one finding: results in the order of time, the worst of a day, later biopsies before earlier ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum

import msgspec

from fhir_models.chart.places import same_place
from fhir_models.chart.records import Concordance, Event, Standing, TissueClass, TissueResult
from fhir_models.days import Days
from fhir_models.sides import Place
from rules.follow_up import Act, Limits
from rules.vocabulary import BiopsyResult, Laterality

CURRENT_DAYS = 365
"""Older than this before the exam, a result that asks for something is history (chart logic section 2, biopsy_result)."""

UNTIL_ARGUED = frozenset({"4C", "5"})
"""Categories after which a benign result without stated concordance counts as discordant (chart logic 5.3)."""

SURGERY = frozenset({Act.LUMPECTOMY, Act.MASTECTOMY, Act.EXCISION})


class TissueState(StrEnum):
    """`LoopFacts.tissue`, and EXCISED: a high-risk lesion whose excision showed no cancer."""

    NONE = "none"
    PENDING = "pending"
    MALIGNANT = "malignant"
    HIGH_RISK = "high_risk"
    DISCORDANT = "discordant"
    INSUFFICIENT = "insufficient"
    BENIGN_CONCORDANT = "benign_concordant"
    BENIGN_UNSTATED = "benign_unstated"
    UNCLASSIFIED = "unclassified"
    EXCISED = "excised"


BIOPSY_RESULTS = {
    TissueState.MALIGNANT: BiopsyResult.MALIGNANT,
    TissueState.HIGH_RISK: BiopsyResult.HIGH_RISK,
    TissueState.EXCISED: BiopsyResult.HIGH_RISK,
    TissueState.DISCORDANT: BiopsyResult.BENIGN_DISCORDANT,
    TissueState.INSUFFICIENT: BiopsyResult.INSUFFICIENT,
    TissueState.BENIGN_CONCORDANT: BiopsyResult.BENIGN_CONCORDANT,
}
"""The states that are a case's `biopsy_result`; the others leave it unstated."""

_WEIGHT = {
    state: weight
    for weight, state in enumerate(
        (
            TissueState.PENDING,
            TissueState.BENIGN_CONCORDANT,
            TissueState.BENIGN_UNSTATED,
            TissueState.UNCLASSIFIED,
            TissueState.INSUFFICIENT,
            TissueState.HIGH_RISK,
            TissueState.DISCORDANT,
            TissueState.MALIGNANT,
        )
    )
}
"""Of two results of one day the weightier counts (chart logic 0.6)."""


class Tissue(msgspec.Struct, frozen=True):
    """The state, the result that gave it, and results that lie in the episode and belong to no one finding.

    `upgraded`: an excision found cancer where a biopsy had found a high-risk lesion.
    """

    state: TissueState = TissueState.NONE
    result: TissueResult | None = None
    upgraded: bool = False
    unplaced: tuple[TissueResult, ...] = ()


class Target(msgspec.Struct, frozen=True):
    """A finding that tissue may belong to. `alone`: no other breast is in question; `several`: others of this breast are."""

    laterality: Laterality
    place: Place
    alone: bool
    several: bool


def fits_side(laterality: Laterality, target: Target) -> bool:
    """Whether something of a side belongs to the breast: equal, bilateral, or unstated while no other is in question."""
    if Laterality.UNKNOWN in (laterality, target.laterality):
        return target.alone
    return laterality in (target.laterality, Laterality.BILATERAL)


def fits_place(place: Place, target: Target) -> bool | None:
    """Whether something at a place belongs to the finding; None where several findings are open and nothing tells which.

    A single finding is matched by its side, unless the quadrant is another (chart logic section 4).
    """
    same = same_place(place, target.place, target.laterality)
    if target.several:
        return same
    quadrants = place.quadrant, target.place.quadrant
    return same is not False or (None not in quadrants and quadrants[0] == quadrants[1])


def tissue_of(
    results: Iterable[TissueResult],
    target: Target,
    since: Days | None,
    worst_category: str | None,
    today: date,
    limits: Limits,
) -> Tissue:
    """Return what tissue says of a finding, counting results on or after `since`, the first exam of the open episode."""
    fitting = [result for result in results if _is_in(result, since, today) and fits_side(result.laterality, target)]
    unplaced = tuple(result for result in fitting if result.aside or fits_place(result.place, target) is None)
    own = [result for result in fitting if not result.aside and fits_place(result.place, target)]
    state, leading, upgraded = TissueState.NONE, None, False
    for result in sorted(own, key=_order):
        found = _state_of(result, worst_category, limits)
        if leading is None or _replaces(result, found, leading, state):
            upgraded = state == TissueState.HIGH_RISK and found == TissueState.MALIGNANT
            state, leading = _after(state, found, result), result
    return Tissue(state, leading, upgraded, unplaced)


def is_history(tissue: Tissue, exam_days: Days | None, surgery: Days | None) -> bool:
    """Whether a result is history for an exam: treated by surgery before it, or older than a year where it asks for more."""
    days = tissue.result.days if tissue.result else None
    if days is None or exam_days is None or not days.is_before(exam_days):
        return False
    if tissue.state in (TissueState.MALIGNANT, TissueState.HIGH_RISK, TissueState.EXCISED) and surgery is not None:
        return True
    asks = tissue.state not in (TissueState.BENIGN_CONCORDANT, TissueState.NONE)
    return asks and days.plus_days(CURRENT_DAYS).is_before(exam_days)


def surgery_between(events: Sequence[Event], target: Target, after: Days | None, before: Days | None) -> Event | None:
    """Return the breast surgery of this side that was done on or after one day and before another, if there is one."""
    for event in events:
        if (
            event.standing == Standing.DONE
            and event.acts & SURGERY
            and event.days
            and fits_side(event.laterality, target)
        ):
            begun = after is not None and event.days.is_from(after)
            if begun and (before is None or event.days.is_before(before)):
                return event
    return None


def _is_in(result: TissueResult, since: Days | None, today: date) -> bool:
    days = result.days.up_to(today) if result.days else None
    if days is None or since is None:
        return False
    # A cancer that was put on the problem list on the day of the exam may be why the exam was made.
    return since.is_before(days) if result.is_condition else days.is_from(since)


def _order(result: TissueResult) -> tuple[object, ...]:
    return (result.days.first if result.days else date.min, result.resource)


def _state_of(result: TissueResult, worst_category: str | None, limits: Limits) -> TissueState:
    if result.tissue != TissueClass.BENIGN:
        return TissueState(result.tissue.value)
    if result.concordance == Concordance.CONCORDANT:
        return TissueState.BENIGN_CONCORDANT
    argued = worst_category not in UNTIL_ARGUED and limits.unstated_concordance != "discordant"
    return (
        TissueState.BENIGN_UNSTATED
        if argued and result.concordance == Concordance.NOT_STATED
        else TissueState.DISCORDANT
    )


def _replaces(result: TissueResult, found: TissueState, leading: TissueResult, state: TissueState) -> bool:
    """A later biopsy answers an earlier one that was not final; nothing takes a cancer back."""
    if state == TissueState.MALIGNANT or found == TissueState.NONE:
        return False
    if leading.days == result.days:
        return _WEIGHT[found] > _WEIGHT.get(state, 0)
    if state in (TissueState.HIGH_RISK, TissueState.EXCISED):
        return found == TissueState.MALIGNANT or result.excision
    return True


def _after(state: TissueState, found: TissueState, result: TissueResult) -> TissueState:
    """A high-risk lesion is settled by an excision without cancer; an excision awaited leaves it high-risk."""
    if state in (TissueState.HIGH_RISK, TissueState.EXCISED) and result.excision and found != TissueState.MALIGNANT:
        return TissueState.HIGH_RISK if found == TissueState.PENDING else TissueState.EXCISED
    return found
