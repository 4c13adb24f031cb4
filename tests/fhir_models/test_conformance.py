"""The conformance check names every fault with its place, and repeats nothing of the patient's."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_models.conformance import check_document, every_resource
from fhir_models.strict_json import parse_json
from fhir_models.terminology import load_terminology

FOLDER = Path(__file__).parent
NONCONFORMING = FOLDER / "nonconforming"
TERMINOLOGY = load_terminology()
TODAY = date(2026, 3, 1)
NAME = "Ada Lovelace"


def check(document: object, version: str = "R4") -> list[tuple[str, str, str]]:
    return [(item.code, item.path, item.text) for item in check_document(document, TERMINOLOGY, TODAY, version)]


def faults(name: str, version: str = "R4") -> list[tuple[str, str]]:
    document = parse_json((NONCONFORMING / name).read_bytes())
    return [(code, path) for code, path, _ in check(document, version)]


def test_every_fault_of_every_entry_is_named_with_its_place() -> None:
    found = check(parse_json((NONCONFORMING / "bundle.json").read_bytes()))
    assert [(code, path) for code, path, _ in found] == [
        ("required", "Bundle.entry[0].resource.code"),
        ("structure", "Bundle.entry[1].resource.resourceType"),
        ("structure", "Bundle.entry[3].resource.favourite"),
        ("value", "Bundle.entry[4].resource.result[0].reference"),
        ("processing", "Bundle.entry[1].resource"),
        ("processing", "Bundle.entry[4].resource.result[0]"),
        ("code-invalid", "Bundle.entry[2].resource.component[0].valueCodeableConcept.coding[0]"),
    ]
    assert "KALK-7" in found[-1][2]
    assert not [text for _, _, text in found if "Ada" in text or "tea" in text]


def test_a_fault_hides_no_other_of_the_same_resource() -> None:
    assert sorted(faults("many_faults.json")) == [
        ("processing", "Observation.hasMember[0]"),
        ("required", "Observation.code"),
        ("required", "Observation.component[0].code"),
        ("required", "Observation.status"),
        ("value", "Observation"),
        ("value", "Observation.effectiveDateTime"),
        ("value", "Observation.hasMember"),
    ]


def test_a_contained_resource_of_no_known_type_is_named_and_the_next_one_still_checked() -> None:
    assert faults("contained.json") == [
        ("structure", "Observation.contained[0].resourceType"),
        ("value", "Observation.contained[1].gender"),
    ]


def test_where_the_library_itself_stops_the_element_is_named_and_the_rest_still_checked() -> None:
    report = {"resourceType": "DiagnosticReport", "code": {"text": "MG"}, "presentedForm": [{"url": 7}]}
    assert [(code, path) for code, path, _ in check(report)] == [
        ("value", "DiagnosticReport.presentedForm"),
        ("required", "DiagnosticReport.status"),
    ]


def test_a_fault_says_by_which_version_of_fhir_it_is_one() -> None:
    document = parse_json((FOLDER / "examples" / "51-r5-collection-report-bodystructure-order.json").read_bytes())
    as_r4 = check_document(document, TERMINOLOGY, TODAY, "R4")
    assert {item.version for item in as_r4} == {"R4"}
    assert "R4 has no such element" in {item.text for item in as_r4}
    assert check_document(document, TERMINOLOGY, TODAY, "R5") == ()


def test_resources_in_bundles_in_a_hook_request_are_found_at_their_place() -> None:
    reports = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "DiagnosticReport"}}]}
    document = {"prefetch": {"reports": reports, NAME: {"resourceType": "Patient", "contained": [{"id": "x"}]}}}
    assert [path for path, _, _ in every_resource(document)][:2] == [
        "prefetch.reports",
        "prefetch.reports.entry[0].resource",
    ]
    assert not [path for _, path, _ in check(document) if "Ada" in path]


def _places(value: object, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items: list[Any] = list(value.items() if isinstance(value, dict) else enumerate(value)) if value else []
    nested = [(*place, step) for step, _ in items]
    return nested + [
        deeper for step, item in items if isinstance(item, dict | list) for deeper in _places(item, (*place, step))
    ]


DOCUMENTS = [json.loads(path.read_bytes()) for path in sorted((FOLDER / "examples").glob("*.json"))]
SENT = st.sampled_from(
    [NAME, [NAME], {NAME: NAME}, {"resourceType": NAME}, {"resourceType": [NAME]}, {"extension": [{"url": NAME}]}]
) | st.sampled_from([None, 7, 1e300, True, [], {}, [[]], [None]])


@settings(max_examples=150, deadline=None)
@given(document=st.sampled_from(DOCUMENTS), data=st.data(), version=st.sampled_from(["R4", "R5"]))
def test_whatever_is_sent_is_answered_without_being_repeated(
    document: dict[str, Any], data: st.DataObject, version: str
) -> None:
    """Codes and their systems alone are repeated: without them an integration engineer could not map them."""
    changed: Any = deepcopy(document)
    for _ in range(data.draw(st.integers(1, 3))):
        *above, last = data.draw(st.sampled_from(_places(changed)))
        parent = changed
        for step in above:
            parent = parent[step]
        parent[last] = deepcopy(data.draw(SENT))
    found = check_document(changed, TERMINOLOGY, TODAY, version)
    assert not [item for item in found if NAME in item.path or (item.unknown is None and NAME in item.text)]


FOREIGN_CODES = {
    "67-tw-attribute-in-component-code": ["129760005", "129766004", "129770007", "80248007"],
    "68-tw-category-only-in-system": ["129760005", "129766004", "129770007", "80248007"],
    "86-ig-2019-06-draft-codes-ignored-text-read": ["129714008", "62315008", "86049000"],
    "98-de-invalid-codes-category-in-text": ["373945005"],
}
"""Codes that their senders write under a page's address, at random, or with a wrong check digit: never to be matched."""


@pytest.mark.parametrize("path", sorted((FOLDER / "examples").glob("*.json")), ids=lambda path: path.stem)
def test_the_examples_are_in_order_but_for_codes_that_no_table_may_know(path: Path) -> None:
    found = check_document(parse_json(path.read_bytes()), TERMINOLOGY, TODAY, "R5" if "-r5-" in path.stem else "R4")
    assert [item for item in found if item.unknown is None] == []
    assert sorted(item.unknown.code for item in found if item.unknown) == FOREIGN_CODES.get(path.stem, [])


@pytest.mark.parametrize("document", [None, [], "text", {"hello": 1}, 7])
def test_what_holds_no_fhir_is_said_to_hold_none(document: object) -> None:
    assert [path for _, path, _ in check(document)] == ["$"]
