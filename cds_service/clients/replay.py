"""A token is good once. Which ones were seen is remembered in the shared store, and in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hashlib import sha256
from heapq import heappop, heappush
from time import time
from typing import Protocol

from cds_service.log_lines import LOGGER

STORE_PATIENCE_SECONDS = 0.5
"""How long a call waits for the shared store before this process's memory has to do."""

MEMORY = 100_000
"""Tokens that one process remembers, about 15 MB; beyond that, those that expire first are forgotten."""


class ReplayGuard(Protocol):
    """Remembers tokens until they expire."""

    async def first_use(self, digest: bytes, expires: int) -> bool:
        """Return whether this is the first use of a token; `expires` is in seconds since 1970. May raise if it is down."""
        ...


def token_digest(issuer: str, token_id: str) -> bytes:
    """Return what a token is remembered by: nothing that could be told from it."""
    return sha256(f"{len(issuer)}:{issuer}{token_id}".encode()).digest()


class ProcessMemory:
    """Tokens seen by this process."""

    def __init__(self, size: int = MEMORY, clock: Callable[[], float] = time) -> None:
        """Remember up to `size` tokens."""
        self._size = size
        self._clock = clock
        self._seen: set[bytes] = set()
        self._by_expiry: list[tuple[int, bytes]] = []

    async def first_use(self, digest: bytes, expires: int) -> bool:
        """Return whether this process sees the token for the first time."""
        now = self._clock()
        while self._by_expiry and (self._by_expiry[0][0] < now or len(self._by_expiry) > self._size):
            self._seen.discard(heappop(self._by_expiry)[1])
        if digest in self._seen:
            return False
        self._seen.add(digest)
        heappush(self._by_expiry, (expires, digest))
        return True


class StoreAndMemory:
    """Asks this process's memory first, then the store that all processes share; if that is down, the memory has to do."""

    def __init__(self, store: ReplayGuard, memory: ReplayGuard) -> None:
        """Join the two."""
        self._store = store
        self._memory = memory

    async def first_use(self, digest: bytes, expires: int) -> bool:
        """Return whether neither has seen the token."""
        if not await self._memory.first_use(digest, expires):
            return False
        try:
            async with asyncio.timeout(STORE_PATIENCE_SECONDS):
                return await self._store.first_use(digest, expires)
        except Exception as error:  # noqa: BLE001  whatever the store's driver raises, clinicians go on
            LOGGER.warning("replay store failed", extra={"fields": {"fault": type(error).__name__}})
            return True
