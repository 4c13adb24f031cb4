"""What would let strangers in stops the start, with words that say what to do."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from cds_service.app import create_app
from cds_service.clients.registry import load_registry
from cds_service.hooks.services import SERVICES
from cds_service.settings import Settings
from tests.cds_service.clients.test_clients_file import NORTH, PUBLIC, load, write

ANYWHERE = "0.0.0.0"  # noqa: S104
ROOT = Path(__file__).parents[3]
SANDBOX = {
    "id": "sandbox",
    "issuers": ["https://sandbox.cds-hooks.org"],
    "jwks_url": "https://sandbox.cds-hooks.org/.well-known/jwks.json",
}
KNOWING = SANDBOX | {"i_know_this_key_is_public": True}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.53"])
def test_without_clients_a_loopback_host_answers_anyone(host: str) -> None:
    registry = load_registry(Settings(host=host), SERVICES)
    assert [client.id for client in registry.clients] == ["local"]


@pytest.mark.parametrize("host", [ANYWHERE, "::", "10.0.0.5", "cds.example.org", "localhost.example.org", ""])
def test_without_clients_a_host_that_others_reach_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r"no clients are registered.*--insecure-open"):
        create_app(Settings(host=host))
    assert create_app(Settings(host=host, insecure_open=True))


def test_the_command_line_refuses_with_a_message_and_no_trace() -> None:
    command = [sys.executable, "main.py", "serve", "--host", ANYWHERE, "--port", "0"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FLECK_")}
    run = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 2
    assert "host 0.0.0.0 can be reached by others" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_clients_file_that_is_missing_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("settings", [{"public_url": None}, {"public_url": "http://cds.example.org"}])
def test_clients_with_tokens_need_a_public_address_with_tls(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^public_url: "):
        load(write(tmp_path, NORTH), **settings)


@pytest.mark.parametrize("url", [PUBLIC, "http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000/fleck"])
def test_a_public_address_may_be_plain_http_on_loopback(tmp_path: Path, url: str) -> None:
    assert load(write(tmp_path, NORTH), public_url=url, host=ANYWHERE).by_issuer


def test_an_open_client_needs_loopback_or_a_word_that_a_gateway_guards_it(tmp_path: Path) -> None:
    path = write(tmp_path, NORTH, {"id": "gateway", "open": True})
    with pytest.raises(ValueError, match='client "gateway": open: only on a loopback host'):
        load(path, host=ANYWHERE)
    for settings in ({"host": "127.0.0.1"}, {"host": ANYWHERE, "insecure_open": True}):
        registry = load(path, **settings)
        assert registry.open is not None
        assert registry.open.client.id == "gateway"


@pytest.mark.parametrize(
    "client",
    [
        SANDBOX,
        SANDBOX | {"issuers": ["https://sandbox.cds-hooks.org/"], "jwks_url": "https://n.example.org/jwks"},
        SANDBOX | {"issuers": ["https://n.example.org"]},
        SANDBOX | {"issuers": ["https://fhir-ehr.example.com/"], "jwks_url": "https://n.example.org/jwks"},
    ],
    ids=["the sandbox", "its issuer with a slash", "its key server", "the example of the specification"],
)
def test_an_issuer_whose_key_everyone_has_is_refused(tmp_path: Path, client: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f'client "{client["id"]}": issuers: anyone can sign as'):
        load(write(tmp_path, client))
    knowing = write(tmp_path, client | {"i_know_this_key_is_public": True})
    assert load(knowing).by_issuer
    assert load(knowing, host=ANYWHERE, insecure_open=True).by_issuer
    with pytest.raises(ValueError, match='client "sandbox": i_know_this_key_is_public: only on a loopback host'):
        load(knowing, host=ANYWHERE)


def test_each_issuer_with_a_public_key_says_why() -> None:
    document = tomllib.loads(files("cds_service.clients").joinpath("public_keys.toml").read_text())
    assert all(set(entry) == {"issuer", "jwks_url", "why"} for entry in document["public"])


def test_what_a_site_hides_is_logged_at_start_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "fleck")
    path = write(tmp_path, NORTH | {"overrides": {"shown": ["biopsy", "diagnostic_mammogram"]}})
    create_app(Settings(public_url=PUBLIC, clients=path))  # type: ignore[arg-type]
    (record,) = caplog.records
    assert record.fields["client"] == "north"  # type: ignore[attr-defined]
    assert {"clinician_review", "no_follow_up"} <= set(record.fields["hidden"])  # type: ignore[attr-defined]


def test_an_open_service_says_so_in_its_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "fleck")
    create_app(Settings(insecure_open=True))
    assert "anyone who reaches this service may call it" in caplog.text
    caplog.clear()
    create_app(Settings())
    assert not caplog.records
