"""The ledger's tables as SQLAlchemy sees them; the migrations make them, and a test compares both."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

METADATA = MetaData()


class Moment(TypeDecorator[datetime]):
    """A moment with its zone: PostgreSQL keeps the zone, SQLite keeps UTC without naming it."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC, as the database wants it."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the moment in UTC, with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


CALL = Table(
    "call",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("given_at", Moment, nullable=False),
    Column("service", String(100), nullable=False),
    Column("hook", String(100), nullable=False),
    Column("hook_instance", String(64)),
    Column("client", String(100), nullable=False),
    Column("patient", String(64)),
    Column("milliseconds", Float, nullable=False),
    Column("status", Integer, nullable=False),
    Column("cards", Integer, nullable=False),
    Column("table_version", String(64)),
    Column("gaps", Text, nullable=False),
    Column("unread", Text, nullable=False),
    Index("call_given_at", "given_at"),
)
"""A call. `patient` is a keyed hash; `gaps` and `unread` are JSON objects, so that equal ones can be counted together."""

CARD = Table(
    "card",
    METADATA,
    Column("uuid", String(36), primary_key=True),
    Column("call", String(32), ForeignKey("call.id"), nullable=False),
    Column("recommendation", String(40), nullable=False),
    Column("laterality", String(20), nullable=False),
    Column("state", String(40), nullable=False),
    Column("state_rule", String(20)),
    Column("indicator", String(20), nullable=False),
    Column("rules", Text, nullable=False),
    Column("discordance", String(40)),
    Column("estimated_category", String(20)),
    Column("reported_category", String(20)),
    Column("flags", Text, nullable=False),
    Column("suggestions", Text, nullable=False),
    Index("card_call", "call"),
)
"""A card that was given. `rules`, `flags` and `suggestions` are JSON lists."""

FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("card", String(64), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("outcome_at", Moment, nullable=False),
    Column("outcome_at_stated", Boolean, nullable=False),
    Column("suggestions", Text, nullable=False),
    Column("reason_system", String(200)),
    Column("reason_code", String(100)),
    Column("comment_length", Integer, nullable=False),
    Column("comment", Text),
    Column("client", String(100), nullable=False),
    Column("service", String(100), nullable=False),
    Column("received_at", Moment, nullable=False),
    Index("feedback_card", "card"),
    Index("feedback_received_at", "received_at"),
)
"""Feedback on a card, ours or not: whether the card is known shows when both are read together, as either may come late.

`id` is a digest of client, card, outcome and timestamp, so that a repeat changes nothing.
"""

TOKEN_USE = Table(
    "token_use",
    METADATA,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("expires", BigInteger, nullable=False),
    Index("token_use_expires", "expires"),
)
"""Tokens that were shown, by digest, until they expire (seconds since 1970)."""
