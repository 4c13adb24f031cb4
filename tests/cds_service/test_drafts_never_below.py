"""Whatever is drafted: no suggestion asks for less than the open finding does, and none changes whose order it is."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_models.chart.events.read import read_events
from fhir_models.entries import Located, read_entries
from rules.follow_up import Act
from rules.vocabulary import Recommendation
from tests.cds_service.conftest import TODAY
from tests.cds_service.fixture_files import CONTEXT, PROFILES, bundle, cards_of, decision, names, prefetched

SNOMED = "http://snomed.info/sct"
SITES = {"left": "80248007", "right": "73056007", "both": "63762007"}
CODES = [
    "24605-8",
    "24606-6",
    "26347-5",
    "26348-3",
    "26346-7",
    "26175-0",
    "24601-7",
    "26338-4",
    "116334007",
    "71651007",
]
WORDS = [
    "Screening mammogram",
    "Stereotactic biopsy right breast",
    "Left breast",
    "bilateral",
    "MRI",
    "Mammogram, left",
]


def concept(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://loinc.org" if "-" in code else SNOMED, "code": code}]}


@st.composite
def drafts(draw: st.DrawFn) -> dict[str, Any]:
    maybe = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "id": st.sampled_from(["d1", "d2", "x" * 190]),
                "subject": st.sampled_from(
                    [{"reference": "Patient/w1"}, {"reference": "Patient/zzz"}, {"display": "Somebody"}]
                ),
                "bodySite": st.sampled_from(sorted(SITES)).map(
                    lambda side: [{"coding": [{"system": SNOMED, "code": SITES[side]}]}]
                ),
                "reasonCode": st.sampled_from(WORDS).map(lambda text: [{"text": text}]),
                "note": st.sampled_from(WORDS).map(lambda text: [{"text": text}]),
                "orderDetail": st.sampled_from(WORDS).map(lambda text: [{"text": text}]),
                "occurrenceDateTime": st.sampled_from(["2026-02-10", "2027-02-10", "2026"]),
                "extension": st.just([{"url": "https://ehr.example.org/x", "valueString": "y"}]),
            },
        )
    )
    code = draw(st.sampled_from(CODES).map(concept) | st.sampled_from(WORDS).map(lambda text: {"text": text}))
    status = draw(st.sampled_from(["draft", "draft", "draft", "active"]))
    return {"resourceType": "ServiceRequest", "status": status, "intent": "order", "code": code, **maybe}


@settings(max_examples=400, deadline=None)
@given(
    st.lists(drafts(), min_size=1, max_size=3),
    st.sampled_from(names("charts")),
    st.sampled_from(sorted(PROFILES)),
)
def test_no_suggestion_asks_for_less_or_changes_the_patient(
    sent: list[dict[str, Any]], chart: str, client: str
) -> None:
    cards = cards_of("order-sign", {"draftOrders": bundle(*sent)}, prefetched(chart), PROFILES[client])
    changed: list[str] = []
    for card in cards:
        told = decision(card)
        closing = CONTEXT.knowledge.ruleset.limits.closing[Recommendation(told["recommendation"])]
        suggestions = card.get("suggestions", [])
        assert sum(suggestion.get("isRecommended", False) for suggestion in suggestions) <= 1
        for suggestion in suggestions:
            kinds = [action["type"] for action in suggestion["actions"]]
            assert client == "" or len(kinds) == 1
            for action in suggestion["actions"]:
                if action["type"] == "delete":
                    assert told["state"] == "ordered" or "create" in kinds or told["draft_misfit"] == "wrong_side"
                    if told["draft_misfit"] == "duplicate":
                        deleted = [
                            draft for draft in sent if f"ServiceRequest/{draft.get('id')}" == action["resourceId"]
                        ]
                        assert takes_tissue(*orders_of(chart)) == takes_tissue(*deleted)
                    changed.append(action["resourceId"])
                    assert is_ours_in_draft(action["resourceId"], sent)
                    continue
                order = action["resource"]
                assert order["status"] == "draft"
                assert order["subject"] == {"reference": "Patient/w1"}
                (event,) = read_events(read_entries([Located("order", order)]), CONTEXT.knowledge.terminology, TODAY)
                assert event.acts & closing.ordered_by
                assert not event.conflict
                assert event.laterality in (told["laterality"], "left", "right")
                if told["laterality"] != "bilateral":
                    assert event.laterality == told["laterality"]
                if action["type"] == "update":
                    changed.append(f"ServiceRequest/{order['id']}")
                    assert is_ours_in_draft(changed[-1], sent)
    assert len(changed) == len(set(changed))


def orders_of(chart: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in prefetched(chart)["orders"]["entry"]]


def takes_tissue(*orders: dict[str, Any]) -> bool:
    entries = read_entries(Located(f"order[{number}]", order) for number, order in enumerate(orders))
    return any(Act.BIOPSY in event.acts for event in read_events(entries, CONTEXT.knowledge.terminology, TODAY))


def is_ours_in_draft(name: str, sent: list[dict[str, Any]]) -> bool:
    named = [draft for draft in sent if f"ServiceRequest/{draft.get('id')}" == name]
    return [(draft["status"], draft["subject"]) for draft in named] == [("draft", {"reference": "Patient/w1"})]
