"""A FHIR server on a real socket that does what a test tells it to, and keeps what it was asked."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

Act = Callable[["Handler"], None]

BASE_PATH = "/fhir/r4"


class Asked(NamedTuple):
    """A request as it came: path with query, headers in lower case."""

    target: str
    headers: Mapping[str, str]

    @property
    def kind(self) -> str:
        """The first part of the path below the base."""
        return urlsplit(self.target).path.removeprefix(BASE_PATH).strip("/").partition("/")[0]


class Handler(BaseHTTPRequestHandler):
    """Answers GET by the script of the server."""

    protocol_version = "HTTP/1.1"
    server: Listener  # type: ignore[assignment]

    def do_GET(self) -> None:
        """Play the next act for this resource type; the last one is repeated."""
        asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()})
        with self.server.lock:
            self.server.asked.append(asked)
            acts = self.server.acts.get(asked.kind, [nothing_found])
            act = acts.pop(0) if len(acts) > 1 else acts[0]
        act(self)

    def head(self, status: int, length: int | None, **headers: str) -> None:
        """Send status and headers; names are written with underscores."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Listener(ThreadingHTTPServer):
    """The listening socket with its script."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.asked: list[Asked] = []
        self.acts: dict[str, list[Act]] = {}
        self.stopping = threading.Event()

    def handle_error(self, *_: object) -> None:
        """A client that goes away in the middle is what some tests are about."""


class FhirServer:
    """`with FhirServer() as server`: `acts` says what it does for each resource type, `asked` what it was asked."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._listener = Listener()
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._scheme = "https" if tls else "http"
        if tls:
            self._listener.socket = tls.wrap_socket(
                self._listener.socket, server_side=True, do_handshake_on_connect=False
            )

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self._scheme}://127.0.0.1:{self._listener.server_port}"

    @property
    def base(self) -> str:
        """The FHIR base URL."""
        return f"{self.origin}{BASE_PATH}"

    @property
    def asked(self) -> list[Asked]:
        """Everything that came, in order."""
        return self._listener.asked

    @property
    def kinds(self) -> list[str]:
        """The resource types that were asked for."""
        return [asked.kind for asked in self.asked]

    def plays(self, **acts: Act | list[Act]) -> Self:
        """Set what is done for a resource type: once after the other, the last one again and again."""
        for kind, act in acts.items():
            self._listener.acts[kind] = act if isinstance(act, list) else [act]
        return self

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.stopping.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


def body(document: object) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document).encode()


def says(document: object, status: int = 200, **headers: str) -> Act:
    """A document, or bytes as they are."""

    def act(handler: Handler) -> None:
        sent = body(document)
        handler.head(status, len(sent), **{"Content_Type": "application/fhir+json", **headers})
        handler.wfile.write(sent)

    return act


def searchset(*resources: Mapping[str, Any], next_url: str | None = None, **members: Any) -> dict[str, Any]:
    """A page of results."""
    links = {"link": [{"relation": "next", "url": next_url}]} if next_url else {}
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **links, **members}


nothing_found = says({"resourceType": "Bundle", "type": "searchset", "total": 0})


def redirects_to(url: str, status: int = 302) -> Act:
    return says(b"", status, Location=url)


def hangs(handler: Handler) -> None:
    """The request is read, and nothing is ever said."""
    handler.server.stopping.wait(60)


def sends_headers_slowly(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    number = 0
    while not handler.server.stopping.wait(0.02):
        handler.wfile.write(f"X-Wait-{number}: yes\r\n".encode())
        number += 1


def drips(handler: Handler) -> None:
    """A body of which a byte comes now and then: no single read ever takes long."""
    handler.head(200, 1_000_000)
    while not handler.server.stopping.wait(0.02):
        handler.wfile.write(b" ")


def sends_without_end(handler: Handler) -> None:
    handler.head(200, None, Transfer_Encoding="chunked")
    part = b" " * 65536
    while not handler.server.stopping.is_set():
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))


def announces_too_much(handler: Handler) -> None:
    handler.head(200, 10**12)
    handler.server.stopping.wait(60)


def breaks_off(handler: Handler) -> None:
    """The connection is reset in the middle of the body."""
    handler.head(200, 1000)
    handler.wfile.write(b'{"resourceType": "Bundle", ')
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True


def ends_early(handler: Handler) -> None:
    """The connection is closed in the middle of the body."""
    handler.head(200, 1000)
    handler.wfile.write(b'{"resourceType": "Bundle"}')
    handler.close_connection = True


def compresses(document: object) -> Act:
    """gzip that nobody asked for."""
    return says(gzip.compress(body(document)), Content_Encoding="gzip")


def speaks_no_http(handler: Handler) -> None:
    handler.wfile.write(b"220 mail.example.org ESMTP\r\n")
    handler.close_connection = True
