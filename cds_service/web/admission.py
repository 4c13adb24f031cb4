"""An ASGI endpoint behind the gate, the same for every client that is admitted."""

from __future__ import annotations

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from cds_service.clients.gate import Gate


class Admitted(msgspec.Struct, frozen=True):
    """Hands a call on. `path` is the one that it is for, as tokens name it."""

    gate: Gate
    path: str
    endpoint: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit the call and serve it.

        Raises:
            RequestError: 401 or 403.
        """
        await self.gate.admit(scope["headers"], self.path)
        await self.endpoint(scope, receive, send)
