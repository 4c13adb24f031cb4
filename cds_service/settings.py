"""Settings of the service: environment variables (`FLECK_*`) over one TOML file; docs/settings.md explains each."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, HttpUrl, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from cds_service.clients.client import Profile
from cds_service.clients.origins import Origin
from cds_service.clients.urls import is_loopback
from cds_service.ledger.store_address import read_address

CONFIG_VARIABLE = "FLECK_CONFIG"
DEFAULT_CONFIG = Path("fleck.toml")


def _switches(value: object) -> object:
    """Switch names in capitals and values as text, however environment and TOML spell them."""
    if isinstance(value, dict):
        items = cast("dict[object, object]", value)
        return {str(name).upper(): _as_text(setting) for name, setting in items.items()}
    return value


def _as_text(setting: object) -> str:
    return str(setting).lower() if isinstance(setting, bool) else str(setting)


def _database(value: SecretStr) -> SecretStr:
    read_address(value.get_secret_value())
    return value


class ApiSettings(BaseModel):
    """The plain HTTP interface, `/api/decide` and `/api/read`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool | None = None


class MetricsSettings(BaseModel):
    """`/metrics`, for Prometheus."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool | None = None


class Settings(BaseSettings):
    """Read once at start-up. A wrong value, or an unknown name in the file, raises `pydantic.ValidationError`."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="FLECK_", env_nested_delimiter="__", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1)] = 1
    public_url: HttpUrl | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    allowed_origins: tuple[Origin, ...] = ()
    api: ApiSettings = ApiSettings()
    metrics: MetricsSettings = MetricsSettings()
    tracing: bool = False

    body_limit_bytes: Annotated[int, Field(ge=1024)] = 10 * 1024 * 1024
    body_timeout_seconds: Annotated[float, Field(gt=0)] = 30.0
    max_resources: Annotated[int, Field(ge=1)] = 5000
    keep_alive_seconds: Annotated[int, Field(ge=1)] = 75
    max_calls: Annotated[int, Field(ge=1)] = 256
    max_bytes_in_hand: Annotated[int, Field(ge=1024)] = 256 * 1024 * 1024
    call_seconds: Annotated[float, Field(gt=0)] = 10.0
    fhir_budget_seconds: Annotated[float, Field(gt=0)] = 3.0
    fhir_max_pages: Annotated[int, Field(ge=1)] = 5

    today: date | None = None
    fhir_version: Literal["R4", "R5"] = "R4"
    concept_maps: tuple[Path, ...] = ()
    policy: Annotated[dict[str, str], BeforeValidator(_switches)] = {}

    benign_card_months: Annotated[int, Field(ge=0)] = 12
    order_intent: Literal["proposal", "order"] = "proposal"
    selection_behavior: Literal["any", "at-most-one"] = "any"

    database_url: Annotated[SecretStr, AfterValidator(_database)] | None = None
    ledger_key: Annotated[SecretStr, Field(min_length=32)] | None = None
    ledger_days: Annotated[int, Field(ge=0)] = 400
    durability: Literal["normal", "full"] = "normal"
    keep_comments: bool = False
    clients: Path | None = None
    insecure_open: bool = False
    discovery_open: bool | None = None
    allowed_hosts: tuple[str, ...] = ()

    @property
    def profile(self) -> Profile:
        """What a client gets that no profile says otherwise of."""
        return Profile(
            fhir_version=self.fhir_version,
            order_intent=self.order_intent,
            selection_behavior=self.selection_behavior,
            benign_card_months=self.benign_card_months,
        )

    @property
    def profile_settings(self) -> dict[str, Any]:
        """What the site said of every profile, by name; a default says nothing."""
        names = ("fhir_version", "order_intent", "selection_behavior", "benign_card_months")
        return {name: getattr(self, name) for name in names if name in self.model_fields_set}

    @property
    def host_names(self) -> tuple[str, ...]:
        """Names under which the service may be called besides loopback."""
        own = self.public_url.host if self.public_url else None
        return (*self.allowed_hosts, *([own] if own else []))

    @property
    def api_enabled(self) -> bool:
        """Whether `/api` answers: as set, else only where no clients are registered and nobody else reaches the host.

        With clients, a loopback host stands behind a proxy, which would let anyone in.
        """
        return is_loopback(self.host) and self.clients is None if self.api.enabled is None else self.api.enabled

    @property
    def metrics_enabled(self) -> bool:
        """Whether `/metrics` answers: as set, else as `/api` does."""
        return is_loopback(self.host) and self.clients is None if self.metrics.enabled is None else self.metrics.enabled

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the file that `FLECK_CONFIG` names (default `fleck.toml`, if present).

        Raises:
            FileNotFoundError: `FLECK_CONFIG` names a file that is not there.
        """
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=_config_file())


def unknown_variables(environ: Iterable[str]) -> tuple[str, ...]:
    """`FLECK_*` variables that name no setting; a misspelt policy switch must not pass unnoticed."""
    known = {CONFIG_VARIABLE, *(f"FLECK_{name.upper()}" for name in Settings.model_fields)}
    ours = (name for name in environ if name.upper().startswith("FLECK_"))
    return tuple(sorted(name for name in ours if name.upper().partition("__")[0] not in known))


def _config_file() -> Path | None:
    named = os.environ.get(CONFIG_VARIABLE)
    if named and not Path(named).is_file():
        raise FileNotFoundError(f"{CONFIG_VARIABLE} names {named}, which is not a file")
    return Path(named) if named else DEFAULT_CONFIG
