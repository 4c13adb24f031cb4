"""Writes that somebody waits for: a thread runs those that wait together in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection

from cds_service.ledger.store import Store, StoreDownError, is_bad_row

T = TypeVar("T")

MAX_GROUP = 200


class _Job(msgspec.Struct):
    write: Callable[[Connection], Any]
    done: Future[Any]


class GroupedWrites:
    """Jobs must bear being run twice: after a failure they are, once, on a new connection."""

    def __init__(self, store: Store, repair: Callable[[], None], name: str) -> None:
        """Prepare; the thread starts with the first job. `repair` is called after a failure, before the second attempt."""
        self._store = store
        self._repair = repair
        self._name = name
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._starting = Lock()
        self._thread: Thread | None = None

    async def run(self, write: Callable[[Connection], T], seconds: float) -> T:
        """Run a job and return its result once it is committed.

        Raises:
            StoreDownError: not committed within `seconds`, or not at all. It may still be committed later.
        """
        job = _Job(write, Future())
        self._start()
        self._jobs.put(job)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(job.done)
        except TimeoutError:
            raise StoreDownError("not committed in time") from None

    def close(self, seconds: float) -> None:
        """Finish what waits, within `seconds`."""
        if self._thread:
            self._jobs.put(None)
            self._thread.join(seconds)

    def _start(self) -> None:
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = Thread(target=self._serve, name=self._name, daemon=True)
                    self._thread.start()

    def _serve(self) -> None:
        while True:
            jobs, ended = self._take()
            waiting = [job for job in jobs if job.done.set_running_or_notify_cancel()]
            if waiting:
                self._answer(waiting)
            if ended:
                self._store.reset()
                return

    def _take(self) -> tuple[list[_Job], bool]:
        jobs: list[_Job] = []
        try:
            job = self._jobs.get()
            while job is not None:
                jobs.append(job)
                if len(jobs) == MAX_GROUP:
                    return jobs, False
                job = self._jobs.get_nowait()
        except Empty:
            return jobs, False
        return jobs, True

    def _answer(self, jobs: Sequence[_Job]) -> None:
        try:
            results = self._twice(jobs)
        except Exception as error:  # noqa: BLE001 - whatever failed, somebody waits for an answer
            if len(jobs) > 1 and is_bad_row(error):
                for job in jobs:
                    self._answer([job])
                return
            for job in jobs:
                job.done.set_exception(StoreDownError(type(error).__name__))
            return
        for job, result in zip(jobs, results, strict=True):
            job.done.set_result(result)

    def _twice(self, jobs: Sequence[_Job]) -> list[Any]:
        try:
            return self._once(jobs)
        except Exception as error:
            if is_bad_row(error):
                raise
            self._store.reset()
            self._repair()
        return self._once(jobs)

    def _once(self, jobs: Sequence[_Job]) -> list[Any]:
        with self._store.begin() as connection:
            return [job.write(connection) for job in jobs]
