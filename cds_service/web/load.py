"""How much is taken on at once: calls, and the bytes of their bodies. What is more is sent away to come again."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from cds_service.errors import Issue, RequestError

RETRY_AFTER_SECONDS = 1

LARGE_BODY = 64 * 1024
"""Bytes from which on a body is read in a thread: it takes milliseconds, and the event loop has others to serve."""


class Load:
    """What a worker holds at the moment, and how much it may.

    `calls` is the number of requests in hand, `size` the bytes that their bodies take or may still take.
    """

    def __init__(self, max_calls: int, max_bytes: int) -> None:
        """Start empty."""
        self.max_calls, self.max_bytes = max_calls, max_bytes
        self.calls = self.size = 0

    @contextmanager
    def hold(self, size: int) -> Generator[None]:
        """Take on a call whose body is `size` bytes at most, until the block ends.

        Raises:
            RequestError: 429 too many calls, 503 too many bytes; both say when to come again.
        """
        if self.calls >= self.max_calls:
            raise come_again(429, "throttled", "too many calls at once")
        if self.calls and self.size + size > self.max_bytes:
            raise come_again(503, "throttled", "too much data in hand")
        self.calls += 1
        self.size += size
        try:
            yield
        finally:
            self.calls -= 1
            self.size -= size


def come_again(status: int, code: str, text: str, seconds: int = RETRY_AFTER_SECONDS) -> RequestError:
    """Return the error for a call that cannot be answered now and can be later."""
    return RequestError(status, Issue(code, text), headers={"retry-after": str(seconds)})
