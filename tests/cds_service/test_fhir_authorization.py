"""A token is used only if it is one, for this patient, and still good; nothing else of fhirAuthorization is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.protocol.authorization import TokenFault
from cds_service.protocol.hook_request import read_hook_request
from tests.cds_service.conftest import REQUEST

TOKEN = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "fleck"}

USED: list[tuple[str, dict[str, Any]]] = [
    ("as specified", TOKEN),
    ("the patient of the call", {**TOKEN, "patient": "p-3107"}),
    ("the patient of the call as a reference", {**TOKEN, "patient": "Patient/p-3107"}),
    ("patient null", {**TOKEN, "patient": None}),
    ("bearer in small letters", {**TOKEN, "token_type": "bearer"}),
    ("free text as scope", {**TOKEN, "scope": "read (all) of it"}),
    ("nothing but the token", {"access_token": "opaque"}),
    ("time as text", {**TOKEN, "expires_in": "300"}),
    ("unknown members", {**TOKEN, "id_token": {"x": []}}),
]

NOT_USED: list[tuple[str, dict[str, Any], str]] = [
    ("another patient", {**TOKEN, "patient": "p-3108"}, "token of another patient"),
    ("a patient that is no string", {**TOKEN, "patient": 3107}, "token of another patient"),
    ("no time left", {**TOKEN, "expires_in": 0}, "token expired"),
    ("less than no time left", {**TOKEN, "expires_in": -1.5}, "token expired"),
    ("another kind of token", {**TOKEN, "token_type": "MAC"}, "not a bearer token"),
    ("a kind that is no string", {**TOKEN, "token_type": ["Bearer"]}, "not a bearer token"),
    ("no token", {"token_type": "Bearer"}, "not a bearer token"),
    ("an empty token", {**TOKEN, "access_token": ""}, "not a bearer token"),
    ("a token that is no string", {**TOKEN, "access_token": 7}, "not a bearer token"),
    ("a line break", {**TOKEN, "access_token": "opaque\r\nX-Evil: 1"}, "not a bearer token"),
    ("a blank", {**TOKEN, "access_token": "opaque token"}, "not a bearer token"),
    ("letters that no header has", {**TOKEN, "access_token": "öpaque"}, "not a bearer token"),
]


@pytest.mark.parametrize(("_what", "authorization"), USED)
def test_a_good_token_is_used(_what: str, authorization: dict[str, Any]) -> None:
    request = read_hook_request(json.dumps({**REQUEST, "fhirAuthorization": authorization}).encode(), "patient-view")
    assert request.access_token is not None
    assert request.access_token.get_secret_value() == "opaque"
    assert request.token_fault is None
    assert "opaque" not in repr(request)


@pytest.mark.parametrize(("_what", "authorization", "fault"), NOT_USED)
def test_another_token_is_not_used_and_the_call_is_answered_all_the_same(
    _what: str, authorization: dict[str, Any], fault: str
) -> None:
    request = read_hook_request(json.dumps({**REQUEST, "fhirAuthorization": authorization}).encode(), "patient-view")
    assert request.access_token is None
    assert request.token_fault == TokenFault(fault)


@pytest.mark.parametrize("authorization", [None, {}])
def test_a_server_without_authorization_is_open(authorization: object) -> None:
    request = read_hook_request(json.dumps({**REQUEST, "fhirAuthorization": authorization}).encode(), "patient-view")
    assert (request.access_token, request.token_fault) == (None, None)
