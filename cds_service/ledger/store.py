"""A connection to the ledger's database, for one thread: transactions that either commit or leave nothing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError

from cds_service.ledger.private_file import make_private_file
from cds_service.ledger.store_address import StoreAddress

BAD_ROW_STATES = ("22", "23")
"""Classes of SQLSTATE that blame the data, not the database."""

_PAUSE = 0.02


class StoreDownError(Exception):
    """The database did not take what it was given, or not in time."""


class Store:
    """Opens when first used, and again after `reset`, or when the SQLite file is no longer the one that was opened."""

    def __init__(
        self, address: StoreAddress, *, durable: bool = False, read_only: bool = False, seconds: float = 5.0
    ) -> None:
        """Prepare.

        Args:
            address: where the database is.
            durable: whether a commit is on the disk when it returns; else a power failure may take the last ones.
            read_only: whether it only reads: nothing is made, and no writer waits for it.
            seconds: how long the database may keep this thread waiting: a lock, a connection, an answer.
        """
        self._address = address
        self._read_only = read_only
        self._identity: tuple[int, int] | None = None
        options: dict[str, Any] = dict(address.connect)
        if self.is_postgresql:
            options["timeout"] = seconds
            session = _postgresql_session(durable=durable, read_only=read_only)
        else:
            session = _sqlite_session(durable=durable, read_only=read_only, seconds=seconds)
        self._engine = create_engine(
            address.url, pool_size=1, max_overflow=0, connect_args=options, hide_parameters=True
        )
        event.listen(self._engine, "connect", session)
        if not self.is_postgresql:
            event.listen(self._engine, "begin", _begin if read_only else _begin_immediate)

    @property
    def is_postgresql(self) -> bool:
        """Whether it is PostgreSQL; else SQLite."""
        return self._address.file is None

    @contextmanager
    def begin(self) -> Generator[Connection]:
        """Open a transaction; it commits at the end, or rolls back on an exception.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database cannot be reached or refuses.
            OSError: the SQLite file cannot be made, or is not there to be read.
        """
        if self._address.file is not None:
            self._check_file(self._address.file)
        with self._engine.begin() as connection:
            yield connection

    def reset(self) -> None:
        """Close the connection; the next transaction opens another."""
        self._engine.dispose()

    def _check_file(self, file: Path) -> None:
        """A new file is readable by its owner only; one that was put in its place gets a connection of its own."""
        if not self._read_only:
            make_private_file(file)
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


def _sqlite_session(*, durable: bool, read_only: bool, seconds: float) -> Any:
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy begins; the driver would begin too late and without DDL
        connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
            return
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


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: one that waits for it in the middle would have to start over."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql_session(*, durable: bool, read_only: bool) -> Any:
    def prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.execute(f"SET synchronous_commit = {'on' if durable else 'off'}")
        cursor.execute(f"SET default_transaction_read_only = {'on' if read_only else 'off'}")
        connection.commit()

    return prepare
