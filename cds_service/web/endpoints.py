"""ASGI endpoints: raw body in, encoded JSON out, with nothing in between that would validate or copy it again."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.types import Receive, Scope, Send

from cds_service.errors import Issue, RequestError
from cds_service.web.request_body import BodyLimits, read_body
from cds_service.web.responses import send_bytes, send_json


class PreparedAnswer(msgspec.Struct, frozen=True):
    """Answers GET with bytes made at start-up."""

    body: bytes

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the bytes."""
        require_method(scope, "GET", "HEAD")
        await send_json(send, 200, self.body)


class MadeAnswer(msgspec.Struct, frozen=True):
    """Answers GET with what `make` returns at the moment."""

    make: Callable[[], bytes]
    content_type: str = "application/json"

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Make the answer and send it."""
        require_method(scope, "GET", "HEAD")
        await send_bytes(send, 200, self.make(), self.content_type)


class BodyCall(msgspec.Struct, frozen=True):
    """Answers POST with what `answer` makes of the body.

    `answer` may raise `RequestError`. It runs on the event loop: handing it to a thread would take longer.
    """

    answer: Callable[[bytes], bytes]
    limits: BodyLimits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, answer it, send the answer."""
        require_method(scope, "POST")
        body = await read_body(scope, receive, self.limits)
        await send_json(send, 200, self.answer(body))


class NotFound(msgspec.Struct, frozen=True):
    """Answers any method with 404 and what to do instead."""

    text: str

    async def __call__(self, _scope: Scope, _receive: Receive, _send: Send) -> None:
        """Refuse.

        Raises:
            RequestError: 404, always.
        """
        raise RequestError(404, Issue("not-found", self.text))


def require_method(scope: Scope, *allowed: str) -> None:
    """Check the method.

    Raises:
        RequestError: 405 with the methods that this path answers.
    """
    if scope["method"] not in allowed:
        methods = ", ".join(allowed)
        raise RequestError(405, Issue("not-supported", f"this path answers {methods} only"), headers={"allow": methods})
