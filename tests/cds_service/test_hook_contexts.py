"""The context of each hook, by its definition: what is missing or wrong is named, each field once, and nothing else is."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cds_service.errors import RequestError
from cds_service.hooks.services import SERVICES
from cds_service.protocol.hook_context import CONTEXTS
from cds_service.protocol.hook_request import HookRequest, read_hook_request
from tests.cds_service.fixture_files import CONTEXT, bundle, cards_of

BUNDLE = {"resourceType": "Bundle", "entry": []}
"""Without a type, as one client sends it."""

REVIEW = "org.fleck.diagnosticreport-review"
IDS: dict[str, Any] = {"patientId": "w1", "userId": "Practitioner/u1"}
VALID: dict[str, dict[str, Any]] = {
    "patient-view": IDS,
    "order-select": {**IDS, "selections": ["ServiceRequest/d1"], "draftOrders": BUNDLE},
    "order-sign": {**IDS, "draftOrders": BUNDLE},
    "appointment-book": {**IDS, "appointments": BUNDLE},
    REVIEW: {**IDS, "reportId": "r1"},
}


def call(hook: str, context: dict[str, Any]) -> HookRequest:
    instance = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
    return read_hook_request(orjson.dumps({"hook": hook, "hookInstance": instance, "context": context}), hook)


def test_every_service_has_the_definition_of_its_hook() -> None:
    assert {offered.service.hook for offered in SERVICES.values()} == set(CONTEXTS) == set(VALID)


@pytest.mark.parametrize(
    ("hook", "missing"),
    [(hook, field.field) for hook, fields in CONTEXTS.items() for field in fields if field.required],
)
def test_a_required_field_that_is_missing_or_null_is_named(hook: str, missing: str) -> None:
    for context in (
        {name: value for name, value in VALID[hook].items() if name != missing},
        {**VALID[hook], missing: None},
    ):
        with pytest.raises(RequestError) as caught:
            call(hook, context)
        assert [(issue.code, issue.expression) for issue in caught.value.issues] == [("required", f"context.{missing}")]
        assert caught.value.status == 400


@pytest.mark.parametrize(
    ("hook", "field", "value"),
    [
        ("patient-view", "encounterId", "Encounter/e1"),
        ("patient-view", "encounterId", 7),
        ("order-sign", "userId", "Patient/w1"),
        ("order-sign", "userId", "Practitioner/"),
        ("order-sign", "userId", "Practitioner/1/_history/2"),
        ("order-select", "selections", "ServiceRequest/d1"),
        ("order-select", "selections", {}),
        ("order-select", "selections", [1]),
        ("order-select", "selections", [""]),
        ("order-select", "draftOrders", []),
        ("order-select", "draftOrders", {"resourceType": "ServiceRequest"}),
        ("appointment-book", "appointments", "Appointment/a1"),
        ("appointment-book", "appointments", {"resourceType": "Bundle", "entry": {}}),
        (REVIEW, "reportId", "DiagnosticReport/r1"),
        (REVIEW, "userId", "RelatedPerson/r1"),
        (REVIEW, "results", []),
        (REVIEW, "results", {"resourceType": "Bundle", "entry": "DiagnosticReport/r1"}),
    ],
)
def test_a_wrong_field_is_named_once(hook: str, field: str, value: object) -> None:
    with pytest.raises(RequestError) as caught:
        call(hook, {**VALID[hook], field: value})
    (issue,) = caught.value.issues
    assert (caught.value.status, issue.code) == (400, "value")
    assert issue.expression in (f"context.{field}", f"context.{field}.entry")


@pytest.mark.parametrize(
    ("hook", "field", "value"),
    [
        ("patient-view", "userId", "RelatedPerson/r1"),
        ("appointment-book", "userId", "Patient/w1"),
        ("order-sign", "userId", "PractitionerRole/e-12.3"),
        ("order-select", "selections", []),
        (
            "order-select",
            "selections",
            ["d1", "https://ehr.example.org/fhir/ServiceRequest/d1/_history/2", "urn:uuid:1"],
        ),
        ("order-select", "draftOrders", {"resourceType": "Bundle"}),
        ("order-select", "draftOrders", {"resourceType": "Bundle", "entry": None}),
        (REVIEW, "results", None),
        (REVIEW, "encounterId", None),
        ("order-sign", "somethingNew", {"a": 1}),
        ("order-sign", "patientId", "e" * 190),
    ],
)
def test_what_real_clients_send_is_tolerated(hook: str, field: str, value: object) -> None:
    context = {**VALID[hook], field: value}
    assert call(hook, context).context == context


def test_a_query_names_only_required_fields_that_are_tokens() -> None:
    for offered in SERVICES.values():
        tokens = {
            f"{{{{context.{field.field}}}}}"
            for field in CONTEXTS[offered.service.hook]
            if field.token and field.required
        }
        for key in offered.keys:
            used = [part.partition("}}")[0] for part in key.query.split("{{")[1:]]
            assert used
            assert {f"{{{{{name}}}}}" for name in used} <= tokens


@pytest.mark.parametrize(
    ("service", "field"),
    [
        ("order-select", "draftOrders"),
        ("order-sign", "draftOrders"),
        ("appointment-book", "appointments"),
        ("report-review", "results"),
    ],
)
def test_a_context_with_more_resources_than_may_be_read_is_refused(service: str, field: str) -> None:
    many = bundle(*[{"resourceType": "Basic"}] * (CONTEXT.max_resources + 1))
    context = {"selections": [], "draftOrders": BUNDLE, "reportId": "r1", field: many}
    with pytest.raises(RequestError) as caught:
        cards_of(service, context, {"reports": None})
    assert (caught.value.status, caught.value.issues[0].expression) == (413, f"context.{field}")
