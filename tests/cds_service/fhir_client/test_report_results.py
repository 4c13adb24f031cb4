"""A mammography report may name findings that did not come: three of them are read, the newest report's first."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.hooks.key_fate import KeyFate, Reason
from tests.cds_service.fhir_client.conftest import Complete, fate, ids, report, without
from tests.cds_service.fhir_client.fhir_server import FhirServer, says, searchset

FINDING = {"resourceType": "Observation", "id": "o1"}
LABORATORY = {"coding": [{"system": "http://loinc.org", "code": "58410-2"}]}


def naming(*references: str, **members: Any) -> dict[str, Any]:
    return report(members.pop("id", "r1"), result=[{"reference": name} for name in references], **members)


def test_a_result_that_did_not_come_is_read(server: FhirServer, complete: Complete) -> None:
    server.plays(Observation=says(FINDING))
    delivery = complete(without("reports", reports=searchset(naming("Observation/o1"))))
    assert [asked.target for asked in server.asked] == ["/fhir/r4/Observation/o1"]
    assert ids(delivery) == ["r1", "o1"]
    assert delivery.resources[-1].path == "fhirServer/results[0]"
    assert fate(delivery, "results") == KeyFate("results", "fetched")
    assert delivery.not_received == ()


def test_a_result_of_a_fetched_report_is_read(server: FhirServer, complete: Complete) -> None:
    server.plays(DiagnosticReport=says(searchset(naming("Observation/o1"))), Observation=says(FINDING))
    assert ids(complete(without("reports"))) == ["r1", "o1"]


def test_a_result_that_came_with_the_fetched_observations_is_not_read(server: FhirServer, complete: Complete) -> None:
    server.plays(Observation=says(searchset(FINDING)))
    complete(without("reports", "observations", reports=searchset(naming("Observation/o1"))))
    assert [asked.target.partition("?")[0] for asked in server.asked] == ["/fhir/r4/Observation"]


@pytest.mark.parametrize(
    ("_what", "reference", "asked"),
    [
        ("relative", "Observation/o1", 1),
        ("of a version", "Observation/o1/_history/2", 1),
        ("absolute", "{base}/Observation/o1", 1),
        ("absolute, of a version", "{base}/Observation/o1/_history/2", 1),
        ("another host", "{elsewhere}/fhir/r4/Observation/o1", 0),
        ("another path", "{origin}/other/Observation/o1", 0),
        ("deeper", "{base}/other/Observation/o1", 0),
        ("contained", "#o1", 0),
        ("a urn", "urn:uuid:6f0d0c52-6d0b-4f9e-9c52-2b7d3f0f7a11", 0),
        ("another type", "Media/m1", 0),
        ("dots", "Observation/..", 0),
        ("a search", "Observation/o1?_include=*", 0),
        ("an operation", "Observation/$everything", 0),
        ("nothing", "", 0),
    ],
)
def test_only_an_observation_of_this_server_is_read(
    server: FhirServer, elsewhere: FhirServer, complete: Complete, _what: str, reference: str, asked: int
) -> None:
    server.plays(Observation=says(FINDING))
    name = reference.format(base=server.base, origin=server.origin, elsewhere=elsewhere.origin)
    complete(without("reports", reports=searchset(naming(name))))
    assert len(server.asked) == asked
    assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("_what", "prefetched"),
    [
        ("the result came", [naming("Observation/o1"), FINDING]),
        ("it came, and is named absolutely", [naming("https://ehr.example.org/Observation/o1"), FINDING]),
        ("the report is a laboratory's", [{**naming("Observation/o1"), "code": LABORATORY}]),
        ("the report is broken", [{**naming("Observation/o1"), "code": 3}]),
        ("the results are no list", [{**report("r1"), "result": {"reference": "Observation/o1"}}]),
        ("the results are no references", [{**report("r1"), "result": ["Observation/o1", {"reference": 3}, None]}]),
    ],
)
def test_nothing_is_read_that_is_not_missing_from_a_mammogram(
    server: FhirServer, complete: Complete, _what: str, prefetched: list[dict[str, Any]]
) -> None:
    complete(without("reports", reports=searchset(*prefetched)))
    assert server.asked == []


def test_three_are_read_and_those_of_the_newest_report(server: FhirServer, complete: Complete) -> None:
    old = naming("Observation/a", "Observation/b", id="old", effectiveDateTime="2020-01-01")
    new = naming("Observation/c", "Observation/d", id="new", effectiveDateTime="2026-01-01")
    complete(without("reports", reports=searchset(old, new)))
    assert sorted(asked.target for asked in server.asked) == [f"/fhir/r4/Observation/{name}" for name in "acd"]


def test_a_result_that_cannot_be_had_is_no_missing_key(server: FhirServer, complete: Complete) -> None:
    server.plays(Observation=says({}, 404))
    delivery = complete(without("reports", reports=searchset(naming("Observation/o1"))))
    assert fate(delivery, "results") == KeyFate("results", "failed", Reason.NOT_FOUND)
    assert delivery.not_received == ()
    assert delivery.incomplete == ()
