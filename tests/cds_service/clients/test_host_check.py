"""A page that rebinds its own name to this machine does not get through; everyone who should, does."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.cds_service.conftest import Send, sender


def send_to(**settings: Any) -> Send:
    return sender(create_app(Settings(**settings)))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8000", "localhost", "LocalHost:8000", "localhost.", "[::1]", "[::1]:8000", "127.1.2.3:80"],
)
def test_this_machine_is_reached_by_its_loopback_names(host: str) -> None:
    assert send_to()("GET", "/cds-services", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.org",
        "evil.example.org:8000",
        "127.0.0.1.evil.example.org",
        "localhost.evil.example.org",
        "evil",
        "10.0.0.5",
        "[fd00::1]:8000",
        "[::1].evil.example.org",
        "127.0.0.1@evil.example.org",
        "0.0.0.0",  # noqa: S104
        "2130706433",
        "evil.example.org, localhost",
        "",
        "\xe9",
    ],
)
@pytest.mark.parametrize("path", ["/cds-services", "/api/read", "/health/ready"])
def test_another_name_is_refused_wherever_it_asks(host: str, path: str) -> None:
    answer = send_to()("GET", path, headers={"host": host.encode("latin-1")})
    assert answer.status_code == 421
    assert answer.json()["issue"][0]["diagnostics"] == "header Host"
    assert "evil" not in answer.text


def test_two_host_headers_have_to_pass_both() -> None:
    headers = [("host", "localhost"), ("host", "evil.example.org")]
    assert send_to()("GET", "/cds-services", headers=headers).status_code == 421


def test_the_public_name_and_allowed_names_pass() -> None:
    send = send_to(public_url="https://cds.example.org/fleck", allowed_hosts=("Fleck.internal", "fd00::1"))
    for host, status in {
        "cds.example.org": 200,
        "CDS.example.org:443": 200,
        "fleck.internal": 200,
        "[fd00::1]:80": 200,
        "other.example.org": 421,
    }.items():
        assert send("GET", "/health/ready", headers={"host": host}).status_code == status


def test_where_others_may_call_anyway_only_names_that_are_given_count() -> None:
    anywhere: dict[str, Any] = {"host": "0.0.0.0", "insecure_open": True}  # noqa: S104
    assert send_to(**anywhere)("GET", "/health/ready", headers={"host": "a.example.org"}).status_code == 200
    send = send_to(**anywhere, allowed_hosts=("a.example.org",))
    assert send("GET", "/health/ready", headers={"host": "a.example.org"}).status_code == 200
    assert send("GET", "/health/ready", headers={"host": "b.example.org"}).status_code == 421
