"""Keys from real servers: rotation, and servers that are down, slow, wrong or hostile. Time is moved by hand."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import json
import logging
import ssl
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cds_service.clients.key_source import FetchedKeys, FetchPolicy
from tests.cds_service.clients.key_server import Answer, KeyServer, sends, sends_json, serving
from tests.cds_service.clients.signing import OTHER_P384, P384, jwk, key_set

FIRST = sends_json(key_set(jwk(P384, "first")))
SECOND = sends_json(key_set(jwk(OTHER_P384, "second")))
POLICY = FetchPolicy(fresh=600, stale=86_400, pause=10, timeout=5, size=20_000)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def source(server: KeyServer, clock: Clock, policy: FetchPolicy = POLICY) -> FetchedKeys:
    return FetchedKeys("ehr", server.url, policy=policy, clock=clock)


async def ids(source: FetchedKeys, kid: str | None = "first") -> Sequence[str | None]:
    return [key.kid for key in await source.keys(kid)]


async def settled(source: FetchedKeys, kid: str | None = "first") -> Sequence[str | None]:
    """What is known once a fetch in the background is through."""
    await source.keys(kid)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        await task
    return await ids(source, kid)


def test_keys_are_fetched_once_and_kept() -> None:
    async def story(server: KeyServer) -> None:
        keys = source(server, Clock())
        for _ in range(20):
            assert await ids(keys) == ["first"]
        assert server.paths == ["/jwks.json"]

    with serving(FIRST) as server:
        asyncio.run(story(server))


def test_a_new_key_is_fetched_when_a_token_names_it() -> None:
    async def story(server: KeyServer) -> None:
        clock = Clock()
        keys = source(server, clock)
        assert await ids(keys) == ["first"]
        server.answer, clock.now = SECOND, 11.0
        assert await ids(keys, "second") == ["second"], "the old key is gone with the same answer"

    with serving(FIRST) as server:
        asyncio.run(story(server))


def test_old_keys_are_fetched_again_while_calls_go_on() -> None:
    async def story(server: KeyServer) -> None:
        clock = Clock()
        keys = source(server, clock)
        assert await ids(keys) == ["first"]
        server.answer, clock.now = SECOND, 601.0
        assert await ids(keys) == ["first"], "nobody waits for a key that is known"
        assert await settled(keys) == ["second"], "a key that was withdrawn serves no longer"

    with serving(FIRST) as server:
        asyncio.run(story(server))


def test_a_flood_of_unknown_key_ids_fetches_once_in_a_while() -> None:
    async def story(server: KeyServer) -> None:
        clock = Clock()
        keys = source(server, clock)
        await asyncio.gather(*(ids(keys, f"made-up-{number}") for number in range(200)))
        assert len(server.paths) == 1, "all wait for the one fetch"
        clock.now = 9.9
        await asyncio.gather(*(ids(keys, f"made-up-{number}") for number in range(200)))
        assert len(server.paths) == 1
        clock.now = 10.0
        await asyncio.gather(*(ids(keys, f"made-up-{number}") for number in range(200)))
        assert len(server.paths) == 2

    with serving(FIRST) as server:
        asyncio.run(story(server))


def test_a_caller_that_leaves_does_not_stop_the_fetch_for_the_others() -> None:
    async def story(server: KeyServer) -> None:
        keys = source(server, Clock())
        leaving = asyncio.create_task(ids(keys))
        staying = asyncio.create_task(ids(keys))
        await asyncio.sleep(0)
        leaving.cancel()
        assert await staying == ["first"]

    with serving(FIRST) as server:
        asyncio.run(story(server))


def broken(handler: BaseHTTPRequestHandler) -> None:
    """Cut the connection in the middle of the answer."""
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"keys": [')
    handler.close_connection = True


def never_ending(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" " * 65_536)
    except OSError:
        return


ELSEWHERE = json.dumps(key_set(jwk(OTHER_P384, "first"))).encode()
FAILURES: dict[str, Answer] = {
    "an error": sends(b"{}", 500),
    "not found, with a key set": sends(ELSEWHERE, 404),
    "HTML": sends(b"<html>please log in</html>", 200),
    "nothing": sends(b""),
    "no key set": sends(b'{"issuer": "x"}'),
    "too large": sends(ELSEWHERE + b" " * 20_000),
    "without end": never_ending,
    "compressed, unasked": sends(gzip.compress(ELSEWHERE), 200, **{"content-encoding": "gzip"}),
    "cut off": broken,
    "no HTTP": lambda handler: [handler.wfile.write(b"\x16\x03\x01\r\n\r\n"), None][1],
}


@pytest.mark.parametrize("answer", FAILURES.values(), ids=FAILURES.keys())
def test_a_failing_server_gives_no_keys_and_takes_none_away(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    async def story(server: KeyServer) -> None:
        clock = Clock()
        assert await ids(source(server, clock)) == []
        keys = source(server, clock)
        server.answer = FIRST
        assert await ids(keys) == ["first"]
        server.answer, clock.now = answer, 700.0
        assert await settled(keys) == ["first"]
        assert len(server.paths) == 3
        clock.now = 86_500.0
        assert await settled(keys) == [], "old keys serve for a day, not for ever"

    caplog.set_level(logging.WARNING, "fleck")
    with serving(answer) as server:
        asyncio.run(story(server))
        assert server.url not in str([vars(record) for record in caplog.records])
    assert [record.getMessage() for record in caplog.records] == ["key server failed"] * 3


def test_a_redirect_is_not_followed() -> None:
    async def story(server: KeyServer) -> None:
        assert await ids(source(server, Clock())) == []

    with serving(FIRST) as target, serving(sends(b"", 302, location=target.url)) as server:
        asyncio.run(story(server))
        assert (len(server.paths), target.paths) == (1, [])


def test_a_server_that_is_down_is_asked_again_after_a_while() -> None:
    async def story() -> None:
        clock = Clock()
        with serving(FIRST) as gone:
            keys = source(gone, clock)
        assert await ids(keys) == []
        assert await ids(keys) == []

    asyncio.run(story())


def test_a_server_that_does_not_answer_holds_up_nobody_whose_key_is_known() -> None:
    asked, release = threading.Event(), threading.Event()

    def hang(handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        release.wait(30)
        handler.close_connection = True

    async def story(server: KeyServer) -> None:
        clock = Clock()
        keys = source(server, clock, FetchPolicy(timeout=0.2))
        server.answer = FIRST
        assert await ids(keys) == ["first"]
        server.answer, clock.now = hang, 601.0
        assert await ids(keys) == ["first"]
        assert await asyncio.to_thread(asked.wait, 30)
        assert await ids(keys) == ["first"], "while the server hangs"
        assert await ids(keys, "unknown") == ["first"], "who needs another key waits until the fetch is given up"

    with serving(FIRST) as server:
        try:
            asyncio.run(story(server))
        finally:
            release.set()


def test_a_server_that_withdraws_all_keys_is_believed(caplog: pytest.LogCaptureFixture) -> None:
    async def story(server: KeyServer) -> None:
        clock = Clock()
        keys = source(server, clock)
        assert await ids(keys) == ["first"]
        server.answer, clock.now = sends_json(key_set()), 601.0
        assert await settled(keys) == []

    with serving(FIRST) as server:
        asyncio.run(story(server))
    assert "key server has no usable key" in caplog.text


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(server: KeyServer) -> None:
        assert await ids(source(server, Clock())) == ["first"]

    with serving(SECOND) as proxy, serving(FIRST) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        asyncio.run(story(server))
        assert proxy.paths == []


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 of a hospital's own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "ca.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate_file, key_file


def test_a_hospitals_own_certificate_authority_counts_only_where_it_is_named(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            FIRST(self)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    url = f"https://127.0.0.1:{server.server_port}/jwks.json"
    try:
        assert asyncio.run(ids(FetchedKeys("ehr", url))) == []
        assert asyncio.run(ids(FetchedKeys("ehr", url, str(certificate)))) == ["first"]
    finally:
        server.shutdown()
        server.server_close()
