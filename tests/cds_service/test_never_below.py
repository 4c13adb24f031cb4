"""From the request to the cards: whatever is stated at whichever level, nothing is advised below the radiologist."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.hooks import patient_view
from cds_service.hooks.service_call import answer_as_sent, context_for
from cds_service.knowledge import load_knowledge
from cds_service.protocol.hook_request import read_hook_request
from cds_service.settings import Settings
from fhir_models.category_text import most_severe
from rules.vocabulary import URGENCY, Recommendation
from tests.cds_service.conftest import REQUEST, TODAY

SETTINGS = Settings(benign_card_months=0)
CONTEXT = context_for(load_knowledge(SETTINGS), SETTINGS, SETTINGS.profile, TODAY)
ELEMENTS = "https://radelement.org"
SITES = {"left": "80248007", "right": "73056007", "bilateral": "63762007"}
ASKED_BY = {
    "0": Recommendation.DIAGNOSTIC_MAMMOGRAM, "3": Recommendation.SHORT_INTERVAL_FOLLOW_UP, "4": Recommendation.BIOPSY,
    "4A": Recommendation.BIOPSY, "4B": Recommendation.BIOPSY, "4C": Recommendation.BIOPSY, "5": Recommendation.BIOPSY,
    "6": Recommendation.SPECIALIST_MANAGEMENT,
}  # fmt: skip
CATEGORIES = ["0", "1", "2", "3", "4", "4A", "4B", "4C", "5", "6"]
FORMS = ["amorphous", "finePleomorphic", "fineLinear", "coarseHeterogeneous", "punctate", "vascular", "skin", "rim"]
MAYBE_CATEGORY = st.none() | st.sampled_from(CATEGORIES)


def concept(code: str) -> dict[str, Any]:
    return {"coding": [{"system": ELEMENTS, "code": code}]}


def observation(code: str, side: str | None, components: list[dict[str, Any]], **members: Any) -> dict[str, Any]:
    site = {"bodySite": {"coding": [{"system": "http://snomed.info/sct", "code": SITES[side]}]}} if side else {}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(code),
        "component": components,
        **site,
        **members,
    }


@st.composite
def findings(draw: st.DrawFn) -> tuple[dict[str, Any], str | None]:
    category = draw(MAYBE_CATEGORY)
    components: list[dict[str, Any]] = []
    if form := draw(st.none() | st.sampled_from(FORMS)):
        components.append({"code": concept("RDE1565"), "valueCodeableConcept": concept(f"RDE1565_{form}")})
    if place := draw(st.none() | st.sampled_from(["diffuse", "regional", "grouped", "linear", "segmental"])):
        components.append({"code": concept("RDE1568"), "valueCodeableConcept": concept(f"RDE1568_{place}")})
    if category:
        components.append({"code": concept("RDE1586"), "valueString": category})
    side = draw(st.none() | st.sampled_from(sorted(SITES)))
    absent = {"valueBoolean": False} if draw(st.integers(0, 5)) == 0 else {}
    status = draw(st.sampled_from(["final", "final", "amended", "preliminary"]))
    return observation("RDES241", side, components, **absent) | {"status": status}, category


@st.composite
def reports(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[str]]:
    """A report with its findings and categories at every level, and the categories that it states."""
    found = draw(st.lists(findings(), max_size=3))
    of_breasts = {side: draw(MAYBE_CATEGORY) for side in ("left", "right")}
    overall = draw(MAYBE_CATEGORY)
    resources = [resource for resource, _ in found]
    resources += [observation("RDE1586", side, [], valueString=stated) for side, stated in of_breasts.items() if stated]
    for number, resource in enumerate(resources):
        resource["id"] = f"o{number}"
    report = {
        "resourceType": "DiagnosticReport", "id": "r", "status": "final", "effectiveDateTime": TODAY.isoformat(),
        "code": {"coding": [{"system": "http://loinc.org", "code": draw(st.sampled_from(["24606-6", "26346-7"]))}]},
        "result": [{"reference": f"Observation/{resource['id']}"} for resource in resources],
        **({"conclusion": f"BI-RADS {overall}"} if overall else {}),
    }  # fmt: skip
    own = [category for _, category in found]
    return [report, *resources], [stated for stated in (*own, *of_breasts.values(), overall) if stated]


def cards_for(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": item} for item in resources]}
    body = orjson.dumps({**REQUEST, "prefetch": {"reports": bundle}})
    request = read_hook_request(body, patient_view.SERVICE.hook)
    return list(answer_as_sent(patient_view.OFFERED, request, CONTEXT).cards)


@settings(max_examples=500, deadline=None)
@given(reports())
def test_the_most_severe_category_is_answered_with_no_less_than_it_asks_for(
    report: tuple[list[dict[str, Any]], list[str]],
) -> None:
    resources, stated = report
    advised = [card["extension"]["org.fleck.decision"] for card in cards_for(resources)]
    most = max((URGENCY[Recommendation(item["recommendation"])] for item in advised), default=0)
    category = most_severe(stated)
    if category in ASKED_BY:
        assert most >= URGENCY[ASKED_BY[category]], category


@settings(max_examples=300, deadline=None)
@given(reports())
def test_a_suspicious_form_is_never_met_with_silence(report: tuple[list[dict[str, Any]], list[str]]) -> None:
    resources, stated = report
    suspicious = [
        item
        for item in resources
        if "valueBoolean" not in item
        and any(f"RDE1565_{form}" in str(item) for form in FORMS[:4])
        and "RDE1568_diffuse" not in str(item)
        and item.get("bodySite") != {"coding": [{"system": "http://snomed.info/sct", "code": SITES["bilateral"]}]}
    ]
    if suspicious and not {"1", "2"} & set(stated):
        assert cards_for(resources)


@settings(max_examples=200, deadline=None)
@given(reports())
def test_a_draft_order_is_for_a_side_that_the_report_names(report: tuple[list[dict[str, Any]], list[str]]) -> None:
    resources, _ = report
    codes = {coding["code"] for item in resources for coding in item.get("bodySite", {}).get("coding", [])}
    named = {side for side, code in SITES.items() if code in codes}
    for card in cards_for(resources):
        if "suggestions" in card:
            side = card["extension"]["org.fleck.decision"]["laterality"]
            assert side in named or {"left", "right"} <= named or "bilateral" in named
