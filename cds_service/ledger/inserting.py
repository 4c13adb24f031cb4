"""Rows into tables, many at once; a row that is there already stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import orjson
from sqlalchemy import Connection, Executable, Table, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects import postgresql, sqlite

from cds_service.ledger.rows import Row


def insert_new(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert the rows that are new.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database refused, or cannot be reached.
    """
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(_sqlite_insert(table), rows)
    else:
        connection.execute(_postgresql_insert(table), {"rows": orjson.dumps(rows).decode()})


@cache
def _sqlite_insert(table: Table) -> Executable:
    return sqlite.insert(table).on_conflict_do_nothing()


@cache
def _postgresql_insert(table: Table) -> Executable:
    """All rows as one JSON parameter: pg8000 would send each row by itself, and wait for it."""
    rows = func.jsonb_to_recordset(cast(bindparam("rows", type_=Text()), postgresql.JSONB))
    source = rows.table_valued(*(column(one.name, one.type) for one in table.columns)).render_derived(with_types=True)
    return postgresql.insert(table).from_select(list(table.columns.keys()), select(source)).on_conflict_do_nothing()
