"""appointment-book, a row a case: the slots, the chart, and the card: side, why, indicator, what is offered."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.hooks import appointment_book
from cds_service.protocol.hook_request import HookRequest
from tests.cds_service.fixture_files import CONTEXT, bundle, cards_of, decision, fixture, names, prefetched, rows

CASES = rows("appointment_cases.csv")


def cards_for(case: dict[str, str]) -> list[dict[str, Any]]:
    slots = [fixture("appointments", name) for name in case["appointments"].split()]
    return cards_of("appointment-book", {"appointments": bundle(*slots)}, prefetched(case["chart"]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_a_slot_is_judged_as_the_row_says(case: dict[str, str]) -> None:
    cards = cards_for(case)
    if not case["card"]:
        assert cards == []
        return
    (card,) = cards
    side, misfit, indicator, *ordered = case["card"].split()
    assert card["summary"].startswith(f"{side.capitalize()} breast: ")
    assert len(card["summary"]) < 140
    assert "the slot of " in card["summary"]
    assert card["detail"].startswith("**The appointment.** ")
    assert (decision(card)["slot_misfit"], card["indicator"]) == (misfit, indicator)
    labels = [suggestion["label"].lower() for suggestion in card.get("suggestions", [])]
    assert len(labels) == len(ordered)
    assert all(word in label for word, label in zip(ordered, labels, strict=True))


@pytest.mark.parametrize("case", [case for case in CASES if case["card"]], ids=lambda case: case["why"])
def test_a_slot_is_never_changed(case: dict[str, str]) -> None:
    for card in cards_for(case):
        for suggestion in card.get("suggestions", []):
            assert [action["type"] for action in suggestion["actions"]] == ["create"]
            assert suggestion["actions"][0]["resource"]["resourceType"] == "ServiceRequest"


@pytest.mark.parametrize("name", names("appointments"))
def test_only_an_appointment_that_may_be_of_a_breast_asks_for_the_chart(name: str) -> None:
    request = HookRequest(
        hook="appointment-book", hook_instance="", patient_id="w1", prefetch={}, extension={},
        context={"patientId": "w1", "appointments": bundle(fixture("appointments", name))},
    )  # fmt: skip
    assert appointment_book.concerns(request, CONTEXT) is (name not in ("cardiology", "screening_of_another_patient"))
