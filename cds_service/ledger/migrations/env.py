"""Alembic's entry point: it runs on the connection, and in the transaction, that `migrate` hands over."""

from __future__ import annotations

from alembic import context

from cds_service.ledger.migrate import VERSION_TABLE
from cds_service.ledger.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, version_table=VERSION_TABLE
)
context.run_migrations()
