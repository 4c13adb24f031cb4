"""The same tests on both databases."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cds_service.ledger.ledger import Ledger, address_of, migrate_ledger
from cds_service.ledger.patient_hash import PatientHash
from cds_service.ledger.store import Store
from cds_service.settings import Settings
from tests.cds_service.ledger.postgres import Postgres, running_postgres

KEY = "a key of the tests, long enough to be one"

Open = Callable[..., Ledger]


@pytest.fixture(scope="session")
def postgres() -> Generator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'fleck.db'}"


@pytest.fixture
def postgres_url(postgres: Postgres) -> Generator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest) -> str:
    """A database without tables."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


@pytest.fixture
def url(empty_url: str) -> str:
    """A database that is ready."""
    migrate_ledger(settings(empty_url))
    return empty_url


@pytest.fixture
def open_ledger() -> Generator[Open]:
    """Opens ledgers and closes them after the test."""
    with ExitStack() as stack:

        def opened(url: str, **options: Any) -> Ledger:
            ledger = Ledger(address_of(settings(url)), PatientHash(KEY.encode()), **options)
            stack.callback(ledger.close, 10)
            return ledger

        yield opened


@pytest.fixture
def ledger(url: str, open_ledger: Open) -> Ledger:
    return open_ledger(url)


def settings(url: str, **others: Any) -> Settings:
    return Settings.model_validate({"database_url": url, "ledger_key": KEY, **others})


def rows(url: str, statement: str) -> list[Any]:
    """What a database holds, read by a connection of its own."""
    store = Store(address_of(settings(url)), read_only=True)
    try:
        with store.begin() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement)]
    finally:
        store.reset()
