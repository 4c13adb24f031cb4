"""What is noted and kept can be read again, once each, by whoever reads the database."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from cds_service.ledger.ledger import Ledger
from cds_service.ledger.records import card_record, gaps_of, unread_counts
from cds_service.ledger.retention import BATCH, prune
from cds_service.ledger.store import Store, StoreDownError
from fhir_models.reading import Unread
from tests.cds_service.conftest import PATIENT_VIEW as PATH
from tests.cds_service.conftest import Send
from tests.cds_service.ledger.conftest import Open, address_of, rows, settings
from tests.cds_service.ledger.events import NOW, a_call, a_card, feedback_on


def test_a_call_is_read_again_with_its_cards(url: str, ledger: Ledger) -> None:
    left, right = a_card(laterality="left"), a_card(laterality="right", state_rule="L38", flags=("a_flag",))
    gaps, unread = {"orders": "absent"}, {"Observation": 3}
    ledger.record(a_call(left, right, gaps=gaps, unread=unread))
    assert ledger.close() == 0
    kept = rows(url, "SELECT service, client, status, cards, milliseconds, gaps, unread, table_version FROM call")
    values = ("calcification-patient-view", "st-elsewhere", 200, 2, 4.2, '{"orders":"absent"}', '{"Observation":3}')
    assert kept == [(*values, "2026-11-24-d64cc9ec")]
    columns = "card.uuid, laterality, state_rule, rules, flags, suggestions"
    kept = rows(url, f"SELECT {columns} FROM card JOIN call ON call.id = card.call ORDER BY laterality")  # noqa: S608
    first = (left.uuid, "left", None, '["D12","X07"]', "[]", json.dumps(left.suggestions))
    assert kept == [first, (right.uuid, "right", "L38", '["D12","X07"]', '["a_flag"]', json.dumps(right.suggestions))]


def test_a_call_that_was_refused_is_noted_too(url: str, ledger: Ledger) -> None:
    ledger.record(a_call(status=400, hook_instance=None, patient_id=None, table_version=None))
    ledger.close()
    assert rows(url, "SELECT status, cards, hook_instance, patient FROM call") == [(400, 0, None, None)]


def test_moments_are_utc_whatever_their_zone(url: str, ledger: Ledger) -> None:
    ledger.record(a_call(given_at=datetime.fromisoformat("2026-02-02T01:30:00-08:00")))
    ledger.close()
    assert [str(row[0])[:19] for row in rows(url, "SELECT given_at FROM call")] == ["2026-02-02 09:30:00"]


def test_cards_of_the_service_are_understood(send: Send, request_body: dict[str, Any]) -> None:
    request_body["prefetch"]["orders"] = None  # drafts need to know what is ordered
    cards = send("POST", PATH, json=request_body).json()["cards"]
    card = next(card for card in cards if "suggestions" in card)
    decision = card["extension"]["org.fleck.decision"]
    record = card_record(card)
    assert (record.uuid, record.recommendation, record.state) == (card["uuid"], decision["recommendation"], "open")
    assert (record.rules, record.state_rule) == (tuple(decision["rules"]), decision["state_rule"])
    assert record.reported_category == decision["reported_category"]
    assert record.suggestions == tuple(suggestion["uuid"] for suggestion in card["suggestions"])


def test_unread_resources_are_counted_by_type_and_never_named() -> None:
    paths = ("Observation/calc-1", "Observation/calc-2", "Condition/x", "unknown", "Smith/Greta", "")
    counts = unread_counts([Unread(resource, "prefetch", "no code") for resource in paths])
    assert counts == {"Observation": 2, "Condition": 1, "other": 3}


def test_prefetch_keys_that_did_not_come_whole_are_gaps() -> None:
    from cds_service.hooks.prefetch import Delivery

    delivery = Delivery(
        resources=(), absent=("orders",), failed=("conditions",), incomplete=("observations",), unread=()
    )
    assert gaps_of(delivery) == {"orders": "absent", "conditions": "failed", "observations": "incomplete"}


def test_feedback_is_there_when_it_is_acknowledged(url: str, ledger: Ledger) -> None:
    item = feedback_on(
        "card-1", "overridden", reason_system="urn:x", reason_code="wrongFinding", comment_length=12, suggestions=("s",)
    )
    asyncio.run(ledger.keep_feedback([item]))
    columns = "card, outcome, suggestions, reason_system, reason_code, comment_length, comment, client"
    kept = rows(url, f"SELECT {columns} FROM feedback")  # noqa: S608
    assert kept == [("card-1", "overridden", '["s"]', "urn:x", "wrongFinding", 12, None, "st-elsewhere")]


LATER = NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("second", "kept"),
    [
        ({}, 1),
        ({"received_at": LATER}, 1),
        ({"service": "another-service"}, 1),
        ({"outcome_at": LATER}, 2),
        ({"outcome": "overridden"}, 2),
        ({"card": "card-2"}, 2),
        ({"client": "another-client"}, 2),
    ],
)
def test_a_repeat_is_kept_once(url: str, ledger: Ledger, second: dict[str, Any], kept: int) -> None:
    """Repeats are legal in CDS Hooks, in one batch and in several."""
    first, again = feedback_on("card-1"), feedback_on(**({"card": "card-1"} | second))
    asyncio.run(ledger.keep_feedback([first, again, first]))
    asyncio.run(ledger.keep_feedback([again]))
    assert len(rows(url, "SELECT id FROM feedback")) == kept


def test_without_a_timestamp_the_moment_of_arrival_stands_for_it_and_repeats_still_count_once(
    url: str, ledger: Ledger
) -> None:
    for seconds in range(3):
        item = feedback_on("card-1", outcome_at=None, received_at=NOW + timedelta(seconds=seconds))
        asyncio.run(ledger.keep_feedback([item]))
    kept = rows(url, "SELECT outcome_at, outcome_at_stated FROM feedback")
    assert [(str(moment)[:19], bool(stated)) for moment, stated in kept] == [("2026-02-02 09:30:00", False)]


def test_a_large_batch_is_kept_whole(url: str, ledger: Ledger) -> None:
    asyncio.run(ledger.keep_feedback([feedback_on(f"card-{number}") for number in range(5000)], seconds=60))
    assert rows(url, "SELECT count(*) FROM feedback") == [(5000,)]


def test_a_token_is_new_once(ledger: Ledger) -> None:
    digest = hashlib.sha256(b"jti").digest()

    async def shown_at_once() -> list[bool]:
        return await asyncio.gather(*(ledger.first_use(digest, 2_000_000_000, 30) for _ in range(50)))

    assert sorted(asyncio.run(shown_at_once())) == [False] * 49 + [True]


def test_a_token_is_new_once_for_all_processes(url: str, open_ledger: Open) -> None:
    digests = [hashlib.sha256(str(number).encode()).digest() for number in range(20)]

    async def shown_to_all(ledgers: list[Ledger]) -> list[bool]:
        uses = [ledger.first_use(digest, 2_000_000_000, 30) for digest in digests for ledger in ledgers]
        return await asyncio.gather(*uses)

    assert asyncio.run(shown_to_all([open_ledger(url) for _ in range(3)])).count(True) == len(digests)


def test_the_same_patient_has_one_hash_at_a_client_and_another_elsewhere(url: str, ledger: Ledger) -> None:
    ledger.record(a_call())
    ledger.record(a_call())
    ledger.record(a_call(client="another-client"))
    ledger.close()
    hashes = dict(rows(url, "SELECT patient, count(*) FROM call GROUP BY patient"))
    assert sorted(hashes.values()) == [1, 2]


def test_a_record_that_the_database_refuses_is_counted_and_the_others_are_written(url: str, ledger: Ledger) -> None:
    twice = a_card()
    ledger.record(a_call(a_card()))
    ledger.record(a_call(milliseconds="soon"))
    ledger.record(a_call(twice))
    ledger.record(a_call(hook=None))
    ledger.record(a_call(given_at="yesterday"))
    ledger.close()
    refused = ledger.lag.refused
    assert refused + rows(url, "SELECT count(*) FROM call")[0][0] == 5
    assert refused >= 2
    assert rows(url, "SELECT count(*) FROM card") == [(2,)]


def test_text_too_long_for_its_column_or_with_a_nul_is_kept_in_part(url: str, ledger: Ledger) -> None:
    ledger.record(a_call(client="c" * 500, hook_instance="a\0b"))
    ledger.close()
    assert rows(url, "SELECT client, hook_instance FROM call") == [("c" * 100, "ab")]


def test_what_is_older_than_its_days_leaves_a_portion_at_a_time(url: str, ledger: Ledger) -> None:
    old, young = NOW - timedelta(days=31), NOW - timedelta(days=29)
    for _ in range(BATCH + 1):
        ledger.record(a_call(a_card(), given_at=old))
    ledger.record(a_call(a_card(), given_at=young))
    asyncio.run(ledger.keep_feedback([feedback_on("a", received_at=old), feedback_on("b", received_at=young)]))
    asyncio.run(ledger.first_use(b"old", int(old.timestamp())))
    asyncio.run(ledger.first_use(b"new", int(NOW.timestamp()) + 60))
    ledger.close()
    store = Store(address_of(settings(url)))
    more = []
    for _ in range(3):
        with store.begin() as connection:
            more.append(prune(connection, NOW, 30))
    store.reset()
    assert more == [True, False, False]
    counts = "SELECT (SELECT count(*) FROM call), (SELECT count(*) FROM card), (SELECT count(*) FROM feedback)"
    assert rows(url, counts) == [(1, 1, 1)]
    assert [bytes(row[0]) for row in rows(url, "SELECT digest FROM token_use")] == [b"new"]


def test_nothing_but_expired_tokens_leaves_a_ledger_that_is_kept_for_ever(url: str, ledger: Ledger) -> None:
    ledger.record(a_call(given_at=datetime(2001, 1, 1, tzinfo=UTC)))
    ledger.close()
    store = Store(address_of(settings(url)))
    with store.begin() as connection:
        assert not prune(connection, NOW, 0)
    store.reset()
    assert rows(url, "SELECT count(*) FROM call") == [(1,)]


@pytest.mark.parametrize("durable_calls", [False, True])
def test_feedback_is_always_committed_to_the_disk_and_calls_where_the_site_asks_for_it(
    url: str, open_ledger: Open, durable_calls: bool
) -> None:
    """What a power failure would show, as the database tells it: of the very connections that write."""
    ledger = open_ledger(url, durable_calls=durable_calls)
    asked, on_disk = ("PRAGMA synchronous", 2) if url.startswith("sqlite") else ("SHOW synchronous_commit", "on")

    def level(connection: Connection) -> object:
        return connection.exec_driver_sql(asked).scalar()

    assert asyncio.run(ledger._feedback.run(level, 30)) == on_disk
    with ledger._calls._store.begin() as connection:
        assert (level(connection) == on_disk) is durable_calls
    ledger._calls._store.reset()


def test_feedback_that_the_database_refuses_takes_nobody_else_with_it(url: str, ledger: Ledger) -> None:
    """They may share a transaction."""
    good = [feedback_on(f"card-{number}") for number in range(5)]
    bad = feedback_on("bad", received_at=None)

    async def at_once() -> list[object]:
        return await asyncio.gather(
            *(ledger.keep_feedback([item], seconds=30) for item in (*good, bad)), return_exceptions=True
        )

    *kept, refused = asyncio.run(at_once())
    assert kept == [None] * 5
    assert isinstance(refused, StoreDownError)
    assert len(rows(url, "SELECT card FROM feedback")) == 5
