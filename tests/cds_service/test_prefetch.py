"""What arrives is judged by content: absent, failed, empty and partial are four different things."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.errors import RequestError
from cds_service.hooks.key_fate import KeyFate, Reason
from cds_service.hooks.prefetch import CutOff, not_obtained, read_prefetch
from cds_service.hooks.prefetch_keys import PATIENT_CHART, required
from cds_service.hooks.report_review import KEYS
from fhir_models.entries import Located

REPORT = {"resourceType": "DiagnosticReport", "id": "r1"}
FINDING = {"resourceType": "Observation", "id": "o1"}
NOTHING = {"resourceType": "Bundle", "type": "searchset"}
NO_RESULTS = {"severity": "warning", "code": "not-found", "details": {"coding": [{"code": "4101"}]}}
WARNED = {"resourceType": "OperationOutcome", "issue": [NO_RESULTS]}
FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
BESIDE = {"resource": {"resourceType": "Media", "id": "m1"}, "search": {"mode": "include"}}
SEARCHED_REPORTS = {**NOTHING, "link": [{"relation": "self", "url": "https://ehr/fhir/DiagnosticReport?patient=1"}]}


def bundle(*resources: object, **members: object) -> dict[str, Any]:
    return {**NOTHING, "entry": [{"resource": resource} for resource in resources], **members}


def paged(*resources: object) -> dict[str, Any]:
    return bundle(*resources, link=[{"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}])


OBTAINED = [
    ("null means searched, nothing found (1.0)", None),
    ("Bundle without entry (2.0.1)", NOTHING),
    ("Bundle with no entry in the list", bundle()),
    ("Bundle with total 0", {**NOTHING, "total": 0}),
    ("Epic: the one entry says that there is none", bundle(WARNED, total=0)),
    ("an outcome that only warns", WARNED),
    ("a report", bundle(REPORT)),
    ("a report on its own", REPORT),
    ("wrapped with its response, as before 1.0", {"response": {"status": 200}, "resource": bundle(REPORT)}),
    ("a Bundle of Bundles", bundle(bundle(REPORT))),
    ("a Bundle of type collection", bundle(REPORT, type="collection")),
    ("absolute URLs", {**NOTHING, "entry": [{"fullUrl": "https://ehr/DiagnosticReport/r1", "resource": REPORT}]}),
    ("another type than asked for, found by the search", bundle({"resourceType": "Media", "id": "m1"})),
    ("as many as it counts", bundle(REPORT, total=1)),
    ("a total that is no number", bundle(REPORT, total="9")),
    ("a warning beside the results", bundle(REPORT, WARNED, total=1)),
]


@pytest.mark.parametrize(("_what", "value"), OBTAINED)
def test_a_key_is_obtained_even_if_nothing_was_found(_what: str, value: object) -> None:
    delivery = read_prefetch({"reports": value}, PATIENT_CHART, 9)
    assert "reports" not in delivery.not_received
    assert not delivery.unread


NOT_OBTAINED = [
    ("the search failed", FAILED),
    ("an outcome without issues", {"resourceType": "OperationOutcome"}),
    ("the only entry is an error", bundle(FAILED)),
    ("a word (the specification's own example)", "123"),
    ("a number", 7),
    ("true", True),
    ("a list", [REPORT]),
    ("an object that is no resource", {"id": "r1"}),
    ("entries that are no list", {**NOTHING, "entry": {"resource": REPORT}}),
    ("a resource of another type on its own", FINDING),
    ("pages, and none of them", paged()),
    ("results are counted, and none is there", {**NOTHING, "total": 3}),
    ("a search that was broken off", {**WARNED, "issue": [{"severity": "warning", "code": "timeout"}]}),
    ("the only entry has no resource", {**NOTHING, "entry": [{"fullUrl": "https://ehr/DiagnosticReport/r1"}]}),
]


@pytest.mark.parametrize(("_what", "value"), NOT_OBTAINED)
def test_an_error_or_no_resource_is_never_taken_for_an_empty_result(_what: str, value: object) -> None:
    delivery = read_prefetch({"reports": value}, PATIENT_CHART, 9)
    assert delivery.failed == ("reports",)
    assert "reports" in delivery.not_received


@pytest.mark.parametrize(
    ("prefetch", "absent"),
    [
        ({}, "patient reports observations conditions procedures orders"),
        ({"mammograms": bundle(REPORT, FINDING)}, "patient conditions procedures orders"),
        ({"-user": "123", "x": FINDING}, "patient reports conditions procedures orders"),
        ({"mammograms": SEARCHED_REPORTS}, "patient observations conditions procedures orders"),
        ({"mammograms": NOTHING}, "patient reports observations conditions procedures orders"),
        (
            {
                "mammograms": {**SEARCHED_REPORTS, "entry": [{"resource": FAILED}]},
                "reports": None,
                "observations": None,
            },
            "patient conditions procedures orders",
        ),
        ({"document": bundle({"resourceType": "Composition"})}, "patient observations conditions procedures orders"),
    ],
)
def test_content_decides_and_not_the_key(prefetch: dict[str, object], absent: str) -> None:
    """Sites type keys in by hand. A foreign key answers ours by what it holds or by what it searched for."""
    assert read_prefetch(prefetch, PATIENT_CHART, 9).absent == tuple(absent.split())


def test_a_missing_silent_key_is_not_worth_a_line_on_a_card() -> None:
    assert "appointments" not in read_prefetch({}, PATIENT_CHART, 9).not_received


def test_every_key_says_what_its_absence_means() -> None:
    assert {key.name: key.failure for key in PATIENT_CHART} == {
        "patient": "named",
        "reports": "required",
        "observations": "required",
        "conditions": "named",
        "procedures": "named",
        "orders": "named",
        "appointments": "silent",
    }
    assert required(PATIENT_CHART) == ("reports", "observations")
    assert required(KEYS) == ("report",)


@pytest.mark.parametrize(
    ("prefetch", "absent"),
    [
        ({"report": REPORT}, "patient reports observations conditions procedures orders"),
        ({"reports": bundle(REPORT)}, "report patient observations conditions procedures orders"),
    ],
    ids=["one report is not the search for all", "all reports are not the read of this one"],
)
def test_a_key_that_stands_apart_answers_itself_alone(prefetch: dict[str, object], absent: str) -> None:
    assert read_prefetch(prefetch, KEYS, 9).absent == tuple(absent.split())


@pytest.mark.parametrize(
    ("prefetch", "key"),
    [
        ({"reports": paged(REPORT)}, "reports"),
        ({"mammograms": paged(REPORT)}, "reports"),
        ({"reports": bundle(REPORT, total=57)}, "reports"),
        ({"observations": bundle(FINDING, FAILED)}, "observations"),
        ({"observations": {**NOTHING, "entry": [{"resource": FINDING}, None]}}, "observations"),
        ({"observations": bundle(bundle(FINDING, total=2))}, "observations"),
        ({"observations": bundle(bundle(FINDING), bundle(FAILED))}, "observations"),
        ({"reports": {**NOTHING, "total": 2, "entry": [{"resource": REPORT}, BESIDE]}}, "reports"),
        ({"reports": {**NOTHING, "total": 2, "entry": [{"resource": REPORT}, {"resource": WARNED}]}}, "reports"),
    ],
)
def test_a_history_that_was_cut_off_is_said_to_be_incomplete(prefetch: dict[str, object], key: str) -> None:
    assert read_prefetch(prefetch, PATIENT_CHART, 9).incomplete == (key,)


def test_every_resource_keeps_its_path() -> None:
    prefetch = {"patient": {"resourceType": "Patient"}, "reports": bundle(WARNED, REPORT, bundle(FINDING))}
    assert read_prefetch(prefetch, PATIENT_CHART, 9).resources == (
        Located("prefetch.patient", {"resourceType": "Patient"}),
        Located("prefetch.reports.entry[1].resource", REPORT),
        Located("prefetch.reports.entry[2].resource.entry[0].resource", FINDING),
    )


def test_what_is_said_of_a_search_is_no_result_of_it() -> None:
    said = {"resource": REPORT, "search": {"mode": "outcome"}}
    delivery = read_prefetch({"reports": {**NOTHING, "total": 0, "entry": [said]}}, PATIENT_CHART, 9)
    assert delivery.resources == ()
    assert "reports" not in delivery.not_received
    assert not delivery.unread


def test_each_key_tells_what_became_of_it() -> None:
    prefetch = {"patient": None, "reports": FAILED, "findings": paged(FINDING), "procedures": "123", "orders": FINDING}
    assert read_prefetch(prefetch, PATIENT_CHART, 9).fates == (
        KeyFate("patient", "hit", sent="answer"),
        KeyFate("reports", "failed", sent="unusable"),
        KeyFate("observations", "hit", Reason.CUT_OFF, "answer"),
        KeyFate("conditions", "missing"),
        KeyFate("procedures", "failed", sent="unusable"),
        KeyFate("orders", "failed", sent="unusable"),
        KeyFate("appointments", "missing"),
    )


def test_what_was_cut_off_knows_how_it_goes_on() -> None:
    broken = bundle(FINDING, FAILED, link=[{"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}])
    delivery = read_prefetch({"all": paged(REPORT, FINDING), "findings": broken}, PATIENT_CHART, 9)
    assert delivery.cut_off == (
        CutOff(("reports", "observations"), 2, "https://ehr.example.org/fhir?page=2"),
        CutOff(("observations",)),
    )


def test_a_key_that_is_no_plain_word_does_not_reach_the_card() -> None:
    (located,) = read_prefetch({"Lovelace, **Ada**": REPORT}, PATIENT_CHART, 9).resources
    assert located == Located("prefetch.(key)", REPORT)


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        (None, "prefetch.reports.entry[1]"),
        ("DiagnosticReport/r2", "prefetch.reports.entry[1]"),
        ({"response": {"status": "404"}}, "prefetch.reports.entry[1]"),
        ({"resource": {"id": "r2"}}, "prefetch.reports.entry[1].resource"),
        ({"resource": {"resourceType": 3}}, "prefetch.reports.entry[1].resource"),
    ],
)
def test_an_unusable_entry_is_reported_and_hides_no_other(entry: object, path: str) -> None:
    prefetch = {"reports": {**NOTHING, "entry": [{"resource": REPORT}, entry, {"resource": FINDING}]}}
    delivery = read_prefetch(prefetch, PATIENT_CHART, 9)
    assert [located.resource for located in delivery.resources] == [REPORT, FINDING]
    assert [fault.path for fault in delivery.unread] == [path]


def test_too_many_resources_are_refused() -> None:
    with pytest.raises(RequestError) as caught:
        read_prefetch({"reports": bundle(*[REPORT] * 10)}, PATIENT_CHART, 9)
    assert caught.value.status == 413


def test_the_error_for_missing_data_names_each_key_and_what_happened_to_it() -> None:
    error = not_obtained(read_prefetch({"reports": FAILED}, PATIENT_CHART, 9), ["reports", "observations"])
    assert error.status == 412
    assert [(issue.expression, issue.diagnostics) for issue in error.issues] == [
        ("prefetch.reports", "prefetch key reports holds an error or no resource of its type"),
        ("prefetch.observations", "prefetch key observations is absent"),
    ]
