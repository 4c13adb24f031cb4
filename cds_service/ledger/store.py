"""A connection to the ledger's database, for one thread: transactions that either commit or leave nothing."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError

from cds_service.ledger.store_address import StoreAddress

BAD_ROW_STATES = ("22", "23")
"""Classes of SQLSTATE that blame the data, not the database."""

_PAUSE = 0.02


class StoreDownError(Exception):
    """The database did not take what it was given, or not in time."""


class Store:
    """Opens when first used, and again after `reset`, or when the SQLite file is no longer the one that was opened."""

    def __init__(self, address: StoreAddress, *, durable: bool, seconds: float = 5.0) -> None:
        """Prepare.

        Args:
            address: where the database is.
            durable: whether a commit is on the disk when it returns; else a power failure may take the last ones.
            seconds: how long the database may keep this thread waiting: a lock, a connection, an answer.
        """
        self._address = address
        self._identity: tuple[int, int] | None = None
        if address.file is None:
            options: dict[str, Any] = {**address.connect, "timeout": seconds}
            self._engine = create_engine(
                address.url, pool_size=1, max_overflow=0, connect_args=options, hide_parameters=True
            )
            event.listen(self._engine, "connect", _postgresql_session(durable=durable))
        else:
            self._engine = create_engine(address.url, pool_size=1, max_overflow=0, hide_parameters=True)
            event.listen(self._engine, "connect", _sqlite_session(durable=durable, seconds=seconds))
            event.listen(self._engine, "begin", _begin_immediate)

    @property
    def is_postgresql(self) -> bool:
        """Whether it is PostgreSQL; else SQLite."""
        return self._address.file is None

    @contextmanager
    def begin(self) -> Generator[Connection]:
        """Open a transaction; it commits at the end, or rolls back on an exception."""
        if self._address.file is not None:
            self._open_file()
        with self._engine.begin() as connection:
            yield connection

    def reset(self) -> None:
        """Close the connection; the next transaction opens another."""
        self._engine.dispose()

    def _open_file(self) -> None:
        """Make the file readable by its owner only; a file that was put in its place gets a connection of its own."""
        file = self._address.file
        assert file is not None  # noqa: S101
        os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        found = file.stat()
        identity = (found.st_dev, found.st_ino)
        if identity != self._identity:
            self._engine.dispose()
            self._identity = identity


def is_bad_row(error: Exception) -> bool:
    """Return whether the data was at fault: another attempt with the same rows would fail again."""
    if not isinstance(error, SQLAlchemyError):
        return isinstance(error, (ValueError, TypeError))
    if not isinstance(error, DBAPIError):
        return isinstance(error, StatementError)
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return isinstance(cause, (sqlite3.IntegrityError, sqlite3.DataError))
    said: Any = cause.args[0] if cause is not None and cause.args else None
    return isinstance(said, dict) and str(said.get("C", ""))[:2] in BAD_ROW_STATES  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def _sqlite_session(*, durable: bool, seconds: float) -> Any:
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy begins; the driver would begin too late and without DDL
        connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
        _use_wal(connection, seconds)
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        connection.execute("PRAGMA foreign_keys = ON")

    return prepare


def _use_wal(connection: sqlite3.Connection, seconds: float) -> None:
    """Readers and one writer at once. SQLite does not wait by itself while another process makes the same change."""
    until = time.monotonic() + seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: one that waits for it in the middle would have to start over."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql_session(*, durable: bool) -> Any:
    def prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.execute(f"SET synchronous_commit = {'on' if durable else 'off'}")
        connection.commit()

    return prepare
