"""Codes as senders really write them, and the shipped tables themselves."""

from __future__ import annotations

import csv
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from fhir_models.terminology import load_terminology

TERMINOLOGY = load_terminology()
SCT = "http://snomed.info/sct"
RADELEMENT = "http://hl7.org/fhir/us/breast-radiology/CodeSystem/RadLexCDE"


def rows(table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(files("fhir_models").joinpath(f"codes/{table}.csv").read_text("utf-8").splitlines()))


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (SCT, "129760005"),
        ("https://www.snomed.info/sct/", "129760005"),
        ("HTTP://SNOMED.INFO/SCT", " 129760005 "),
        (f"{SCT}|{SCT}/731000124108", "129760005"),
        (f"{SCT}/731000124108/version/20250901", "129760005"),
        ("urn:oid:2.16.840.1.113883.6.96", "129760005"),
        ("http://snomed.info/srt", "F-0176C"),
        (RADELEMENT, "RDE1565_amorphous"),
        (RADELEMENT, "RDE1565_indistinct"),
        ("https://radelement.org/", "RDE1565.0"),
        ("https://radelement.org/ng/", "rde1565_AMORPHOUS"),
        ("RADELEMENT", "OIFMA_CDE_001565.0"),
        (None, "RDE1565_amorphous"),
        ("  ", "RDE1565.0"),
    ],
)
def test_one_concept_in_every_way_of_writing_it(system: str | None, code: str) -> None:
    concept = TERMINOLOGY.concept(system, code)
    assert concept is not None
    assert (concept.kind, concept.normal) == ("morphology", "amorphous")


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("http://example.org/codes", "129760005"),
        (None, "129760005"),
        (RADELEMENT, "129760005"),
        (SCT, "RDE1565_amorphous"),
        (SCT, "1297600050"),
        (SCT, ""),
        (None, None),
    ],
)
def test_a_code_of_another_system_is_not_guessed(system: str | None, code: str | None) -> None:
    assert TERMINOLOGY.concept(system, code) is None


def test_a_code_that_senders_use_wrongly_is_never_matched() -> None:
    wrong = [row for table in ("findings", "assessment") for row in rows(table) if row["status"] == "conflict"]
    assert wrong
    right = {
        (row["system"], row["code"]) for row in rows("findings") + rows("assessment") if row["status"] != "conflict"
    }
    for row in wrong:
        if (row["system"], row["code"]) not in right:
            assert TERMINOLOGY.concept(row["system"], row["code"]) is None, row


def verhoeff_holds(number: str) -> bool:
    """Check digit of a SNOMED CT identifier (Verhoeff, dihedral group of order 10)."""

    def multiply(a: int, b: int) -> int:
        if a < 5:
            return (a + b) % 5 if b < 5 else (a + b) % 5 + 5
        return (a - b) % 5 + 5 if b < 5 else (a - b) % 5

    permutation = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    check = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit)
        for _ in range(place % 8):
            value = permutation[value]
        check = multiply(check, value)
    return check == 0


def mod_10_holds(code: str) -> bool:
    """Check digit of a LOINC code (mod 10, ISO 7812)."""
    digits, _, check = code.partition("-")
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * 2 if place % 2 == 0 else int(digit)
        total += doubled - 9 if doubled > 9 else doubled
    return (10 - total % 10) % 10 == int(check)


BOGUS_BUT_SENT = {"72018-2"}
"""A code without a valid check digit that German senders put on the assessment; read, never sent."""


@pytest.mark.parametrize("table", ["findings", "assessment", "studies", "orders", "outgoing"])
def test_the_check_digits_of_shipped_codes_hold(table: str) -> None:
    standing = [row for row in rows(table) if row.get("status") != "conflict"]
    snomed = {row["code"] for row in standing if row["system"] == SCT}
    loinc = {row["code"] for row in standing if row["system"] == "http://loinc.org" and row["code"][0].isdigit()}
    assert {code for code in snomed if not verhoeff_holds(code)} == set()
    assert {code for code in loinc if not mod_10_holds(code)} == (BOGUS_BUT_SENT if table == "assessment" else set())


def test_every_shipped_code_has_a_concept_and_a_source() -> None:
    concepts = {row["concept"] for row in rows("concepts")}
    for table in ("findings", "assessment"):
        for row in rows(table):
            assert row["concept"] in concepts
            assert row["source"] and row["status"] in ("verified", "secondary", "conflict")


def concept_map(tmp_path: Path, code: str = "KALK-AM", target: str = "calc_type_amorphous", **element: Any) -> Path:
    path = tmp_path / "local.json"
    mapped = {"code": code, "target": [{"code": target, "equivalence": "equivalent", **element}]}
    group = {"source": "urn:local", "target": "urn:fleck:concept", "element": [mapped]}
    path.write_text(json.dumps({"resourceType": "ConceptMap", "status": "active", "group": [group]}))
    return path


def test_a_site_adds_its_codes_with_a_concept_map(tmp_path: Path) -> None:
    concept = load_terminology([concept_map(tmp_path)]).concept("urn:local", "KALK-AM")
    assert concept is not None
    assert concept.normal == "amorphous"
    assert TERMINOLOGY.concept("urn:local", "KALK-AM") is None


@pytest.mark.parametrize(
    ("element", "complaint"),
    [
        ({"target": "calc_type_starry"}, "calc_type_starry is no concept"),
        ({"equivalence": "wider"}, r"group\[0\]\.element\[0\] must map to one concept"),
    ],
)
def test_a_concept_map_that_cannot_be_used_is_refused_by_name(
    tmp_path: Path, element: dict[str, str], complaint: str
) -> None:
    with pytest.raises(ValueError, match=f"local.json.*{complaint}"):
        load_terminology([concept_map(tmp_path, **element)])


def test_a_shipped_code_cannot_be_redefined(tmp_path: Path) -> None:
    path = concept_map(tmp_path, code="129760005", target="calc_type_vascular")
    path.write_text(path.read_text().replace("urn:local", SCT))
    with pytest.raises(ValueError, match="already stands for calc_type_amorphous"):
        load_terminology([path])
