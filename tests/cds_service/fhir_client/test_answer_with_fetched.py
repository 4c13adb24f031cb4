"""A call that brings a token instead of data is answered like one that brings the data; or it says what it lacked."""

from __future__ import annotations

import asyncio
import copy
import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.clients.client import Client, Profile
from cds_service.errors import RequestError
from cds_service.fhir_client.exchange import FetchLimits
from cds_service.fhir_client.fetch import FhirFetch
from cds_service.hooks.patient_view import OFFERED
from cds_service.hooks.prefetch import read_prefetch
from cds_service.hooks.prefetch_keys import PATIENT_CHART
from cds_service.hooks.service_call import Answer, CallContext, answer_call
from cds_service.knowledge import Knowledge, load_knowledge
from cds_service.protocol.hook_request import read_hook_request
from cds_service.settings import Settings
from tests.cds_service.conftest import REQUEST, TODAY
from tests.cds_service.fhir_client.fhir_server import Act, FhirServer, hangs, says

TYPES = {key.name: key.types[0] for key in PATIENT_CHART}
EXAMPLE = json.loads((Path(__file__).parents[3] / "docs/examples/patient-view.json").read_text())


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge(Settings())


def answer(sent: dict[str, Any], knowledge: Knowledge, *servers: str, limits: FetchLimits | None = None) -> Answer:
    """The way of a call, from its body to its answer."""
    request = read_hook_request(json.dumps(sent).encode(), "patient-view")
    client = Client(id="site", fhir_servers=servers)
    context = CallContext(knowledge=knowledge, profile=Profile(), today=TODAY, max_resources=5000)

    async def once() -> Answer:
        delivery = read_prefetch(request.prefetch, PATIENT_CHART, context.max_resources)
        async with FhirFetch(limits or FetchLimits(seconds=30), knowledge.terminology) as fetch:
            delivery = await fetch.complete(request, delivery, client, PATIENT_CHART)
        return answer_call(OFFERED, request, delivery, context)

    return asyncio.run(once())


def without_data(sent: dict[str, Any], server: FhirServer, *names: str) -> dict[str, Any]:
    prefetch = {name: value for name, value in sent["prefetch"].items() if name not in names}
    return {**copy.deepcopy(sent), "fhirServer": server.base, "prefetch": prefetch}


def decisions(cards: Any) -> list[Any]:
    """What the cards say, without the ids that are new in each answer."""
    return [(card["summary"], card["indicator"], card["source"]["topic"], card["detail"]) for card in cards]


@pytest.mark.parametrize("sent", [REQUEST, EXAMPLE], ids=["benchmark", "example"])
@pytest.mark.parametrize("names", [("reports",), ("reports", "observations"), tuple(TYPES)])
def test_the_cards_are_those_of_the_data_prefetched(
    server: FhirServer, knowledge: Knowledge, sent: dict[str, Any], names: tuple[str, ...]
) -> None:
    served = {TYPES[name]: says(sent["prefetch"][name]) for name in names if sent["prefetch"].get(name) is not None}
    server.plays(**served)
    complete = {**sent, "prefetch": dict.fromkeys(TYPES) | sent["prefetch"]}
    fetched = answer(without_data(complete, server, *names), knowledge, server.base)
    prefetched = answer(complete, knowledge)
    assert fetched.cards
    assert decisions(fetched.cards) == decisions(prefetched.cards)


REFUSALS: list[tuple[str, Act | None, dict[str, Any], str]] = [
    ("never answers", hangs, {}, "timeout"),
    ("does not know the token", says({}, 401), {}, "unauthorized"),
    ("shows a sign-in page", says(b"<html>"), {}, "not FHIR"),
    ("is not named", None, {"fhirServer": None, "fhirAuthorization": None}, "no fhirServer"),
    ("is not the one registered", None, {"fhirServer": "https://evil.example/fhir"}, "not registered"),
    ("gets no token of another patient", None, {"token": {"patient": "another"}}, "token of another patient"),
    ("gets no token that has expired", None, {"token": {"expires_in": 0}}, "token expired"),
    ("gets no token of another kind", None, {"token": {"token_type": "DPoP"}}, "not a bearer token"),
]


@pytest.mark.parametrize(("_what", "act", "members", "reason"), REFUSALS, ids=[case[0] for case in REFUSALS])
def test_what_could_not_be_had_is_412_and_says_why(
    server: FhirServer, knowledge: Knowledge, _what: str, act: Act | None, members: dict[str, Any], reason: str
) -> None:
    if act:
        server.plays(DiagnosticReport=act, Observation=act)
    authorization = REQUEST["fhirAuthorization"] | members.get("token", {})
    others = {name: value for name, value in members.items() if name != "token"}
    sent = without_data(REQUEST, server, "reports", "observations") | {"fhirAuthorization": authorization} | others
    sent["prefetch"]["observations"] = {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}
    with pytest.raises(RequestError) as caught:
        answer(sent, knowledge, server.base, limits=FetchLimits(seconds=1) if act is hangs else None)
    assert caught.value.status == 412
    assert [(issue.expression, issue.diagnostics) for issue in caught.value.issues] == [
        ("prefetch.reports", f"prefetch key reports is absent; not fetched: {reason}"),
        ("prefetch.observations",
         f"prefetch key observations holds an error or no resource of its type; not fetched: {reason}"),
    ]  # fmt: skip
    if act is None:
        assert server.asked == []
    assert not {"opaque-token-for-the-ehr", "p-3107", "evil"} & set(str(caught.value.issues).replace("/", " ").split())


def test_delivered_but_empty_is_silence_and_never_412(server: FhirServer, knowledge: Knowledge) -> None:
    assert answer(without_data(REQUEST, server, *TYPES), knowledge, server.base).cards == ()


def test_reports_that_could_not_be_fetched_are_not_taken_for_none(server: FhirServer, knowledge: Knowledge) -> None:
    """No observation was found, and whether there is a report is not known: silence would say that there is none."""
    server.plays(DiagnosticReport=says({}, 500))
    with pytest.raises(RequestError) as caught:
        answer(without_data(REQUEST, server, *TYPES), knowledge, server.base)
    assert [issue.expression for issue in caught.value.issues] == ["prefetch.reports"]


def test_a_card_names_what_could_not_be_fetched(server: FhirServer, knowledge: Knowledge) -> None:
    server.plays(ServiceRequest=says({}, 500), Appointment=says({}, 500))
    sent = without_data(REQUEST, server, "orders", "appointments")
    cards = answer(sent, knowledge, server.base).cards
    missing = {name for card in cards for name in card["extension"]["org.fleck.decision"]["missing"]}
    assert any("orders" in name for name in missing)
    assert not any("appointments" in name for name in missing)
