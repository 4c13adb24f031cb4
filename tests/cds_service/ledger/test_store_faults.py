"""The store fails under load: callers notice nothing, feedback is refused honestly, and everything is caught up."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter

import pytest

from cds_service.ledger.ledger import Ledger, migrate_ledger
from cds_service.ledger.store import StoreDownError
from tests.cds_service.ledger.conftest import Open, rows, settings
from tests.cds_service.ledger.events import a_call, a_card, feedback_on, until
from tests.cds_service.ledger.postgres import Postgres

Fault = Callable[[], None]


@pytest.fixture
def file(sqlite_url: str) -> Path:
    migrate_ledger(settings(sqlite_url))
    return Path(sqlite_url.removeprefix("sqlite:///"))


@contextmanager
def locked(file: Path) -> Generator[None]:
    """Another program holds the write lock."""
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        holder.close()


@contextmanager
def no_database(file: Path) -> Generator[None]:
    """The file is something else, then the database again. Its log is emptied first: one file is moved, not both."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    aside = file.with_name("aside")
    file.rename(aside)
    file.write_bytes(b"this is no database" * 1000)
    try:
        yield
    finally:
        aside.replace(file)


@contextmanager
def full_disk(file: Path) -> Generator[None]:
    """No file of this process may grow."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("fault", [locked, no_database, full_disk])
def test_calls_wait_while_the_file_cannot_be_written_and_are_caught_up(
    file: Path, sqlite_url: str, open_ledger: Open, fault: Callable[[Path], Generator[None]]
) -> None:
    ledger = open_ledger(sqlite_url)
    ledger.record(a_call(a_card()))
    until(lambda: ledger.lag.waiting == 0)
    with fault(file):
        for _ in range(300):
            ledger.record(a_call(a_card()))
        with pytest.raises(StoreDownError):
            asyncio.run(ledger.keep_feedback([feedback_on("refused")], seconds=1))
        until(lambda: ledger.lag.down)
        assert ledger.lag.waiting == 300
    until(lambda: ledger.lag.waiting == 0)
    assert not ledger.lag.down
    asyncio.run(ledger.keep_feedback([feedback_on("kept")], seconds=30))
    assert rows(sqlite_url, "SELECT (SELECT count(*) FROM call), (SELECT count(*) FROM card)") == [(301, 301)]
    assert ("kept",) in rows(sqlite_url, "SELECT card FROM feedback")


def test_a_file_that_is_taken_away_is_made_again(file: Path, sqlite_url: str, open_ledger: Open) -> None:
    """Whoever moves it has what was in it; what comes after is in the new one, and nothing is written into nowhere."""
    ledger, other = open_ledger(sqlite_url), open_ledger(sqlite_url)
    for each in (ledger, other):
        each.record(a_call())
        asyncio.run(each.keep_feedback([feedback_on("before")], seconds=30))
        until(lambda each=each: each.lag.waiting == 0)
    file.rename(file.with_name("taken"))
    for number, each in enumerate((ledger, other, ledger, other)):
        asyncio.run(each.keep_feedback([feedback_on(f"after-{number}")], seconds=30))
        each.record(a_call())
    until(lambda: ledger.lag.waiting == other.lag.waiting == 0)
    assert sorted(rows(sqlite_url, "SELECT card FROM feedback")) == [(f"after-{number}",) for number in range(4)]
    assert rows(sqlite_url, "SELECT count(*) FROM call") == [(4,)]


def test_a_store_without_tables_gets_them_when_it_is_first_written(empty_url: str, open_ledger: Open) -> None:
    ledger = open_ledger(empty_url)
    asyncio.run(ledger.keep_feedback([feedback_on("first")], seconds=30))
    ledger.record(a_call())
    until(lambda: ledger.lag.waiting == 0)
    assert rows(empty_url, "SELECT count(*) FROM call") == [(1,)]


def test_postgresql_stops_and_starts_under_load(postgres: Postgres, postgres_url: str, open_ledger: Open) -> None:
    if not postgres.can_stop:
        pytest.skip("the PostgreSQL given is not ours to stop")
    migrate_ledger(settings(postgres_url))
    ledger = open_ledger(postgres_url, durable_calls=True)
    for _ in range(200):
        ledger.record(a_call(a_card()))
    asyncio.run(ledger.keep_feedback([feedback_on("before")], seconds=30))
    postgres.stop()
    try:
        for _ in range(300):
            ledger.record(a_call(a_card()))
        with pytest.raises(StoreDownError):
            asyncio.run(ledger.keep_feedback([feedback_on("between")]))
        with pytest.raises(StoreDownError):
            asyncio.run(ledger.first_use(b"token", 2_000_000_000))
        until(lambda: ledger.lag.down)
    finally:
        postgres.start()
    for _ in range(100):
        ledger.record(a_call(a_card()))
    until(lambda: ledger.lag.waiting == 0)
    asyncio.run(ledger.keep_feedback([feedback_on("after")], seconds=30))
    assert asyncio.run(ledger.first_use(b"token", 2_000_000_000, 30))
    assert rows(postgres_url, "SELECT (SELECT count(*) FROM call), (SELECT count(*) FROM card)") == [(600, 600)]
    assert rows(postgres_url, "SELECT card FROM feedback ORDER BY card") == [("after",), ("before",)]


def test_a_full_queue_drops_the_oldest_and_counts_them(file: Path, sqlite_url: str, open_ledger: Open) -> None:
    ledger = open_ledger(sqlite_url, capacity=150)
    with locked(file):
        for number in range(1000):
            ledger.record(a_call(milliseconds=number))
        lag = ledger.lag
        assert lag.waiting + lag.dropped == 1000
        assert lag.dropped > 0
        assert lag.waiting <= 150 + 100  # the queue, and the batch in the writer's hands
    until(lambda: ledger.lag.waiting == 0)
    kept = [row[0] for row in rows(sqlite_url, "SELECT milliseconds FROM call ORDER BY milliseconds")]
    assert len(kept) == 1000 - ledger.lag.dropped
    assert kept[-150:] == list(range(850, 1000))


def test_the_age_of_what_waits_is_told(file: Path, sqlite_url: str, open_ledger: Open) -> None:
    ledger = open_ledger(sqlite_url)
    with locked(file):
        ledger.record(a_call())
        until(lambda: ledger.lag.seconds > 0.5)
        assert ledger.lag.waiting == 1
    until(lambda: ledger.lag.waiting == 0)
    assert ledger.lag.seconds < 0.5


def test_what_waits_is_written_before_the_end(url: str, ledger: Ledger) -> None:
    for _ in range(2000):
        ledger.record(a_call(a_card()))
    assert ledger.close(60) == 0
    assert rows(url, "SELECT count(*) FROM card") == [(2000,)]


def test_the_end_waits_for_no_store_that_is_down(file: Path, sqlite_url: str, open_ledger: Open) -> None:
    ledger = open_ledger(sqlite_url)
    with locked(file):
        ledger.record(a_call())
        started = perf_counter()
        assert ledger.close(0.5) == 1
        assert perf_counter() - started < 30
