"""Calls, cards and feedback for the tests, and waiting for a writer."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from cds_service.ledger.records import CallRecord, CardRecord, FeedbackRecord
from cds_service.protocol.feedback import FeedbackItem

NOW = datetime(2026, 2, 2, 9, 30, tzinfo=UTC)
PATIENT_VIEW = "calcification-patient-view"


def a_card(**members: Any) -> CardRecord:
    usual = {
        "uuid": str(uuid4()),
        "recommendation": "biopsy",
        "laterality": "right",
        "state": "open",
        "indicator": "critical",
        "rules": ("D12", "X07"),
        "suggestions": (str(uuid4()),),
    }
    return CardRecord(**(usual | members))


def a_call(*cards: CardRecord, **members: Any) -> CallRecord:
    usual = {
        "given_at": NOW,
        "service": PATIENT_VIEW,
        "hook": "patient-view",
        "hook_instance": str(uuid4()),
        "client": "st-elsewhere",
        "patient_id": "p-3107",
        "milliseconds": 4.2,
        "status": 200,
        "table_version": "2026-11-24-d64cc9ec",
    }
    return CallRecord(**(usual | {"cards": cards} | members))


def feedback_on(card: str, outcome: str = "accepted", **members: Any) -> FeedbackRecord:
    sender = {name: members.pop(name) for name in ("client", "service", "received_at") if name in members}
    item = FeedbackItem(**({"card": card, "outcome": outcome, "outcome_at": NOW} | members))
    usual = {"client": "st-elsewhere", "service": PATIENT_VIEW, "received_at": NOW}
    return FeedbackRecord(item=item, **(usual | sender))


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something that another thread or process brings about."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
