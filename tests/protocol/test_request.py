"""Section 1.3: every request that a client of 1.0, 2.0 or 3.0 may send is answered, any other with 400 and the field."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.protocol.hook_request import read_hook_request
from tests.cds_service.conftest import PATIENT_VIEW, Send
from tests.protocol.requests import HOOKS, Body, request_for

ABSENT = object()
UUIDS = [
    "3f1dde72-162b-11ec-99e8-0050568b7be6",
    "D1577C69-DFBE-44AD-BA6D-3E05E953B2EA",
    "d1577c69-dfbe-44ad-BA6D-3e05e953b2ea",
    "0190163d-8694-739b-aea5-966c26f8ad91",
    "00000000-0000-0000-0000-000000000000",
    "urn:uuid:d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
]
NO_UUIDS = [
    "{d1577c69-dfbe-44ad-ba6d-3e05e953b2ea}", "d1577c69dfbe44adba6d3e05e953b2ea", "d1577c69-dfbe-44ad-ba6d-3e05e953b2e",
    "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea ", "g1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "1234", "", 1234, None, ["x"],
]  # fmt: skip


def with_member(body: Body, field: str, value: object) -> Body:
    *parents, name = field.split(".")
    target = body
    for parent in parents:
        target = target[parent]
    if value is ABSENT:
        target.pop(name, None)
    else:
        target[name] = value
    return body


def summaries(send: Send, body: Body) -> list[str]:
    answer = send("POST", HOOKS[body["hook"]], json=body)
    assert answer.status_code == 200, answer.text
    return [card["summary"] for card in answer.json()["cards"]]


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("field", ["hook", "hookInstance", "context"])
def test_a_required_member_that_is_missing_is_named(send: Send, hook: str, field: str) -> None:
    answer = send("POST", HOOKS[hook], json=with_member(request_for(hook), field, ABSENT))
    assert answer.status_code == 400
    assert [issue["expression"] for issue in answer.json()["issue"]] == [[field]]


@pytest.mark.parametrize("instance", UUIDS)
def test_a_hook_instance_of_any_version_and_case_is_kept_as_received(instance: str) -> None:
    body = orjson.dumps({**request_for("patient-view"), "hookInstance": instance})
    assert read_hook_request(body, "patient-view").hook_instance == instance


@pytest.mark.parametrize("instance", NO_UUIDS)
def test_what_is_no_uuid_is_no_hook_instance(send: Send, instance: object) -> None:
    answer = send("POST", PATIENT_VIEW, json={**request_for("patient-view"), "hookInstance": instance})
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["hookInstance"]


GRANTED = request_for("patient-view")["fhirAuthorization"]
FHIR_ACCESS: list[dict[str, Any]] = [
    {"fhirServer": ABSENT, "fhirAuthorization": ABSENT},
    {"fhirServer": "https://ehr.example.org/fhir/", "fhirAuthorization": ABSENT},
    {"fhirServer": "http://ehr.example.org/fhir", "fhirAuthorization": ABSENT},
    {"fhirServer": ABSENT},
    {"fhirServer": None, "fhirAuthorization": None},
    {"fhirAuthorization": {**GRANTED, "patient": "p-3107"}},
    {"fhirAuthorization": {**GRANTED, "scope": "patient/Observation.rs?category=imaging user/*.cruds"}},
    {"fhirAuthorization": {**GRANTED, "scope": "Epic (all of it), and ( blanks )"}},
    {"fhirAuthorization": {**GRANTED, "scope": ""}},
    {"fhirAuthorization": {**GRANTED, "expires_in": "300"}},
    {"fhirAuthorization": {**GRANTED, "token_type": "bearer"}},
    {"fhirAuthorization": {"access_token": "opaque-token-for-the-ehr"}},
    {"fhirAuthorization": {}},
]


@pytest.mark.parametrize("members", FHIR_ACCESS)
def test_access_to_the_fhir_server_may_be_offered_in_any_way(send: Send, members: dict[str, Any]) -> None:
    """With all of the chart prefetched it is not needed, so no fault in it stands in the way of an answer."""
    body = request_for("patient-view")
    for field, value in members.items():
        with_member(body, field, value)
    assert summaries(send, body) == summaries(send, request_for("patient-view"))


@pytest.mark.parametrize(
    "extension",
    [None, {}, {"com.example": None}, {"com.epic.cdshooks.request.bpa-trigger-action": "60"}, ["a list"], "text", 7],
)
def test_an_extension_may_hold_anything(send: Send, extension: object) -> None:
    body = {**request_for("patient-view"), "extension": extension}
    assert summaries(send, body) == summaries(send, request_for("patient-view"))


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from objects(member)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("hook", HOOKS)
def test_members_that_nobody_defined_are_ignored_wherever_they_stand(send: Send, hook: str) -> None:
    plain = summaries(send, request_for(hook))

    @settings(max_examples=25, deadline=None)
    @given(unknown=JSON_VALUES, data=st.data())
    def ignored(unknown: object, data: st.DataObject) -> None:
        body = request_for(hook)
        everywhere = list(objects(body))
        for one in data.draw(st.lists(st.sampled_from(everywhere), min_size=1, max_size=20)):
            one["x-unheardOf"] = copy.deepcopy(unknown)
        assert summaries(send, body) == plain

    ignored()


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hook", "encounter-start"),
        ("hook", ABSENT),
        ("hookInstance", "no"),
        ("context", None),
        ("context", []),
        ("context.patientId", ABSENT),
        ("context.patientId", "Patient/p-3107"),
        ("context.userId", 7),
        ("prefetch", ["reports"]),
        ("fhirServer", {}),
        ("fhirAuthorization", "Bearer x"),
    ],
)
def test_a_wrong_request_is_400_and_never_422(send: Send, hook: str, field: str, value: object) -> None:
    answer = send("POST", HOOKS[hook], json=with_member(request_for(hook), field, value))
    assert answer.status_code == 400
    assert field in [issue["expression"][0] for issue in answer.json()["issue"]]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_call_may_be_repeated(send: Send, hook: str) -> None:
    """The same hook fires again, with the same instance or another one; nothing is remembered of the first."""
    first, again = (send("POST", HOOKS[hook], json=request_for(hook)).json()["cards"] for _ in range(2))
    assert [card["detail"] for card in first] == [card["detail"] for card in again] != []
    assert not {card["uuid"] for card in first} & {card["uuid"] for card in again}
