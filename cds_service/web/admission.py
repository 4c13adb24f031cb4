"""An ASGI endpoint behind the gate: nothing of a call is read before its client is known."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from cds_service.clients.client import Client
from cds_service.clients.gate import Gate


class Admitted(msgspec.Struct, frozen=True):
    """Hands a call to the endpoint for its client. `path` is the one that the call is for, as tokens name it."""

    gate: Gate
    path: str
    endpoint: Callable[[Client], ASGIApp]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit the call and serve it.

        Raises:
            RequestError: 401 or 403.
        """
        client = await self.gate.admit(scope["headers"], self.path)
        await self.endpoint(client)(scope, receive, send)
