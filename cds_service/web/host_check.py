"""Which host names a request may be for.

A page in a browser on this machine can send requests to a loopback address under a name of its own (DNS rebinding), and
read the answers. The name gives it away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from cds_service.clients.urls import is_loopback
from cds_service.errors import Issue, RequestError

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::\d*)?")


class HostCheck:
    """ASGI middleware: loopback names and addresses pass, and those that the site allows."""

    def __init__(self, app: ASGIApp, allowed: Iterable[str]) -> None:
        """Wrap an application. `allowed` are host names or addresses, without port."""
        self.app = app
        self.allowed = frozenset(name.strip("[]").rstrip(".").lower() for name in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. One without a Host header, which no browser sends, passes.

        Raises:
            RequestError: 421, it is for another host.
        """
        if scope["type"] == "http" and not all(
            self._passes(value) for name, value in scope["headers"] if name == b"host"
        ):
            text = "this service does not answer under this host name; a site adds names with allowed_hosts"
            raise RequestError(421, Issue("forbidden", text, diagnostics="header Host"))
        await self.app(scope, receive, send)

    def _passes(self, value: bytes) -> bool:
        name = _host_name(value.decode("latin-1"))
        return is_loopback(name) or name in self.allowed


def _host_name(value: str) -> str:
    """Return the name or address of a Host header, without port, brackets and final dot; empty if it is none."""
    match = _HOST.fullmatch(value)
    return (match[1] or match[2] or "").rstrip(".").lower() if match else ""
