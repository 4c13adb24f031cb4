"""order-select and order-sign: silence for a fitting order, the open finding's card for any other breast order."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.cds_service.conftest import REQUEST, TODAY, Send
from tests.cds_service.timelines import cards_of

LEFT, RIGHT = "80248007", "73056007"
BIOPSY, SCREENING, DIAGNOSTIC = "116334007", "24606-6", "24605-8"


def draft(code: str, side: str | None = None, identity: str = "d1", **members: Any) -> dict[str, Any]:
    system = "http://loinc.org" if "-" in code else "http://snomed.info/sct"
    site = {"bodySite": [{"coding": [{"system": "http://snomed.info/sct", "code": side}]}]} if side else {}
    return {
        "resourceType": "ServiceRequest", "id": identity, "status": "draft", "intent": "order",
        "code": {"coding": [{"system": system, "code": code}]}, "subject": {"reference": "Patient/w1"},
        "authoredOn": TODAY.isoformat(), **site, **members,
    }  # fmt: skip


def report(side: str, category: str, identity: str = "r1") -> dict[str, Any]:
    code = {"left": "26347-5", "right": "26348-3"}[side]
    return {
        "resourceType": "DiagnosticReport", "id": identity, "status": "final", "effectiveDateTime": "2026-01-20",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "subject": {"reference": "Patient/w1"},
        "conclusion": f"{side.capitalize()} breast: BI-RADS {category}.",
    }  # fmt: skip


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": item} for item in resources]}


TWO_SIDES = {"text": "Stereotactic biopsy right breast"}


def summaries(
    drafts: list[dict[str, Any]],
    reports: list[dict[str, Any]],
    orders: list[dict[str, Any]] | None = None,
    hook: str = "order-sign",
    **context: Any,
) -> list[str]:
    patient = {"resourceType": "Patient", "id": "w1", "gender": "female"}
    prefetch = {"patient": patient, "reports": bundle(*reports), "orders": bundle(*(orders or []))}
    call = {"patientId": "w1", "userId": "Practitioner/u1", "draftOrders": bundle(*drafts), **context}
    cards = cards_of({"hook": hook, "today": TODAY.isoformat(), "context": call, "prefetch": prefetch})
    return [card["summary"] for card in cards]


WRONG = "the draft order is for the right breast, the report says left"
ORDERED = {**draft(BIOPSY, LEFT, "o1"), "status": "active", "authoredOn": "2026-01-22"}


@pytest.mark.parametrize(
    ("drafts", "reports", "orders", "said"),
    [
        ([draft(BIOPSY, LEFT)], [report("left", "4B")], [], []),
        ([draft(BIOPSY)], [report("left", "4B")], [], []),
        ([draft(BIOPSY, RIGHT)], [report("left", "4B")], [], [WRONG]),
        ([draft(SCREENING)], [report("left", "4B")], [], ["Left breast: consider image-guided biopsy"]),
        ([draft(DIAGNOSTIC, LEFT)], [report("left", "4B")], [], ["Left breast: consider image-guided biopsy"]),
        ([draft(BIOPSY, LEFT)], [report("left", "4B")], [ORDERED], ["biopsy already ordered on 2026-01-22"]),
        ([draft(BIOPSY, LEFT)], [report("left", "4B"), report("right", "4A", "r2")], [], ["Right breast: consider"]),
        ([draft(BIOPSY)], [report("left", "4B"), report("right", "4A", "r2")], [], ["Left breast", "Right breast"]),
        ([draft(BIOPSY, LEFT), draft(BIOPSY, RIGHT, "d2")], [report("left", "4B"), report("right", "4A", "r2")], [], []),
        ([draft(BIOPSY, LEFT), draft(BIOPSY, RIGHT, "d2")], [report("left", "4B")], [], [WRONG]),
        ([{**draft(BIOPSY, LEFT), "code": TWO_SIDES}], [report("left", "4B")], [], ["Left breast: consider"]),
        ([{**draft(BIOPSY, RIGHT), "subject": {"reference": "Patient/zzz"}}], [report("left", "4B")], [], []),
        ([draft(BIOPSY, LEFT, "o1")], [report("left", "4B")], [ORDERED], []),
        ([draft(BIOPSY, LEFT, replaces=[{"reference": "ServiceRequest/o1"}])], [report("left", "4B")], [ORDERED], []),
        ([draft(SCREENING)], [report("left", "2")], [], []),
        ([draft("710824005")], [report("left", "4B")], [], []),
        ([], [report("left", "4B")], [], []),
    ],
    ids=[
        "the order that is missing", "without side, one breast open", "the other breast", "screening instead",
        "a mammogram instead of a biopsy", "ordered before", "one of two breasts", "without side, both open",
        "both breasts", "one fits, one is for the other breast", "two sides", "of another patient",
        "the order on file itself", "in the place of the order on file", "nothing open",
        "an order of something else", "no draft",
    ],
)  # fmt: skip
def test_an_order_that_does_not_fit_the_open_finding_gets_its_card(
    drafts: list[dict[str, Any]], reports: list[dict[str, Any]], orders: list[dict[str, Any]], said: list[str]
) -> None:
    found = summaries(drafts, reports, orders)
    assert len(found) == len(said)
    for summary, words in zip(found, said, strict=True):
        assert words in summary
        assert len(summary) < 140


def test_only_what_was_just_selected_is_looked_at() -> None:
    drafts = [draft(SCREENING), draft(BIOPSY, LEFT, "d2")]
    select = {"hook": "order-select", "reports": [report("left", "4B")]}
    assert len(summaries(drafts, selections=["ServiceRequest/d1"], **select)) == 1
    assert summaries(drafts, selections=["ServiceRequest/d2"], **select) == []
    assert summaries(drafts, selections=[], **select) == []
    for named in ("d1", "https://ehr.example.org/fhir/ServiceRequest/d1", "ServiceRequest/d1/_history/2"):
        assert len(summaries(drafts, selections=[named], **select)) == 1
    assert summaries(drafts, selections=["ServiceRequest/unknown"], **select) == []
    other = [*drafts[:1], draft("710824005", None, "d3")]
    assert summaries(other, selections=["ServiceRequest/d3"], **select) == []


@pytest.mark.parametrize("drafts", [None, [], "ServiceRequest/1", {"resourceType": "ServiceRequest"}])
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_a_call_without_draft_orders_is_refused_by_name(send: Send, hook: str, drafts: object) -> None:
    body = copy.deepcopy(REQUEST)
    body["hook"] = hook
    body["context"] |= {"selections": ["ServiceRequest/d1"], "draftOrders": drafts}
    answer = send("POST", f"/cds-services/calcification-{hook}", json=body)
    assert answer.status_code == 400
    assert [issue["expression"] for issue in answer.json()["issue"]] == [["context.draftOrders"]]


def test_a_draft_that_states_no_status_is_a_draft() -> None:
    screening = {name: value for name, value in draft(SCREENING).items() if name != "status"}
    (summary,) = summaries([screening], [report("left", "4B")])
    assert "the draft order is for screening" in summary


@pytest.mark.parametrize("hook", ["order-sign", "order-select", "appointment-book"])
def test_there_is_no_silence_where_the_reports_failed(send: Send, hook: str) -> None:
    """Whether the order fits cannot be told of a patient whose reports were refused."""
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    slot = {
        "resourceType": "Appointment", "id": "a1", "status": "proposed", "start": "2026-03-01T09:00:00Z",
        "serviceType": [{"text": "Screening mammogram"}],
        "participant": [{"actor": {"reference": "Patient/w1"}, "status": "needs-action"}],
    }  # fmt: skip
    context = {
        "patientId": "w1",
        "userId": "Practitioner/u1",
        "draftOrders": bundle(draft(SCREENING)),
        "selections": [],
    }
    body = {
        "hook": hook,
        "hookInstance": REQUEST["hookInstance"],
        "context": {**context, "appointments": bundle(slot)},
        "prefetch": {"reports": outcome, "observations": bundle()},
    }
    answer = send("POST", f"/cds-services/calcification-{hook}", json=body)
    assert answer.status_code == 412
    assert answer.json()["issue"][0]["expression"] == ["prefetch.reports"]
