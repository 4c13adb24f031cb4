"""Alembic migrations of the ledger; `cds_service.ledger.migrate` runs them."""
