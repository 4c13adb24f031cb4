"""More than can be taken on is sent away to come again, and never answered without having been looked at."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.app import create_app
from cds_service.errors import RequestError
from cds_service.settings import Settings
from cds_service.web.load import Load
from tests.cds_service.conftest import PATIENT_VIEW, TODAY, sender

MANY = {"note": [{"text": "x" * 100}] * 2_000}


def test_calls_beyond_the_limit_are_throttled_until_one_ends() -> None:
    load = Load(max_calls=1, max_bytes=100)
    with load.hold(10), pytest.raises(RequestError) as refused, load.hold(10):
        pass
    assert (refused.value.status, refused.value.headers) == (429, {"retry-after": "1"})
    with load.hold(10):
        assert load.calls == 1


def test_bytes_beyond_the_limit_are_refused_but_a_call_alone_never_is() -> None:
    load = Load(max_calls=9, max_bytes=100)
    with load.hold(500), pytest.raises(RequestError) as refused, load.hold(1):
        pass
    assert (refused.value.status, refused.value.headers) == (503, {"retry-after": "1"})
    assert (load.calls, load.size) == (0, 0)


def test_a_failed_call_is_let_go_of(request_body: dict[str, Any]) -> None:
    send = sender(create_app(Settings(today=TODAY, max_calls=1)))
    assert [send("POST", PATIENT_VIEW, json=body).status_code for body in ({}, request_body)] == [400, 200]


def test_a_call_that_takes_too_long_is_given_up_without_cards(request_body: dict[str, Any]) -> None:
    """Large enough to be answered in a thread, beside which the clock runs."""
    request_body["prefetch"]["more"] = {"resourceType": "DiagnosticReport", "id": "more", "status": "final", **MANY}
    send = sender(create_app(Settings(today=TODAY, call_seconds=0.0001)))
    answer = send("POST", PATIENT_VIEW, json=request_body)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert json.loads(answer.content)["issue"][0]["code"] == "timeout"


def test_a_large_call_is_answered_like_a_small_one(request_body: dict[str, Any]) -> None:
    small = sender(create_app(Settings(today=TODAY)))("POST", PATIENT_VIEW, json=request_body).json()
    request_body["extension"] = MANY
    large = sender(create_app(Settings(today=TODAY)))("POST", PATIENT_VIEW, json=request_body).json()
    assert [card["summary"] for card in large["cards"]] == [card["summary"] for card in small["cards"]] != []
