"""The body of an HTTP request as bytes: JSON media type, within the size and time limits, counted as it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from cds_service.errors import Issue, RequestError

JSON_TYPES = frozenset({b"application/json", b"application/fhir+json", b"application/json+fhir"})
"""Types that a browser sends only after a CORS preflight; text/plain and forms need none and are refused."""

_CLOSE = {"connection": "close"}


class BodyLimits(msgspec.Struct, frozen=True):
    """Largest body in bytes, and the seconds within which all of it has to arrive."""

    size: int
    seconds: float


async def read_body(scope: Scope, receive: Receive, limits: BodyLimits) -> bytes:
    """Return the whole body.

    Raises:
        RequestError: 408 too slow, 413 too large, 415 not JSON by its media type, or compressed.
        ClientDisconnect: the client went away.
    """
    announced = _check_headers(scope["headers"])
    if announced > 2 * limits.size:
        raise _too_large(limits, close=True)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    if message.get("more_body", False):
        try:
            async with asyncio.timeout(limits.seconds):
                return await _read_rest(message["body"], receive, limits)
        except TimeoutError:
            text = f"the body did not arrive within {limits.seconds:g} seconds"
            raise RequestError(408, Issue("timeout", text), headers=_CLOSE) from None
    if len(message["body"]) > limits.size:
        raise _too_large(limits, close=False)
    return message["body"]


def bound_of(headers: Iterable[tuple[bytes, bytes]], limits: BodyLimits) -> int:
    """Return how many bytes the body may take: what is announced, where it is within the limit, else the limit."""
    announced = next((value for name, value in headers if name == b"content-length"), b"")
    return min(int(announced), limits.size) if announced.isdigit() else limits.size


async def _read_rest(first: bytes, receive: Receive, limits: BodyLimits) -> bytes:
    parts, size, more = [first], len(first), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message["body"])
        size, more = size + len(message["body"]), message.get("more_body", False)
        if size > limits.size:
            # Read on for a while: a client that is still sending when the connection closes never sees the answer.
            parts.clear()
            if size > 2 * limits.size:
                raise _too_large(limits, close=True)
    if size > limits.size:
        raise _too_large(limits, close=False)
    return b"".join(parts)


def _check_headers(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Return the announced length, 0 if none was; the bytes that arrive are counted all the same."""
    media_type, announced = b"", 0
    for name, value in headers:
        if name == b"content-type":
            media_type = value.partition(b";")[0].strip().lower()
        elif name == b"content-length" and value.isdigit():
            announced = int(value)
        elif name == b"content-encoding" and value.strip().lower() != b"identity":
            raise RequestError(
                415, Issue("not-supported", "compressed bodies are not accepted", "http.Content-Encoding")
            )
    if media_type not in JSON_TYPES:
        accepted = ", ".join(sorted(name.decode() for name in JSON_TYPES))
        raise RequestError(415, Issue("not-supported", f"Content-Type must be one of {accepted}", "http.Content-Type"))
    return announced


def _too_large(limits: BodyLimits, *, close: bool) -> RequestError:
    issue = Issue("too-long", f"the body is larger than {limits.size} bytes")
    return RequestError(413, issue, headers=_CLOSE if close else None)
