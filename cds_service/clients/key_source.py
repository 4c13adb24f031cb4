"""Where the keys of a client come from: given once, or fetched from its key server and kept.

A key server that is slow, down or wrong never keeps a call waiting whose key is known. Only addresses of the site's own
configuration are fetched, never one that a token names.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from http import HTTPStatus
from time import monotonic
from typing import Protocol

import httpx
import msgspec

from cds_service.clients.keys import KeySetError, PublicKey, read_key_set
from cds_service.log_lines import LOGGER

_FETCH_FAULTS = (httpx.HTTPError, httpx.InvalidURL, KeySetError, TimeoutError, OSError)


class KeySource(Protocol):
    """The keys of one client."""

    async def keys(self, kid: str | None) -> Sequence[PublicKey]:
        """Return what is known, after a look for `kid` where it is new; empty if nothing is known."""
        ...


class GivenKeys(msgspec.Struct, frozen=True):
    """Keys that were exchanged out of band."""

    given: tuple[PublicKey, ...]

    async def keys(self, kid: str | None) -> Sequence[PublicKey]:  # noqa: ARG002
        """Return the keys."""
        return self.given


class FetchPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When keys are fetched; all in seconds but `size`, the largest answer in bytes.

    Keys older than `fresh` are fetched again while the old ones serve on; those older than `stale` serve no more. There is
    at most one attempt in `pause`, however many unknown key ids arrive.
    """

    fresh: float = 600.0
    stale: float = 86_400.0
    pause: float = 10.0
    timeout: float = 5.0
    size: int = 256 * 1024


DEFAULT_POLICY = FetchPolicy()


class FetchedKeys:
    """Keys of a key server: fetched when first needed, when old, and when a token names a new one."""

    def __init__(
        self,
        client_id: str,
        url: str,
        ca_file: str | None = None,
        policy: FetchPolicy = DEFAULT_POLICY,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Prepare; nothing is fetched yet. `ca_file` (PEM) replaces the certificate authorities that httpx brings along.

        Raises:
            OSError: `ca_file` cannot be read or holds no certificate.
        """
        self._client_id = client_id
        self._url = url
        self._trusted = (
            ssl.create_default_context(cafile=ca_file) if ca_file else httpx.create_ssl_context(trust_env=False)
        )
        self._policy = policy
        self._clock = clock
        self._keys: tuple[PublicKey, ...] = ()
        self._fetched: float | None = None
        self._tried: float | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def keys(self, kid: str | None) -> Sequence[PublicKey]:
        """Return the keys; waits for the key server only if `kid` is not among them."""
        if not self._usable():
            self._keys = ()
        if self._knows(kid):
            if self._age() > self._policy.fresh:
                self._start_fetch()
            return self._keys
        if fetching := self._start_fetch():
            await asyncio.shield(fetching)
        return self._keys

    def _knows(self, kid: str | None) -> bool:
        return any(kid in (None, key.kid) for key in self._keys)

    def _age(self) -> float:
        return float("inf") if self._fetched is None else self._clock() - self._fetched

    def _usable(self) -> bool:
        return self._age() <= self._policy.stale

    def _start_fetch(self) -> asyncio.Task[None] | None:
        """Return the fetch that is under way, begun now unless the last one was just before; None if so."""
        if self._fetching and not self._fetching.done():
            return self._fetching
        now = self._clock()
        if self._tried is not None and now - self._tried < self._policy.pause:
            return None
        self._tried = now
        self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        """Replace the keys by what the server says now, also by none; a failure leaves them as they are."""
        try:
            async with asyncio.timeout(self._policy.timeout):
                self._keys = read_key_set(await self._download())
        except _FETCH_FAULTS as error:
            fault = str(error) if isinstance(error, KeySetError) else type(error).__name__
            fields = {"client": self._client_id, "fault": fault, "serving": len(self._keys)}
            LOGGER.warning("key server failed", extra={"fields": fields})
        else:
            self._fetched = self._clock()
            if not self._keys:
                LOGGER.warning("key server has no usable key", extra={"fields": {"client": self._client_id}})

    async def _download(self) -> bytes:
        # A client for each fetch: they are rare, and one that is kept would be tied to an event loop.
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        async with (
            httpx.AsyncClient(
                verify=self._trusted, timeout=self._policy.timeout, trust_env=False, follow_redirects=False
            ) as client,
            client.stream("GET", self._url, headers=headers) as answer,
        ):
            if answer.status_code != HTTPStatus.OK:
                raise KeySetError("not answered with 200")
            body = b""
            async for part in answer.aiter_raw():
                body += part
                if len(body) > self._policy.size:
                    raise KeySetError("too large")
            return body
