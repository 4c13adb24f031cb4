"""Settings come from one file and the environment, are checked at start-up, and are all documented."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from unittest import mock

import pytest
from pydantic import BaseModel, ValidationError

from cds_service.settings import Settings, unknown_variables

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"
ROW = re.compile(r"^\| `(?P<name>[a-z_.]+)` \| `(?P<variable>[A-Z_]+)` \| (?P<default>.+?) \|", re.MULTILINE)


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """No setting of the machine that runs the tests takes part."""
    monkeypatch.chdir(tmp_path)
    with mock.patch.dict(os.environ):
        for name in [name for name in os.environ if name.startswith("FLECK_")]:
            del os.environ[name]
        yield tmp_path


def fields(model: type[BaseModel], prefix: str = "") -> dict[str, object]:
    """Name and default of each setting, `table.name` for those in a table."""
    found: dict[str, object] = {}
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= fields(field.annotation, f"{prefix}{name}.")
        else:
            found[prefix + name] = field.default
    return found


def test_every_setting_is_documented_with_its_variable_and_default() -> None:
    documented = {row["name"]: row for row in ROW.finditer(DOCUMENT.read_text())}
    assert set(documented) == set(fields(Settings))
    for name, default in fields(Settings).items():
        assert documented[name]["variable"] == "FLECK_" + name.upper().replace(".", "__")
        if default not in (None, (), {}):
            written = str(default).lower() if isinstance(default, bool) else default
            assert documented[name]["default"] == f"`{written}`"


def test_the_file_in_the_working_directory_is_read_and_the_environment_wins(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (nowhere / "fleck.toml").write_text('port = 9000\nfhir_version = "R5"\n[policy]\ns2 = 2\nS7 = true\n')
    monkeypatch.setenv("FLECK_PORT", "9100")
    monkeypatch.setenv("FLECK_POLICY__S2", "3")
    settings = Settings()
    assert (settings.port, settings.fhir_version) == (9100, "R5")
    assert settings.policy == {"S2": "3", "S7": "true"}


def test_the_file_may_lie_elsewhere(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (nowhere / "site.toml").write_text("today = 2026-01-31\n")
    monkeypatch.setenv("FLECK_CONFIG", str(nowhere / "site.toml"))
    assert Settings().today == date(2026, 1, 31)


def test_a_named_file_that_is_missing_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falling back to defaults would run a site under a policy it did not sign."""
    monkeypatch.setenv("FLECK_CONFIG", "nowhere.toml")
    with pytest.raises(FileNotFoundError, match=r"FLECK_CONFIG names nowhere\.toml"):
        Settings()


@pytest.mark.parametrize(
    ("file", "field"),
    [
        ("prot = 9000", "prot"),
        ("port = 70000", "port"),
        ("[api]\nenable = true", r"api\.enable"),
        ('fhir_version = "STU3"', "fhir_version"),
        ('today = "soon"', "today"),
        ('allowed_origins = ["*"]', "allowed_origins"),
        ('allowed_origins = ["https://ehr.example.org/app"]', "allowed_origins"),
        ('selection_behavior = "all"', "selection_behavior"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(nowhere: Path, file: str, field: str) -> None:
    (nowhere / "fleck.toml").write_text(file)
    with pytest.raises(ValidationError, match=field):
        Settings()


def test_a_misspelt_variable_is_noticed() -> None:
    given = ["FLECK_POLCY__S2", "FLECK_POLICY__S2", "FLECK_CONFIG", "fleck_port", "PATH", "FLECK_API__ENABLED"]
    assert unknown_variables(given) == ("FLECK_POLCY__S2",)


@pytest.mark.parametrize(
    ("host", "enabled", "answers"),
    [
        ("127.0.0.1", None, True),
        ("::1", None, True),
        ("localhost", None, True),
        ("0.0.0.0", None, False),  # noqa: S104
        ("radiology.example.org", None, False),
        ("0.0.0.0", True, True),  # noqa: S104
        ("127.0.0.1", False, False),
    ],
)
def test_the_plain_interface_is_on_by_default_only_where_nobody_else_can_reach_it(
    host: str, enabled: bool | None, answers: bool
) -> None:
    assert Settings.model_validate({"host": host, "api": {"enabled": enabled}}).api_enabled is answers


def test_the_plain_interface_is_off_by_default_behind_a_proxy_that_registered_clients_come_through() -> None:
    assert not Settings(clients=Path("clients.toml")).api_enabled


def test_only_what_a_site_set_outweighs_a_clients_profile(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().profile_settings == {}
    (nowhere / "fleck.toml").write_text("benign_card_months = 12\n")
    monkeypatch.setenv("FLECK_ORDER_INTENT", "order")
    assert Settings().profile_settings == {"benign_card_months": 12, "order_intent": "order"}
