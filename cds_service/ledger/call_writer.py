"""Calls on their way into the store: a bounded queue that never keeps a caller waiting, and a thread that empties it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from time import monotonic, sleep

import msgspec

from cds_service.ledger.inserting import insert_new
from cds_service.ledger.patient_hash import PatientHash
from cds_service.ledger.records import CallRecord
from cds_service.ledger.retention import prune
from cds_service.ledger.rows import CallRows, call_rows
from cds_service.ledger.store import Store, is_bad_row
from cds_service.ledger.tables import CALL, CARD
from cds_service.log_lines import LOGGER, describe_exception

INTERVAL = 0.2
"""Seconds between looks at the queue; what is in it is lost if the process is killed."""

BATCH = 100
"""Calls of one transaction."""

SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 15.0
"""Seconds between attempts while the store is down; doubled after each."""

PRUNE_EVERY = 60.0
"""Seconds between deletions of what is old."""


class Lag(msgspec.Struct, frozen=True):
    """How far the store is behind: calls waiting, seconds that the oldest has waited, and what was lost.

    `dropped` are calls that found the queue full, `refused` those that the database would not take; both since the start.
    """

    waiting: int
    seconds: float
    dropped: int
    refused: int
    down: bool


class CallWriter:
    """`put` is for one thread, the event loop's; everything else happens in the writer's own."""

    def __init__(
        self, store: Store, repair: Callable[[], None], patient_hash: PatientHash, *, days: int, capacity: int
    ) -> None:
        """Prepare; the thread starts with the first call. `repair` is called after a failure, before the next attempt."""
        self._store = store
        self._repair = repair
        self._patient_hash = patient_hash
        self._days = days
        self._capacity = capacity
        self._queue: deque[tuple[float, CallRecord]] = deque()
        self._pending: list[CallRows] = []
        self._pending_since = 0.0
        self._dropped = 0
        self._refused = 0
        self._down = False
        self._pruned_at = monotonic()
        self._closing = Event()
        self._starting = Lock()
        self._thread: Thread | None = None

    def put(self, call: CallRecord) -> None:
        """Queue a call; beyond the capacity the oldest makes room."""
        queue = self._queue
        if len(queue) >= self._capacity:
            try:
                queue.popleft()
                self._dropped += 1
            except IndexError:  # the writer was quicker
                pass
        queue.append((monotonic(), call))
        if self._thread is None:
            self._start()

    @property
    def lag(self) -> Lag:
        """How far the store is behind now."""
        waiting = len(self._queue) + len(self._pending)
        try:
            since = self._pending_since if self._pending else self._queue[0][0]
        except IndexError:
            since = monotonic()
        return Lag(waiting, max(monotonic() - since, 0.0), self._dropped, self._refused, self._down)

    def close(self, seconds: float) -> int:
        """Write what waits, within `seconds`; return how many calls are left over."""
        self._closing.set()
        if self._thread:
            self._thread.join(seconds)
        return self.lag.waiting

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._serve, name="ledger-calls", daemon=True)
                self._thread.start()

    def _serve(self) -> None:
        pause = SHORTEST_PAUSE
        while True:
            closing = self._closing.wait(INTERVAL)
            while self._pending or self._queue:
                if self._write_batch():
                    pause = SHORTEST_PAUSE
                elif self._closing.wait(pause):
                    sleep(SHORTEST_PAUSE)  # the deadline of `close` counts now, not patience with the store
                else:
                    pause = min(pause * 2, LONGEST_PAUSE)
            if closing:
                self._store.reset()
                return
            self._prune()

    def _write_batch(self) -> bool:
        """Write what waits, up to a batch; return whether the store took it."""
        if not self._pending:
            self._fill()
        try:
            if self._down:
                self._repair()
        except Exception as error:  # noqa: BLE001 - the thread outlives whatever the store does
            return self._failed(error)
        try:
            self._write(self._pending)
        except Exception as error:  # noqa: BLE001 - as above
            if not is_bad_row(error):
                return self._failed(error)
            self._write_singly()
            return True
        self._pending = []
        if self._down:
            self._down = False
            LOGGER.warning("ledger up again", extra={"fields": {"waiting": len(self._queue), "dropped": self._dropped}})
        return True

    def _failed(self, error: Exception) -> bool:
        self._store.reset()
        if not self._down:
            self._down = True
            LOGGER.error("ledger down", extra={"fields": {"exception": describe_exception(error)}})
        return False

    def _fill(self) -> None:
        self._pending_since = monotonic()
        while self._queue and len(self._pending) < BATCH:
            since, call = self._queue.popleft()
            self._pending_since = min(self._pending_since, since)
            try:
                self._pending.append(call_rows(call, self._patient_hash))
            except Exception as error:  # noqa: BLE001 - one record that is none must not stop the others
                self._refuse(error)

    def _write(self, calls: Sequence[CallRows]) -> None:
        with self._store.begin() as connection:
            insert_new(connection, CALL, [one.call for one in calls])
            insert_new(connection, CARD, [card for one in calls for card in one.cards])

    def _write_singly(self) -> None:
        """Find the row that the database would not take; the others of the batch are written."""
        calls, self._pending = self._pending, []
        for index, call in enumerate(calls):
            try:
                self._write([call])
            except Exception as error:  # noqa: BLE001 - as above
                if not is_bad_row(error):
                    self._pending = calls[index:]
                    return
                self._refuse(error)

    def _refuse(self, error: Exception) -> None:
        self._refused += 1
        LOGGER.error("ledger refused a call", extra={"fields": {"exception": describe_exception(error)}})

    def _prune(self) -> None:
        if monotonic() - self._pruned_at < PRUNE_EVERY:
            return
        try:
            with self._store.begin() as connection:
                more = prune(connection, datetime.now(UTC), self._days)
        except Exception as error:  # noqa: BLE001 - old rows can wait
            self._store.reset()
            LOGGER.warning("ledger not pruned", extra={"fields": {"exception": describe_exception(error)}})
            more = False
        if not more:
            self._pruned_at = monotonic()
