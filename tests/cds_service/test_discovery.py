"""What an EHR learns before its first call, and that it stays within what CDS Hooks lets a client be asked."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

import pytest

from cds_service.hooks.prefetch_keys import PATIENT_CHART, PrefetchKey
from cds_service.hooks.services import SERVICES
from cds_service.protocol.hook_request import discovery_document
from tests.cds_service.conftest import Send

KEYS = list(dict.fromkeys(key for offered in SERVICES.values() for key in offered.keys))

PATIENT_SEARCHES = {"DiagnosticReport", "Observation", "Condition", "Procedure", "ServiceRequest", "Appointment"}


def test_discovery_lists_the_services_and_nothing_empty(send: Send) -> None:
    answer = send("GET", "/cds-services")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    services = answer.json()["services"]
    assert {service["id"]: service["hook"] for service in services} == {
        "calcification-patient-view": "patient-view",
        "calcification-order-select": "order-select",
        "calcification-order-sign": "order-sign",
        "calcification-appointment-book": "appointment-book",
        "calcification-report-review": "org.fleck.diagnosticreport-review",
    }
    for service in services:
        assert service["version"] == "2.0.1"
        assert service["prefetch"] == {key.name: key.query for key in SERVICES[service["id"]].keys}
        assert all(service.values())


def test_each_service_says_in_its_own_words_what_it_is_for(send: Send) -> None:
    services = send("GET", "/cds-services").json()["services"]
    on_orders = {"calcification-order-select", "calcification-order-sign"}
    for member in ("title", "description"):
        assert len({service[member] for service in services if service["id"] not in on_orders}) == 3
    for service in services:
        assert "it reads reports, not images" in service["usageRequirements"]


def test_discovery_is_the_same_bytes_each_time(send: Send) -> None:
    assert send("GET", "/cds-services").content == discovery_document(
        [offered.service for offered in SERVICES.values()]
    )


@pytest.mark.parametrize("path", ["/cds-services/", "/cds-services/calcification-patient-view/", "//cds-services"])
def test_no_path_redirects(send: Send, path: str) -> None:
    """A redirect would lead to a self-made http URL, away from the one that the client registered."""
    assert send("GET", path).status_code in (404, 405)


def test_every_service_id_is_a_plain_path_segment() -> None:
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in SERVICES)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_a_prefetch_query_stays_within_what_every_client_can_run(key: PrefetchKey) -> None:
    """Read or type-level search; patient, token and date parameters without modifiers; `_sort`, `_count`."""
    bare = re.sub(r"{{.*?}}", "1", key.query)
    assert re.fullmatch(r"[A-Z][A-Za-z]+(/1|\?[A-Za-z_=&0-9-]+)", bare)
    if "?" in bare:
        kind, _, query = bare.partition("?")
        parameters = parse_qsl(query, strict_parsing=True)
        names = [name for name, _ in parameters]
        assert kind in PATIENT_SEARCHES
        assert len(names) == len(set(names))
        assert "patient" in names
        assert set(names) <= {"patient", "category", "date", "_sort", "_count"}
        assert int(dict(parameters)["_count"]) > 0


@pytest.mark.parametrize("key", PATIENT_CHART, ids=lambda key: key.name)
def test_a_query_asks_for_the_types_that_answer_its_key(key: PrefetchKey) -> None:
    assert re.split(r"[/?]", key.query)[0] == key.types[0]
