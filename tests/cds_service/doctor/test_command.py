"""The command as an engineer runs it, against our own service in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Generator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from main import cli
from tests.running_server import running_server

ROOT = Path(__file__).parents[3]
ORIGIN = "https://sandbox.cds-hooks.org"


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The base URL of our service, on the day on which the doctor's synthetic exam was made."""
    settings = {"FLECK_ALLOWED_ORIGINS": json.dumps([ORIGIN]), "FLECK_LOG_LEVEL": "ERROR"}
    settings["FLECK_TODAY"] = date.today().isoformat()
    with running_server(tmp_path_factory.mktemp("ours"), settings) as server:
        yield server.url


def doctor(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["doctor", *map(str, arguments)])


def verdicts(result: Result) -> dict[str, str]:
    checks: list[dict[str, Any]] = json.loads(result.stdout)["checks"]
    return {check["id"]: check["verdict"] for check in checks}


def test_our_service_keeps_every_shall(ours: str) -> None:
    result = doctor(ours, "--json", "--origin", ORIGIN)
    found = verdicts(result)
    assert [name for name, verdict in found.items() if verdict == "fail"] == []
    assert result.exit_code == 0
    for check in (
        "calls.full",
        "calls.cards",
        "calls.no-data",
        "cards.action-fhir",
        "cors.preflight-post",
        "malformed.deep",
    ):
        assert found[check] == "pass", check
    warned = {name for name, verdict in found.items() if verdict == "warn"}
    assert warned <= {"trust.closed", "calls.latency", "discovery.latency"}


def test_the_discovery_url_is_as_good_as_the_base(ours: str) -> None:
    result = doctor(f"{ours}/cds-services", "--only", "discovery", "--json")
    assert json.loads(result.stdout)["url"] == ours
    assert {name.partition(".")[0] for name in verdicts(result)} == {"discovery"}


def test_strict_counts_warnings(ours: str) -> None:
    arguments = (ours, "--only", "trust")
    assert (doctor(*arguments).exit_code, doctor(*arguments, "--strict").exit_code) == (0, 1)


def test_the_table_says_what_a_miss_means_and_what_to_change(ours: str) -> None:
    shown = " ".join(doctor(ours, "--only", "trust").stdout.split())
    for words in ("trust.closed", "Anybody who reaches", "To do:", "1 warn"):
        assert words in shown


def test_contexts_and_prefetch_of_ones_own_go_before_the_examples(ours: str, tmp_path: Path) -> None:
    context, prefetch = tmp_path / "context.json", tmp_path / "prefetch.json"
    context.write_text('{"patient-view": {"patientId": "none"}}')
    prefetch.write_text('{"reports": {"resourceType": "Bundle", "type": "searchset"}, "observations": null}')
    arguments = (ours, "--only", "calls", "--services", "calcification-patient-view", "--json")
    assert verdicts(doctor(*arguments, "--context", context))["calls.full"] == "fail"
    assert verdicts(doctor(*arguments, "--prefetch", prefetch))["calls.cards"] == "not offered"


def test_a_key_is_made_once_and_its_set_printed(ours: str, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    first, second = (doctor(ours, "--key", key, "--print-jwks") for _ in range(2))
    assert first.stdout == second.stdout
    (public,) = json.loads(first.stdout)["keys"]
    assert (public["kty"], public["crv"], public["alg"]) == ("EC", "P-384", "ES384")
    assert "d" not in public
    assert key.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("http://127.0.0.1:9/",), "the connection failed"),
        (("--only", "nothing"), "no section nothing"),
        (("--services", "nothing"), "discovery lists no service nothing"),
        (("--only", "cors"), "nothing could be judged"),
        (("--serve-jwks", "0"), "--serve-jwks needs --issuer"),
        (("--print-jwks",), "--print-jwks needs --key"),
        (("--context", "README.md"), "README.md: not JSON"),
        (("--issuer", "x", "--key", "README.md"), ""),
    ],
)
def test_wrong_usage_says_why_and_exits_with_2(arguments: tuple[str, ...], complaint: str, ours: str) -> None:
    result = doctor(*arguments) if arguments[0].startswith("http") else doctor(ours, *arguments)
    assert result.exit_code == 2
    assert complaint in result.stderr
