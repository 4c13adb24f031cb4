"""Whatever a sender gets wrong, reading neither fails nor loses a finding in silence."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_models.patients import UNTOLD
from fhir_models.read import read_chart_document, read_document
from fhir_models.strict_json import parse_json
from fhir_models.terminology import load_terminology
from tests.fhir_models.reading_cases import cases_for

EXAMPLES = [parse_json(path.read_bytes()) for path in sorted((Path(__file__).parent / "examples").glob("*.json"))]
TERMINOLOGY = load_terminology()
TODAY = date(2026, 1, 1)
RUBBISH = st.sampled_from(
    [None, True, 0, -1.5, "", "x", "2025-13-45", [], {}, [[]], [None], {"coding": "x"}, {"a": {}}]
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [found for key, child in children for found in [(*path, key), *places(child, (*path, key))]]


@st.composite
def mutated_examples(draw: st.DrawFn) -> Any:
    document = deepcopy(draw(st.sampled_from(EXAMPLES)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(document)))
        parent = document
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = deepcopy(draw(RUBBISH))
        if not places(document):
            break
    return document


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated_examples())
def test_no_broken_element_stops_the_reading(document: Any) -> None:
    reading = read_document(document, TERMINOLOGY, TODAY)
    cases_for(reading, TODAY)


def calcification(**members: Any) -> dict[str, Any]:
    document = deepcopy(next(item for item in EXAMPLES if item["id"] == "calc-amorphous-grouped"))  # type: ignore[index]
    document.update(members)
    return document


def test_a_broken_component_is_reported_and_the_rest_is_read() -> None:
    document = calcification()
    document["component"][4]["valueRange"] = "many"
    reading = read_document(document, TERMINOLOGY, TODAY)
    assert reading.exams[0].findings[0].morphology == ("amorphous",)
    assert [item.path for item in reading.unread] == ["$.component[4].valueRange"]


def test_an_unreadable_entry_never_hides_a_readable_one() -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Observation", "id": 7, "code": 3}},
                                                  {"resource": calcification()}, 5]}  # fmt: skip
    reading = read_document(bundle, TERMINOLOGY, TODAY)
    assert [finding.laterality for exam in reading.exams for finding in exam.findings] == ["left"]
    assert reading.unread


def test_a_category_sent_as_single_object_is_tolerated() -> None:
    document = calcification(code={"coding": {"system": "https://radelement.org", "code": "RDES241"}})
    reading = read_document(document, TERMINOLOGY, TODAY)
    assert reading.exams[0].findings[0].presence == "present"
    assert reading.unread == ()


def test_another_patients_resource_is_never_used() -> None:
    request = {"context": {"patientId": "someone"}, "prefetch": {"o": calcification()}}
    reading = read_document(request, TERMINOLOGY, TODAY)
    assert reading.exams == ()
    assert [item.why for item in reading.unread] == ["belongs to another patient"]


def report_containing(identity: str, side: str, **members: Any) -> dict[str, Any]:
    """A mammography report whose only finding is contained in it, under an id that other reports use too."""
    finding = calcification(id="finding", bodySite={"coding": [{"system": "http://snomed.info/sct", "code": side}]})
    del finding["subject"]
    return {
        "resourceType": "DiagnosticReport", "id": identity, "status": "final", "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "24606-6"}]}, "effectiveDateTime": "2025-11-03",
        "contained": [finding], "result": [{"reference": "#finding"}], **members,
    }  # fmt: skip


def sides(*resources: dict[str, Any]) -> list[str]:
    prefetch = {str(index): resource for index, resource in enumerate(resources)}
    reading = read_document({"context": {"patientId": "p"}, "prefetch": prefetch}, TERMINOLOGY, TODAY)
    return sorted(finding.laterality for exam in reading.exams for finding in exam.findings)


RIGHT, LEFT = "73056007", "80248007"


def test_contained_findings_of_one_id_are_told_apart_by_their_container() -> None:
    assert sides(report_containing("a", RIGHT), report_containing("b", LEFT)) == ["left", "right"]


def test_a_contained_finding_is_told_apart_from_one_outside_with_its_id() -> None:
    outside = calcification(id="finding", subject={"reference": "Patient/p"})
    assert sides(report_containing("a", RIGHT), outside) == ["left", "right"]


def test_contained_findings_with_one_id_in_one_report_are_both_read() -> None:
    right, left = report_containing("a", RIGHT), report_containing("a", LEFT)
    assert sides(report_containing("a", RIGHT, contained=right["contained"] + left["contained"])) == ["left", "right"]


def two_of_one_id(*urls: str, **members: Any) -> list[str]:
    """Both sides' findings under one id, in both orders of arrival; which sides are read."""
    pair = [calcification(id="one", bodySite={"text": f"{side} breast"}, **members) for side in ("left", "right")]
    for item, version in zip(pair, ("1", "2"), strict=True):
        if "meta" in members:
            item["meta"] = {"versionId": version}
    entries = [
        {"resource": item, **({"fullUrl": url} if url else {})}
        for item, url in zip(pair, urls or ("", ""), strict=True)
    ]
    read = [
        read_document({"resourceType": "Bundle", "entry": order}, TERMINOLOGY, TODAY)
        for order in (entries, entries[::-1])
    ]
    first, second = (
        sorted(str(finding.laterality) for exam in reading.exams for finding in exam.findings) for reading in read
    )
    assert first == second
    return first


def test_two_resources_of_one_id_are_both_read_unless_they_are_versions() -> None:
    ours, theirs = "https://a.example.org/Observation/one", "https://b.example.org/Observation/one"
    assert two_of_one_id() == ["left", "right"]
    assert two_of_one_id(ours, theirs) == ["left", "right"]
    assert two_of_one_id(ours, theirs, meta={}) == ["left", "right"]
    assert two_of_one_id(ours, ours, meta={}) == ["right"]
    assert two_of_one_id(ours, "", meta={}) == ["right"]
    assert two_of_one_id(meta={}) == ["right"]


def test_another_patients_resource_of_the_same_id_takes_nothing_away() -> None:
    of_another = calcification(id="finding", subject={"reference": "Patient/q"})
    own = calcification(id="finding", subject={"reference": "Patient/p"})
    assert sides(of_another, own) == sides(own, of_another) == ["left"]


def test_what_an_older_version_contains_is_not_read() -> None:
    versions = [
        report_containing("a", RIGHT, meta={"versionId": "1"}),
        report_containing("a", LEFT, meta={"versionId": "2"}),
    ]
    assert sides(*versions) == sides(*reversed(versions)) == ["left"]


def test_what_another_patients_report_contains_is_not_read() -> None:
    assert sides(report_containing("a", RIGHT, subject={"reference": "Patient/q"}), report_containing("b", LEFT)) == [
        "left"
    ]


def test_a_contained_patient_is_not_taken_for_another_one() -> None:
    patient = {"resourceType": "Patient", "id": "me", "gender": "female"}
    report = report_containing("a", LEFT, subject={"reference": "#me"})
    assert sides({**report, "contained": [*report["contained"], patient]}) == ["left"]


@pytest.mark.parametrize(
    ("subject", "used"),
    [
        (None, True),
        ("Patient/p", True),
        ("https://ehr.example.org/fhir/Patient/p", True),
        ("Patient/p/_history/2", True),
        ("p", True),
        ("urn:uuid:5f0c", True),
        ("Patient/q", False),
        ("https://ehr.example.org/fhir/Patient/q", False),
        ("q", False),
        ("Group/p", False),
        ("Patient/P", False),
        ("Patient/q?x=/Patient/p", False),
        ("Patient/q#Patient/p", False),
        ("Group/x/Patient/p", False),
    ],
)
def test_only_what_is_the_patients_is_used(subject: str | None, used: bool) -> None:
    members = {"subject": {"reference": subject}} if subject else {}
    report = report_containing("a", LEFT)
    assert sides({**{key: value for key, value in report.items() if key != "subject"}, **members}) == ["left"] * used


@pytest.mark.parametrize(
    ("subject", "closes"),
    [
        (None, True),
        ({"reference": "Patient/p"}, True),
        ({"reference": "Patient/p", "display": "P"}, True),
        ({"reference": "urn:uuid:p"}, True),
        ({}, False),
        ({"display": "Q"}, False),
        ({"identifier": {"value": "q"}}, False),
        ({"reference": None}, False),
        ({"reference": ["Patient/q"]}, False),
        ("Patient/p", False),
        (5, False),
        ([{"reference": "Patient/p"}, {"reference": "Patient/q"}], False),
        ({"reference": "#me"}, False),
        ({"reference": "urn:uuid:5f0c"}, False),
    ],
)
def test_what_does_not_say_readably_whose_it_is_closes_nothing_and_is_named(subject: object, closes: bool) -> None:
    biopsy = {
        "resourceType": "Procedure", "id": "biopsy", "status": "completed", "performedDateTime": "2025-11-10",
        "code": {"text": "Stereotactic biopsy of the left breast"},
    }  # fmt: skip
    pathology = {
        "resourceType": "DiagnosticReport", "id": "tissue", "status": "final", "effectiveDateTime": "2025-11-10",
        "code": {"coding": [{"system": "http://loinc.org", "code": "66110-8"}]},
        "conclusion": "Left breast, core biopsy: fibrocystic change. Concordant.",
    }  # fmt: skip
    named = {} if subject is None else {"subject": subject}
    prefetch = {"b": {**biopsy, **named}, "t": {**pathology, **named}, "o": report_containing("a", LEFT)}
    chart = read_chart_document({"context": {"patientId": "p"}, "prefetch": prefetch}, TERMINOLOGY, TODAY)
    assert [event.resource for event in chart.events] == ["Procedure/biopsy"] * closes
    assert [result.resource for result in chart.tissue] == ["DiagnosticReport/tissue"] * closes
    assert [exam.id for exam in chart.reading.exams if exam.findings] == ["DiagnosticReport/a"]
    assert {item.resource for item in chart.reading.unread if item.why == UNTOLD} == (
        set() if closes else {"Procedure/biopsy", "DiagnosticReport/tissue"}
    )


@pytest.mark.parametrize("identity", ["", "a/b", "../x", "a\nb", "a\u202eb", "x" * 129, 7])
def test_an_id_that_is_none_does_not_become_a_reference(identity: object) -> None:
    reading = read_document(calcification(id=identity), TERMINOLOGY, TODAY)
    assert [exam.id for exam in reading.exams] == ["Observation/$"]


def test_order_of_entries_does_not_matter() -> None:
    bundle = next(item for item in EXAMPLES if item.get("id") == "coll-1")  # type: ignore[union-attr]
    turned = {**bundle, "entry": list(reversed(bundle["entry"]))}  # type: ignore[index,dict-item]
    first, second = (read_document(item, TERMINOLOGY, TODAY) for item in (bundle, turned))
    assert [exam.findings[0].morphology for exam in first.exams] == [
        exam.findings[0].morphology for exam in second.exams
    ]
    assert cases_for(first, TODAY)[0].case == cases_for(second, TODAY)[0].case
