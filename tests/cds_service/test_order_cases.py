"""order-select and order-sign, a row a case: the drafts, the chart, what is said of them and what corrects them.

A card is written "side misfit action result": the action (? where it is not recommended) and what the order is then for.
"""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest as R4BServiceRequest
from fhir.resources.servicerequest import ServiceRequest as R5ServiceRequest

from tests.cds_service.fixture_files import PROFILES, bundle, cards_of, decision, fixture, prefetched, rows

CASES = rows("order_cases.csv")
SIDES = {"left": "Left breast: ", "right": "Right breast: ", "both": "Both breasts: "}
CHANGEABLE = {
    "code",
    "category",
    "reasonCode",
    "reason",
    "bodySite",
    "extension",
    "bodyStructure",
    "occurrenceDateTime",
}


def cards_for(case: dict[str, str], service: str = "order-sign") -> list[dict[str, Any]]:
    drafts = [fixture("drafts", name) for name in case["drafts"].split()]
    selections = [f"ServiceRequest/{draft['id']}" for draft in drafts if "id" in draft]
    context = {"draftOrders": bundle(*drafts), "selections": selections}
    return cards_of(service, context, prefetched(case["chart"]), PROFILES[case["client"]])


@pytest.mark.parametrize("service", ["order-sign", "order-select"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_a_draft_is_judged_and_corrected_as_the_row_says(case: dict[str, str], service: str) -> None:
    cards = cards_for(case, service)
    expected = [told.split() for told in case["cards"].split(" / ") if told]
    assert len(cards) == len(expected)
    for card, (side, misfit, *wanted) in zip(cards, expected, strict=True):
        assert card["summary"].startswith(SIDES[side])
        assert len(card["summary"]) < 140
        assert card["detail"].startswith("**The draft order.** ")
        assert decision(card)["draft_misfit"] == misfit
        suggestions = card.get("suggestions", [])
        assert len(suggestions) == bool(wanted)
        for suggestion in suggestions:
            action = suggestion["actions"][0]
            assert "+".join(one["type"] for one in suggestion["actions"]) == wanted[0].rstrip("?")
            assert suggestion.get("isRecommended", False) is not wanted[0].endswith("?")
            names = str(action.get("resource", {}).get("code")) + str(action.get("resource", {}).get("bodySite"))
            assert all(word in (names + action["description"]).lower() for word in wanted[1:])


@pytest.mark.parametrize("case", [case for case in CASES if case["cards"]], ids=lambda case: case["why"])
def test_a_suggested_order_is_valid_in_draft_and_of_this_patient(case: dict[str, str]) -> None:
    r5 = case["drafts"] in ("screening_r5", "biopsy_right_by_body_structure")
    model = R5ServiceRequest if r5 else R4BServiceRequest
    for order in orders_in(cards_for(case)):
        short = {**order, "id": order["id"][:64]} if "id" in order else order
        model.model_validate(short)
        assert order["status"] == "draft"
        assert order["subject"] == {"reference": "Patient/w1"}


@pytest.mark.parametrize("case", [case for case in CASES if " update" in case["cards"]], ids=lambda case: case["why"])
def test_an_update_is_the_whole_draft_with_what_has_to_change_changed(case: dict[str, str]) -> None:
    drafts = {name: fixture("drafts", name) for name in case["drafts"].split()}
    sent = {draft["id"]: draft for draft in drafts.values()}
    updates = [order for order in orders_in(cards_for(case)) if "id" in order]
    assert len(updates) == 1
    for order in updates:
        draft = sent[order["id"]]
        untouched = draft.keys() - CHANGEABLE
        assert {name: order[name] for name in untouched} == {name: draft[name] for name in untouched}
        ours = "breast-radiology"
        for extension in draft.get("extension", []):
            assert ours in extension["url"] or extension in order["extension"]


def test_a_draft_that_only_has_the_wrong_side_keeps_its_code_reason_and_priority() -> None:
    draft = fixture("drafts", "biopsy_right")
    case = next(case for case in CASES if case["why"] == "the other breast")
    (order,) = orders_in(cards_for(case))
    assert {name for name in draft if order[name] != draft[name]} == {"bodySite"}


def test_a_draft_of_an_act_that_is_due_sooner_takes_the_time_of_the_act() -> None:
    case = next(case for case in CASES if case["why"] == "screening in a year while a biopsy is due")
    (order,) = orders_in(cards_for(case))
    assert "occurrenceDateTime" not in order


@pytest.mark.parametrize("identity", ["biopsy-right", "another"])
def test_two_drafts_of_one_id_are_not_touched(identity: str) -> None:
    draft = fixture("drafts", "biopsy_right")
    context = {"draftOrders": bundle(draft, {**fixture("drafts", "ultrasound_left"), "id": identity})}
    (card,) = cards_of("order-sign", context, prefetched("left_4b"))
    (action,) = card["suggestions"][0]["actions"]
    assert action["type"] == ("create" if identity == draft["id"] else "update")


def test_no_second_order_is_suggested_where_the_fitting_one_is_drafted_already() -> None:
    drafts = [fixture("drafts", name) for name in ("screening", "biopsy_left")]
    context = {"draftOrders": bundle(*drafts), "selections": ["ServiceRequest/screening"]}
    (card,) = cards_of("order-select", context, prefetched("left_4b"))
    assert decision(card)["draft_misfit"] == "screening"
    assert "suggestions" not in card
    assert cards_of("order-sign", context, prefetched("left_4b")) == []


def test_the_wrong_breast_is_never_mere_information_and_imaging_of_both_is() -> None:
    indicators = {case["why"]: cards_for(case)[0]["indicator"] for case in CASES if case["cards"]}
    assert indicators["the other breast"] == "warning"
    assert indicators["both breasts for the work-up of one"] == "info"
    assert indicators["both breasts for a biopsy of one"] == "warning"


def test_the_card_of_a_second_order_says_which_one_is_on_file() -> None:
    case = next(case for case in CASES if case["why"] == "ordered before")
    (card,) = cards_for(case)
    assert "already under way (ServiceRequest/o1)" in card["detail"]
    assert "biopsy already ordered on 2026-01-22 - the draft order is a second one" in card["summary"]
    assert card["suggestions"][0]["actions"][0]["resourceId"] == "ServiceRequest/biopsy-left"


def test_an_order_of_fhir_before_r4_is_refused_and_not_passed_over(send: Any, request_body: dict[str, Any]) -> None:
    old = {"resourceType": "ProcedureRequest", "id": "p1", "status": "draft", "code": {"text": "Screening mammogram"}}
    body = {**request_body, "hook": "order-sign"}
    body["context"]["draftOrders"] = bundle(old)
    answer = send("POST", "/cds-services/calcification-order-sign", json=body)
    (issue,) = answer.json()["issue"]
    assert (answer.status_code, issue["expression"]) == (412, ["context.draftOrders.entry[0].resource"])


def orders_in(cards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        action["resource"]
        for card in cards
        for suggestion in card.get("suggestions", [])
        for action in suggestion["actions"]
        if "resource" in action
    ]
