"""Encoded JSON as an ASGI answer."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import Send

_NO_STORE = (b"cache-control", b"no-store")


async def send_json(
    send: Send,
    status: int,
    body: bytes,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Send an answer in JSON."""
    await send_bytes(send, status, body, "application/json", headers)


async def send_bytes(
    send: Send, status: int, body: bytes, content_type: str, headers: Mapping[str, str] | None = None
) -> None:
    """Send the whole answer; none of them may be cached, as they are about one patient at one moment."""
    lines = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode()), _NO_STORE]
    if headers:
        lines += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})
