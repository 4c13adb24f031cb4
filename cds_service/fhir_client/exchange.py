"""Reading from one FHIR server for one call: with its token, until one deadline, within bounds, with one retry each."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import msgspec
from pydantic import SecretStr

from cds_service.fhir_client.base_url import BaseUrl
from cds_service.hooks.key_fate import Reason
from fhir_models.strict_json import JsonError, parse_json

PAUSE_SECONDS = 0.1
"""Time before asking again where the server names none."""

_HEADERS = {"Accept": "application/fhir+json", "Accept-Encoding": "identity", "User-Agent": "fleck"}
_COME_AGAIN = frozenset({429, 502, 503, 504})


class FetchLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of what one call fetches.

    `seconds` for all of it, from the first name that is looked up; `pages` of one search, `resources` with those that were
    prefetched, bytes of one answer and of all of them, questions at a time, and `reads` of single results.
    """

    seconds: float = 3.0
    pages: int = 5
    resources: int = 5000
    page_bytes: int = 10 * 1024 * 1024
    all_bytes: int = 32 * 1024 * 1024
    at_once: int = 4
    reads: int = 3


class RefusalError(Exception):
    """The server gave no usable answer. `again_after`: seconds after which asking again may help, None where it won't."""

    def __init__(self, reason: Reason, again_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again_after = again_after


class Exchange:
    """What one call reads from one server. Only URLs below `base` may be asked for: they get the token."""

    def __init__(
        self, http: httpx.AsyncClient, base: BaseUrl, token: SecretStr | None, limits: FetchLimits, room: int
    ) -> None:
        """Start the clock. `room` is how many resources the call may still take."""
        self.base = base
        self.limits = limits
        self._http = http
        self._headers = _HEADERS | ({"Authorization": f"Bearer {token.get_secret_value()}"} if token else {})
        self._deadline = asyncio.get_running_loop().time() + limits.seconds
        self._slots = asyncio.Semaphore(limits.at_once)
        self._bytes_left = limits.all_bytes
        self._room = room

    def take(self, resources: int) -> None:
        """Count resources that came.

        Raises:
            RefusalError: they are more than the call may take.
        """
        if resources > self._room:
            raise RefusalError(Reason.TOO_MANY)
        self._room -= resources

    async def read(self, url: str) -> object:
        """Return the JSON document at a URL.

        Raises:
            RefusalError: for whatever reason there is none.
        """
        try:
            async with asyncio.timeout_at(self._deadline), self._slots:
                try:
                    return await self._read_once(url)
                except RefusalError as refusal:
                    await self._pause(refusal)
                return await self._read_once(url)
        except TimeoutError:
            raise RefusalError(Reason.TIMEOUT) from None

    async def _pause(self, refusal: RefusalError) -> None:
        wait, now = refusal.again_after, asyncio.get_running_loop().time()
        if wait is None or now + wait >= self._deadline:
            raise refusal
        await asyncio.sleep(wait)

    async def _read_once(self, url: str) -> object:
        try:
            async with self._http.stream("GET", url, headers=self._headers) as response:
                if response.status_code != 200:
                    raise RefusalError(_reason(response.status_code), _again_after(response))
                body = await self._body(response)
        except httpx.TransportError:
            raise RefusalError(Reason.UNREACHABLE, PAUSE_SECONDS) from None
        try:
            return parse_json(body)
        except JsonError:
            raise RefusalError(Reason.NOT_FHIR) from None

    async def _body(self, response: httpx.Response) -> bytes:
        """Count bytes as they come, as they are: what is compressed could grow to any size, and was not asked for."""
        if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise RefusalError(Reason.COMPRESSED)
        announced = response.headers.get("content-length", "0")
        if len(announced) > 18 or not announced.isdecimal() or int(announced) > self.limits.page_bytes:
            raise RefusalError(Reason.TOO_LARGE)
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_raw():
            size += len(part)
            self._bytes_left -= len(part)
            if size > self.limits.page_bytes or self._bytes_left < 0:
                raise RefusalError(Reason.TOO_LARGE)
            parts.append(part)
        return b"".join(parts)


def _reason(status: int) -> Reason:
    match status:
        case 401 | 403:
            return Reason.UNAUTHORIZED
        case 404 | 410:
            return Reason.NOT_FOUND
        case _ if 300 <= status < 400:
            return Reason.REDIRECTED
        case _ if 400 <= status < 500:
            return Reason.REFUSED
        case _ if status >= 500:
            return Reason.SERVER_ERROR
        case _:
            return Reason.NOT_FHIR


def _again_after(response: httpx.Response) -> float | None:
    """Return the seconds that the server asks to wait, given as such or as a date."""
    if response.status_code not in _COME_AGAIN:
        return None
    stated = response.headers.get("retry-after", "").strip()
    if not stated:
        return PAUSE_SECONDS
    if stated.isdecimal() and stated.isascii():
        return float(stated)
    try:
        until = parsedate_to_datetime(stated)
    except ValueError:
        return PAUSE_SECONDS
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
