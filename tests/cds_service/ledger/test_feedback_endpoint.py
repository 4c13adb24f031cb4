"""Feedback over HTTP: acknowledged when it is kept, refused when it is not."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from cds_service.clients.client import Client
from cds_service.errors import Issue, RequestError
from cds_service.ledger.ledger import Ledger
from cds_service.web.feedback_endpoint import FeedbackEndpoint, Headers
from cds_service.web.metrics import Metrics
from cds_service.web.request_body import BodyLimits
from cds_service.web.request_net import RequestNet
from tests.cds_service.conftest import sender
from tests.cds_service.ledger.conftest import Open, rows
from tests.cds_service.ledger.events import PATIENT_VIEW

PATH = f"/cds-services/{PATIENT_VIEW}/feedback"
ITEM = {
    "card": "3f1dde72-162b-41ec-99e8-0050568b7be6",
    "outcome": "accepted",
    "outcomeTimestamp": "2026-02-02T09:30:00Z",
}

Post = Callable[..., httpx.Response]


async def admit(headers: Headers, path: str) -> Client:
    """Know the caller by a header, as the gate knows it by its token."""
    assert path == PATH
    known = dict(headers).get(b"x-client")
    if known is None:
        raise RequestError(401, Issue("login", "who calls?"))
    return Client(id=known.decode())


def poster(ledger: Ledger) -> Post:
    endpoint = FeedbackEndpoint(
        service=PATIENT_VIEW, limits=BodyLimits(100_000, 5), ledger=ledger, metrics=Metrics(), admit=admit
    )
    send: Any = sender(RequestNet(endpoint, frozenset({PATH})))  # pyright: ignore[reportArgumentType]

    def post(*items: object, method: str = "POST", client: str | None = "st-elsewhere", **more: Any) -> httpx.Response:
        arguments = {"json": {"feedback": list(items)}} | more
        return send(method, PATH, headers={"x-client": client} if client else {}, **arguments)

    return post


@pytest.fixture
def post(ledger: Ledger) -> Post:
    return poster(ledger)


def test_feedback_is_acknowledged_with_an_empty_answer_once_it_is_kept(url: str, post: Post) -> None:
    answer = post(ITEM, ITEM)
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")
    assert rows(url, "SELECT card, client, service FROM feedback") == [(ITEM["card"], "st-elsewhere", PATIENT_VIEW)]


def test_a_batch_with_a_broken_item_is_kept_without_it_and_the_log_names_neither(
    url: str, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="fleck"):
        assert post(ITEM, {"card": "Greta Sample", "outcome": "accepted"}, "Greta").status_code == 200
    assert rows(url, "SELECT count(*) FROM feedback") == [(1,)]
    (line,) = (record.fields for record in caplog.records if record.message == "feedback")
    noted = {"client": "st-elsewhere", "service": PATIENT_VIEW, "kept": 1, "set_aside": 2, "faults": ["card", "item"]}
    assert line == noted


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {"feedbacks": []}}, 400),
        ({"json": []}, 400),
        ({"method": "GET"}, 405),
        ({"client": None}, 401),
        ({"json": {"feedback": [], "padding": "x" * 100_000}}, 413),
        ({"json": {"feedback": []}}, 200),
        ({"json": {"feedback": [], "extension": {}}}, 200),
    ],
)
def test_what_is_no_feedback_is_refused(url: str, post: Post, sent: dict[str, Any], status: int) -> None:
    assert post(**sent).status_code == status
    assert rows(url, "SELECT count(*) FROM feedback") == [(0,)]


def test_a_store_that_is_down_is_told_and_the_client_may_come_again(sqlite_url: str, open_ledger: Open) -> None:
    post = poster(open_ledger(sqlite_url))
    assert post(ITEM).status_code == 200
    holder = sqlite3.connect(Path(sqlite_url.removeprefix("sqlite:///")), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    refused = post({**ITEM, "card": "card-2"})
    holder.close()
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
    assert json.loads(refused.content)["issue"][0]["code"] == "transient"
    assert post({**ITEM, "card": "card-2"}).status_code == 200
    assert rows(sqlite_url, "SELECT count(*) FROM feedback") == [(2,)]


def test_a_batch_of_which_nothing_can_be_used_is_refused_with_its_fields(url: str, post: Post) -> None:
    refused = post({**ITEM, "outcome": "ignored"}, {"card": "Greta Sample", "outcome": "accepted"})
    assert refused.status_code == 400
    named = [issue["expression"] for issue in json.loads(refused.content)["issue"]]
    assert named == [["feedback[0].outcome"], ["feedback[1].card"]]
    assert "Greta" not in refused.text
    assert rows(url, "SELECT count(*) FROM feedback") == [(0,)]


def test_a_comment_is_in_no_log(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    override = {"outcome": "overridden", "overrideReason": {"userComment": "Greta told me so"}}
    with caplog.at_level(logging.DEBUG):
        assert post({**ITEM, **override}).status_code == 200
        assert post({**ITEM, **override, "card": "Greta Sample"}).status_code == 400
    assert any(record.message == "feedback" for record in caplog.records)
    assert "Greta" not in str([vars(record) for record in caplog.records])
