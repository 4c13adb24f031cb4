"""One HTTP exchange with the service under test, bounded in time and size, and what can be told of it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from time import perf_counter

import httpx
import msgspec

from fhir_models.strict_json import JsonError, parse_json

MAX_ANSWER = 10 * 1024 * 1024
"""Bytes of an answer that are read."""

NO_ANSWER = 0
"""Status where none came."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, or why there is none. Header names are in lower case; `status` is `NO_ANSWER` without answer."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
    seconds: float = 0.0
    trouble: str = ""

    @property
    def refused(self) -> bool:
        """Whether it is a 4xx."""
        return 400 <= self.status < 500

    @property
    def crashed(self) -> bool:
        """Whether it is a 5xx, or nothing at all."""
        return self.status >= 500 or self.status == NO_ANSWER

    @property
    def words(self) -> str:
        """Status and time, for the table."""
        return self.trouble or f"{self.status} in {self.seconds * 1000:.0f} ms"

    @property
    def media_type(self) -> str:
        """Content-Type without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def document(self) -> object:
        """Return the body as JSON; None if it is none."""
        try:
            return parse_json(self.body)
        except JsonError:
            return None

    def json_fault(self) -> str:
        """Return why the body is no strict JSON, "" if it is."""
        try:
            parse_json(self.body)
        except JsonError as error:
            return str(error)
        return ""


class Wire:
    """A connection to the service. Follows no redirect, reads no proxy settings, waits `timeout` seconds in all."""

    def __init__(self, timeout: float, verify: ssl.SSLContext | bool = True) -> None:
        self.timeout = timeout
        self._client = httpx.Client(trust_env=False, follow_redirects=False, timeout=timeout, verify=verify)

    def close(self) -> None:
        """Give up the connections."""
        self._client.close()

    def send(self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Seen:
        """Return what came of one request; that nothing came is an observation too, not an error."""
        started = perf_counter()
        try:
            with self._client.stream(method, url, headers=dict(headers or {}), content=body) as answer:
                parts, size = list[bytes](), 0
                for part in answer.iter_bytes():
                    parts.append(part)
                    size += len(part)
                    if size > MAX_ANSWER or perf_counter() - started > self.timeout:
                        return Seen(status=NO_ANSWER, trouble="an answer without end", seconds=perf_counter() - started)
                return Seen(
                    status=answer.status_code,
                    headers={name.lower(): value for name, value in answer.headers.items()},
                    body=b"".join(parts),
                    seconds=perf_counter() - started,
                )
        except httpx.TimeoutException:
            trouble = f"no answer within {self.timeout:g} s"
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            trouble = f"the connection failed ({type(error).__name__})"
        return Seen(status=NO_ANSWER, trouble=trouble, seconds=perf_counter() - started)
