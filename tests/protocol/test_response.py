"""Section 1.8: every card of every timeline and every service has the shape of CDS Hooks 2.0.1, and shows text as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest as R4BServiceRequest
from fhir.resources.servicerequest import ServiceRequest as R5ServiceRequest

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.cds_service.conftest import PATIENT_VIEW, TODAY, Send, sender
from tests.cds_service.timelines import Timeline, cards_of, read_timelines
from tests.protocol.faults import answer_faults
from tests.protocol.requests import HOOKS, PATIENT, Body, request_for

TIMELINES = read_timelines(Path(__file__).parents[1] / "timelines")
ANSWERS: list[tuple[Timeline, list[Body]]] = [(timeline, cards_of(timeline)) for timeline in TIMELINES]
CARDS = [card for _, cards in ANSWERS for card in cards]
ACTIONS = [
    (timeline["context"]["patientId"], action)
    for timeline, cards in ANSWERS
    for card in cards
    for suggestion in card.get("suggestions", ())
    for action in suggestion["actions"]
]
SUGGESTIONS = [suggestion for card in CARDS for suggestion in card.get("suggestions", ())]


def cards(send: Send, body: Body) -> list[Body]:
    answer = send("POST", HOOKS[body["hook"]], json=body)
    assert answer.status_code == 200, answer.text
    assert answer_faults(answer.json()) == []
    return answer.json()["cards"]


def test_there_are_cards_of_every_kind_to_look_at() -> None:
    assert len(CARDS) > 100
    assert {card["indicator"] for card in CARDS} == {"info", "warning", "critical"}
    assert len(ACTIONS) > 30


@pytest.mark.parametrize(("timeline", "given"), ANSWERS, ids=[timeline["id"] for timeline, _ in ANSWERS])
def test_an_answer_has_no_fault(timeline: Timeline, given: list[Body]) -> None:
    assert answer_faults({"cards": given}) == []


@pytest.mark.parametrize("hook", HOOKS)
def test_an_answer_of_each_service_has_no_fault(send: Send, hook: str) -> None:
    assert cards(send, request_for(hook))


def test_every_card_can_be_given_feedback_on() -> None:
    assert all("uuid" in card for card in CARDS)
    assert all("uuid" in suggestion for suggestion in SUGGESTIONS)
    identities = [part["uuid"] for part in (*CARDS, *SUGGESTIONS)]
    assert len(set(identities)) == len(identities)


def test_every_card_has_a_topic_that_never_changes_and_every_client_accepts() -> None:
    for card in CARDS:
        assert re.fullmatch(r"[A-Za-z0-9]{1,100}", card["source"]["topic"]["code"])
    assert {card["source"]["topic"]["system"] for card in CARDS} == {"urn:fleck:recommendation"}


def test_a_source_has_a_url_only_where_one_is_configured(send: Send) -> None:
    public = sender(create_app(Settings.model_validate({"today": TODAY, "public_url": "https://fleck.example.org/"})))
    for url, asked in ((None, send), ("https://fleck.example.org/", public)):
        assert {card["source"].get("url") for card in cards(asked, request_for("patient-view"))} == {url}


@pytest.mark.parametrize("behavior", ["any", "at-most-one"])
def test_a_client_gets_the_selection_behavior_that_it_knows(behavior: str) -> None:
    asked = sender(create_app(Settings.model_validate({"today": TODAY, "selection_behavior": behavior})))
    given = cards(asked, request_for("patient-view"))
    assert {card["selectionBehavior"] for card in given if "suggestions" in card} == {behavior}


def test_override_reasons_have_code_system_and_display() -> None:
    for card in CARDS:
        assert len(card["overrideReasons"]) > 1
        assert all(set(reason) == {"code", "system", "display"} for reason in card["overrideReasons"])


def test_nothing_is_applied_or_opened_by_itself(send: Send) -> None:
    """No systemActions, no deletion, no app and no link: a clinician decides, and no client has to allow a host."""
    for hook in HOOKS:
        assert set(send("POST", HOOKS[hook], json=request_for(hook)).json()) == {"cards"}
    assert not [card for card in CARDS if "links" in card]
    assert {action["type"] for _, action in ACTIONS} <= {"create", "update"}


def test_no_member_of_a_later_version_is_sent() -> None:
    """`actionSelectionBehavior` (3.0) only to a client that is known to know it, and none says so."""
    assert not [suggestion for suggestion in SUGGESTIONS if "actionSelectionBehavior" in suggestion]


def test_a_new_order_is_a_whole_valid_draft_for_the_patient_of_the_call() -> None:
    created = [(patient, action["resource"]) for patient, action in ACTIONS if action["type"] == "create"]
    assert created
    for patient, order in created:
        model = R5ServiceRequest if "concept" in order["code"] else R4BServiceRequest
        model.model_validate(order)
        assert (order["status"], order["subject"]) == ("draft", {"reference": f"Patient/{patient}"})


def test_at_most_one_suggestion_of_a_card_is_recommended() -> None:
    for card in CARDS:
        assert sum(suggestion.get("isRecommended", False) for suggestion in card.get("suggestions", ())) <= 1


def test_extensions_are_named_by_reversed_domains() -> None:
    assert {name for card in CARDS for name in card["extension"]} == {"org.fleck.decision"}


HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=y> [a](javascript:alert(1)) ![b](http://evil.example/p.png) | c | `d` "
    "**e** # f\n# g\r\n- h\n\n| i | j |\n|---|---|\n<!-- k --> https://evil.example www.evil.example a@evil.example "
    "~~l~~ $m$ \\*n*"
)
OUR_EMPHASIS = re.compile(r"^\*\*[A-Z][^*\n]*\*\*", re.MULTILINE)


def strings(value: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        if isinstance(value[key], str):
            yield value, key
        elif isinstance(value[key], dict | list):
            yield from strings(value[key])


def chart_strings(body: Body) -> list[tuple[Any, Any]]:
    return [place for value in body["prefetch"].values() for place in strings(value)]


def test_no_text_of_a_chart_becomes_markup_on_a_card(send: Send) -> None:
    """Every text of the chart in turn is a hostile one, some clients render raw HTML."""
    count = len(chart_strings(request_for("patient-view")))
    assert count > 400
    shown = 0
    for number in range(count):
        body = request_for("patient-view")
        container, key = chart_strings(body)[number]
        container[key] = f"{container[key]} {HOSTILE}"
        answer = send("POST", PATIENT_VIEW, json=body)
        assert answer.status_code in (200, 412), answer.text
        for card in answer.json().get("cards", ()):
            shown += "evil" in card["detail"]
            ours = re.sub(r"[<>]=? ?(?=\d)", "", OUR_EMPHASIS.sub("", card["detail"]))
            plain = re.sub(r"\\[!-/:-@\[-`{-~]", "", ours)
            found = re.search(r"[<>\[\]`|~$]|\*\*|https?:|www\.|@evil|^#|\n-{3}", plain)
            assert not found, (key, plain[found.start() - 60 :])
            assert card["summary"].isprintable()
            assert "evil" not in card["summary"]
    assert shown > 10


@pytest.mark.parametrize(
    "word", ["\U0001f469\u200d\U0001f52c" * 90, "e\u0301" * 400, "\u202e" * 300, "W" * 5000, "\n" * 500, "\u2028x" * 99]
)
@pytest.mark.parametrize("hook", HOOKS)
def test_no_text_of_a_chart_makes_a_summary_longer_than_a_client_accepts(send: Send, hook: str, word: str) -> None:
    """Counted in code points."""
    body = request_for(hook)
    for value in (*body["prefetch"].values(), body["context"]["draftOrders"], body["context"]["appointments"]):
        for container, key in strings(value):
            if key in ("display", "text", "conclusion", "family", "valueString"):
                container[key] += word
    for card in cards(send, body):
        assert 0 < len(card["summary"]) < 140


def test_the_patient_of_the_request_is_the_one_of_the_orders(send: Send) -> None:
    orders = [
        action["resource"]
        for card in cards(send, request_for("patient-view"))
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    ]
    assert [order["subject"]["reference"] for order in orders] == [f"Patient/{PATIENT}"] * len(orders) != []
