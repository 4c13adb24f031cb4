"""The conformance check names every fault with its place, and repeats nothing of the patient's."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from fhir_models.conformance import check_document
from fhir_models.strict_json import parse_json
from fhir_models.terminology import load_terminology

FOLDER = Path(__file__).parent
TERMINOLOGY = load_terminology()
TODAY = date(2026, 3, 1)


def check(document: object, version: str = "R4") -> list[tuple[str, str, str]]:
    return [(item.code, item.path, item.text) for item in check_document(document, TERMINOLOGY, TODAY, version)]


def test_every_fault_of_every_entry_is_named_with_its_place() -> None:
    found = check(parse_json((FOLDER / "nonconforming" / "bundle.json").read_bytes()))
    assert [(code, path) for code, path, _ in found] == [
        ("required", "Bundle.entry[0].resource.code"),
        ("structure", "Bundle.entry[1].resource.resourceType"),
        ("structure", "Bundle.entry[3].resource.favourite"),
        ("value", "Bundle.entry[4].resource.result[0].reference"),
        ("code-invalid", "urn:oid:1.2.3"),
    ]
    assert "KALK-7" in found[-1][2]
    assert not [text for _, _, text in found if "Ada" in text or "tea" in text]


@pytest.mark.parametrize("path", sorted((FOLDER / "examples").glob("*.json")), ids=lambda path: path.stem)
def test_the_examples_are_in_order(path: Path) -> None:
    assert check(parse_json(path.read_bytes()), "R5" if path.stem.startswith("5") else "R4") == []


@pytest.mark.parametrize("document", [None, [], "text", {"hello": 1}, 7])
def test_what_holds_no_fhir_is_said_to_hold_none(document: object) -> None:
    assert [path for _, path, _ in check(document)] == ["$"]
