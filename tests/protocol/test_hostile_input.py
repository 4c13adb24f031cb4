"""Section 1.10: whatever is sent, the answer is below 500, JSON, and repeats nothing of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_models.strict_json import MAX_DEPTH
from tests.cds_service.conftest import PATIENT_VIEW, Send
from tests.protocol.faults import answer_faults, outcome_faults
from tests.protocol.requests import HOOKS, SECRETS, Body, request_for, searchset

JSON = {"content-type": "application/json"}
WORD = b'"Diagnostic mammogram, both breasts"'
"""A value of the request, put in the place of which comes what JSON does not allow."""

BAD_JSON = [
    b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e999", b"9" * 400, b'"\\ud800"', b'"\\udc00\\ud800"', b'"\xed\xa0\x80"',
    b'"\xff"', b'"\x00"', b'"tab\there"', b"01", b"+1", b".5", b"1.", b"0x10", b"'single'", b"undefined", b'{"a":1,"a":1}',
    b'{"a":1,"\\u0061":1}', b"[1,]", b'{"a":1,}', b"[1 2]", b"/* comment */ 1", b"1 // comment", b'"\\x41"', b'"open',
]  # fmt: skip


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("value", BAD_JSON)
def test_what_json_does_not_allow_is_400_wherever_it_stands(send: Send, hook: str, value: bytes) -> None:
    body = json.dumps(request_for(hook)).encode()
    assert WORD in body
    answer = send("POST", HOOKS[hook], content=body.replace(WORD, value, 1), headers=JSON)
    assert answer.status_code == 400
    assert list(outcome_faults(answer.json())) == []
    assert not [secret for secret in SECRETS if secret in answer.text]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1"])
def test_another_encoding_than_utf_8_is_400(send: Send, encoding: str) -> None:
    content = json.dumps({**request_for("patient-view"), "extension": {"org.x": "é"}}, ensure_ascii=False).encode(
        encoding
    )
    assert send("POST", PATIENT_VIEW, content=content, headers=JSON).status_code == 400


@pytest.mark.parametrize("number", ["1e308", "5e-324", "-0.0", "1e-400", "12345678901234567890123", "0.1e1"])
def test_any_number_that_json_allows_is_read_and_can_be_answered(send: Send, number: str) -> None:
    body = json.dumps(request_for("patient-view")).encode().replace(WORD, number.encode(), 1)
    answer = send("POST", PATIENT_VIEW, content=body, headers=JSON)
    assert answer.status_code == 200
    assert answer_faults(answer.json()) == []


def nested(opening: str, closing: str, depth: int) -> bytes:
    body = json.dumps({**request_for("patient-view"), "extension": {"org.x": 0}})
    return body.replace('"org.x": 0', f'"org.x": {opening * depth}1{closing * depth}').encode()


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
@pytest.mark.parametrize("depth", [MAX_DEPTH, 5_000, 100_000])
def test_deep_nesting_is_400(send: Send, opening: str, closing: str, depth: int) -> None:
    answer = send("POST", PATIENT_VIEW, content=nested(opening, closing, depth), headers=JSON)
    assert answer.status_code == 400


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_that_can_be_read_is_read(send: Send, opening: str, closing: str) -> None:
    assert send("POST", PATIENT_VIEW, content=nested(opening, closing, 200), headers=JSON).status_code == 200


@pytest.mark.parametrize("layers", [1, 9, 30, 70])
@pytest.mark.parametrize("kind", ["Bundle", "Parameters", "contained"])
def test_resources_within_resources_are_followed_for_a_while_and_never_crash(
    send: Send, kind: str, layers: int
) -> None:
    inner: Body = request_for("patient-view")["prefetch"]["reports"]
    for _ in range(layers):
        match kind:
            case "Bundle":
                inner = searchset(inner)
            case "Parameters":
                inner = {"resourceType": "Parameters", "parameter": [{"resource": inner}]}
            case _:
                inner = {"resourceType": "DiagnosticReport", "status": "final", "contained": [inner]}
    body = {**request_for("patient-view"), "prefetch": {"reports": inner}}
    answer = send("POST", PATIENT_VIEW, json=body)
    assert answer.status_code in (200, 412)
    assert answer.json() != {"cards": []}


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("member", ["hook", "hookInstance", "context", "prefetch", "fhirServer", "fhirAuthorization"])
def test_an_error_repeats_nothing_of_the_request(send: Send, hook: str, member: str) -> None:
    planted: list[Any] = [list(SECRETS), " ".join(SECRETS)]
    for value in planted:
        answer = send("POST", HOOKS[hook], json={**request_for(hook), member: value})
        if answer.status_code != 200:
            assert not [secret for secret in SECRETS if secret in answer.text]


def test_a_body_over_the_limit_is_413_and_a_large_one_is_read(send: Send) -> None:
    body = json.dumps(request_for("patient-view")).encode()
    assert send("POST", PATIENT_VIEW, content=body + b" " * 9_000_000, headers=JSON).status_code == 200
    assert send("POST", PATIENT_VIEW, content=body + b" " * 11_000_000, headers=JSON).status_code == 413


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/json", 200),
        ("APPLICATION/JSON;Charset=UTF-8", 200),
        ("application/json ; charset=utf-8; x=y", 200),
        ("application/fhir+json", 200),
        ("application/json+fhir", 200),
        ("text/plain", 415),
        ("text/plain; application/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/jsonp", 415),
        ("", 415),
    ],
)
def test_a_type_that_a_form_could_send_is_415(send: Send, media_type: str, status: int) -> None:
    content = json.dumps(request_for("patient-view")).encode()
    assert send("POST", PATIENT_VIEW, content=content, headers={"content-type": media_type}).status_code == status


BROKEN: list[tuple[str, Body]] = [
    ("category as one object", {"category": {"coding": [{"code": "RAD"}]}}),
    ("no status", {"status": None}),
    ("a status that FHIR does not have", {"status": "bogus"}),
    ("a day without zone", {"effectiveDateTime": "2026-01-19T10:24:00"}),
    ("an id with underscores, too long", {"id": "e_" + "A.b-" * 50}),
    ("an element that FHIR does not have", {"vendorThing": {"x": [1]}}),
    ("a code that is a number", {"code": 3}),
    ("a result that is a text", {"result": "Observation/find-01"}),
    ("no type that FHIR has", {"resourceType": "DiagnosticRaport"}),
    ("a type in small letters", {"resourceType": "diagnosticreport"}),
]


@pytest.mark.parametrize("broken", [members for _, members in BROKEN], ids=[name for name, _ in BROKEN])
def test_a_broken_report_is_never_taken_for_no_report(send: Send, broken: Body) -> None:
    """Alone, so that nothing else speaks for it."""
    body = request_for("patient-view")
    report = {**body["prefetch"]["reports"]["entry"][0]["resource"], **broken}
    body["prefetch"] = {"reports": searchset(report)}
    answer = send("POST", PATIENT_VIEW, json=body)
    assert answer.status_code in (200, 412)
    assert answer.json() != {"cards": []}
    assert "no follow-up beyond" not in answer.text.partition("detail")[0]
