"""Records as rows of the tables: bounded, without patient identity, and the same for a repeat."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import UTC
from typing import Any

import msgspec
import orjson

from cds_service.ledger.patient_hash import PatientHash
from cds_service.ledger.records import CallRecord, CardRecord, FeedbackRecord
from cds_service.ledger.tables import CALL, CARD, FEEDBACK

Row = Mapping[str, Any]

_WIDTHS = {
    table.name: {column.name: width for column in table.columns if (width := getattr(column.type, "length", None))}
    for table in (CALL, CARD, FEEDBACK)
}


class CallRows(msgspec.Struct, frozen=True):
    """A call and its cards, ready to be written as often as it takes."""

    call: Row
    cards: tuple[Row, ...]


def call_rows(call: CallRecord, patient_hash: PatientHash) -> CallRows:
    """Return a call as rows. The id begins with the time, so that an index grows at its end."""
    number = f"{int(call.given_at.timestamp() * 1000):012x}{secrets.token_hex(10)}"
    row = {
        "id": number,
        "given_at": call.given_at,
        "service": call.service,
        "hook": call.hook,
        "hook_instance": call.hook_instance,
        "client": call.client,
        "patient": patient_hash(call.client, call.patient_id) if call.patient_id else None,
        "milliseconds": call.milliseconds,
        "status": call.status,
        "cards": len(call.cards),
        "table_version": call.table_version,
        "gaps": _json(call.gaps),
        "unread": _json(call.unread),
    }
    return CallRows(_bounded(row, CALL.name), tuple(_card_row(card, number) for card in call.cards))


def feedback_row(record: FeedbackRecord, *, keep_comment: bool) -> Row:
    """Return feedback as a row; its comment only where the site keeps comments."""
    item = record.item
    comment = item.comment.get_secret_value() if item.comment and keep_comment else None
    row = {
        "id": _feedback_id(record),
        "card": item.card,
        "outcome": item.outcome,
        "outcome_at": item.outcome_at or record.received_at,
        "outcome_at_stated": item.outcome_at is not None,
        "suggestions": _json(item.suggestions),
        "reason_system": item.reason_system,
        "reason_code": item.reason_code,
        "comment_length": item.comment_length,
        "comment": comment.replace("\0", "") if comment else None,
        "client": record.client,
        "service": record.service,
        "received_at": record.received_at,
    }
    return _bounded(row, FEEDBACK.name)


def _feedback_id(record: FeedbackRecord) -> str:
    """A repeat has the same id. Without a timestamp, what else was said tells items of one card apart."""
    item = record.item
    if item.outcome_at:
        said: list[object] = [item.outcome_at.astimezone(UTC).isoformat()]
    else:
        said = [item.suggestions, item.reason_system, item.reason_code, item.comment_length]
    return hashlib.sha256(orjson.dumps([record.client, item.card, item.outcome, said])).hexdigest()


def _card_row(card: CardRecord, call: str) -> Row:
    row = {
        "uuid": card.uuid,
        "call": call,
        "recommendation": card.recommendation,
        "laterality": card.laterality,
        "state": card.state,
        "state_rule": card.state_rule,
        "indicator": card.indicator,
        "rules": _json(card.rules),
        "discordance": card.discordance,
        "estimated_category": card.estimated_category,
        "reported_category": card.reported_category,
        "flags": _json(card.flags),
        "suggestions": _json(card.suggestions),
    }
    return _bounded(row, CARD.name)


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _bounded(row: dict[str, Any], table: str) -> Row:
    """Text as wide as its column at most, and without NUL, which PostgreSQL cannot hold."""
    for name, width in _WIDTHS[table].items():
        if (value := row[name]) is not None:
            row[name] = str(value)[:width].replace("\0", "")
    return row
