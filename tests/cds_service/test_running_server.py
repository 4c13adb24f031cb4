"""The edges that only a real server shows: bodies that come slowly, too large or not at all, and many at once."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import httpx
import pytest

from tests.cds_service.conftest import PATIENT_VIEW, REQUEST
from tests.running_server import RunningServer, running_server

BODY = json.dumps(REQUEST).encode()
LIMIT = 100_000
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningServer]:
    settings = {
        "FLECK_BODY_LIMIT_BYTES": str(LIMIT),
        "FLECK_BODY_TIMEOUT_SECONDS": "0.5",
        "FLECK_KEEP_ALIVE_SECONDS": "1",
    }
    with running_server(tmp_path_factory.mktemp("server"), settings) as running:
        yield running


@pytest.fixture
def port(server: RunningServer) -> int:
    return server.port


@pytest.fixture
def client(port: int) -> Generator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=JSON, timeout=10) as client:
        yield client


def raw_exchange(port: int, *parts: bytes, path: str = PATIENT_VIEW) -> bytes:
    """Send bytes as they are and return everything that comes back until the server closes or falls silent."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n".encode())
        for part in parts:
            connection.sendall(part)
        received = b""
        try:
            while data := connection.recv(65536):
                received += data
        except TimeoutError:
            pass
        return received


def statuses_on_one_connection(port: int, *bodies: bytes) -> list[int]:
    """Statuses of the answers; the connection is never opened again in between."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.connect()
    connection.auto_open = 0
    statuses: list[int] = []
    for body in bodies:
        connection.request("POST", PATIENT_VIEW, body, JSON)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()
    return statuses


def test_a_connection_is_kept_after_answers_and_errors(port: int) -> None:
    assert statuses_on_one_connection(port, BODY, b"{", BODY) == [200, 400, 200]


def test_many_requests_at_once_get_each_their_own_answer(client: httpx.Client) -> None:
    """Every other request is broken; no answer may end up with its neighbour."""
    bodies = [BODY if i % 2 else b'{"broken": %d' % i for i in range(60)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda body: client.post(PATIENT_VIEW, content=body), bodies))
    assert [answer.status_code for answer in answers] == [200 if i % 2 else 400 for i in range(60)]


def test_the_connection_is_good_after_a_body_somewhat_over_the_limit(port: int) -> None:
    """The rest is read and dropped, so that the client hears the answer and can go on."""
    assert statuses_on_one_connection(port, b" " * (LIMIT + 50_000), BODY) == [413, 200]


def test_a_body_announced_far_over_the_limit_is_refused_before_it_comes(port: int) -> None:
    received = raw_exchange(port, b"Content-Length: 12000000\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in received


def test_a_client_that_waits_for_100_continue_is_refused_without_sending(port: int) -> None:
    received = raw_exchange(port, b"Content-Length: 12000000\r\nExpect: 100-continue\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 413")


def test_a_body_without_length_is_counted_as_it_comes(port: int) -> None:
    chunk = b"%x\r\n%s\r\n" % (50_000, b" " * 50_000)
    received = raw_exchange(port, b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 3, b"0\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 413")


def test_a_twelve_megabyte_body_is_refused(client: httpx.Client) -> None:
    """The answer, or at least a closed connection: the server neither reads it all nor hangs."""
    try:
        status = client.post(PATIENT_VIEW, content=b" " * 12_000_000).status_code
    except httpx.TransportError:
        status = 413
    assert status == 413
    assert client.get("/health/live").status_code == 200


def test_a_body_that_stops_coming_is_given_up(port: int) -> None:
    received = raw_exchange(port, b"Content-Length: 500\r\n\r\n", b'{"hook": ')
    assert received.startswith(b"HTTP/1.1 408")
    assert b'"code":"timeout"' in received


def test_a_body_that_comes_in_pieces_is_read_whole(port: int) -> None:
    pieces = [BODY[start : start + 1000] for start in range(0, len(BODY), 1000)]
    received = raw_exchange(port, f"Connection: close\r\nContent-Length: {len(BODY)}\r\n\r\n".encode(), *pieces)
    assert received.startswith(b"HTTP/1.1 200")


def test_a_client_that_leaves_in_the_middle_does_no_harm(client: httpx.Client, port: int) -> None:
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            head = f"POST {PATIENT_VIEW} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            connection.sendall(f"{head}Content-Length: 5000\r\n\r\n{{".encode())
    assert client.post(PATIENT_VIEW, content=BODY).status_code == 200


def test_http_that_is_none_does_no_harm(client: httpx.Client, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"\x16\x03\x01 this is TLS\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 400")
    assert client.get("/health/live").status_code == 200


def exchange(port: int, head: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=8) as connection:
        try:
            connection.sendall(head)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except (ConnectionResetError, BrokenPipeError):
            return b""


SLOW_OR_LARGE = [
    (b"", b""),
    (b"POST /cds-services HTTP/1.1\r\nHost: fl", b"HTTP/1.1 408"),
    (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 70_000, b"HTTP/1.1 431"),
]


@pytest.mark.parametrize(("head", "answer"), SLOW_OR_LARGE, ids=["nothing sent", "head never ends", "head too large"])
def test_a_connection_whose_head_does_not_come_is_not_kept(port: int, head: bytes, answer: bytes) -> None:
    assert exchange(port, head).startswith(answer)


def test_a_refused_body_that_goes_on_dripping_does_not_keep_its_connection(port: int) -> None:
    """Refused at its headers; then a byte now and then, which must not count as life."""
    head = b"POST /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 90000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=8) as connection:
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 405")
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            for _ in range(40):
                connection.sendall(b"x")
                time.sleep(0.5)


def test_what_is_no_http_gets_an_operation_outcome(port: int) -> None:
    assert b'"resourceType":"OperationOutcome"' in exchange(port, b"no such thing\r\n\r\n")


def test_the_log_is_json_lines_without_patients(client: httpx.Client, server: RunningServer) -> None:
    client.post(PATIENT_VIEW, content=BODY)
    client.get("/Patient/p-3107?name=Sample")
    for _ in range(100):
        text = server.log
        lines = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
        if lines[-1].get("status") == 404:
            break
        time.sleep(0.05)
    assert {"method": "POST", "path": PATIENT_VIEW, "status": 200}.items() <= lines[-2].items()
    assert not {"p-3107", "Sample", "Greta"} & set(text.replace('"', " ").replace("/", " ").split())
