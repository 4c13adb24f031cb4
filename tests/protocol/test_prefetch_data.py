"""Section 1.5: absent, null, empty, failed and foreign values are told apart, and none of them is taken for "no report"."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cds_service.conftest import PATIENT_VIEW, Send
from tests.protocol.requests import Body, request_for, searchset

CHART = request_for("patient-view")["prefetch"]
REPORT = CHART["reports"]["entry"][0]["resource"]
NO_RESULTS = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "warning", "code": "not-found",
            "details": {"coding": [{"system": "urn:oid:1.2.840.114350.1.13.861.1.7.2.657369", "code": "4101"}],
                        "text": "Resource request returns no results."},
        }
    ],
}  # fmt: skip
FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
EPIC_NOTHING = {
    "resourceType": "Bundle",
    "type": "searchset",
    "total": 0,
    "entry": [{"fullUrl": "urn:uuid:0-0", "search": {"mode": "outcome"}, "resource": NO_RESULTS}],
}


def call(send: Send, prefetch: Any) -> tuple[int, Body]:
    answer = send("POST", PATIENT_VIEW, json={**request_for("patient-view"), "prefetch": prefetch})
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    "nothing",
    [None, searchset(), searchset(total=0), {**searchset(), "entry": []}, EPIC_NOTHING,
     {"resourceType": "Bundle", "type": "collection"}],
    ids=["null (1.0)", "no entry (2.0.1)", "total 0", "an empty list", "Epic's outcome", "a collection"],
)  # fmt: skip
def test_a_search_that_found_nothing_is_an_answer(send: Send, nothing: object) -> None:
    assert call(send, {"reports": nothing, "observations": nothing}) == (200, {"cards": []})


@pytest.mark.parametrize(
    "prefetch",
    [
        {},
        None,
        {"patient": CHART["patient"]},
        {"reports": FAILED},
        {"reports": {**searchset(), "entry": [{"resource": FAILED}]}, "observations": FAILED},
        {"reports": "123"},
        {"reports": {"response": {"status": "500"}}},
        {"reports": [REPORT]},
    ],
    ids=[
        "no key", "null", "only another key", "an error", "errors within and without", "a string", "a wrapped failure",
        "a list",
    ],
)  # fmt: skip
def test_data_that_was_not_obtained_is_412_and_names_the_keys(send: Send, prefetch: object) -> None:
    status, outcome = call(send, prefetch)
    assert status == 412
    assert {issue["expression"][0] for issue in outcome["issue"]} == {"prefetch.reports", "prefetch.observations"}
    assert all("prefetch key" in issue["diagnostics"] for issue in outcome["issue"])


@pytest.mark.parametrize("failed", [FAILED, "123", 7, True, []])
def test_a_needed_key_that_failed_beside_an_empty_one_is_not_silence(send: Send, failed: object) -> None:
    status, outcome = call(send, {"reports": failed, "observations": searchset()})
    assert status == 412
    assert [issue["expression"] for issue in outcome["issue"]] == [["prefetch.reports"]]


def test_a_value_that_may_be_a_report_and_says_no_type_gets_a_card(send: Send) -> None:
    status, answer = call(send, {"reports": {"id": "x", "conclusion": "BI-RADS 4"}, "observations": searchset()})
    assert status == 200
    assert ["could not be read" in card["summary"] for card in answer["cards"]] == [True]


@pytest.mark.parametrize(
    "wrapped",
    [
        {**CHART["reports"], "type": "collection"},
        {name: value for name, value in CHART["reports"].items() if name != "type"},
        searchset(REPORT),
        searchset(NO_RESULTS, REPORT),
        {"response": {"status": "200 OK"}, "resource": CHART["reports"]},
        REPORT,
        searchset(CHART["reports"]),
    ],
    ids=[
        "a collection", "without type", "without links and fullUrl", "an outcome first", "wrapped with its response",
        "the report itself", "a Bundle in a Bundle",
    ],
)  # fmt: skip
def test_a_report_is_read_in_whatever_it_comes(send: Send, wrapped: object) -> None:
    plain = call(send, CHART)[1]["cards"]
    status, answer = call(send, {**CHART, "reports": wrapped})
    assert status == 200
    assert [card["summary"] for card in answer["cards"]] == [card["summary"] for card in plain]


@pytest.mark.parametrize(
    "value", [None, "123", 7, 1.5, True, [], [None], {}, {"resourceType": 3}, {"resourceType": "Bundle", "entry": {}}]
)
def test_a_key_that_nobody_asked_for_changes_nothing(send: Send, value: object) -> None:
    plain = call(send, CHART)[1]["cards"]
    status, answer = call(send, {**CHART, "user": value})
    assert status == 200
    assert [card["summary"] for card in answer["cards"]] == [card["summary"] for card in plain]


def test_a_history_of_which_pages_are_missing_is_said_to_be_incomplete(send: Send) -> None:
    pages = {**CHART["reports"], "link": [{"relation": "next", "url": "https://ehr.example.org/fhir/r4?page=2"}]}
    _, answer = call(send, {**CHART, "reports": pages})
    assert answer["cards"]
    assert all("reports (only a part)" in card["detail"] for card in answer["cards"])


def test_a_chart_of_which_keys_are_missing_says_which(send: Send) -> None:
    _, answer = call(send, {name: CHART[name] for name in ("reports", "observations")})
    for card in answer["cards"]:
        (line,) = [line for line in card["detail"].split("\n") if line.startswith("**Not received**")]
        assert {"conditions", "procedures", "orders"} <= set(line.rstrip(".").partition(": ")[2].split(", "))


@pytest.mark.parametrize(
    ("member", "place", "status"),
    [
        ({"codedDiagnosis": [{"text": "BI-RADS 4"}]}, "prefetch.reports.entry[0].resource.codedDiagnosis", 412),
        ({"conclusionCode": [{"text": "BI-RADS 4"}]}, None, 200),
    ],
    ids=["DSTU2 and STU3", "R4"],
)
def test_a_fhir_version_that_is_not_read_is_refused_and_not_guessed(
    send: Send, member: Body, place: str | None, status: int
) -> None:
    got, answer = call(send, {**CHART, "reports": searchset({**REPORT, **member})})
    assert got == status
    assert [issue["expression"][0] for issue in answer.get("issue", [])] == ([place] if place else [])
