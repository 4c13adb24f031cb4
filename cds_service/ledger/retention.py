"""What is old enough leaves the ledger, a little at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Column, Connection, Table, delete, select

from cds_service.ledger.tables import CALL, CARD, FEEDBACK, TOKEN_USE

BATCH = 500
"""Rows of a table that one transaction deletes: others wait for it for milliseconds."""


def prune(connection: Connection, now: datetime, days: int) -> bool:
    """Delete expired tokens, and calls and feedback of more than `days` ago (0: never); return whether there is more."""
    seconds = int(now.timestamp())
    full = [_delete_oldest(connection, TOKEN_USE, TOKEN_USE.c.expires, seconds)]
    if days:
        before = now.astimezone(UTC) - timedelta(days=days)
        full += [
            _delete_oldest(connection, CALL, CALL.c.given_at, before),
            _delete_oldest(connection, FEEDBACK, FEEDBACK.c.received_at, before),
        ]
    return any(full)


def _delete_oldest(connection: Connection, table: Table, age: Column[object], before: object) -> bool:
    (key,) = table.primary_key.columns
    found = connection.scalars(select(key).where(age < before).order_by(age).limit(BATCH)).all()
    if not found:
        return False
    if table is CALL:
        connection.execute(delete(CARD).where(CARD.c.call.in_(found)))
    connection.execute(delete(table).where(key.in_(found)))
    return len(found) == BATCH
