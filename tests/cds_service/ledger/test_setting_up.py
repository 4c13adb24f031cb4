"""Before the first call: addresses, keys, migrations."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.util import CommandError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from cds_service.ledger.ledger import address_of, migrate_ledger, open_ledger, prepare_ledger
from cds_service.ledger.migrate import VERSION_TABLE
from cds_service.ledger.patient_hash import key_file_beside, load_key
from cds_service.ledger.store import Store
from cds_service.ledger.store_address import read_address
from cds_service.ledger.tables import METADATA
from cds_service.settings import Settings
from tests.cds_service.ledger.conftest import KEY, rows, settings


def test_the_migrations_make_the_tables_that_the_ledger_writes(url: str) -> None:
    store = Store(address_of(settings(url)))
    with store.begin() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        )
        differences = compare_metadata(context, METADATA)
    store.reset()
    assert differences == []


def test_a_second_migration_changes_nothing(empty_url: str) -> None:
    assert migrate_ledger(settings(empty_url)) == (None, "0001")
    assert migrate_ledger(settings(empty_url)) == ("0001", "0001")


def test_a_database_of_a_later_version_is_left_alone(url: str) -> None:
    store = Store(address_of(settings(url)))
    with store.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")  # noqa: S608
    store.reset()
    with pytest.raises(CommandError, match="9999"):
        migrate_ledger(settings(url))
    with pytest.raises(ValueError, match="later version"):
        prepare_ledger(settings(url))
    assert rows(url, f"SELECT version_num FROM {VERSION_TABLE}") == [("9999",)]  # noqa: S608


def test_the_default_is_a_file_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("FLECK_DATABASE_URL", "FLECK_LEDGER_KEY"):
        monkeypatch.delenv(name, raising=False)
    prepare_ledger(Settings())
    assert {"fleck.db", "fleck-ledger.key"} <= {file.name for file in tmp_path.iterdir()}


def test_a_postgresql_that_cannot_be_reached_stops_no_advice(caplog: pytest.LogCaptureFixture) -> None:
    prepare_ledger(settings("postgresql://fleck:geheim@127.0.0.1:1/fleck"))
    (line,) = caplog.records
    assert line.message == "ledger down"
    assert "geheim" not in str(line.__dict__)


def test_a_file_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        prepare_ledger(settings(f"sqlite:///{tmp_path / 'nowhere' / 'fleck.db'}"))


def test_a_file_that_is_no_database_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "fleck.db").write_bytes(b"this is no database" * 1000)
    with pytest.raises(DBAPIError):
        prepare_ledger(settings(f"sqlite:///{tmp_path / 'fleck.db'}"))


@pytest.mark.parametrize(
    ("url", "driver", "connect"),
    [
        ("sqlite:///fleck.db", "sqlite+pysqlite", {}),
        ("sqlite:////var/lib/fleck/fleck.db", "sqlite+pysqlite", {}),
        ("postgresql://fleck:pw@db.example.org/fleck", "postgresql+pg8000", {"ssl_context": None}),
        ("postgresql://fleck@db/fleck?sslmode=disable", "postgresql+pg8000", {"ssl_context": False}),
        ("postgresql://fleck@db/fleck?sslmode=require", "postgresql+pg8000", {"ssl_context": True}),
        ("postgresql://fleck@/fleck?host=/run/pg", "postgresql+pg8000", {"unix_sock": "/run/pg/.s.PGSQL.5432"}),
    ],
)
def test_an_address_says_where_the_store_is(url: str, driver: str, connect: dict[str, Any]) -> None:
    address = read_address(url)
    assert address.url.drivername == driver
    assert connect.items() <= address.connect.items()
    assert "sslmode" not in str(address.url)


@pytest.mark.parametrize(("mode", "checks_name"), [("verify-ca", False), ("verify-full", True)])
def test_certificates_are_verified_where_the_address_asks_for_it(mode: str, checks_name: bool) -> None:
    context: Any = read_address(f"postgresql://fleck@db/fleck?sslmode={mode}").connect["ssl_context"]
    assert context.verify_mode.name == "CERT_REQUIRED"
    assert context.check_hostname is checks_name


@pytest.mark.parametrize(
    "url",
    [
        "",
        "fleck.db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:fleck.db?mode=ro",
        "sqlite+aiosqlite:///geheim.db",
        "mysql://fleck:geheim@db/fleck",
        "postgresql+psycopg://fleck:geheim@db/fleck",
        "postgresql://fleck:geheim@db",
        "postgresql://:geheim@db/fleck",
        "postgresql://fleck:geheim@db:port/fleck",
        "postgresql://fleck:geheim@db/fleck?sslmode=sometimes",
        "postgresql://fleck:geheim@db/fleck?options=-csearch_path",
        "postgresql://fleck:geheim@db/fleck?sslmode=verify-full&sslrootcert=/nowhere.pem",
    ],
)
def test_any_other_address_stops_the_start_and_shows_no_password(url: str) -> None:
    with pytest.raises(ValidationError, match="database_url") as refusal:
        Settings.model_validate({"database_url": url})
    assert "geheim" not in str(refusal.value)


def test_postgresql_needs_a_key_that_every_host_shares() -> None:
    with pytest.raises(ValueError, match="ledger_key is needed"):
        open_ledger(Settings.model_validate({"database_url": "postgresql://fleck@db/fleck"}))


def test_a_short_key_is_refused_and_not_shown() -> None:
    with pytest.raises(ValidationError, match="ledger_key") as refusal:
        Settings.model_validate({"ledger_key": "geheim"})
    assert "geheim" not in str(refusal.value)


def test_a_key_in_the_settings_needs_no_file(sqlite_url: str, tmp_path: Path) -> None:
    open_ledger(settings(sqlite_url, ledger_key=KEY))
    assert list(tmp_path.iterdir()) == []


def test_those_who_make_the_key_at_once_agree(tmp_path: Path) -> None:
    file = key_file_beside(tmp_path / "fleck.db")
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_key(file), range(50)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["fleck-ledger.key"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_empty_key_file_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "fleck-ledger.key"
    file.touch()
    with pytest.raises(ValueError, match="holds no key"):
        load_key(file)
