"""Brings the database to the schema of this version; any number of processes may try at once."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, func, select

from cds_service.ledger.store import Store

VERSION_TABLE = "fleck_schema"
"""Not Alembic's own name: a PostgreSQL database may hold other applications."""

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x666C65636B
"""Number of the PostgreSQL advisory lock: "fleck"."""


def migrate(store: Store) -> tuple[str | None, str]:
    """Run the migrations that are missing, in one transaction; return the version before and after.

    One process at a time: PostgreSQL by an advisory lock, SQLite by its write lock.

    Raises:
        alembic.util.CommandError: the database is of a later version of Fleck.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached or refuses.
    """
    from alembic import command  # slow to import
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with store.begin() as connection:
        if store.is_postgresql:
            connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
        before = schema_version(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        after = schema_version(connection)
    assert after is not None  # noqa: S101
    return before, after


def schema_version(connection: Connection) -> str | None:
    """Return the version of the schema, None before the first migration."""
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
