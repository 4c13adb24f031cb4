"""Section 3.5: the public sandbox against a running server, from discovery to the feedback on a card."""

from __future__ import annotations

import json
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cds_service.conftest import TODAY
from tests.protocol import sandbox
from tests.protocol.faults import outcome_faults
from tests.protocol.requests import request_for
from tests.running_server import RunningServer, free_port, running_server

CHART = request_for("patient-view")["prefetch"]
PATIENT = request_for("patient-view")["context"]["patientId"]
VIEW = "calcification-patient-view"

STORE = {
    "Patient": CHART["patient"],
    "DiagnosticReport": {name: value for name, value in CHART["reports"].items() if name != "type"},
    "Observation": {name: value for name, value in CHART["observations"].items() if name != "type"},
    "ServiceRequest": {"resourceType": "Bundle", "total": 0},
}
"""What its FHIR server answers: no type on the Bundles, no entry where nothing was found; the other queries failed."""


CLIENT = f"""
[[client]]
id = "sandbox"
profile = "sandbox"
issuers = ["{sandbox.ORIGIN}"]
jwks_file = "keys.json"
key_urls = ["{sandbox.JKU}"]
origins = ["{sandbox.ORIGIN}"]
i_know_this_key_is_public = true
"""


@pytest.fixture(scope="module", params=["open", "registered"])
def page(
    request: pytest.FixtureRequest, server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Generator[sandbox.Page]:
    """The page before a server that answers anyone, and before one where it is registered."""
    signature = sandbox.new_signature()
    with httpx.Client(timeout=30) as browser:
        if request.param == "open":
            yield sandbox.Page(browser, server.url, signature)
            return
        folder: Path = tmp_path_factory.mktemp("registered")
        (folder / "clients.toml").write_text(CLIENT)
        (folder / "keys.json").write_text(json.dumps(sandbox.key_set(signature)))
        port = free_port()
        settings = {
            "FLECK_TODAY": TODAY.isoformat(),
            "FLECK_CLIENTS": str(folder / "clients.toml"),
            "FLECK_PUBLIC_URL": f"http://127.0.0.1:{port}",
        }
        with running_server(folder, settings, port) as registered:
            yield sandbox.Page(browser, registered.url, signature)


@pytest.mark.parametrize("page", ["registered"], indirect=True)
def test_a_page_with_another_key_is_refused_and_can_read_it(page: sandbox.Page) -> None:
    stranger = page._replace(signature=sandbox.new_signature())
    answer = stranger.call(VIEW, request_for("patient-view"))
    assert answer.status_code == 401
    assert list(outcome_faults(answer.json())) == []


def service_on(page: sandbox.Page, hook: str) -> dict[str, Any]:
    (service,) = [one for one in page.discover() if one["hook"] == hook]
    return service


def shown(page: sandbox.Page, hook: str, store: dict[str, Any] = STORE, **context: Any) -> list[dict[str, Any]]:
    """Return the cards that the page draws for a hook."""
    service = service_on(page, hook)
    context = {"patientId": PATIENT, **context}
    body = sandbox.request_body(hook, context, sandbox.prefetched(service, context, store))
    answer = page.call(service["id"], body)
    assert answer.status_code == 200, answer.text
    return answer.json()["cards"]


def test_the_page_connects_to_every_service(page: sandbox.Page) -> None:
    services = page.discover()
    urls = [f"{page.base}/cds-services/{service['id']}" for service in services]
    assert len(set(urls)) == len(urls), "the sandbox knows a service by its URL, the last one wins"


def test_opening_a_patient_shows_cards_that_the_page_can_draw(page: sandbox.Page) -> None:
    cards = shown(page, "patient-view")
    assert cards[0]["summary"].startswith("Left breast: consider image-guided biopsy")
    assert [list(sandbox.not_drawn(card)) for card in cards] == [[]] * len(cards)


def test_an_order_that_does_not_fit_shows_a_card(page: sandbox.Page) -> None:
    """The sandbox's draft Bundle has no type, and its request a category that is an object."""
    draft = {
        "resourceType": "ServiceRequest", "id": "request-123", "status": "draft", "category": {"text": "Imaging"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "24606-6"}]},
        "subject": {"reference": f"Patient/{PATIENT}"},
    }  # fmt: skip
    drafts = {"resourceType": "Bundle", "entry": [{"resource": draft}]}
    cards = shown(page, "order-select", selections=["ServiceRequest/request-123"], draftOrders=drafts)
    assert cards
    assert [list(sandbox.not_drawn(card)) for card in cards] == [[]] * len(cards)


def test_an_order_of_something_else_shows_none(page: sandbox.Page) -> None:
    medication = {"resourceType": "MedicationRequest", "id": "request-123", "status": "draft"}
    drafts = {"resourceType": "Bundle", "entry": [{"resource": medication}]}
    assert shown(page, "order-select", selections=["MedicationRequest/request-123"], draftOrders=drafts) == []


def test_a_server_without_any_answer_is_an_honest_error(page: sandbox.Page) -> None:
    body = sandbox.request_body("patient-view", {"patientId": PATIENT}, {})
    answer = page.call(VIEW, body)
    assert answer.status_code == 412
    assert list(outcome_faults(answer.json())) == []


def test_the_default_server_of_the_sandbox_is_too_old_and_told_so(page: sandbox.Page) -> None:
    """DSTU2: what it holds would be half read, and half read looks like nothing found."""
    report = {
        "resourceType": "DiagnosticReport", "id": "d1", "status": "final", "issued": "2026-01-19",
        "effectiveDateTime": "2026-01-19", "subject": {"reference": f"Patient/{PATIENT}"},
        "performer": {"display": "Imaging centre"}, "code": {"text": "Diagnostic mammogram"},
        "codedDiagnosis": [{"text": "BI-RADS 4"}],
    }  # fmt: skip
    store = {"DiagnosticReport": {"resourceType": "Bundle", "entry": [{"resource": report}]}}
    service = service_on(page, "patient-view")
    context = {"patientId": PATIENT}
    body = sandbox.request_body("patient-view", context, sandbox.prefetched(service, context, store))
    answer = page.call(service["id"], body)
    assert answer.status_code == 412
    assert answer.json()["issue"][0]["code"] == "not-supported"


def acted_on(card: dict[str, Any], **members: Any) -> dict[str, Any]:
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"card": card["uuid"], "outcomeTimestamp": stamp, **members}


def accepted(card: dict[str, Any]) -> dict[str, Any]:
    (suggestion, *_) = card["suggestions"]
    return acted_on(card, outcome="accepted", acceptedSuggestions=[{"id": suggestion["uuid"]}])


def dismissed(card: dict[str, Any]) -> dict[str, Any]:
    """The sandbox sends the code of the reason that was chosen, and no system."""
    return acted_on(
        card,
        outcome="overridden",
        overrideReason={"reason": {"code": card["overrideReasons"][0]["code"]}, "userComment": "done last week"},
    )


def test_accepting_a_suggestion_is_acknowledged(page: sandbox.Page) -> None:
    (card, *_) = [card for card in shown(page, "patient-view") if "suggestions" in card]
    answer = page.feedback(VIEW, [accepted(card)])
    assert (answer.status_code, answer.content) == (200, b"")


def test_dismissing_a_card_with_a_reason_is_acknowledged(page: sandbox.Page) -> None:
    (card, *_) = shown(page, "patient-view")
    assert page.feedback(VIEW, [dismissed(card)]).status_code == 200


def test_a_batch_over_several_calls_is_acknowledged_again_and_again(page: sandbox.Page) -> None:
    cards = [*shown(page, "patient-view"), *shown(page, "patient-view")]
    batch = [dismissed(card) for card in cards] + [acted_on({"uuid": "123456"}, outcome="overridden")]
    assert [page.feedback(VIEW, batch).status_code for _ in range(2)] == [200, 200]
