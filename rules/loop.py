"""How a recommendation stands: the facts of its loop against `tables/6_loop.toml`, and the limits that find those facts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from rules.conditions import Row, compile_rows
from rules.follow_up import Closing, Limits, LoopAnswer, LoopFacts
from rules.policy import Policy
from rules.table import ClosingEntry, LoopEffect, LoopRule, Tables
from rules.vocabulary import Indicator, Recommendation

_GRAVITY = tuple(Indicator)
_AT_LEAST = "=at_least_"
REMEMBERED_FACTS = 4096
"""Facts hold no patient, so the same ones come again and again."""


class Loop(msgspec.Struct, frozen=True, eq=False):
    """The loop table under one policy: the rows in their order, and by id what each says."""

    rows: tuple[Row, ...]
    rules: Mapping[str, LoopRule]


def compile_loop(tables: Tables, policy: Policy) -> Loop:
    """Compile the loop table.

    Raises:
        ValueError: a recommendation or indicator that does not exist.
    """
    for rule in tables.loop:
        _check(rule.id, rule.then)
    return Loop(compile_rows(tables.loop, policy), {rule.id: rule for rule in tables.loop})


@lru_cache(REMEMBERED_FACTS)
def loop_answer(facts: LoopFacts, indicator: Indicator, loop: Loop) -> LoopAnswer:
    """Return how the recommendation stands; `indicator` is that of the decision that recommends it. Pure."""
    asked = msgspec.structs.asdict(facts)
    for row in loop.rows:
        if row.holds(asked):
            return _answer(loop.rules[row.id], facts.recommendation, indicator)
    raise LookupError("no row of the loop holds: the table is not complete, run the proof")


def limits_of(policy: Policy, tables: Tables) -> Limits:
    """Return the limits of follow-up under a policy.

    Raises:
        ValueError: a closing entry names a switch that does not exist.
    """
    value = policy.values
    return Limits(
        closing={recommendation: _closing(entry, policy) for recommendation, entry in tables.closing.items()},
        grace_days=int(value["C2"]),
        result_days=int(value["C11"]),
        refusal_months=_months(value["C5"]),
        old_months=_months(value["C7"]),
        screening_closes_suspicion=value["C4"] == "closed",
        ultrasound_closes_incomplete=value["C8"] == "closed",
        unstated_concordance=value["C6"],
        pregnancy_days=int(value["C9P"]),
        lactation_days=int(value["C9L"]),
        symptom_days=int(value["C9S"]),
        anticoagulant_note=value["C10"] == "note",
    )


def _answer(rule: LoopRule, decided: Recommendation, indicator: Indicator) -> LoopAnswer:
    effect = rule.then
    recommendation = decided if effect.recommendation == "=same" else Recommendation(effect.recommendation)
    return LoopAnswer(
        rule=rule.id,
        state=effect.state,
        recommendation=recommendation,
        indicator=_indicator(effect.indicator, indicator),
        shown=effect.shown,
        draft=effect.draft,
        claims_due=effect.claims_due,
        because=rule.because,
    )


def _indicator(effect: str, decided: Indicator) -> Indicator:
    if effect == "=same":
        return decided
    if effect.startswith(_AT_LEAST):
        return max(decided, Indicator(effect.removeprefix(_AT_LEAST)), key=_GRAVITY.index)
    return Indicator(effect)


def _check(rule: str, effect: LoopEffect) -> None:
    try:
        if effect.recommendation != "=same":
            Recommendation(effect.recommendation)
        _indicator(effect.indicator, Indicator.NONE)
    except ValueError as error:
        raise ValueError(f"tables/6_loop.toml, {rule}: {error}") from None


def _closing(entry: ClosingEntry, policy: Policy) -> Closing:
    switch = entry.due_days.removeprefix("=") if entry.due_days else None
    if switch and switch not in policy.values:
        raise ValueError(f"tables/closing.toml names {switch}, which is no policy switch")
    return Closing(
        ordered_by=entry.ordered_by,
        done_by=entry.done_by,
        due_days=int(policy.values[switch]) if switch else None,
        due_months=entry.due_months,
        by_place=entry.by_place,
        because=entry.because,
        citations=entry.citations,
    )


def _months(value: str) -> int | None:
    return None if value == "never" else int(value)
