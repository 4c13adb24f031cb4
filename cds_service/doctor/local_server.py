"""Small HTTP servers of our own, each in a thread: a FHIR server, a key set, a place where nothing should arrive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

LOOPBACK = "127.0.0.1"


class Arrival(msgspec.Struct, frozen=True):
    """A request that reached us; `authorization` is the header as sent, "" without."""

    path: str
    authorization: str


class Reply(msgspec.Struct, frozen=True):
    """What we answer. `cut` closes the connection without any answer."""

    status: int = 200
    body: bytes = b""
    media_type: str = "application/fhir+json"
    location: str = ""
    cut: bool = False


Answering = Callable[[Arrival], Reply]


class LocalServer:
    """A running server; `arrivals` grows with each request."""

    def __init__(self, server: ThreadingHTTPServer, arrivals: list[Arrival], name: str) -> None:
        self.port: int = server.server_address[1]
        self.arrivals = arrivals
        self.url = f"http://{name}:{self.port}"

    def taken(self) -> list[Arrival]:
        """Return what arrived since the last time."""
        arrived = list(self.arrivals)
        del self.arrivals[: len(arrived)]
        return arrived


@contextmanager
def serving(answer: Answering, port: int = 0, name: str = LOOPBACK) -> Generator[LocalServer]:
    """Run a server on a port (0: a free one) until the block is left.

    Under another `name` than loopback it listens on every address, so that a service elsewhere can reach it.

    Raises:
        OSError: the port is taken.
    """
    arrivals: list[Arrival] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave together; apart, the client's delayed acknowledgement adds 40 ms

        def do_GET(self) -> None:
            arrival = Arrival(self.path, self.headers.get("Authorization", ""))
            arrivals.append(arrival)
            reply = answer(arrival)
            if reply.cut:
                self.close_connection = True
                return
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.media_type)
            self.send_header("Content-Length", str(len(reply.body)))
            if reply.location:
                self.send_header("Location", reply.location)
            self.end_headers()
            self.wfile.write(reply.body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:
            """Paths hold ids: nothing is logged."""

    server = _Server((LOOPBACK if name == LOOPBACK else "", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield LocalServer(server, arrivals, name)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left before the answer is no fault of ours."""
