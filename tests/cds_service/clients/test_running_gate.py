"""The gate in a server process of its own, with a real key server, over real sockets: what no in-process test shows."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.cds_service.clients.key_server import KeyServer, sends_json, serving
from tests.cds_service.clients.signing import ISSUER, OTHER_P384, P384, SERVICE, claims, jwk, key_set, sign
from tests.cds_service.clients.test_clients_file import write
from tests.cds_service.conftest import REQUEST
from tests.running_server import free_port, running_server


class Running(NamedTuple):
    """A server with where it listens, its log, and the key server of its one client."""

    url: str
    log: Path
    keys: KeyServer

    def token(self, **changes: str) -> str:
        return sign(claims(**{"aud": f"{self.url}{SERVICE}", **changes}))

    def post(self, token: str) -> httpx.Response:
        return httpx.post(
            f"{self.url}{SERVICE}", json=REQUEST, headers={"authorization": f"Bearer {token}"}, timeout=30
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    folder = tmp_path_factory.mktemp("gate")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with serving(sends_json(key_set(jwk(P384)))) as keys:
        clients = write(folder, {"id": "north", "issuers": [ISSUER], "jwks_url": keys.url})
        with running_server(folder, {"FLECK_CLIENTS": str(clients), "FLECK_PUBLIC_URL": url}, port):
            yield Running(url, folder / "log", keys)


def exchange(url: str, *lines: bytes) -> bytes:
    """Send a discovery call with these header lines as they are; return what comes back."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        head = [b"GET /cds-services HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close", *lines]
        connection.sendall(b"\r\n".join(head) + b"\r\n\r\n")
        received = b""
        while data := connection.recv(65_536):
            received += data
        return received


def test_calls_at_once_fetch_the_keys_once_and_are_all_answered(running: Running) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: running.post(running.token()), range(24)))
    assert [answer.status_code for answer in answers] == [200] * 24
    assert all(answer.json()["cards"] for answer in answers)
    assert running.keys.paths == ["/jwks.json"]


def test_of_one_token_sent_many_times_at_once_one_call_is_answered(running: Running) -> None:
    token = running.token()
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: running.post(token).status_code, range(16)))
    assert sorted(statuses) == [200] + [401] * 15


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [b"Authorization: Bearer a.b.c", b"Authorization: Bearer a.b.c"],
        [b"Authorization: Bearer \xff\xfe\x80"],
        [b"Authorization: Bearer " + b"a" * 20_000],
        [b"Authorization: Basic dXNlcjpwYXNz"],
        [b"authorization:Bearer"],
    ],
    ids=["none", "two", "no ASCII", "long", "basic", "bare"],
)
def test_odd_headers_are_answered_with_401_and_the_server_goes_on(running: Running, lines: list[bytes]) -> None:
    received = exchange(running.url, *lines)
    assert received.startswith(b"HTTP/1.1 401")
    assert b"www-authenticate: bearer" in received.lower()
    assert httpx.get(f"{running.url}/health/live").status_code == 200


def test_the_log_says_why_in_a_word_and_holds_no_token(running: Running) -> None:
    token = sign(claims(aud=f"{running.url}{SERVICE}", jti="a-very-own-id"), OTHER_P384)
    assert running.post(token).status_code == 401
    for _ in range(200):
        lines = [json.loads(line) for line in running.log.read_text().splitlines() if line.endswith("}")]
        refused = [line for line in lines if line["message"] == "refused" and line["reason"] == "signature"]
        if refused:
            break
        time.sleep(0.05)
    assert {"client": "north", "path": SERVICE, "level": "WARNING"}.items() <= refused[-1].items()
    text = running.log.read_text()
    assert not [secret for secret in (*token.split("."), "a-very-own-id", ISSUER, running.keys.url) if secret in text]
