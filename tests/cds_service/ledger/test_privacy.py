"""Whatever is put into cards and feedback, the database holds no name, id, token or text of a patient."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cds_service.ledger.ledger import Ledger
from cds_service.ledger.records import FeedbackRecord, card_record, unread_counts
from cds_service.protocol.feedback import read_feedback
from fhir_models.reading import Unread
from tests.cds_service.ledger.conftest import Open, rows
from tests.cds_service.ledger.events import NOW, PATIENT_VIEW, a_call, feedback_on

PRIVATE = "Greta Sample p-3107 eyJhbGciOiJFUzM4NCJ9"
TABLES = ("call", "card", "feedback", "token_use")


def a_card_full_of_it() -> dict[str, Any]:
    """Patient data wherever the sender's words reach a card, and beside them what is kept."""
    return {
        "uuid": "3f1dde72-162b-41ec-99e8-0050568b7be6",
        "summary": PRIVATE,
        "detail": PRIVATE,
        "indicator": "critical",
        "source": {"label": PRIVATE, "topic": {"code": "biopsy"}},
        "suggestions": [
            {
                "uuid": "8eaeba35-2a36-48c7-b793-2f011e65f995",
                "label": PRIVATE,
                "actions": [{"resource": {"subject": {"reference": PRIVATE}}}],
            }
        ],
        "extension": {
            "org.fleck.decision": {
                "recommendation": "biopsy",
                "laterality": "right",
                "state": "open",
                "exam": f"DiagnosticReport/{PRIVATE}",
                "evidence": [{"resource": PRIVATE, "path": PRIVATE, "text": PRIVATE}],
                "missing": [PRIVATE],
                "closed_by": f"ServiceRequest/{PRIVATE}",
            }
        },
    }


def feedback_full_of_it() -> bytes:
    item = {
        "card": "123456",
        "outcome": "overridden",
        "outcomeTimestamp": PRIVATE,
        "acceptedSuggestions": [{"id": PRIVATE}],
        "overrideReason": {
            "reason": {"code": PRIVATE, "system": PRIVATE, "display": PRIVATE},
            "userComment": PRIVATE,
            "extension": {
                "com.epic.cdshooks.feedback.overrideReason.reasonCategory": PRIVATE,
                "com.epic.cdshooks.feedback.overrideReason.reasonDisplay": PRIVATE,
            },
        },
        PRIVATE: PRIVATE,
    }
    return json.dumps({"feedback": [item, {**item, "card": PRIVATE}, {**item, "outcome": PRIVATE}]}).encode()


def keep_everything(ledger: Ledger) -> None:
    unread = unread_counts([Unread(PRIVATE, PRIVATE, PRIVATE), Unread(f"Observation/{PRIVATE}", PRIVATE, PRIVATE)])
    ledger.record(a_call(card_record(a_card_full_of_it()), patient_id=PRIVATE, unread=unread))
    ledger.record(a_call(patient_id="p-3107"))
    batch = read_feedback(feedback_full_of_it())
    assert len(batch.items) == 1
    records = [FeedbackRecord(item=item, client="ehr", service=PATIENT_VIEW, received_at=NOW) for item in batch.items]
    asyncio.run(ledger.keep_feedback(records))
    assert ledger.close() == 0
    assert ledger.lag.refused == 0


def everything(url: str) -> str:
    return "\n".join(str(row) for table in TABLES for row in rows(url, f"SELECT * FROM {table}"))  # noqa: S608


def test_no_table_holds_them(url: str, ledger: Ledger) -> None:
    keep_everything(ledger)
    held = everything(url)
    assert held.count("3f1dde72-162b-41ec-99e8-0050568b7be6") == 1
    assert [word for word in PRIVATE.split() if word in held] == []


def test_no_byte_of_the_files_holds_them(sqlite_url: str, open_ledger: Open, tmp_path: Path) -> None:
    """Not in free pages and logs either."""
    keep_everything(open_ledger(sqlite_url))
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"3f1dde72-162b-41ec-99e8-0050568b7be6" in held
    assert [word for word in PRIVATE.split() if word.encode() in held] == []


@pytest.mark.parametrize(("keeps", "held"), [(False, None), (True, "x" * 1000)])
def test_a_comment_is_kept_only_by_a_site_that_asks_for_it_and_only_in_part(
    url: str, open_ledger: Open, keeps: bool, held: str | None
) -> None:
    ledger = open_ledger(url, keep_comments=keeps)
    body = {"feedback": [{"card": "1", "outcome": "overridden", "overrideReason": {"userComment": "x" * 5000}}]}
    (item,) = read_feedback(json.dumps(body).encode()).items
    record = FeedbackRecord(item=item, client="ehr", service=PATIENT_VIEW, received_at=datetime.now(NOW.tzinfo))
    asyncio.run(ledger.keep_feedback([record]))
    assert rows(url, "SELECT comment_length, comment FROM feedback") == [(5000, held)]
    assert "xxx" not in repr(record)


def test_the_files_are_their_owners_alone(sqlite_url: str, open_ledger: Open, tmp_path: Path) -> None:
    asyncio.run(open_ledger(sqlite_url).keep_feedback([feedback_on("card-1")], seconds=30))
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("fleck.db", "fleck.db-wal", "fleck.db-shm"), 0o600)
