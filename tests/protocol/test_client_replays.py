"""Sections 3.1, 3.2 and 3.4: requests as Epic, Oracle and Da Vinci CRD clients send them, and what these accept as answer.

The fixtures are written after the descriptions of these clients; patients and servers are invented.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cds_service.conftest import TODAY
from tests.protocol.faults import answer_faults, outcome_faults
from tests.running_server import RunningServer, running_server

FIXTURES = Path(__file__).with_name("fixtures")
SERVICES = {"patient-view": "calcification-patient-view", "order-sign": "calcification-order-sign"}
TOKENS = ("epic-access-token", "crd-access-token")

Play = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def play(server: RunningServer) -> Generator[Play]:
    """Send a fixture as its client does, to the running server."""
    with httpx.Client(timeout=30) as client:

        def sent(name: str, base: str = server.url, **changes: Any) -> httpx.Response:
            body = {**json.loads((FIXTURES / f"{name}.json").read_text()), **changes}
            return client.post(f"{base}/cds-services/{SERVICES[body['hook']]}", json=body)

        yield sent


def cards(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer_faults(answer.json()) == []
    return answer.json()["cards"]


def test_no_answer_holds_the_access_token(play: Play) -> None:
    for path in sorted(FIXTURES.glob("*.json")):
        assert not [token for token in TOKENS if token in play(path.stem).text]


def test_epics_chart_is_read_under_the_sites_own_keys(play: Play) -> None:
    (card,) = cards(play("epic_patient_view"))
    assert card["summary"].startswith("Left breast: consider image-guided biopsy")
    assert "Not received" not in card["detail"], "its empty results are results"


def test_epics_card_can_be_shown_and_overridden(play: Play) -> None:
    (card,) = cards(play("epic_patient_view"))
    assert card["selectionBehavior"] == "any"
    assert card["source"]["topic"]["code"].isalnum()
    assert all(len(suggestion["actions"]) == 1 for suggestion in card["suggestions"])
    assert "links" not in card


def test_epics_draft_with_a_long_id_and_no_requester_is_looked_at(play: Play) -> None:
    (card,) = cards(play("epic_order_sign"))
    assert "MAMMO SCREENING BILATERAL" in card["detail"]


@pytest.mark.parametrize("trigger", [60, "60", 18, 23, None])
def test_whatever_made_epic_trigger_patient_view_the_answer_is_the_same(play: Play, trigger: object) -> None:
    extension = {"com.epic.cdshooks.request.bpa-trigger-action": trigger}
    (card,) = cards(play("epic_patient_view", extension=extension))
    assert card["summary"].startswith("Left breast: consider image-guided biopsy")


def test_epics_call_that_was_stripped_of_its_data_is_412(play: Play) -> None:
    """An address that is not registered exactly: the hook still fires."""
    answer = play("epic_stripped")
    assert answer.status_code == 412
    assert list(outcome_faults(answer.json())) == []


def test_orders_that_epic_withheld_are_named(play: Play) -> None:
    context = {"patientId": "eKp3Qx.1-Zr7", "userId": "PractitionerRole/eUsr-77"}
    answer = play("epic_order_sign", context=context)
    assert answer.status_code == 400
    assert [issue["expression"] for issue in answer.json()["issue"]] == [["context.draftOrders"]]


def test_epics_request_of_an_old_fhir_version_is_412(play: Play) -> None:
    extension = {"com.epic.cdshooks.request.fhir-version": "STU3"}
    assert play("epic_patient_view", extension=extension).status_code == 412


@pytest.fixture(scope="module")
def oracles(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    settings = {"FLECK_TODAY": TODAY.isoformat(), "FLECK_SELECTION_BEHAVIOR": "at-most-one"}
    with running_server(tmp_path_factory.mktemp("oracle"), settings) as running:
        yield running.url


def test_oracles_null_is_an_empty_result(play: Play, oracles: str) -> None:
    (card,) = cards(play("oracle_patient_view", oracles))
    assert card["summary"].startswith("Right breast: consider image-guided biopsy")
    assert "Not received" not in card["detail"]


def test_oracles_card_stays_within_1_0(play: Play, oracles: str) -> None:
    (card,) = cards(play("oracle_patient_view", oracles))
    assert card["selectionBehavior"] == "at-most-one"
    assert len(card["suggestions"]) == 1
    assert "links" not in card


def test_an_order_of_a_crd_client_for_the_other_breast_is_noticed(play: Play) -> None:
    (card,) = cards(play("crd_order_sign"))
    assert card["summary"].startswith("Right breast:")
    assert card["source"]["topic"]["code"] == "biopsy"


@pytest.mark.parametrize("extension", [None, {}, {"davinci-crd.configuration": {"unknown": [1]}}])
def test_crd_configuration_that_nobody_knows_is_ignored(play: Play, extension: object) -> None:
    assert [card["summary"] for card in cards(play("crd_order_sign", extension=extension))] == [
        card["summary"] for card in cards(play("crd_order_sign"))
    ]


def test_data_of_a_crd_client_that_came_without_content_is_not_412(play: Play) -> None:
    empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    assert cards(play("crd_order_sign", prefetch={"reports": empty, "observations": empty})) == []


@pytest.mark.parametrize(
    ("changes", "status"), [({"prefetch": {}}, 412), ({"hookInstance": "1"}, 400), ({"context": {}}, 400)]
)
def test_an_error_for_a_crd_client_is_an_operation_outcome(play: Play, changes: dict[str, Any], status: int) -> None:
    answer = play("crd_order_sign", **changes)
    assert answer.status_code == status
    assert list(outcome_faults(answer.json())) == []
