"""The ledger row by row, oldest first, in portions: each call with its cards, each card with its feedback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, Select, Table, select, tuple_

from cds_service.ledger.summary import Extract, known_card
from cds_service.ledger.tables import CALL, CARD, FEEDBACK

PORTION = 500

JSON_COLUMNS = frozenset({"gaps", "unread", "rules", "flags", "suggestions"})


def export(connection: Connection, extract: Extract) -> Iterator[dict[str, Any]]:
    """Give a decision for each call, then what was said of cards that are not in the ledger.

    A decision is the call with `cards`, and each card with `feedback`; members without a value are left out.
    """
    for calls in _portions(connection, CALL, select(CALL).where(*extract.calls), "given_at", "id"):
        numbers = [call["id"] for call in calls]
        cards = connection.execute(select(CARD).where(CARD.c.call.in_(numbers)).order_by(CARD.c.uuid)).mappings().all()
        said = _feedback(connection, numbers)
        for call in calls:
            of_call = [
                {**_members(card, "call"), "feedback": said.get(card["uuid"], [])}
                for card in cards
                if card["call"] == call["id"]
            ]
            yield {"kind": "decision", **_members(call, "id"), "cards": of_call}
    known = select(CARD.c.uuid).join(CALL, CARD.c.call == CALL.c.id).where(known_card()).exists()
    unknown = select(FEEDBACK).where(*extract.feedback, ~known)
    for items in _portions(connection, FEEDBACK, unknown, "received_at", "id"):
        for item in items:
            yield {"kind": "feedback", "known": False, **_members(item, "id")}


def _feedback(connection: Connection, calls: Sequence[str]) -> Mapping[str, list[dict[str, Any]]]:
    source = FEEDBACK.join(CARD, FEEDBACK.c.card == CARD.c.uuid).join(CALL, CARD.c.call == CALL.c.id)
    query = select(FEEDBACK).select_from(source).where(CALL.c.id.in_(calls), known_card())
    said: dict[str, list[dict[str, Any]]] = {}
    for item in connection.execute(query.order_by(FEEDBACK.c.outcome_at, FEEDBACK.c.id)).mappings():
        said.setdefault(item["card"], []).append(_members(item, "id", "card"))
    return said


def _portions(
    connection: Connection, table: Table, query: Select[Any], moment: str, key: str
) -> Iterator[Sequence[RowMapping]]:
    place = (table.c[moment], table.c[key])
    query = query.order_by(*place).limit(PORTION)
    rows = connection.execute(query).mappings().all()
    while rows:
        yield rows
        last = rows[-1]
        rows = connection.execute(query.where(tuple_(*place) > (last[moment], last[key]))).mappings().all()


def _members(row: RowMapping, *left_out: str) -> dict[str, Any]:
    return {str(name): _plain(name, value) for name, value in row.items() if value is not None and name not in left_out}


def _plain(name: str, value: Any) -> Any:
    if name in JSON_COLUMNS and isinstance(value, str):
        return orjson.loads(value)
    return value.isoformat() if isinstance(value, datetime) else value
