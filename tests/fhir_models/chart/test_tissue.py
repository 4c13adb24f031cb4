"""What tissue says of one finding: time, side and place, and which of several results counts (chart logic 0.6 and 5.3)."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from typing import Any

import pytest

from fhir_models.chart.records import Concordance, Event, Standing, TissueClass, TissueResult
from fhir_models.chart.tissue import Target, Tissue, TissueState, is_history, surgery_between, tissue_of
from fhir_models.days import written_days
from fhir_models.sides import NOWHERE, Place
from rules.engine import load_ruleset
from rules.follow_up import Act
from rules.policy import load_policy
from rules.vocabulary import Laterality

LIMITS = load_ruleset().limits
DISCORDANT_UNTIL_ARGUED = load_ruleset(load_policy({"C6": "discordant"})).limits
TODAY = date(2026, 11, 20)
SINCE = written_days("2026-10-01")
LEFT, RIGHT, UNKNOWN = Laterality.LEFT, Laterality.RIGHT, Laterality.UNKNOWN
ONE = Target(LEFT, NOWHERE, alone=True, several=False)


def result(tissue: str, day: str | None = "2026-10-10", **members: Any) -> TissueResult:
    members.setdefault("laterality", LEFT)
    name = members.pop("name", f"{tissue}-{day}")
    return TissueResult(
        resource=f"DiagnosticReport/{name}", path="$", tissue=TissueClass(tissue), days=written_days(day), **members
    )


CONCORDANT = {"concordance": Concordance.CONCORDANT}


def state(*results: TissueResult, target: Target = ONE, category: str | None = "4B", limits: Any = LIMITS) -> Tissue:
    """Return what the results say, the same in every order of arrival."""
    answers = {
        found.state: found
        for order in permutations(results)
        for found in (tissue_of(order, target, SINCE, category, TODAY, limits),)
    }
    assert len(answers) == 1
    return next(iter(answers.values()))


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([], "none"),
        ([result("malignant")], "malignant"),
        ([result("benign")], "benign_unstated"),
        ([result("benign", **CONCORDANT)], "benign_concordant"),
        ([result("benign", concordance=Concordance.DISCORDANT)], "discordant"),
        ([result("pending")], "pending"),
        ([result("malignant", "2026-09-30")], "none"),
        ([result("malignant", "2026-12-01")], "none"),
        ([result("malignant", None)], "none"),
        ([result("malignant", "2026")], "none"),
        ([result("benign"), result("high_risk")], "high_risk"),
        ([result("high_risk"), result("discordant"), result("malignant")], "malignant"),
        ([result("insufficient"), result("benign", **CONCORDANT)], "insufficient"),
        ([result("insufficient"), result("benign", "2026-10-20", **CONCORDANT)], "benign_concordant"),
        ([result("discordant"), result("benign", "2026-10-20", **CONCORDANT)], "benign_concordant"),
        ([result("benign", **CONCORDANT), result("pending", "2026-10-20")], "pending"),
        ([result("malignant"), result("benign", "2026-10-20", **CONCORDANT)], "malignant"),
        ([result("malignant"), result("pending", "2026-10-20", excision=True)], "malignant"),
        ([result("high_risk"), result("benign", "2026-10-20", **CONCORDANT)], "high_risk"),
        ([result("high_risk"), result("benign", "2026-10-20", excision=True)], "excised"),
        ([result("high_risk"), result("high_risk", "2026-10-20", excision=True)], "excised"),
        ([result("high_risk"), result("pending", "2026-10-20", excision=True)], "high_risk"),
        ([result("high_risk"), result("malignant", "2026-10-20", excision=True)], "malignant"),
    ],
)  # fmt: skip
def test_of_several_results_time_and_weight_decide(results: list[TissueResult], said: str) -> None:
    assert state(*results).state == said


def test_cancer_in_the_excision_of_a_high_risk_lesion_is_an_upgrade() -> None:
    assert state(result("high_risk"), result("malignant", "2026-10-20", excision=True)).upgraded
    assert not state(result("malignant")).upgraded


@pytest.mark.parametrize(
    ("category", "limits", "said"),
    [
        ("4B", LIMITS, "benign_unstated"),
        (None, LIMITS, "benign_unstated"),
        ("4C", LIMITS, "discordant"),
        ("5", LIMITS, "discordant"),
        ("4B", DISCORDANT_UNTIL_ARGUED, "discordant"),
    ],
)
def test_a_benign_result_of_which_nobody_wrote_concordance(category: str | None, limits: Any, said: str) -> None:
    assert state(result("benign"), category=category, limits=limits).state == said


@pytest.mark.parametrize(
    ("side", "target", "counts"),
    [
        (LEFT, ONE, True),
        (RIGHT, ONE, False),
        (Laterality.BILATERAL, ONE, True),
        (UNKNOWN, ONE, True),
        (UNKNOWN, Target(LEFT, NOWHERE, alone=False, several=False), False),
        (LEFT, Target(UNKNOWN, NOWHERE, alone=True, several=False), True),
        (LEFT, Target(UNKNOWN, NOWHERE, alone=False, several=False), False),
    ],
)
def test_a_result_answers_its_own_breast(side: Laterality, target: Target, counts: bool) -> None:
    assert (state(result("malignant", laterality=side), target=target).state == "malignant") == counts


@pytest.mark.parametrize(
    ("place", "several", "said", "unplaced"),
    [
        (Place(quadrant="upper_outer"), True, "malignant", 0),
        (Place(quadrant="lower_inner"), True, "none", 0),
        (NOWHERE, True, "none", 1),
        (NOWHERE, False, "malignant", 0),
        (Place(quadrant="lower_inner"), False, "none", 0),
        (Place(quadrant="upper_outer", clock="04"), False, "malignant", 0),
    ],
)
def test_of_several_findings_a_result_answers_the_one_at_its_place(
    place: Place, several: bool, said: str, unplaced: int
) -> None:
    target = Target(LEFT, Place(quadrant="upper_outer", clock="02"), alone=True, several=several)
    found = state(result("malignant", place=place), target=target)
    assert (found.state, len(found.unplaced)) == (said, unplaced)


@pytest.mark.parametrize(
    ("tissue", "day", "surgery", "history"),
    [
        (TissueState.MALIGNANT, "2026-10-10", None, False),
        (TissueState.MALIGNANT, "2026-10-10", "2026-10-20", True),
        (TissueState.DISCORDANT, "2026-10-10", "2026-10-20", False),
        (TissueState.MALIGNANT, "2025-11-01", None, True),
        (TissueState.MALIGNANT, "2025-12-01", None, False),
        (TissueState.BENIGN_CONCORDANT, "2024-11-01", None, False),
        (TissueState.INSUFFICIENT, "2024-11-01", None, True),
        (TissueState.MALIGNANT, "2026-11-15", "2026-11-18", False),
    ],
)
def test_what_was_treated_or_is_a_year_old_before_the_exam_is_history(
    tissue: TissueState, day: str, surgery: str | None, history: bool
) -> None:
    found = Tissue(tissue, result("malignant", day))
    assert is_history(found, written_days("2026-11-10"), written_days(surgery)) == history


@pytest.mark.parametrize(
    ("event_side", "day", "standing", "act", "found"),
    [
        (LEFT, "2026-10-20", Standing.DONE, Act.LUMPECTOMY, True),
        (LEFT, "2026-10-05", Standing.DONE, Act.LUMPECTOMY, False),
        (LEFT, "2026-11-15", Standing.DONE, Act.LUMPECTOMY, False),
        (RIGHT, "2026-10-20", Standing.DONE, Act.LUMPECTOMY, False),
        (LEFT, "2026-10-20", Standing.PLANNED, Act.LUMPECTOMY, False),
        (LEFT, "2026-10-20", Standing.DONE, Act.BIOPSY, False),
        (LEFT, None, Standing.DONE, Act.MASTECTOMY, False),
    ],
)
def test_surgery_between_a_result_and_an_exam(
    event_side: Laterality, day: str | None, standing: Standing, act: Act, found: bool
) -> None:
    event = Event(
        resource="Procedure/1", path="$", kind="procedure", acts=frozenset({act}), standing=standing,
        laterality=event_side, days=written_days(day),
    )  # fmt: skip
    between = surgery_between([event], ONE, written_days("2026-10-10"), written_days("2026-11-10"))
    assert (between is not None) == found
