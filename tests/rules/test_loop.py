"""The state of a recommendation: what a clinician expects row by row, what closes what, and what the site may change."""

from __future__ import annotations

from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.engine import Ruleset, load_ruleset
from rules.follow_up import Act, Closing, Limits, LoopFacts
from rules.loop import loop_answer
from rules.policy import load_policy, switches
from rules.proof.boxes import partition, volume
from rules.proof.exceptions import Exceptions
from rules.proof.loop import DOMAIN, indicators, prove_loop
from rules.table import FactValue, LoopEffect, LoopRule, Tables, load_tables
from rules.vocabulary import Indicator, Recommendation
from tests.rules.loop_table import LoopCase, read_loop_cases, told

TABLES = load_tables()
CASES = read_loop_cases()
FOLLOW_UP_SWITCHES = [
    f"{name}={value}" for name, switch in switches().items() if name.startswith("C") for value in switch.allowed
]


@cache
def under(policy: str) -> Ruleset:
    return load_ruleset(load_policy(dict([policy.split("=")]) if policy else {}), TABLES)


USUAL = under("")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.case)
def test_a_recommendation_stands_as_a_clinician_expects(case: LoopCase) -> None:
    loop = under(case.policy).loop
    assert told(case, loop) == case.expected


def test_every_row_of_the_table_has_a_case() -> None:
    assert {case.expected[-1] for case in CASES} == set(USUAL.loop.rules)


def test_every_value_of_a_switch_that_rows_ask_has_a_case() -> None:
    asked = {name for rule in USUAL.loop.rules.values() for name in rule.when if name in switches()}
    values = {f"{name}={value}" for name in asked for value in switches()[name].allowed}
    defaults = {f"{name}={switches()[name].default}" for name in asked}
    assert {case.policy for case in CASES if case.policy} == values - defaults


@pytest.mark.parametrize("policy", ["", *FOLLOW_UP_SWITCHES])
def test_the_loop_table_is_proved_under_every_switch(policy: str) -> None:
    ruleset = under(policy)
    lines = list(prove_loop(ruleset.loop, ruleset.limits, Exceptions(ruleset.deviations)))
    assert [violation for line in lines for violation in line.violations] == []


def test_the_proof_covers_every_fact_that_a_loop_has() -> None:
    assert tuple(DOMAIN) == LoopFacts.__struct_fields__
    usual = msgspec.structs.asdict(LoopFacts(recommendation=Recommendation.BIOPSY))
    assert all(usual[fact] in DOMAIN[fact] for fact in DOMAIN)


def test_the_proof_covers_every_input_once() -> None:
    pieces, undecided = partition(DOMAIN, USUAL.loop.rows)
    assert (sum(volume(piece.box) for piece in pieces), undecided) == (volume(DOMAIN), [])


VALUES = [st.sampled_from(sorted(values, key=str)) for values in DOMAIN.values()]


@given(st.tuples(*VALUES), st.sampled_from(["", "C3=silent", "C8=closed"]))
def test_the_answer_is_the_row_that_the_proof_names(values: tuple[FactValue, ...], policy: str) -> None:
    loop = under(policy).loop
    known = dict(zip(DOMAIN, values, strict=True))
    facts = msgspec.convert(known, LoopFacts)
    holding = [row.id for row, box in partition(DOMAIN, loop.rows)[0] if all(known[fact] in box[fact] for fact in box)]
    for indicator in indicators(facts.recommendation):
        assert [loop_answer(facts, indicator, loop).rule] == holding


MAMMOGRAMS = "diagnostic_mammography mammography"

CLOSING = [
    ("diagnostic_mammogram", 60, False, f"{MAMMOGRAMS} biopsy excision", MAMMOGRAMS),
    ("obtain_prior_images", 30, False, "compare_priors", ""),
    (
        "short_interval_follow_up", "=interval", False, f"{MAMMOGRAMS} short_interval_follow_up",
        f"{MAMMOGRAMS} short_interval_follow_up screening_mammography",
    ),
    ("biopsy", 30, True, "biopsy excision lumpectomy mastectomy", "biopsy excision lumpectomy"),
    (
        "specialist_management", 14, False, "surgical_consult lumpectomy mastectomy excision chemotherapy radiotherapy",
        "lumpectomy mastectomy excision chemotherapy radiotherapy",
    ),
    ("clinician_review", 7, False, "", ""),
]  # fmt: skip
"""Recommendation, days or months until it is due, whether the place matters, acts that count as order, acts that do it."""


def closings(limits: Limits) -> dict[str, tuple[object, ...]]:
    """Return what counts for each recommendation, act by act."""
    return {name: (*_due(entry), _counting(entry)) for name, entry in limits.closing.items()}


def expected_closings() -> dict[str, tuple[object, ...]]:
    """Return what `CLOSING` expects, act by act."""
    rows = ((name, due, place, orders.split(), deeds.split()) for name, due, place, orders, deeds in CLOSING)
    return {
        name: (due, place, {act: (act in orders, act in deeds) for act in Act})
        for name, due, place, orders, deeds in rows
    }


def _due(entry: Closing) -> tuple[object, bool]:
    return (entry.due_months if entry.due_days is None else entry.due_days), entry.by_place


def _counting(entry: Closing) -> dict[Act, tuple[bool, bool]]:
    return {act: (act in entry.ordered_by, act in entry.done_by) for act in Act}


@pytest.mark.parametrize("recommendation", list(Recommendation))
def test_only_acts_of_the_right_kind_count_for_a_recommendation(recommendation: Recommendation) -> None:
    assert closings(USUAL.limits).get(recommendation) == expected_closings().get(recommendation)


def test_every_closing_entry_says_why() -> None:
    assert all(entry.because and entry.citations for entry in USUAL.limits.closing.values())


LIMITS: dict[str, tuple[str, dict[str, object]]] = {
    "C2": ("grace_days", {"31": 31, "61": 61, "92": 92, "183": 183}),
    "C4": ("screening_closes_suspicion", {"open": False, "closed": True}),
    "C5": ("refusal_months", {"6": 6, "12": 12, "24": 24, "never": None}),
    "C6": ("unstated_concordance", {"review": "review", "discordant": "discordant"}),
    "C7": ("old_months", {"24": 24, "36": 36, "60": 60, "never": None}),
    "C8": ("ultrasound_closes_incomplete", {"open": False, "closed": True}),
    "C9P": ("pregnancy_days", {"280": 280, "294": 294, "308": 308}),
    "C9L": ("lactation_days", {"365": 365, "730": 730, "1095": 1095}),
    "C9S": ("symptom_days", {"90": 90, "183": 183, "365": 365, "730": 730}),
    "C10": ("anticoagulant_note", {"note": True, "none": False}),
    "C11": ("result_days", {"7": 7, "10": 10, "14": 14, "21": 21, "28": 28}),
}
"""What a switch limits, by its values."""


@pytest.mark.parametrize("switch", LIMITS)
def test_a_site_sets_the_limits_of_follow_up(switch: str) -> None:
    limit, values = LIMITS[switch]
    assert tuple(values) == switches()[switch].allowed
    for value, expected in values.items():
        local = under(f"{switch}={value}").limits
        assert getattr(local, limit) == expected
        others = {name for name in Limits.__struct_fields__ if name != limit}
        assert all(getattr(local, name) == getattr(USUAL.limits, name) for name in others)


DUES = [
    ("C1D", "diagnostic_mammogram", (30, 45, 60, 90)),
    ("C1B", "biopsy", (14, 30, 60)),
    ("C1P", "obtain_prior_images", (14, 30)),
    ("C1S", "specialist_management", (7, 14, 30)),
    ("C1R", "clinician_review", (3, 7, 14)),
]
"""Switch, the recommendation that it makes due, after how many days it may."""


@pytest.mark.parametrize(("switch", "recommendation", "allowed"), DUES, ids=[row[0] for row in DUES])
def test_a_site_sets_when_a_recommendation_is_due(switch: str, recommendation: str, allowed: tuple[int, ...]) -> None:
    assert tuple(map(str, allowed)) == switches()[switch].allowed
    named = Recommendation(recommendation)
    for days in allowed:
        usual, local = USUAL.limits.closing, under(f"{switch}={days}").limits.closing
        assert local[named].due_days == days
        assert {name for name in usual if usual[name] != local[name]} <= {named}


def test_a_switch_of_follow_up_shows_in_every_decision_and_in_the_version() -> None:
    local = under("C1D=45")
    assert local.deviations == ("C1D=45",)
    assert local.version != USUAL.version


def changed(**members: object) -> Tables:
    return msgspec.structs.replace(TABLES, **members)


def row(**then: str) -> LoopRule:
    effect = msgspec.convert({"state": "open", **then}, LoopEffect)
    return LoopRule(id="L99", then=effect, because="", citations=(), evidence="policy")


@pytest.mark.parametrize("then", [{"recommendation": "biopsies"}, {"indicator": "=at_least_alarm"}], ids=str)
def test_a_row_that_answers_what_does_not_exist_is_refused_by_name(then: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="L99"):
        load_ruleset(tables=changed(loop=(row(**then),)))


def test_a_due_day_of_no_switch_is_refused() -> None:
    entry = msgspec.structs.replace(TABLES.closing[Recommendation.BIOPSY], due_days="=C1X")
    with pytest.raises(ValueError, match="C1X"):
        load_ruleset(tables=changed(closing={**TABLES.closing, Recommendation.BIOPSY: entry}))


def test_both_tables_are_part_of_the_fingerprint() -> None:
    closing = {name: entry for name, entry in TABLES.closing.items() if name != Recommendation.BIOPSY}
    rulesets = [
        USUAL,
        load_ruleset(tables=changed(loop=TABLES.loop[1:])),
        load_ruleset(tables=changed(closing=closing)),
    ]
    assert len({ruleset.fingerprint for ruleset in rulesets}) == 3


def test_the_proof_notices_a_gap_a_shadow_and_a_word_that_no_fact_has() -> None:
    rules = TABLES.loop
    typo = msgspec.structs.replace(rules[4], id="L98", when={"breast": ("removed",)})
    shadowed = msgspec.structs.replace(rules[0], id="L97")
    broken = load_ruleset(tables=changed(loop=(*rules[:-1], typo, shadowed)))
    lines = prove_loop(broken.loop, broken.limits, Exceptions(()))
    violations = " ".join(violation for line in lines for violation in line.violations)
    for complaint in ("no row decides", "L98 never answers", "L97 never answers", "breast is never removed"):
        assert complaint in violations


def test_a_card_after_the_due_day_is_at_least_a_warning_where_nothing_was_done() -> None:
    facts = LoopFacts(recommendation=Recommendation.SHORT_INTERVAL_FOLLOW_UP, late=True)
    assert loop_answer(facts, Indicator.INFO, USUAL.loop).indicator == Indicator.WARNING
