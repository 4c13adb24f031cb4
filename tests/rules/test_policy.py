"""What a site may decide otherwise: each switch does what it says, shows in the decision and changes the fingerprint."""

from __future__ import annotations

import pytest

from rules.case_json import read_case
from rules.engine import decide, load_ruleset
from rules.policy import load_policy, switches

DEFAULT = load_ruleset()
GROUP = {"distribution": "grouped", "study_context": "diagnostic", "workup_done": "yes"}
MONTH_24 = {**GROUP, "morphology": "punctate", "change": "stable_lt2y", "surveillance_month": 24}
SOFT_STABLE = {**GROUP, "morphology": "amorphous", "change": "stable_ge2y"}
BENIGN_BIOPSY = {"biopsy_result": "benign_concordant", "months_since_biopsy": 3}
UNKNOWN_WORKUP = {"morphology": "punctate", "distribution": "grouped", "reported_category": 3}
WORSE_THAN_3 = {"morphology": "amorphous", "reported_category": 3}
FOUR_NEW = {**GROUP, "morphology": "punctate", "count": 4, "change": "new"}

SWITCHED = [
    ("S1=review", {**GROUP, "morphology": "amorphous", "age": 42}, "biopsy", "clinician_review"),
    ("S2=2", {**GROUP, "morphology": "punctate", "distribution": "regional"}, "short_interval_follow_up", "no_follow_up"),
    ("S3=routine", BENIGN_BIOPSY, "short_interval_follow_up", "no_follow_up"),
    ("S4=36", MONTH_24, "no_follow_up", "short_interval_follow_up"),
    ("S4=36", {**MONTH_24, "surveillance_month": 36}, "no_follow_up", "no_follow_up"),
    ("S6=review", {**SOFT_STABLE, "reported_category": 2}, "no_follow_up", "clinician_review"),
    ("S7=2", {**GROUP, "morphology": "amorphous", "bilateral_similar": True}, "clinician_review", "no_follow_up"),
    ("S7=4A", {**GROUP, "morphology": "amorphous", "bilateral_similar": True}, "clinician_review", "biopsy"),
    ("S8=follow", {**GROUP, "morphology": "punctate", "sex": "male"}, "biopsy", "short_interval_follow_up"),
    ("S9=biopsy", {**GROUP, "morphology": "punctate", "history": "brca"}, "short_interval_follow_up", "biopsy"),
    ("S9=biopsy", {**UNKNOWN_WORKUP, "history": "brca"}, "short_interval_follow_up", "short_interval_follow_up"),
    ("S9=biopsy", {**GROUP, **WORSE_THAN_3, "history": "brca"}, "clinician_review", "biopsy"),
    ("S11=biopsy", FOUR_NEW, "short_interval_follow_up", "biopsy"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("switch", "given", "before", "after"), SWITCHED, ids=[f"{row[0]}-{row[2]}" for row in SWITCHED]
)
def test_a_switch_changes_what_it_names(
    switch: str, given: dict[str, object], before: str | None, after: str | None
) -> None:
    case, _ = read_case(given)
    changed = load_ruleset(load_policy(dict([switch.split("=")])))
    usual, local = decide(case, DEFAULT), decide(case, changed)
    assert (usual.recommendation, local.recommendation) == (before, after)
    assert (usual.policy, local.policy) == ((), (switch,))
    assert usual.table_version != local.table_version


def test_the_window_after_radiotherapy_is_the_sites() -> None:
    case, _ = read_case(
        {**GROUP, "morphology": "punctate", "history": "lumpectomy_site", "years_since_rt": 2, "change": "new"}
    )
    assert decide(case, DEFAULT).rules != decide(case, load_ruleset(load_policy({"S5": "1"}))).rules


def test_two_steps_for_a_suspicious_feature() -> None:
    case, _ = read_case({**GROUP, "morphology": "coarse_heterogeneous", "associated_features": "mass"})
    one, two = decide(case, DEFAULT), decide(case, load_ruleset(load_policy({"S12": "two"})))
    assert (one.estimated_category, two.estimated_category) == ("4B", "4C")


def test_the_days_of_a_question_are_the_sites() -> None:
    case, _ = read_case({**GROUP, "morphology": "fine_pleomorphic", "reported_category": 2})
    assert decide(case, DEFAULT).timeframe == "<= 7 days"
    assert decide(case, load_ruleset(load_policy({"S10": "2"}))).timeframe == "<= 2 days"


def test_every_value_of_every_switch_has_a_fingerprint_of_its_own() -> None:
    rulesets = [
        load_ruleset(load_policy({name: value})) for name, switch in switches().items() for value in switch.allowed
    ]
    assert len({ruleset.fingerprint for ruleset in rulesets}) == len(rulesets) - len(switches()) + 1


@pytest.mark.parametrize(
    ("overrides", "complaint"), [({"S99": "1"}, "S99 does not exist"), ({"S2": "5"}, "S2 may be 3, 2")]
)
def test_a_switch_that_cannot_be_is_refused_by_name(overrides: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        load_policy(overrides)
