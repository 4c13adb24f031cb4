"""Sections 1.2 and 1.4: what discovery lists, and queries that every client can run."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

import pytest

from cds_service.hooks.services import SERVICES
from cds_service.protocol.hook_request import Service, discovery_document
from fhir_models.strict_json import parse_json
from tests.cds_service.conftest import Send
from tests.protocol.faults import service_faults
from tests.protocol.requests import BASE, HOOKS, request_for

REQUIRED_TOKENS = {
    "patient-view": {"userId", "patientId"},
    "order-select": {"userId", "patientId"},
    "order-sign": {"userId", "patientId"},
    "appointment-book": {"userId", "patientId"},
    "org.fleck.diagnosticreport-review": {"userId", "patientId", "reportId"},
}
"""By the definition of each hook, the context fields that are required, primitive, and marked as prefetch tokens."""

STANDARD_PARAMETERS = {
    "DiagnosticReport": {"patient", "category", "date", "_id"},
    "Observation": {"patient", "category", "date", "code"},
    "Condition": {"patient", "category"},
    "Procedure": {"patient", "date"},
    "ServiceRequest": {"patient", "category", "authored"},
    "Appointment": {"patient", "date"},
}
"""Search parameters of FHIR R4 of the kinds that CDS Hooks asks clients to support: reference, token, date."""

QUERIES = [
    (offered.service.hook, key, query)
    for offered in SERVICES.values()
    for key, query in offered.service.prefetch.items()
]


def services(send: Send) -> list[dict[str, object]]:
    return send("GET", BASE).json()["services"]


def test_discovery_answers_at_one_path_with_an_object_of_services(send: Send) -> None:
    answer = send("GET", BASE)
    assert answer.status_code == 200
    assert set(answer.json()) == {"services"}
    assert len(answer.json()["services"]) == len(SERVICES)


@pytest.mark.parametrize("path", [f"{BASE}/", f"/{BASE}", f"{BASE}/calcification-patient-view/", f"{BASE}//"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_spelling_of_a_path_is_not_found_and_redirects_nowhere(send: Send, method: str, path: str) -> None:
    answer = send(method, path, json={})
    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_without_services_the_list_is_empty_and_there() -> None:
    assert parse_json(discovery_document([])) == {"services": []}


def test_every_service_has_what_a_client_shows(send: Send) -> None:
    for index, service in enumerate(services(send)):
        assert list(service_faults(service, f"$.services[{index}]")) == []
        assert {"title", "usageRequirements"} <= set(service)


def test_a_service_without_prefetch_or_requirements_has_no_such_member() -> None:
    bare = Service(
        id="bare",
        hook="patient-view",
        title="Bare",
        description="Asks for nothing.",
        usage_requirements="",
        prefetch={},
    )
    assert parse_json(discovery_document([bare])) == {
        "services": [
            {
                "hook": "patient-view",
                "title": "Bare",
                "description": "Asks for nothing.",
                "id": "bare",
                "version": "2.0.1",
            }
        ]
    }


def test_the_version_is_that_of_the_specification(send: Send) -> None:
    assert {service["version"] for service in services(send)} == {"2.0.1"}


def test_an_id_names_one_service(send: Send) -> None:
    """Clients that know a service by its URL would lose the first of two."""
    names = [service["id"] for service in services(send)]
    assert sorted(names) == sorted(set(names))


def test_every_id_is_a_path_at_which_its_hook_is_answered(send: Send) -> None:
    for service in services(send):
        answer = send("POST", f"{BASE}/{service['id']}", json={"hook": service["hook"]})
        assert answer.status_code == 400
        assert [issue["expression"] for issue in answer.json()["issue"]].count(["hook"]) == 0


def test_a_client_may_show_its_token_at_discovery(send: Send) -> None:
    answer = send("GET", BASE, headers={"authorization": "Bearer some.jwt.here"})
    assert answer.status_code in (200, 401)


@pytest.mark.parametrize(("hook", "key", "query"), QUERIES)
def test_a_query_is_a_read_or_a_search_of_one_type(hook: str, key: str, query: str) -> None:
    bare = re.sub(r"{{[^{}]*}}", "1", query)
    assert re.fullmatch(r"[A-Z][A-Za-z]+(/1|\?[A-Za-z_]+=[^?/\s]+)", bare), "relative, no operation, no leading slash"
    assert "$" not in bare
    assert not re.search(r"[{}\s\"<>|\\^`]", bare), "nothing outside tokens that would have to be escaped"


@pytest.mark.parametrize(("hook", "key", "query"), QUERIES)
def test_a_token_is_a_required_root_field_of_the_hooks_context(hook: str, key: str, query: str) -> None:
    """An optional one would drop the key where it is absent; a path, a function or a user token is not known to all."""
    tokens = re.findall(r"{{(.*?)}}", query)
    assert tokens
    assert set(tokens) <= {f"context.{field}" for field in REQUIRED_TOKENS[hook]}


@pytest.mark.parametrize(("hook", "key", "query"), [one for one in QUERIES if "?" in one[2]])
def test_a_search_uses_only_parameters_that_every_client_supports(hook: str, key: str, query: str) -> None:
    kind, _, parameters = re.sub(r"{{.*?}}", "1", query).partition("?")
    given = parse_qsl(parameters, strict_parsing=True)
    names = [name for name, _ in given]
    assert sorted(names) == sorted(set(names)), "the sandbox makes one OR of a parameter that occurs twice"
    assert set(names) <= STANDARD_PARAMETERS[kind] | {"_sort", "_count"}
    values = dict(given)
    assert re.fullmatch(r"-?[a-z]+", values.get("_sort", "date")), "_sort=-date, not DSTU1's _sort:desc"
    assert values.get("_count", "1").isdigit()


def test_queries_answer_the_same_resources_under_any_key(send: Send) -> None:
    """Some sites type keys and queries in by hand: what comes is told by its content."""
    own = request_for("patient-view")
    foreign = request_for("patient-view")
    foreign["prefetch"] = {f"-{key}_x": value for key, value in own["prefetch"].items()}
    answers = [send("POST", HOOKS["patient-view"], json=body).json()["cards"] for body in (own, foreign)]
    assert [card["summary"] for card in answers[0]] == [card["summary"] for card in answers[1]] != []
