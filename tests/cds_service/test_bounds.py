"""Charts that no patient has are refused or read in part, with a word about it, instead of taking seconds."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from cds_service.errors import RequestError
from fhir_models.chart.pathology.texts import LONGEST_TEXT, TEXT_OF_A_CALL
from tests.cds_service.conftest import REQUEST, TODAY
from tests.cds_service.timelines import SETTINGS, Cards, cards_of

PATIENT = REQUEST["context"]["patientId"]


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": item} for item in resources]}


def answered(**prefetch: object) -> Cards:
    call = {"hook": "patient-view", "today": TODAY.isoformat(), "context": REQUEST["context"]}
    return cards_of({**call, "prefetch": {**copy.deepcopy(REQUEST["prefetch"]), **prefetch}})


def test_more_findings_and_orders_than_can_be_judged_are_refused() -> None:
    (entry, *_) = REQUEST["prefetch"]["observations"]["entry"]
    findings = [{**entry["resource"], "id": f"f{number}"} for number in range(1200)]
    with pytest.raises(RequestError) as refused:
        answered(observations=bundle(*findings))
    assert refused.value.status == 413
    assert [issue.expression for issue in refused.value.issues] == ["prefetch"]


def test_reports_that_share_more_results_than_a_patient_has_are_refused() -> None:
    (entry, *_) = REQUEST["prefetch"]["observations"]["entry"]
    (report, *_) = [entry["resource"] for entry in REQUEST["prefetch"]["reports"]["entry"]]
    findings = [{**entry["resource"], "id": f"f{number}"} for number in range(80)]
    named = [{"reference": f"Observation/f{number}"} for number in range(80)]
    reports = [{**report, "id": f"r{number}", "result": named} for number in range(80)]
    with pytest.raises(RequestError) as refused:
        answered(observations=bundle(*findings), reports=bundle(*reports))
    assert refused.value.status == 413


def test_more_keys_than_resources_are_allowed_are_refused() -> None:
    with pytest.raises(RequestError) as refused:
        answered(**{f"key{number}": None for number in range(SETTINGS.max_resources + 1)})
    assert refused.value.status == 413


def pathology(identity: str, text: str, day: str) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport", "id": identity, "status": "final", "effectiveDateTime": day,
        "code": {"coding": [{"system": "http://loinc.org", "code": "66110-8"}]}, "conclusion": text,
        "subject": {"reference": f"Patient/{PATIENT}"},
    }  # fmt: skip


FILLER = "Left breast: benign tissue. "


def with_results(report: dict[str, Any], *texts: str) -> dict[str, Any]:
    """A pathology report whose words stand in results that it contains."""
    code = {"coding": [{"system": "http://loinc.org", "code": "22637-3"}]}
    contained = [
        {"resourceType": "Observation", "id": f"o{number}", "status": "final", "code": code, "valueString": text}
        for number, text in enumerate(texts)
    ]
    named = [{"reference": f"#o{number}"} for number in range(len(texts))]
    return {**report, "contained": contained, "result": named}


@pytest.mark.parametrize(
    "reports",
    [
        [pathology("p1", FILLER * (LONGEST_TEXT // len(FILLER)) + "Discordant with imaging.", "2026-02-01")],
        [
            pathology(f"p{number}", FILLER * (LONGEST_TEXT // len(FILLER)), "2026-01-30")
            for number in range(TEXT_OF_A_CALL // LONGEST_TEXT + 2)
        ],
        [
            with_results(
                pathology("p1", "Left breast: benign. Concordant.", "2026-02-01"),
                *[FILLER * (LONGEST_TEXT // len(FILLER))] * (TEXT_OF_A_CALL // LONGEST_TEXT + 2),
            )
        ],
    ],
    ids=["one long text", "many long texts", "many long results"],
)
def test_pathology_that_was_not_read_to_its_end_is_never_benign_and_is_named(reports: list[dict[str, Any]]) -> None:
    original = [entry["resource"] for entry in REQUEST["prefetch"]["reports"]["entry"]]
    cards = answered(reports=bundle(*original, *reports))
    text = "\n".join(card["detail"] for card in cards)
    assert "too long to be read to its end" in text
    decisions = [card["extension"]["org.fleck.decision"] for card in cards]
    left = [decision for decision in decisions if decision["laterality"] in ("left", "bilateral")]
    assert left
    assert not {decision["recommendation"] for decision in left} & {"no_follow_up", "short_interval_follow_up"}
