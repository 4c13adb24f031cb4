"""uvicorn's HTTP connection, with bounds on what comes before a request is complete, and errors that are ours."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cds_service.errors import Issue, operation_outcome

HEAD_SECONDS = 10.0
"""Longest time for request line and headers, less where idle connections are kept for less. uvicorn has no such limit: a
connection that sends nothing would stay for ever."""

BODY_SECONDS, LINGER_SECONDS = 60.0, 5.0
"""Longest time for a body in whatever shape it drips in, and for the rest of one that is refused already. What reads
bodies has a shorter limit, and does not see bytes that are no body, such as the extension of a chunk."""

MAX_HEAD_BYTES = 64 * 1024
MAX_CONNECTIONS = 1000
"""Below the usual limit of 1024 open files a process."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes connections whose head is slow or too large; answers what is no HTTP with an OperationOutcome."""

    _deadline: asyncio.TimerHandle | None = None
    _body_deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock, or refuse where too many are connected."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "throttled", "too many connections", b"retry-after: 1\r\n")
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._head_is_here()
        self._body_until(None)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Start the clock for another request on the same connection."""
        self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop the clock of the head, and start that of the body."""
        self._head_is_here()
        self._body_until(BODY_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Stop the clock of the body."""
        self._body_until(None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Where the answer was given before the body came, wait for the rest for a moment only."""
        if self._body_deadline is not None:
            self._body_until(LINGER_SECONDS)
        super().on_response_complete()

    def data_received(self, data: bytes) -> None:
        """Count what comes before the head is complete."""
        super().data_received(data)
        if self._deadline is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too-long", "the headers are too large")

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Answer bytes that are no HTTP request."""
        self._refuse(HTTPStatus.BAD_REQUEST, "structure", "this is no valid HTTP request")

    def _await_head(self) -> None:
        if self._deadline is None:
            self._head_bytes = 0
            self._deadline = self.loop.call_later(min(HEAD_SECONDS, self.timeout_keep_alive), self._give_up)

    def _body_until(self, seconds: float | None) -> None:
        if self._body_deadline is not None:
            self._body_deadline.cancel()
        self._body_deadline = None if seconds is None else self.loop.call_later(seconds, self.transport.abort)

    def _head_is_here(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self._head_bytes:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "timeout", "the headers did not arrive in time")
        else:
            self.transport.close()

    def _refuse(self, status: HTTPStatus, code: str, text: str, header: bytes = b"") -> None:
        self._head_is_here()
        if self.transport.is_closing():
            return
        body = operation_outcome([Issue(code, text)])
        lines = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\ncache-control: no-store\r\nconnection: close\r\n"
        )
        self.transport.write(lines.encode("ascii") + header + b"\r\n" + body)
        self.transport.close()
