"""What holds for every card, whatever the finding: the reader sees the side and the act first, and nothing is claimed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest as R4BServiceRequest
from fhir.resources.servicerequest import ServiceRequest as R5ServiceRequest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clients.client import Profile
from rules.engine import decide
from rules.vocabulary import Case, Category, Laterality, Morphology, Recommendation
from tests.cds_service.card_cases import CONTEXT, RULESET, cards_of, finding_case
from tests.rules.case_tables import read_cases

SIDES = {"left": "Left breast", "right": "Right breast", "bilateral": "Both breasts", "unknown": "Side not stated"}
SILENT = {"no_card", "routine_screening"}
CASES = [
    msgspec.structs.replace(row.case, laterality=side)
    for row in read_cases("vignettes.csv")
    for side in (Laterality.LEFT, Laterality.RIGHT, Laterality.BILATERAL, Laterality.UNKNOWN)
]
ANSWERS = [(case, decide(case, RULESET)) for case in CASES]
CARDS = [
    (case, decision, card)
    for case, decision in ANSWERS
    if decision.recommendation not in SILENT
    for card in cards_of(finding_case(case))
]
TOPICS = {
    "noFollowUp", "routineScreening", "shortIntervalFollowUp", "obtainPriorImages", "clinicianReview",
    "diagnosticMammogram", "specialistManagement", "biopsy",
}  # fmt: skip


def empty_members(value: Any, path: str = "card") -> Iterator[str]:
    if value in (None, "", [], {}, ()):
        yield path
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from empty_members(member, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            yield from empty_members(member, f"{path}[{index}]")


def test_every_case_that_asks_for_something_gives_exactly_one_card() -> None:
    speaking = [case for case, decision in ANSWERS if decision.recommendation not in SILENT]
    assert len(CARDS) == len(speaking) > 400
    assert not [
        case for case, decision in ANSWERS if decision.recommendation in SILENT and cards_of(finding_case(case))
    ]


def test_the_summary_starts_with_the_side_and_is_one_short_line() -> None:
    for case, _, card in CARDS:
        assert card["summary"].startswith(f"{SIDES[case.laterality]}: ")
        assert len(card["summary"]) < 140
        assert card["summary"].isprintable()


def test_the_card_is_as_urgent_as_the_decision_and_names_it() -> None:
    for _, decision, card in CARDS:
        assert card["indicator"] == decision.indicator
        assert card["source"]["topic"]["code"] in TOPICS
        extension = card["extension"]["org.fleck.decision"]
        assert extension["recommendation"] == decision.recommendation
        assert tuple(extension["rules"]) == decision.rules
        assert extension["table_version"] == RULESET.version


def test_the_detail_shows_what_was_read_the_rules_and_that_no_image_was_seen() -> None:
    for _, decision, card in CARDS:
        for part in ("**What was read.**", "**What it usually calls for.**", "**Alternatives.**", *decision.rules):
            assert part in card["detail"]
        assert "not from images" in card["detail"]


@pytest.mark.parametrize(
    "claim",
    [
        r"no cancer",
        r"\bbenign(?! as described| form| calcium|,? category| result| cause| concordant| biopsy)",
        r"\byou\b|\byour\b",
        r"\brisk of \d",
    ],
    ids=["denies cancer", "benign without as described", "speaks to the patient", "a probability for this woman"],
)
def test_no_summary_or_standing_text_claims_more_than_the_report(claim: str) -> None:
    for _, _, card in CARDS:
        assert not re.search(claim, card["summary"])
        calls_for = re.search(r"\*\*What it usually calls for\.\*\* .*", card["detail"])
        assert calls_for and not re.search(claim, calls_for[0])


def test_a_category_is_shown_as_reported_only_if_it_was_reported() -> None:
    for case, _, card in CARDS:
        stated = case.reported_category is not None
        assert ("(reported" in card["summary"]) <= stated
        assert ("- no category reported" in card["detail"]) != stated
        assert ("reported_category" in card["extension"]["org.fleck.decision"]) == stated


def test_no_member_is_empty() -> None:
    for _, _, card in CARDS:
        assert list(empty_members(card)) == []


def test_a_draft_order_needs_a_side_and_something_to_order() -> None:
    ordered = {Recommendation.BIOPSY, Recommendation.DIAGNOSTIC_MAMMOGRAM, Recommendation.SHORT_INTERVAL_FOLLOW_UP}
    for case, decision, card in CARDS:
        expected = decision.recommendation in ordered and case.laterality != Laterality.UNKNOWN
        if decision.recommendation == Recommendation.BIOPSY:
            expected = expected and case.laterality != Laterality.BILATERAL
        assert ("suggestions" in card) == expected, card["summary"]


def test_a_draft_order_is_a_proposal_that_both_fhir_versions_accept() -> None:
    seen = 0
    for version, model in (("R4", R4BServiceRequest), ("R5", R5ServiceRequest)):
        context = msgspec.structs.replace(CONTEXT, fhir_version=version)
        for case in {case: None for case, _, card in CARDS if "suggestions" in card}:
            (suggestion,) = cards_of(finding_case(case), context=context)[0]["suggestions"]
            (action,) = suggestion["actions"]
            order = action["resource"]
            model.model_validate(order)
            seen += 1
            assert (order["status"], order["intent"]) == ("draft", "proposal")
            assert order["subject"] == {"reference": "Patient/ada"}
            assert case.laterality in str(order["bodySite"]).lower() or case.laterality == Laterality.BILATERAL
            assert suggestion["isRecommended"] is True
            assert action["type"] == "create"
    assert seen > 100


WORD_OF_A_SENDER = st.text(st.characters(codec="utf-8"), min_size=1, max_size=300)


@given(WORD_OF_A_SENDER)
def test_nothing_that_a_sender_writes_becomes_markup(words: str) -> None:
    """A quoted text stays one line of plain text: no HTML, no link, no heading, no emphasis."""
    case = Case(morphology=(Morphology.AMORPHOUS,), laterality=Laterality.LEFT)
    (card,) = cards_of(finding_case(case, words))
    quoted = [line for line in card["detail"].split("\n") if line.startswith("- “")]
    assert len(quoted) <= 1
    plain = re.sub(r"\\.", "", "".join(quoted))
    assert not re.search(r"[<>\[\]`*_~|#]|https?:|www\.|@(?!\u200b)", plain)


def test_findings_of_one_breast_share_a_card_led_by_the_most_urgent() -> None:
    benign = Case(morphology=(Morphology.VASCULAR,), laterality=Laterality.LEFT)
    suspicious = Case(morphology=(Morphology.FINE_PLEOMORPHIC,), laterality=Laterality.LEFT)
    (card,) = cards_of(finding_case(benign), finding_case(suspicious))
    assert card["summary"].startswith("Left breast: consider diagnostic mammogram")
    assert "- vascular calcifications: no follow-up beyond routine screening" in card["detail"]


@pytest.mark.parametrize(
    ("graver", "milder"),
    [
        (Case(reported_category=Category.HIGHLY_SUGGESTIVE), Case(reported_category=Category.LOW_SUSPICION)),
        (Case(reported_category=Category.MODERATE_SUSPICION), Case(reported_category=Category.LOW_SUSPICION)),
        (Case(morphology=(Morphology.FINE_LINEAR_BRANCHING,)), Case(morphology=(Morphology.AMORPHOUS,))),
    ],
    ids=["indicator", "category", "category that the words would have"],
)
def test_of_equally_urgent_findings_the_graver_one_leads(graver: Case, milder: Case) -> None:
    pair = [msgspec.structs.replace(case, laterality=Laterality.LEFT) for case in (milder, graver)]
    cards = [cards_of(*map(finding_case, order))[0] for order in (pair, pair[::-1])]
    (alone,) = cards_of(finding_case(pair[1]))
    assert {card["summary"] for card in cards} == {alone["summary"]}
    assert {card["indicator"] for card in cards} == {alone["indicator"]}


def test_a_card_does_not_grow_with_what_a_sender_repeats() -> None:
    case = Case(morphology=(Morphology.AMORPHOUS,), laterality=Laterality.LEFT)
    words = "many words " * 1000
    (card,) = cards_of(*(finding_case(case, words, f"Observation/{number}") for number in range(500)))
    assert "- 491 more" in card["detail"]
    assert len(str(card)) < 20_000


def test_a_breasts_card_points_to_what_is_asked_for_without_a_side() -> None:
    benign = Case(morphology=(Morphology.VASCULAR,), laterality=Laterality.LEFT)
    sideless = Case(reported_category=Category.SUSPICIOUS, laterality=Laterality.UNKNOWN)
    left, unknown = cards_of(finding_case(benign), finding_case(sideless))
    assert "side not stated:** consider image-guided biopsy (reported BI-RADS 4)" in left["detail"]
    assert "Also in what was read" not in unknown["detail"]


def test_breasts_that_differ_get_a_card_each_and_the_same_finding_one_for_both() -> None:
    left = Case(morphology=(Morphology.VASCULAR,), laterality=Laterality.LEFT)
    right = msgspec.structs.replace(left, laterality=Laterality.RIGHT)
    worse = msgspec.structs.replace(right, morphology=(Morphology.AMORPHOUS,))
    assert [card["summary"].partition(":")[0] for card in cards_of(finding_case(left), finding_case(worse))] == [
        "Left breast",
        "Right breast",
    ]
    assert [card["summary"].partition(":")[0] for card in cards_of(finding_case(left), finding_case(right))] == [
        "Both breasts"
    ]


def test_a_no_follow_up_card_is_quiet_once_the_exam_is_old_or_the_site_wants_it_so() -> None:
    benign = finding_case(Case(morphology=(Morphology.VASCULAR,), laterality=Laterality.LEFT))
    assert cards_of(benign)
    assert not cards_of(
        benign, context=msgspec.structs.replace(CONTEXT, today=CONTEXT.today.replace(year=2027, month=3))
    )
    assert not cards_of(benign, context=msgspec.structs.replace(CONTEXT, profile=Profile(benign_card_months=0)))
