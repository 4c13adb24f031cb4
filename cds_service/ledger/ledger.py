"""The ledger: calls are noted in passing, feedback is kept before it is acknowledged, a token is used once."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from time import monotonic

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from cds_service.ledger.call_writer import CallWriter, Lag
from cds_service.ledger.grouped_writes import GroupedWrites
from cds_service.ledger.inserting import insert_new
from cds_service.ledger.migrate import migrate
from cds_service.ledger.patient_hash import PatientHash, key_file_beside, load_key
from cds_service.ledger.records import CallRecord, FeedbackRecord
from cds_service.ledger.rows import feedback_row
from cds_service.ledger.store import Store
from cds_service.ledger.store_address import DEFAULT_URL, StoreAddress, read_address
from cds_service.ledger.tables import FEEDBACK, TOKEN_USE
from cds_service.log_lines import LOGGER, describe_exception
from cds_service.settings import Settings

CAPACITY = 20_000
"""Calls that wait in memory while the store is down: some 40 MB, or a minute at 300 a second."""

FEEDBACK_SECONDS = 5.0
TOKEN_SECONDS = 2.0
MIGRATION_SECONDS = 120.0


class Ledger:
    """Of one process; several processes share a store. Nothing is opened, and no thread runs, before it is used."""

    def __init__(
        self,
        address: StoreAddress,
        patient_hash: PatientHash,
        *,
        durable_calls: bool = False,
        days: int = 400,
        keep_comments: bool = False,
        capacity: int = CAPACITY,
    ) -> None:
        """Prepare.

        Args:
            address: where the store is.
            patient_hash: what stands for a patient.
            durable_calls: whether calls, too, survive a power failure once they are written; feedback always does.
            days: how long calls and feedback are kept; 0 for ever.
            keep_comments: whether what users wrote is stored, which is patient data.
            capacity: calls that may wait in memory.
        """
        self._address = address
        self._keep_comments = keep_comments
        self._repairing = Lock()
        calls = Store(address, durable=durable_calls)
        self._calls = CallWriter(calls, self._repair, patient_hash, days=days, capacity=capacity)
        self._feedback = GroupedWrites(Store(address, durable=True), self._repair, "ledger-feedback")
        tokens = Store(address, durable=False, seconds=TOKEN_SECONDS)
        self._tokens = GroupedWrites(tokens, self._repair, "ledger-tokens")

    def record(self, call: CallRecord) -> None:
        """Note a call. Never waits, never fails; from the event loop's thread only."""
        self._calls.put(call)

    @property
    def lag(self) -> Lag:
        """How far the store is behind."""
        return self._calls.lag

    async def keep_feedback(self, items: Sequence[FeedbackRecord], seconds: float = FEEDBACK_SECONDS) -> None:
        """Keep feedback, and return when it is on the disk. A repeat changes nothing.

        Raises:
            StoreDownError: not within `seconds`; the client has to send it again.
        """
        if items:
            await self._feedback.run(lambda connection: self._insert_feedback(connection, items), seconds)

    async def first_use(self, digest: bytes, expires: int, seconds: float = TOKEN_SECONDS) -> bool:
        """Return whether no process has shown this digest before, and remember it until `expires` (since 1970).

        Raises:
            StoreDownError: it cannot be told within `seconds`.
        """
        return await self._tokens.run(lambda connection: _is_first(connection, digest, expires), seconds)

    def close(self, seconds: float = 10.0) -> int:
        """Write what waits, within `seconds`; return how many calls were lost. Blocks: not for the event loop."""
        until = monotonic() + seconds
        left = self._calls.close(seconds)
        for writes in (self._feedback, self._tokens):
            writes.close(max(until - monotonic(), 0.1))
        return left

    def _insert_feedback(self, connection: Connection, items: Sequence[FeedbackRecord]) -> None:
        insert_new(connection, FEEDBACK, [feedback_row(item, keep_comment=self._keep_comments) for item in items])

    def _repair(self) -> None:
        """After a failure the database may be another one, or new and empty."""
        with self._repairing:
            store = Store(self._address, durable=True)
            try:
                migrate(store)
            finally:
                store.reset()


def open_ledger(settings: Settings) -> Ledger:
    """Return the ledger that the settings name. Makes the key file of a SQLite ledger, and touches nothing else.

    Raises:
        ValueError: PostgreSQL without `ledger_key`, which several hosts have to share; a key file without a key.
        OSError: the key file can be neither read nor made.
    """
    address = address_of(settings)
    return Ledger(
        address,
        PatientHash(_key(settings, address)),
        durable_calls=settings.durability == "full",
        days=settings.ledger_days,
        keep_comments=settings.keep_comments,
    )


def prepare_ledger(settings: Settings) -> None:
    """Make ready, once and before the workers, what they share: the key file and the tables.

    A PostgreSQL that cannot be reached is logged and stops nobody from giving advice; workers migrate it when it is back.

    Raises:
        ValueError: as `open_ledger`, or the store is of a later version of Fleck.
        OSError: the key file or the SQLite file cannot be made.
        sqlalchemy.exc.SQLAlchemyError: the SQLite file cannot be used.
    """
    from alembic.util import CommandError  # slow to import

    open_ledger(settings)
    try:
        migrate_ledger(settings)
    except CommandError:
        raise ValueError("the ledger's database is of a later version of Fleck") from None
    except DBAPIError as error:
        if address_of(settings).file is not None:
            raise
        LOGGER.error("ledger down", extra={"fields": {"exception": describe_exception(error)}})


def migrate_ledger(settings: Settings) -> tuple[str | None, str]:
    """Bring the store to this version's schema; return the version before and after.

    Raises:
        alembic.util.CommandError: the store is of a later version of Fleck.
        sqlalchemy.exc.SQLAlchemyError: the store cannot be reached or refuses.
        OSError: the SQLite file cannot be made.
    """
    store = Store(address_of(settings), durable=True, seconds=MIGRATION_SECONDS)
    try:
        return migrate(store)
    finally:
        store.reset()


def address_of(settings: Settings) -> StoreAddress:
    """Return where the settings say that the store is."""
    return read_address(settings.database_url.get_secret_value() if settings.database_url else DEFAULT_URL)


def _key(settings: Settings, address: StoreAddress) -> bytes:
    if settings.ledger_key:
        return settings.ledger_key.get_secret_value().encode()
    if address.file is None:
        raise ValueError("ledger_key is needed with PostgreSQL: every host has to use the same")
    return load_key(key_file_beside(address.file))


def _is_first(connection: Connection, digest: bytes, expires: int) -> bool:
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(TOKEN_USE).on_conflict_do_nothing()
    return connection.execute(statement, {"digest": digest, "expires": expires}).rowcount == 1
