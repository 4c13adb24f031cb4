"""`main.py feedback` and `main.py migrate`: what an operator sees of the ledger."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cds_service.ledger.export import PORTION
from cds_service.ledger.ledger import Ledger
from main import cli
from tests.cds_service.ledger.conftest import KEY
from tests.cds_service.ledger.events import NOW, a_call, a_card, feedback_on

Run = Callable[..., Result]


@pytest.fixture
def run(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("FLECK_DATABASE_URL", empty_url)
    monkeypatch.setenv("FLECK_LEDGER_KEY", KEY)
    monkeypatch.setenv("COLUMNS", "160")
    return lambda *arguments: CliRunner().invoke(cli, arguments)


@pytest.fixture
def a_day(url: str, ledger: Ledger) -> None:
    """Three cards of two calls, one of them silent; an override after an acceptance, and feedback on cards of others."""
    biopsy, again = a_card(uuid="card-1"), a_card(uuid="card-2", rules=("D12",))
    benign = a_card(uuid="card-3", recommendation="no_follow_up", indicator="info", rules=("D01",))
    ledger.record(a_call(biopsy, benign, given_at=NOW))
    ledger.record(a_call(again, given_at=NOW + timedelta(days=1)))
    ledger.record(a_call(given_at=NOW + timedelta(days=1), service="another-service"))
    ledger.record(a_call(given_at=NOW + timedelta(days=1), status=412))
    said = [
        feedback_on("card-1", "accepted", suggestions=("s-1",)),
        feedback_on("card-1", "overridden", reason_code="wrongFinding", outcome_at=NOW + timedelta(hours=1)),
        feedback_on("card-2", "accepted"),
        feedback_on("card-2", "overridden", client="somebody-else", outcome_at=NOW + timedelta(hours=2)),
        feedback_on("123456", "overridden", reason_code="45"),
    ]
    asyncio.run(ledger.keep_feedback(said, seconds=30))
    assert ledger.close(30) == 0


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.usefixtures("a_day")
def test_the_tables_tell_what_was_advised_and_what_became_of_it(run: Run) -> None:
    """The last word counts, and only the client that got a card can speak of it."""
    shown = run("feedback")
    assert shown.exit_code == 0
    words = [" ".join(line.replace("│", " ").split()) for line in shown.stdout.splitlines()]
    assert words[0].startswith("4 calls, 3 cards, 1 calls answered without a card, feedback on 2 cards that are not")
    for expected in (
        "calcification-patient-view 200 2",
        "calcification-patient-view 412 1",
        "another-service 200 1",
        "biopsy 2 1 1 0 wrongFinding 1",
        "no follow up 1 0 0 1",
        "D01 1 0 0 1",
        "D12 2 1 1 0 wrongFinding 1",
        "X07 1 0 1 0 wrongFinding 1",
    ):
        assert expected in words


@pytest.mark.usefixtures("a_day")
def test_json_gives_each_call_with_its_cards_and_their_feedback(run: Run) -> None:
    *decisions, strange, stranger = lines(run("feedback", "--json"))
    assert sorted(decision["status"] for decision in decisions) == [200, 200, 200, 412]
    cards = {card["uuid"]: card for decision in decisions for card in decision["cards"]}
    assert [one["outcome"] for one in cards["card-1"]["feedback"]] == ["accepted", "overridden"]
    assert cards["card-1"]["rules"] == ["D12", "X07"]
    assert [one["client"] for one in cards["card-2"]["feedback"]] == ["st-elsewhere"]
    assert cards["card-3"]["feedback"] == []
    assert {strange["card"], stranger["card"]} == {"123456", "card-2"}
    assert strange["known"] is stranger["known"] is False


@pytest.mark.usefixtures("a_day")
def test_csv_gives_a_row_a_card_and_feedback(run: Run) -> None:
    result = run("feedback", "--csv")
    assert result.exit_code == 0
    table = list(csv.DictReader(StringIO(result.stdout)))
    found = sorted((row["card_uuid"], row["outcome"], row["reason_code"]) for row in table)
    assert found == [
        ("", "", ""),
        ("", "", ""),
        ("123456", "overridden", "45"),
        ("card-1", "accepted", ""),
        ("card-1", "overridden", "wrongFinding"),
        ("card-2", "accepted", ""),
        ("card-2", "overridden", ""),
        ("card-3", "", ""),
    ]


@pytest.mark.usefixtures("a_day")
@pytest.mark.parametrize(
    ("extract", "calls"),
    [
        (["--since", "2026-02-03"], 3),
        (["--since", "2026-02-04"], 0),
        (["--service", "another-service"], 1),
        (["--since", "2026-02-03", "--service", "calcification-patient-view"], 2),
    ],
)
def test_a_part_can_be_asked_for(run: Run, extract: list[str], calls: int) -> None:
    assert sum(line["kind"] == "decision" for line in lines(run("feedback", "--json", *extract))) == calls
    assert f"{calls} calls" in run("feedback", *extract).stdout


def test_more_calls_than_a_portion_come_once_each(run: Run, url: str, ledger: Ledger) -> None:
    for number in range(2 * PORTION + 1):
        ledger.record(a_call(a_card(), milliseconds=number))
    assert ledger.close(60) == 0
    assert sorted(line["milliseconds"] for line in lines(run("feedback", "--json"))) == list(range(2 * PORTION + 1))


def test_json_and_csv_at_once_are_wrong_usage(run: Run) -> None:
    assert run("feedback", "--json", "--csv").exit_code == 2


def test_a_ledger_without_tables_or_without_a_file_is_told(run: Run, empty_url: str) -> None:
    result = run("feedback")
    assert result.exit_code == 1
    assert "the ledger cannot be read" in result.stderr
    if empty_url.startswith("sqlite"):
        assert not Path(empty_url.removeprefix("sqlite:///")).exists()


def test_migrate_tells_the_version_before_and_after(run: Run) -> None:
    assert run("migrate").stdout == "schema 0001: was empty\n"
    assert run("migrate").stdout == "schema 0001: was so already\n"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("mysql://fleck:geheim@db/fleck", 2),
        ("postgresql://fleck:geheim@127.0.0.1:1/fleck", 1),
        ("sqlite:////nowhere/at/all/fleck.db", 1),
    ],
)
def test_a_store_that_cannot_be_is_told_without_its_password(
    url: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLECK_DATABASE_URL", url)
    for command in ("migrate", "feedback"):
        result = CliRunner().invoke(cli, [command])
        assert result.exit_code == code
        assert "geheim" not in result.output
        assert result.stderr
