"""A request that cannot be answered gets a status and an OperationOutcome that names the field, and quotes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fhir.resources import get_fhir_model_class
from fhir.resources.R4B import get_fhir_model_class as get_r4b_model_class

from tests.cds_service.conftest import PATIENT_VIEW, Send

ABSENT = object()
JSON = {"content-type": "application/json"}

FIELDS: list[tuple[str, object, str]] = [
    ("hook", ABSENT, "required"),
    ("hook", None, "required"),
    ("hook", "order-sign", "value"),
    ("hook", ["patient-view"], "value"),
    ("hookInstance", ABSENT, "required"),
    ("hookInstance", "", "value"),
    ("hookInstance", "1234", "value"),
    ("hookInstance", 12345678, "value"),
    ("hookInstance", "3f1dde72-162b-11ec-99e8-0050568b7be", "value"),
    ("hookInstance", "{3f1dde72-162b-11ec-99e8-0050568b7be6}", "value"),
    ("context", ABSENT, "required"),
    ("context", "patient", "value"),
    ("context", [], "value"),
    ("context.patientId", ABSENT, "required"),
    ("context.patientId", None, "required"),
    ("context.patientId", "", "value"),
    ("context.patientId", 42, "value"),
    ("context.patientId", "Patient/42", "value"),
    ("context.patientId", "42?_include=*", "value"),
    ("context.patientId", "../Practitioner/1", "value"),
    ("context.userId", ABSENT, "required"),
    ("context.userId", "", "value"),
    ("context.userId", "dr-who", "value"),
    ("context.userId", "Device/1", "value"),
    ("prefetch", [], "value"),
    ("prefetch", "all", "value"),
    ("fhirServer", 7, "value"),
    ("fhirAuthorization", "token", "value"),
]


def changed(body: dict[str, Any], field: str, value: object) -> dict[str, Any]:
    *parents, name = field.split(".")
    target = body
    for parent in parents:
        target = target[parent]
    if value is ABSENT:
        del target[name]
    else:
        target[name] = value
    return body


@pytest.mark.parametrize(("field", "value", "code"), FIELDS)
def test_a_missing_or_wrong_member_is_named(
    send: Send, request_body: dict[str, Any], field: str, value: object, code: str
) -> None:
    answer = send("POST", PATIENT_VIEW, json=changed(request_body, field, value))
    (issue,) = answer.json()["issue"]
    assert (answer.status_code, issue["code"], issue["expression"]) == (400, code, [field])


def test_every_fault_is_named_at_once(send: Send) -> None:
    issues = send("POST", PATIENT_VIEW, json={"context": {}}).json()["issue"]
    assert [issue["expression"][0] for issue in issues] == [
        "hook",
        "hookInstance",
        "context.patientId",
        "context.userId",
    ]


MALFORMED: list[tuple[bytes, str]] = [
    (b"", "empty"),
    (b"{", "line 1, column 2"),
    (b"patient-view", "not JSON"),
    (b"hook=patient-view", "not JSON"),
    (b'{"hook": NaN}', "line 1, column 10"),
    (b'{"hook": 1e999}', "infinity"),
    (b'{"hook": "\\ud800"}', "surrogate"),
    (b'{"hook": "\xff"}', "not UTF-8"),
    (b"\xef\xbb\xbf{}", "byte order mark"),
    ('{"hook": 1}'.encode("utf-16"), "byte order mark"),
    (b'{"hook": "patient-view", "hook": "patient-view"}', "a name occurs twice"),
    (b"[" * 90_000, "nested deeper"),
    (b'{"a":' * 15_000 + b"1" + b"}" * 15_000, "nested deeper"),
    (b"null", "must be a JSON object"),
    (b"[]", "must be a JSON object"),
    (b'"patient-view"', "must be a JSON object"),
    (b"1", "must be a JSON object"),
]


@pytest.mark.parametrize(("body", "text"), MALFORMED)
def test_a_body_that_is_no_json_object_is_refused_with_the_place(send: Send, body: bytes, text: str) -> None:
    answer = send("POST", PATIENT_VIEW, content=body, headers=JSON)
    (issue,) = answer.json()["issue"]
    assert (answer.status_code, issue["code"]) == (400, "structure")
    assert text in issue["details"]["text"]


HTTP: list[tuple[str, str, dict[str, str], int]] = [
    ("POST", "/cds-services/calcification-patient-vew", JSON, 404),
    ("GET", "/cds-services/calcification-patient-vew", JSON, 404),
    ("GET", "/fhir/Patient/1", JSON, 404),
    ("GET", "/", JSON, 404),
    ("GET", PATIENT_VIEW, JSON, 405),
    ("PUT", PATIENT_VIEW, JSON, 405),
    ("OPTIONS", PATIENT_VIEW, JSON, 405),
    ("POST", "/cds-services", JSON, 405),
    ("DELETE", "/cds-services", JSON, 405),
    ("POST", "/health/live", JSON, 405),
    ("POST", PATIENT_VIEW, {}, 415),
    ("POST", PATIENT_VIEW, {"content-type": "text/plain"}, 415),
    ("POST", PATIENT_VIEW, {"content-type": "application/x-www-form-urlencoded"}, 415),
    ("POST", PATIENT_VIEW, {"content-type": "multipart/form-data; boundary=x"}, 415),
    ("POST", PATIENT_VIEW, {"content-type": "text/json"}, 415),
    ("POST", PATIENT_VIEW, {**JSON, "content-encoding": "gzip"}, 415),
]


@pytest.mark.parametrize(("method", "path", "headers", "status"), HTTP)
def test_the_wrong_path_method_or_media_type_is_refused(
    send: Send, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = send(method, path, content=b"{}" if method in ("POST", "PUT") else None, headers=headers)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(("path", "methods"), [(PATIENT_VIEW, "POST"), ("/cds-services", "GET, HEAD")])
def test_405_says_which_methods_are_answered(send: Send, path: str, methods: str) -> None:
    assert send("DELETE", path).headers["allow"] == methods


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/fhir+json",
        "application/json+fhir; fhirVersion=4.0",
    ],
)
def test_json_is_accepted_under_its_names(send: Send, request_body: dict[str, Any], media_type: str) -> None:
    content = json.dumps(request_body).encode()
    assert send("POST", PATIENT_VIEW, content=content, headers={"content-type": media_type}).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hookInstance", "3F1DDE72-162B-11EC-99E8-0050568B7BE6"),
        ("hookInstance", "urn:uuid:3f1dde72-162b-11ec-99e8-0050568b7be6"),
        ("context.userId", "PractitionerRole/e-12.3"),
        ("context.encounterId", None),
        ("context.somethingNew", {"a": [1]}),
        ("extension", {"com.epic.cdshooks.request.bpa-trigger-action": 60}),
        ("extension", ["as one library sends it"]),
        ("fhirAuthorization", None),
        ("unheardOf", 1),
    ],
)
def test_what_real_clients_send_is_tolerated(
    send: Send, request_body: dict[str, Any], field: str, value: object
) -> None:
    assert send("POST", PATIENT_VIEW, json=changed(request_body, field, value)).status_code == 200


@pytest.mark.parametrize("size", [100_001, 199_999, 1_000_000])
def test_a_body_over_the_limit_is_refused(send: Send, size: int) -> None:
    answer = send("POST", PATIENT_VIEW, content=b" " * size, headers=JSON)
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (413, "too-long")


@pytest.mark.parametrize("field", sorted({field for field, _, _ in FIELDS}))
def test_no_error_repeats_a_value(send: Send, request_body: dict[str, Any], field: str) -> None:
    """An error may be logged by anything between here and the EHR."""
    answer = send("POST", PATIENT_VIEW, json=changed(request_body, field, ["Lovelace, Ada 1815-12-10"]))
    assert answer.status_code == 400
    assert "Lovelace" not in answer.text


@pytest.mark.parametrize("body", [b'{"Lovelace": 1, "Lovelace": 2}', b"Lovelace", b'{"hook": "Lovelace'])
def test_no_error_repeats_a_malformed_body(send: Send, body: bytes) -> None:
    assert "Lovelace" not in send("POST", PATIENT_VIEW, content=body, headers=JSON).text


@pytest.mark.parametrize("path", ["/Patient/Lovelace", "/cds-services/Lovelace", "/cds-services?name=Lovelace"])
def test_no_error_repeats_the_path(send: Send, path: str) -> None:
    assert "Lovelace" not in send("PUT", path).text


def test_an_error_is_a_valid_operation_outcome_in_r4_and_r5(send: Send) -> None:
    outcome = send("POST", PATIENT_VIEW, json={}).json()
    for model in (get_fhir_model_class("OperationOutcome"), get_r4b_model_class("OperationOutcome")):
        model.model_validate(outcome)
