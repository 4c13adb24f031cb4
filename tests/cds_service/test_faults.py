"""Faults of what stands around the service: advice goes on, what was acknowledged is kept, and the ledger catches up."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.cds_service.conftest import PATIENT_VIEW, REQUEST
from tests.cds_service.ledger.events import until
from tests.cds_service.ledger.postgres import running_postgres
from tests.running_server import RunningServer, running_server

BODY = json.dumps(REQUEST).encode()
JSON = {"content-type": "application/json"}
FEEDBACK = f"{PATIENT_VIEW}/feedback"


@contextmanager
def under_load(server: RunningServer) -> Generator[list[int]]:
    """Call the service again and again; yields the statuses so far."""
    statuses: list[int] = []
    stop = Event()

    def call() -> None:
        with httpx.Client(headers=JSON, timeout=30) as client:
            while not stop.is_set():
                statuses.append(client.post(server.url + PATIENT_VIEW, content=BODY).status_code)

    with ThreadPoolExecutor(2) as pool:
        callers: list[Future[None]] = [pool.submit(call) for _ in range(2)]
        try:
            yield statuses
        finally:
            stop.set()
        for caller in callers:
            caller.result()


def ledger_state(server: RunningServer) -> dict[str, Any]:
    return httpx.get(f"{server.url}/health/ready").json()["ledger"]


def more_calls(statuses: list[int], number: int = 30) -> None:
    wanted = len(statuses) + number
    until(lambda: len(statuses) >= wanted)


def feedback(card: str) -> dict[str, Any]:
    return {"feedback": [{"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-02-02T10:00:00Z"}]}


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(folder / "fleck.db") as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def own_ledger(tmp_path: Path) -> dict[str, str]:
    return {"FLECK_DATABASE_URL": f"sqlite:///{tmp_path / 'fleck.db'}", "FLECK_LOG_LEVEL": "WARNING"}


Break = Callable[[Path], None]


def taken_away(folder: Path) -> None:
    for file in folder.glob("fleck.db*"):
        file.rename(folder / f"gone-{file.name}")


def overwritten(folder: Path) -> None:
    (folder / "fleck.db").write_bytes(b"no database" * 1000)


@pytest.mark.parametrize("broken", [taken_away, overwritten])
def test_advice_goes_on_while_the_store_is_broken(tmp_path: Path, own_ledger: dict[str, str], broken: Break) -> None:
    with running_server(tmp_path, own_ledger) as server, under_load(server) as statuses:
        more_calls(statuses)
        broken(tmp_path)
        more_calls(statuses, 200)
    assert set(statuses) == {200}


def test_feedback_is_refused_while_the_store_is_locked_and_calls_are_caught_up_with_after(
    tmp_path: Path, own_ledger: dict[str, str]
) -> None:
    card = str(uuid4())
    with running_server(tmp_path, own_ledger) as server, under_load(server) as statuses:
        more_calls(statuses)
        lock = sqlite3.connect(tmp_path / "fleck.db", isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        refused = httpx.post(server.url + FEEDBACK, json=feedback(card), timeout=30)
        more_calls(statuses)
        lock.execute("ROLLBACK")
        lock.close()
        until(lambda: httpx.post(server.url + FEEDBACK, json=feedback(card), timeout=30).status_code == 200)
        more_calls(statuses)
    assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    assert set(statuses) == {200}
    assert rows(tmp_path, "SELECT count(*) FROM call") == [(len(statuses),)]


def test_feedback_that_was_acknowledged_survives_a_kill(tmp_path: Path, own_ledger: dict[str, str]) -> None:
    cards = [str(uuid4()) for _ in range(20)]
    with running_server(tmp_path, own_ledger) as server:
        answers = [httpx.post(server.url + FEEDBACK, json=feedback(card)).status_code for card in cards]
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
    assert set(answers) == {200}
    assert {card for (card,) in rows(tmp_path, "SELECT card FROM feedback")} == set(cards)


def test_advice_goes_on_while_postgresql_is_stopped_and_the_ledger_catches_up(tmp_path: Path) -> None:
    with running_postgres() as postgres:
        if not postgres.can_stop:
            pytest.skip("the PostgreSQL that was given is not ours to stop")
        with postgres.database() as url:
            settings = {"FLECK_DATABASE_URL": url, "FLECK_LEDGER_KEY": "k" * 40, "FLECK_LOG_LEVEL": "WARNING"}
            with running_server(tmp_path, settings) as server:
                with under_load(server) as statuses:
                    more_calls(statuses)
                    postgres.stop()
                    until(lambda: ledger_state(server)["down"])
                    more_calls(statuses, 200)
                    postgres.start()
                    until(lambda: not ledger_state(server)["down"])
                    more_calls(statuses)
                until(lambda: ledger_state(server)["waiting"] == 0)
                state = ledger_state(server)
            assert set(statuses) == {200}
            assert (state["dropped"], state["refused"]) == (0, 0)


@contextmanager
def chart_server(behave: Callable[[BaseHTTPRequestHandler], None]) -> Generator[str]:
    """Yield the base URL of a FHIR server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            behave(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/fhir"
        server.shutdown()


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in ({"Content-Type": "application/fhir+json", "Content-Length": str(len(body))} | headers).items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def searched(handler: BaseHTTPRequestHandler) -> dict[str, Any]:
    """The chart of the request that prefetches everything, a search at a time."""
    kind = handler.path.split("/fhir/")[1].partition("?")[0].partition("/")[0]
    bundles = [value for value in REQUEST["prefetch"].values() if value["resourceType"] == "Bundle"]
    entries = [entry for bundle in bundles for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries}


def answers(handler: BaseHTTPRequestHandler) -> None:
    reply(handler, 200, json.dumps(searched(handler)).encode())


def hangs(_: BaseHTTPRequestHandler) -> None:
    time.sleep(5)


def drips(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/fhir+json")
    handler.end_headers()
    with suppress(OSError):
        for _ in range(50):
            handler.wfile.write(b" ")
            time.sleep(0.1)


def pages_for_ever(handler: BaseHTTPRequestHandler) -> None:
    page = int(handler.path.partition("page=")[2] or 0) + 1
    host = handler.headers["Host"]
    link = {
        "relation": "next",
        "url": f"http://{host}/fhir/{handler.path.split('/fhir/')[1].split('page=')[0]}&page={page}",
    }
    reply(handler, 200, json.dumps(searched(handler) | {"link": [link]}).encode())


def redirects(handler: BaseHTTPRequestHandler) -> None:
    reply(handler, 302, b"", Location="http://127.0.0.1:9/elsewhere")


def answers_html(handler: BaseHTTPRequestHandler) -> None:
    reply(handler, 200, b"<html>Please log in</html>", Content_Type="text/html")


FHIR_SERVERS = [
    (answers, 200, 2, ""),
    (pages_for_ever, 200, 2, ""),
    (hangs, 412, 0, "timeout"),
    (drips, 412, 0, "timeout"),
    (redirects, 412, 0, "redirected"),
    (answers_html, 412, 0, "not FHIR"),
]


@pytest.mark.parametrize(("behave", "status", "cards", "why"), FHIR_SERVERS)
def test_what_was_not_prefetched_is_fetched_or_the_answer_says_why_not(
    tmp_path: Path,
    own_ledger: dict[str, str],
    behave: Callable[[BaseHTTPRequestHandler], None],
    status: int,
    cards: int,
    why: str,
) -> None:
    with chart_server(behave) as base:
        answer = call_with_fhir_server(base, tmp_path, own_ledger)
    assert answer.status_code == status, answer.text
    assert len(answer.json().get("cards", ())) == cards
    assert why in answer.text


def call_with_fhir_server(base: str, folder: Path, own_ledger: dict[str, str]) -> httpx.Response:
    """Call without prefetch a server at which this FHIR server is registered."""
    clients = folder / "clients.toml"
    clients.write_text(f'[[client]]\nid = "ward"\nopen = true\nprofile = "generic-2.0"\nfhir_servers = ["{base}"]\n')
    settings = {**own_ledger, "FLECK_CLIENTS": str(clients), "FLECK_FHIR_BUDGET_SECONDS": "1"}
    settings["FLECK_PUBLIC_URL"] = "http://127.0.0.1"
    request = {name: value for name, value in REQUEST.items() if name != "prefetch"} | {"fhirServer": base}
    with running_server(folder, settings) as server:
        return httpx.post(server.url + PATIENT_VIEW, json=request, timeout=30)
