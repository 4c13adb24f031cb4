"""What has been decided so far, and how the effect of a row, or the report's own words, change it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rules.conditions import Row
from rules.facts import NONE, Facts
from rules.table import Effect, Lexicon
from rules.vocabulary import URGENCY, Discordance, Indicator, Recommendation

REPLACED_BY_MISMATCH = (Discordance.NONE, Discordance.DESCRIPTOR_HIGHER_MINOR, Discordance.REPORTED_HIGHER)
"""What category_management_mismatch replaces (case fields, `discordance`)."""


class Answer(msgspec.Struct, frozen=True):
    """A decision in the making, in the words of `Decision`; `interval` is "none" where there is none."""

    recommendation: str = "no_card"
    estimated: str = "NA"
    if_confirmed: str = "NA"
    indicator: str = "info"
    discordance: str = "none"
    interval: str = NONE
    timeframe: str | None = None


def apply_effect(effect: Effect, facts: Facts, context: Answer, lexicon: Lexicon) -> Answer:
    """Return the answer that a row gives; `context` is the answer of the context stage, for "=context"."""
    return Answer(
        recommendation=_take(effect.recommendation, context.recommendation),
        estimated=_estimated(effect, facts, context),
        if_confirmed=_if_confirmed(effect, facts, context),
        indicator=_indicator(effect, facts, context, lexicon),
        discordance=effect.discordance or "none",
        interval=_interval(effect, facts, context, lexicon),
        timeframe=effect.timeframe,
    )


def more_urgent(first: Answer, second: Answer) -> Answer:
    """Return `first`, with the recommendation and indicator of `second` where that is more urgent."""
    if _rank(second.recommendation) <= _rank(first.recommendation):
        return first
    return msgspec.structs.replace(
        first, recommendation=second.recommendation, indicator=second.indicator, interval=second.interval
    )


def follow_management(facts: Facts, answer: Answer, rows: Sequence[Row], lexicon: Lexicon, fired: list[Row]) -> Answer:
    """Follow the report's written management where it is more urgent than the answer; note where the two differ (P5)."""
    written = facts["management"]
    if written == NONE:
        return answer
    implied = lexicon.management_implies[str(written)]
    reported = lexicon.category_implies.get(str(facts["reported"]), NONE)
    if facts["system"] == "RCR" and facts["reported"] == "3":
        reported = answer.recommendation
    asked = lexicon.management_at_screening.get(str(written), implied) if facts["coded_screening"] else implied
    more = _rank(asked) > _rank(answer.recommendation)
    facts["category_implies"] = reported
    facts["management_implies"] = asked
    facts["management_differs"] = reported not in (NONE, implied)
    facts["management_more_urgent"] = more
    for row in rows:
        if row.holds(facts):
            fired.append(row)
            return _with_management(row.effect(facts), answer, asked if more else None, facts, lexicon)
    return answer


def _with_management(effect: Effect, answer: Answer, asked: str | None, facts: Facts, lexicon: Lexicon) -> Answer:
    mismatch = effect.discordance if answer.discordance in REPLACED_BY_MISMATCH else None
    raised = effect.indicator == "=at_least_warning" and answer.indicator == Indicator.INFO
    follows = asked == Recommendation.SHORT_INTERVAL_FOLLOW_UP
    interval = lexicon.interval_after[str(facts["surveillance_month"])] if follows else NONE
    return msgspec.structs.replace(
        answer,
        recommendation=asked or answer.recommendation,
        interval=interval if asked else answer.interval,
        indicator=Indicator.WARNING.value if raised else answer.indicator,
        discordance=mismatch or answer.discordance,
    )


def _rank(recommendation: str) -> int:
    return URGENCY[Recommendation(recommendation)]


def _take(value: str | None, of_context: str) -> str:
    return of_context if value in (None, "=context") else value


def _estimated(effect: Effect, facts: Facts, context: Answer) -> str:
    if effect.estimated == "=reported":
        return str(facts["reported"]) if facts["reported"] != NONE else effect.estimated_if_none or "NA"
    if effect.estimated == "=derived":
        return str(facts["derived"])
    return _take(effect.estimated, context.estimated)


def _if_confirmed(effect: Effect, facts: Facts, context: Answer) -> str:
    if effect.if_confirmed == "=derived":
        return "undetermined" if facts["derived"] == "U" else str(facts["derived"])
    return context.if_confirmed if effect.if_confirmed == "=context" else effect.if_confirmed or "NA"


def _indicator(effect: Effect, facts: Facts, context: Answer, lexicon: Lexicon) -> str:
    if effect.indicator == "=severity":
        severe = facts["reported"] in lexicon.critical or facts.get("derived") in lexicon.critical
        return Indicator.CRITICAL if severe else Indicator.WARNING
    return _take(effect.indicator, context.indicator)


def _interval(effect: Effect, facts: Facts, context: Answer, lexicon: Lexicon) -> str:
    if effect.interval == "=surveillance":
        return lexicon.interval_after[str(facts["surveillance_month"])]
    return context.interval if effect.interval == "=context" else effect.interval or NONE
