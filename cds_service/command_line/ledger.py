"""What `feedback` and `migrate` print of the ledger."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from typing import Any

import orjson
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from cds_service.ledger.export import export
from cds_service.ledger.ledger import address_of
from cds_service.ledger.store import Store
from cds_service.ledger.summary import Extract, Summary, Tally, summarise
from cds_service.settings import Settings

READING_SECONDS = 300.0

CALL_COLUMNS = ("given_at", "service", "hook", "hook_instance", "client", "patient", "milliseconds", "status")
CARD_COLUMNS = (
    "uuid",
    "recommendation",
    "laterality",
    "state",
    "state_rule",
    "indicator",
    "rules",
    "discordance",
    "estimated_category",
    "reported_category",
    "flags",
)
FEEDBACK_COLUMNS = (
    "outcome",
    "outcome_at",
    "outcome_at_stated",
    "suggestions",
    "reason_system",
    "reason_code",
    "comment_length",
    "comment",
    "received_at",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for the start of a formula."""


class LedgerUnreadableError(Exception):
    """The ledger is not there, has no tables yet, or cannot be reached; the message is for the operator."""


@contextmanager
def reading(settings: Settings) -> Generator[Connection]:
    """Open the ledger for reading.

    Raises:
        LedgerUnreadableError: it cannot be read.
    """
    store = Store(address_of(settings), read_only=True, seconds=READING_SECONDS)
    try:
        with store.begin() as connection:
            yield connection
    except (DBAPIError, sqlite3.Error, FileNotFoundError, PermissionError) as error:
        raise LedgerUnreadableError(f"the ledger cannot be read: {reason_of(error)}") from error
    finally:
        store.reset()


def reason_of(error: Exception) -> str:
    """Return what the database said, for the operator's terminal."""
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    if not isinstance(error, DBAPIError) or error.orig is None:
        return str(error)
    said: Any = error.orig.args[0] if error.orig.args else error.orig
    return str(said["M"]) if isinstance(said, dict) and "M" in said else str(said)  # pyright: ignore[reportUnknownArgumentType]


def json_lines(connection: Connection, extract: Extract) -> Iterator[bytes]:
    """Give each decision, and each piece of feedback on an unknown card, as one line."""
    for item in export(connection, extract):
        yield orjson.dumps(item)


def csv_lines(connection: Connection, extract: Extract) -> Iterator[str]:
    """Give a head line, then a line for each card and each piece of feedback on it."""
    yield _csv_line([*CALL_COLUMNS, *(f"card_{name}" for name in CARD_COLUMNS), *FEEDBACK_COLUMNS])
    for item in export(connection, extract):
        if item["kind"] == "feedback":
            call = {"service": item["service"], "client": item["client"]}
            yield _csv_line([*_cells(call, CALL_COLUMNS), *_cells({"uuid": item["card"]}, CARD_COLUMNS), *_said(item)])
            continue
        cards: list[dict[str, Any]] = item["cards"] or [{}]
        for card in cards:
            said: list[dict[str, Any]] = card.get("feedback") or [{}]
            for one in said:
                yield _csv_line([*_cells(item, CALL_COLUMNS), *_cells(card, CARD_COLUMNS), *_said(one)])


def draw_summary(connection: Connection, extract: Extract, console: Console) -> None:
    """Draw what was advised, and what users did with it."""
    summary = summarise(connection, extract)
    console.print(Text(_head(summary)), soft_wrap=True)
    calls = Table("service", "status", Column("calls", justify="right"), title="Calls", title_justify="left")
    for (service, status), count in summary.statuses.items():
        calls.add_row(Text(service), str(status), f"{count:,}")
    console.print(calls)
    for title, tallies in (("recommendation", summary.recommendations), ("rule", summary.rules)):
        console.print(_tallies(title, tallies))


def _head(summary: Summary) -> str:
    calls = sum(summary.statuses.values())
    cards = sum(tally.cards for tally in summary.recommendations.values())
    told = f"{calls:,} calls, {cards:,} cards, {summary.calls_without_card:,} calls answered without a card"
    unknown = summary.unknown_cards
    return f"{told}, feedback on {unknown:,} cards that are not in the ledger" if unknown else told


def _tallies(title: str, tallies: Mapping[str, Tally]) -> Table:
    counts = [Column(name, justify="right") for name in ("cards", "accepted", "overridden", "no word")]
    drawn = Table(title, *counts, Column("reasons", overflow="fold"), title=f"By {title}", title_justify="left")
    for name, tally in tallies.items():
        numbers = (tally.cards, tally.accepted, tally.overridden, tally.cards - tally.accepted - tally.overridden)
        reasons = ", ".join(f"{reason} {count}" for reason, count in tally.reasons.most_common())
        drawn.add_row(Text(name.replace("_", " ")), *(f"{number:,}" for number in numbers), Text(reasons))
    return drawn


def _cells(members: Mapping[str, Any], columns: tuple[str, ...]) -> list[str]:
    return [_cell(members.get(name)) for name in columns]


def _said(feedback: Mapping[str, Any]) -> list[str]:
    return _cells(feedback, FEEDBACK_COLUMNS)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)  # pyright: ignore[reportUnknownArgumentType]
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv_line(cells: list[str]) -> str:
    line = StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
