"""What leaves for each kind of EHR: every recommendation, side and FHIR version, validated by fhir.resources."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest as R4BServiceRequest
from fhir.resources.servicerequest import ServiceRequest as R5ServiceRequest

from cds_service.clients.client import Profile, SiteLink
from cds_service.clients.profile_choices import DEFAULT_PROFILE, ProfileChoices, build_profile, profile_names
from cds_service.settings import Settings
from fhir_models.order_codes import ORDERED, SIDES, OrderCode, OrderCodes
from rules.vocabulary import Case, Category, Laterality, Morphology, Recommendation
from tests.cds_service.card_cases import CONTEXT, cards_of, finding_case
from tests.cds_service.test_cards import CASES, empty_members

PREFERENCE_LIST = "urn:com.epic.cdshooks.action.code.system.preference-list-item"
MODELS = {"R4": R4BServiceRequest, "R5": R5ServiceRequest}
SITE_CODES = tuple(
    OrderCode(
        recommendation=act,
        laterality=side,
        system=PREFERENCE_LIST,
        code=f"{act}-{side}".upper(),
        display=f"{act} {side}",
    )
    for act in ORDERED
    for side in SIDES
    if (act, side) != (Recommendation.BIOPSY, Laterality.BILATERAL)
)
BIOPSY_LEFT = Case(reported_category=Category.HIGHLY_SUGGESTIVE, laterality=Laterality.LEFT)
BENIGN_LEFT = Case(morphology=(Morphology.VASCULAR,), laterality=Laterality.LEFT)


def shipped(name: str, **overrides: Any) -> Profile:
    return build_profile(name, {}, ProfileChoices.model_validate(overrides))


def cards(case: Case, profile: Profile, version: str = "R4") -> list[dict[str, Any]]:
    context = msgspec.structs.replace(CONTEXT, profile=profile, fhir_version=version)
    return cards_of(finding_case(case), context=context)


def with_codes(profile: Profile) -> Profile:
    return msgspec.structs.replace(profile, order_codes=OrderCodes(codes=SITE_CODES, only=profile.order_codes.only))


@pytest.mark.parametrize("version", MODELS)
@pytest.mark.parametrize("codes", ["ours", "the site's"])
@pytest.mark.parametrize("name", profile_names())
def test_what_a_profile_gets_is_valid_for_every_case(name: str, codes: str, version: str) -> None:
    profile = shipped(name) if codes == "ours" else with_codes(shipped(name))
    acts: set[tuple[str, str]] = set()
    for case in CASES:
        for card in cards(case, profile, version):
            assert list(empty_members(card)) == []
            for suggestion in card.get("suggestions", ()):
                assert card["selectionBehavior"] == profile.selection_behavior
                assert "actionSelectionBehavior" not in suggestion
                (action,) = suggestion["actions"]
                order = action["resource"]
                MODELS[version].model_validate(order)
                assert order["intent"] == profile.order_intent
                code = order["code"] if version == "R4" else order["code"]["concept"]
                systems = {coding["system"] for coding in code["coding"]}
                assert (systems == {PREFERENCE_LIST}) == (codes == "the site's")
                acts.add((card["extension"]["org.fleck.decision"]["recommendation"], case.laterality))
    drafts = (
        set()
        if profile.order_codes.only and codes == "ours"
        else {(c.recommendation, c.laterality) for c in SITE_CODES}
    )
    assert acts == drafts


@pytest.mark.parametrize("name", profile_names())
def test_a_shipped_profile_changes_something_or_is_the_default_and_explains_itself(name: str) -> None:
    """A comment stands above every line, so that a fact can be checked against its source."""
    text = files("cds_service.clients").joinpath("profiles", f"{name}.toml").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert lines[0].startswith("# ")
    for number, line in enumerate(lines):
        if line and not line.startswith("#"):
            assert lines[number - 1].startswith("#") or name == "generic-3.0", line
    assert tomllib.loads(text).keys() <= ProfileChoices.model_fields.keys()


def test_what_each_ehr_is_known_to_need() -> None:
    behaviour = {name: shipped(name).selection_behavior for name in profile_names()}
    assert {name for name, value in behaviour.items() if value == "at-most-one"} == {"generic-1.0", "oracle"}
    epic = shipped("epic")
    assert (epic.one_action_per_suggestion, epic.order_intent, epic.order_codes.only) == (True, "proposal", True)
    assert shipped(DEFAULT_PROFILE) == Profile()


def test_a_profile_without_anything_chosen_is_that_of_the_settings() -> None:
    assert Settings().profile == Profile()


def test_epic_gets_the_card_without_an_order_where_the_site_mapped_none() -> None:
    """Epic ignores our codes: an order of them would be empty."""
    left_only = tuple(code for code in SITE_CODES if code.laterality == Laterality.LEFT)
    epic = msgspec.structs.replace(shipped("epic"), order_codes=OrderCodes(codes=left_only, only=True))
    right = msgspec.structs.replace(BIOPSY_LEFT, laterality=Laterality.RIGHT)
    (mapped,), (unmapped,) = cards(BIOPSY_LEFT, epic), cards(right, epic)
    order = mapped["suggestions"][0]["actions"][0]["resource"]
    assert order["code"]["coding"] == [{"system": PREFERENCE_LIST, "code": "BIOPSY-LEFT", "display": "biopsy left"}]
    assert unmapped["summary"].startswith("Right breast: consider image-guided biopsy")
    assert {"suggestions", "selectionBehavior"}.isdisjoint(unmapped)


def test_others_get_our_codes_where_the_site_mapped_none() -> None:
    some = msgspec.structs.replace(Profile(), order_codes=OrderCodes(codes=SITE_CODES[:1]))
    (card,) = cards(BIOPSY_LEFT, some)
    coding = card["suggestions"][0]["actions"][0]["resource"]["code"]["coding"]
    assert {item["system"] for item in coding} != {PREFERENCE_LIST}


def test_a_hidden_recommendation_gets_no_card_and_the_others_keep_theirs() -> None:
    quiet = shipped("generic-2.0", shown=[Recommendation.BIOPSY])
    assert not cards(BENIGN_LEFT, quiet)
    assert len(cards(BIOPSY_LEFT, quiet)) == 1


def test_a_breast_whose_most_urgent_finding_is_hidden_is_not_played_down() -> None:
    """A card that says "no follow-up" beside a hidden biopsy would be worse than none."""
    quiet = msgspec.structs.replace(CONTEXT, profile=shipped("generic-2.0", shown=[Recommendation.NO_FOLLOW_UP]))
    assert len(cards_of(finding_case(BENIGN_LEFT), context=quiet)) == 1
    assert not cards_of(finding_case(BENIGN_LEFT), finding_case(BIOPSY_LEFT), context=quiet)


def test_a_site_that_hides_everything_gets_no_cards() -> None:
    nothing = shipped("generic-2.0", shown=[])
    assert not [card for case in CASES for card in cards(case, nothing)]


def test_links_of_the_site_stand_on_the_cards_they_belong_to() -> None:
    clinic = SiteLink(
        recommendations=frozenset({Recommendation.BIOPSY}), label="Clinic", url="https://c.example.org/refer?x=1"
    )
    app = SiteLink(
        recommendations=frozenset({Recommendation.BIOPSY, Recommendation.NO_FOLLOW_UP}),
        label="App",
        url="https://app.example.org/launch",
        type="smart",
        app_context="breast",
    )
    profile = msgspec.structs.replace(Profile(), links=(clinic, app))
    (biopsy,), (benign,) = cards(BIOPSY_LEFT, profile), cards(BENIGN_LEFT, profile)
    as_app = {"label": "App", "url": "https://app.example.org/launch", "type": "smart", "appContext": "breast"}
    assert biopsy["links"] == [
        {"label": "Clinic", "url": "https://c.example.org/refer?x=1", "type": "absolute"},
        as_app,
    ]
    assert benign["links"] == [as_app]
    assert "links" not in cards(BIOPSY_LEFT, Profile())[0]
