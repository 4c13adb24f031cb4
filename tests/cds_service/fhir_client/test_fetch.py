"""What is missing is fetched, once, with the token, from the server that was named; the rest is left alone."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from cds_service.fhir_client.exchange import FetchLimits
from cds_service.hooks.key_fate import KeyFate, Reason
from cds_service.hooks.prefetch_keys import PrefetchKey
from tests.cds_service.fhir_client.conftest import EMPTY, PATIENT, TOKEN, Complete, fate, ids, report, without
from tests.cds_service.fhir_client.fhir_server import FhirServer, hangs, nothing_found, says, searchset

FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}


def test_every_missing_key_is_asked_once_with_the_token(server: FhirServer, complete: Complete) -> None:
    server.plays(Patient=says(PATIENT), DiagnosticReport=says(searchset(report("r1"))))
    delivery = complete({})
    assert sorted(asked.target for asked in server.asked) == [
        "/fhir/r4/Appointment?patient=p1&_sort=-date&_count=50",
        "/fhir/r4/Condition?patient=p1&_count=200",
        "/fhir/r4/DiagnosticReport?patient=p1&_sort=-date&_count=100",
        "/fhir/r4/Observation?patient=p1&category=imaging&_sort=-date&_count=200",
        "/fhir/r4/Patient/p1",
        "/fhir/r4/Procedure?patient=p1&_sort=-date&_count=200",
        "/fhir/r4/ServiceRequest?patient=p1&_sort=-authored&_count=100",
    ]
    assert {asked.headers["authorization"] for asked in server.asked} == {f"Bearer {TOKEN}"}
    assert {asked.headers["accept"] for asked in server.asked} == {"application/fhir+json"}
    assert {located.path for located in delivery.resources} == {
        "fhirServer/patient",
        "fhirServer/reports.entry[0].resource",
    }
    assert not delivery.not_received
    assert not delivery.incomplete
    assert {fate.outcome for fate in delivery.fates} == {"fetched"}


def test_nothing_is_asked_where_everything_came(server: FhirServer, complete: Complete) -> None:
    delivery = complete(EMPTY)
    assert server.asked == []
    assert {fate.outcome for fate in delivery.fates} == {"hit"}


@pytest.mark.parametrize("value", [FAILED, "123", 7, [], {"id": "x"}, PATIENT])
def test_only_what_is_missing_or_failed_is_asked(server: FhirServer, complete: Complete, value: object) -> None:
    server.plays(DiagnosticReport=says(searchset(report("r1"))))
    delivery = complete(without("reports", "patient", reports=value, patient=PATIENT))
    assert server.kinds == ["DiagnosticReport"]
    assert fate(delivery, "reports").outcome == "fetched"
    assert not delivery.not_received
    assert "r1" in ids(delivery)


def test_an_empty_result_is_not_asked_again(server: FhirServer, complete: Complete) -> None:
    complete(without("reports", reports={"resourceType": "Bundle", "type": "searchset", "total": 0}))
    assert server.asked == []


def test_a_server_that_is_open_is_asked_without_a_token(server: FhirServer, complete: Complete) -> None:
    complete({}, access_token=None)
    assert server.asked
    assert not any("authorization" in asked.headers for asked in server.asked)


def test_a_session_of_one_call_is_not_kept_for_the_next_question(server: FhirServer, complete: Complete) -> None:
    server.plays(DiagnosticReport=says(searchset(report("r1"), next_url=f"{server.base}?page=2"), Set_Cookie="s=1"))
    complete(without("reports"))
    assert len(server.asked) > 1
    assert not any("cookie" in asked.headers for asked in server.asked)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_no_proxy_of_the_environment_gets_the_token(
    server: FhirServer,
    elsewhere: FhirServer,
    complete: Complete,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, elsewhere.origin)
    complete(without("reports"))
    assert elsewhere.asked == []
    assert server.kinds == ["DiagnosticReport"]


@pytest.mark.parametrize(
    ("_what", "members", "reason"),
    [
        ("no server", {"fhir_server": None}, "no fhirServer"),
        ("no server is registered for the client", {"servers": ()}, "not registered"),
        ("another one is", {"servers": ("https://ehr.example.org/fhir/r4",)}, "not registered"),
        ("another path", {"servers": ("{origin}/fhir",)}, "not registered"),
        ("path in capitals", {"servers": ("{origin}/FHIR/r4",)}, "not registered"),
        ("a user in the URL", {"fhir_server": "http://user@{host}/fhir/r4"}, "not registered"),
        ("a query in the URL", {"fhir_server": "{base}?x=1"}, "not registered"),
        ("no URL", {"fhir_server": "urn:x"}, "not registered"),
        ("http to another machine", {"fhir_server": "http://ehr.invalid/r4", "servers": ("http://ehr.invalid/r4",)},
         "not registered"),
    ],
)  # fmt: skip
def test_a_server_that_is_not_registered_for_the_client_is_not_asked(
    server: FhirServer, complete: Complete, _what: str, members: dict[str, Any], reason: str
) -> None:
    known = {"origin": server.origin, "base": server.base, "host": server.origin.removeprefix("http://")}
    placed = {
        name: tuple(url.format(**known) for url in value)
        if isinstance(value, tuple)
        else value and value.format(**known)
        for name, value in members.items()
    }
    delivery = complete(without("reports"), **placed)
    assert server.asked == []
    assert fate(delivery, "reports") == KeyFate("reports", "missing", Reason(reason))
    assert delivery.absent == ("reports",)


def test_a_slash_at_the_end_makes_no_other_server(server: FhirServer, complete: Complete) -> None:
    complete(without("reports"), fhir_server=f"{server.base}/")
    assert server.kinds == ["DiagnosticReport"]


@pytest.mark.parametrize(
    "patient", ["a&b=c", "a/../b", "a?x#y", "a,b", "a|b", "a%2Cb", "ä b+c", "a'\"<>", "{{context.userId}}"]
)
def test_an_odd_patient_id_does_not_change_the_query(server: FhirServer, complete: Complete, patient: str) -> None:
    """It stays one value: no other parameter, path or second patient, also once the server has decoded it."""
    complete(without("reports"), context={"patientId": patient})
    (asked,) = server.asked
    escaped = patient.replace(",", "\\,").replace("|", "\\|")
    parts = urlsplit(asked.target)
    assert parts.path == "/fhir/r4/DiagnosticReport"
    assert parse_qsl(parts.query) == [("patient", escaped), ("_sort", "-date"), ("_count", "100")]


@pytest.mark.parametrize("patient", ["..", ".", "../x", "a/../../../admin", "%2e%2e", "..;x"])
def test_a_patient_id_that_climbs_out_of_the_path_is_not_read(
    server: FhirServer, complete: Complete, patient: str
) -> None:
    delivery = complete(without("patient"), context={"patientId": patient})
    assert server.asked == []
    assert fate(delivery, "patient") == KeyFate("patient", "missing", Reason.NO_VALUE)


@pytest.mark.parametrize(
    "template",
    [
        "Encounter/{{context.encounterId}}",
        "Encounter?patient={{context.patientId}}&x={{context.encounterId}}",
        "Encounter?x={{context.draftOrders}}",
        "Encounter?x={{context.draftOrders.ServiceRequest.id}}",
        "Encounter?x={{userPractitionerId}}",
        "Encounter?date=ge{{today()}}",
        "{{context.patientId}}/x",
    ],
)
def test_a_template_without_its_value_drops_the_key(server: FhirServer, complete: Complete, template: str) -> None:
    keys = (PrefetchKey("encounter", template, ("Encounter",)),)
    context = {"patientId": "p1", "draftOrders": {"resourceType": "Bundle"}, "encounterId": None}
    delivery = complete({}, keys=keys, context=context)
    assert server.asked == []
    assert fate(delivery, "encounter") == KeyFate("encounter", "missing", Reason.NO_VALUE)
    assert delivery.absent == ("encounter",)


def test_the_certain_failure_of_a_silent_key_is_worth_no_line(server: FhirServer, complete: Complete) -> None:
    server.plays(Appointment=says({}, 404))
    delivery = complete(without("appointments"))
    assert delivery.not_received == ()
    assert fate(delivery, "appointments") == KeyFate("appointments", "failed", Reason.NOT_FOUND)


def test_one_key_that_hangs_takes_nothing_from_the_others(server: FhirServer, complete: Complete) -> None:
    server.plays(DiagnosticReport=hangs, ServiceRequest=nothing_found)
    delivery = complete(without("reports", "orders"), limits=FetchLimits(seconds=1))
    assert fate(delivery, "reports") == KeyFate("reports", "failed", Reason.TIMEOUT)
    assert fate(delivery, "orders") == KeyFate("orders", "fetched")
    assert delivery.not_received == ("reports",)


def test_resources_that_came_both_ways_are_there_once(server: FhirServer, complete: Complete) -> None:
    """Cut off without a link: the query is asked again, and brings what is there already."""
    server.plays(DiagnosticReport=says(searchset(report("r1"), report("r2"), total=2)))
    delivery = complete(without("reports", reports=searchset(report("r1"), total=2)))
    assert ids(delivery) == ["r1", "r2"]
    assert fate(delivery, "reports") == KeyFate("reports", "fetched", sent="answer")
    assert not delivery.incomplete


def test_no_id_of_the_context_but_the_patients_is_looked_up(server: FhirServer, complete: Complete) -> None:
    """Drafts lie on no server, and user and encounter need not either; not even the patient has to be found."""
    server.plays(Patient=says({}, 404), DiagnosticReport=says(searchset(report("r1"))))
    draft = {"resourceType": "ServiceRequest", "id": "draft-1"}
    context = {
        "patientId": "p1",
        "userId": "Practitioner/u1",
        "encounterId": "e1",
        "selections": ["ServiceRequest/draft-1"],
        "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": draft}]},
    }
    delivery = complete(without("patient", "reports", "orders"), hook="order-select", context=context)
    assert sorted(asked.target for asked in server.asked) == [
        "/fhir/r4/DiagnosticReport?patient=p1&_sort=-date&_count=100",
        "/fhir/r4/Patient/p1",
        "/fhir/r4/ServiceRequest?patient=p1&_sort=-authored&_count=100",
    ]
    assert ids(delivery) == ["r1"]
