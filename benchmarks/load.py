"""A load generator: keep-alive connections that send one request over and over.

`python -m benchmarks.load PORT FILE CONNECTIONS SECONDS` prints the duration of each request in seconds as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from time import perf_counter
from typing import cast

import uvloop

PATH = "/cds-services/calcification-patient-view"
_END_OF_HEADERS = b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """Sends the request, waits for the whole answer, notes how long it took, sends again until the time is up."""

    def __init__(self, request: bytes, until: float, durations: list[float], done: asyncio.Future[None]) -> None:
        self.request = request
        self.until = until
        self.durations = durations
        self.done = done
        self.received = b""
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start."""
        self.transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Collect the answer."""
        self.received += data
        head, separator, body = self.received.partition(_END_OF_HEADERS)
        if not separator or len(body) < _content_length(head):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self.connection_lost(RuntimeError(f"answered {head[:60]!r}"))
            return
        now = perf_counter()
        self.durations.append(now - self.sent_at)
        if now < self.until:
            self._send()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Finish, with the error if there was one."""
        if self.done.done():
            return
        if exc or perf_counter() < self.until:
            self.done.set_exception(exc or RuntimeError("the server closed the connection"))
        else:
            self.done.set_result(None)

    def _send(self) -> None:
        self.received = b""
        self.sent_at = perf_counter()
        self.transport.write(self.request)


async def measure(port: int, body: bytes, connections: int, seconds: float) -> list[float]:
    """Return the duration of each answered request.

    Raises:
        RuntimeError: an answer other than 200, or a connection that the server closed.
    """
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    request = head.encode() + _END_OF_HEADERS + body
    loop = asyncio.get_running_loop()
    until = perf_counter() + seconds
    durations: list[float] = []
    ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    for end in ends:
        await loop.create_connection(lambda done=end: Connection(request, until, durations, done), "127.0.0.1", port)
    await asyncio.gather(*ends)
    return durations


def _content_length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])


if __name__ == "__main__":
    port, file, connections, seconds = sys.argv[1:]
    measured = uvloop.run(measure(int(port), Path(file).read_bytes(), int(connections), float(seconds)))
    json.dump(measured, sys.stdout)
