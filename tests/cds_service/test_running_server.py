"""The edges that only a real server shows: bodies that come slowly, too large or not at all, and many at once."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from tests.cds_service.conftest import PATIENT_VIEW, REQUEST

BODY = json.dumps(REQUEST).encode()
LIMIT = 100_000
JSON = {"content-type": "application/json"}
SERVE = "import sys; from cds_service.server import serve; serve(port=int(sys.argv[1]))"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "log"


@pytest.fixture(scope="module")
def port(log: Path) -> Generator[int]:
    """A server in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    settings = {"FLECK_TODAY": "2026-02-02", "FLECK_BODY_LIMIT_BYTES": str(LIMIT), "FLECK_BODY_TIMEOUT_SECONDS": "0.5"}
    with log.open("wb") as lines:
        command = [sys.executable, "-c", SERVE, str(number)]
        process = subprocess.Popen(command, env=os.environ | settings, stderr=lines)
    try:
        _wait_until_up(number, process)
        yield number
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture
def client(port: int) -> Generator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=JSON, timeout=10) as client:
        yield client


def _wait_until_up(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        try:
            httpx.get(f"http://127.0.0.1:{port}/readyz").raise_for_status()
        except httpx.TransportError:
            assert process.poll() is None, "the server did not start"
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not start in time")


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
    assert client.get("/healthz").status_code == 200


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
    assert client.get("/healthz").status_code == 200


def test_the_log_is_json_lines_without_patients(client: httpx.Client, log: Path) -> None:
    client.post(PATIENT_VIEW, content=BODY)
    client.get("/Patient/p-3107?name=Sample")
    for _ in range(100):
        text = log.read_text()
        lines = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
        if lines[-1].get("status") == 404:
            break
        time.sleep(0.05)
    assert {"method": "POST", "path": PATIENT_VIEW, "status": 200}.items() <= lines[-2].items()
    assert not {"p-3107", "Sample", "Greta"} & set(text.replace('"', " ").replace("/", " ").split())
