"""Settings of the service: environment variables (`FLECK_*`) over one TOML file; docs/settings.md explains each."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, ClassVar, Literal, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, HttpUrl
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from cds_service.clients.client import Profile

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


def _origin(value: str) -> str:
    """An origin is scheme and host, as browsers send it; "*" would let any page read answers about patients."""
    if not value.startswith(("http://", "https://")) or value.count("/") != 2:
        raise ValueError("an origin is scheme://host[:port] without a path")
    return value


class ApiSettings(BaseModel):
    """The plain HTTP interface, `/api/decide` and `/api/read`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool | None = None


class Settings(BaseSettings):
    """Read once at start-up. A wrong value, or an unknown name in the file, raises `pydantic.ValidationError`."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="FLECK_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1)] = 1
    public_url: HttpUrl | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    allowed_origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = ()
    api: ApiSettings = ApiSettings()

    body_limit_bytes: Annotated[int, Field(ge=1024)] = 10 * 1024 * 1024
    body_timeout_seconds: Annotated[float, Field(gt=0)] = 30.0
    max_resources: Annotated[int, Field(ge=1)] = 5000
    fhir_budget_seconds: Annotated[float, Field(gt=0)] = 3.0
    fhir_max_pages: Annotated[int, Field(ge=1)] = 5

    today: date | None = None
    fhir_version: Literal["R4", "R5"] = "R4"
    concept_maps: tuple[Path, ...] = ()
    policy: Annotated[dict[str, str], BeforeValidator(_switches)] = {}

    benign_card_months: Annotated[int, Field(ge=0)] = 12
    order_intent: Literal["proposal", "order"] = "proposal"
    selection_behavior: Literal["any", "at-most-one"] = "any"

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
    def api_enabled(self) -> bool:
        """Whether `/api` answers: as set, else only when the service listens on a loopback address."""
        return _is_loopback(self.host) if self.api.enabled is None else self.api.enabled

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


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
