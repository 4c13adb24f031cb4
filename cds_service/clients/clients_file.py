"""The file in which a site registers its clients (TOML), checked strictly: every fault names the client and the field."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from cds_service.clients.origins import Origin
from cds_service.clients.profile_choices import DEFAULT_PROFILE, ProfileChoices, Strict, Words, read_profile
from cds_service.clients.urls import safe_url

HOUR, DAY = 3600, 86_400
ClientId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Url = Annotated[str, AfterValidator(safe_url)]
RESERVED = ("anyone", "local", "unknown")
"""Names of those who present no token, and of those who are refused, in logs and metrics."""

_KEYS = ("jwks_url", "jwks_file", "jwks")
_TOKEN_FIELDS = ("issuers", *_KEYS, "key_urls", "audiences", "tenants", "ca_file")


class ClientEntry(BaseModel):
    """A client as the site writes it down; docs/clients.md explains each field."""

    model_config: ClassVar[ConfigDict] = Strict

    id: ClientId
    profile: str = DEFAULT_PROFILE
    open: bool = False

    issuers: tuple[Words, ...] = ()
    tenants: tuple[Words, ...] = ()
    audiences: tuple[Words, ...] = ()
    algorithms: Annotated[tuple[Literal["ES384", "RS384", "ES256", "RS256"], ...], Field(min_length=1)] = (
        "ES384",
        "RS384",
    )
    max_token_seconds: Annotated[int, Field(ge=1, le=DAY)] = HOUR
    jwks_url: Url | None = None
    jwks_file: Path | None = None
    jwks: dict[str, Any] | None = None
    key_urls: tuple[Words, ...] = ()
    ca_file: Path | None = None
    i_know_this_key_is_public: bool = False

    fhir_servers: tuple[Url, ...] = ()
    services: tuple[str, ...] | None = None
    origins: tuple[Origin, ...] = ()
    overrides: ProfileChoices = ProfileChoices()

    @field_validator("id")
    @classmethod
    def _not_reserved(cls, value: str) -> str:
        if value in RESERVED:
            raise ValueError("this name is taken for callers that are no registered client")
        return value

    @field_validator("profile")
    @classmethod
    def _exists(cls, value: str) -> str:
        read_profile(value)
        return value

    @model_validator(mode="after")
    def _is_trusted_one_way(self) -> Self:
        if self.open:
            if given := [name for name in _TOKEN_FIELDS if getattr(self, name)]:
                raise ValueError(f"{given[0]}: a client with open = true presents no token")
            return self
        if not self.issuers:
            raise ValueError("issuers: missing; who signs the client's tokens? (or open = true)")
        given = [name for name in _KEYS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"{given[1] if given else _KEYS[0]}: give one of {', '.join(_KEYS)}")
        if self.ca_file and not self.jwks_url:
            raise ValueError("ca_file: only for keys that are fetched (jwks_url)")
        return self


class ClientsFile(BaseModel):
    """A `[[client]]` for each EHR, test system or gateway."""

    model_config: ClassVar[ConfigDict] = Strict

    client: tuple[ClientEntry, ...]

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        if not self.client:
            raise ValueError("client: there is none")
        seen: dict[str, ClientEntry] = {}
        for entry in self.client:
            if entry.id in seen:
                raise ValueError(f'client "{entry.id}": id: used twice')
            for other in seen.values():
                _tell_apart(entry, other)
            seen[entry.id] = entry
        return self


def read_clients_file(path: Path) -> tuple[ClientEntry, ...]:
    """Return the clients.

    Raises:
        ValueError: not TOML, or a line for each fault with its client and field.
        OSError: the file cannot be read.
    """
    document: dict[str, Any] = {}
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        return ClientsFile.model_validate(document).client
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8") from None
    except ValidationError as error:
        faults = [_fault(fault, document) for fault in error.errors(include_input=False, include_url=False)]
        raise ValueError("\n".join((f"{path}:", *faults))) from None


def _tell_apart(entry: ClientEntry, other: ClientEntry) -> None:
    if entry.open and other.open:
        raise ValueError(f'client "{entry.id}": open: so is "{other.id}", and nothing tells them apart')
    if set(entry.issuers).isdisjoint(other.issuers):
        return
    if not entry.tenants or not other.tenants:
        raise ValueError(f'client "{entry.id}": issuers: shared with "{other.id}"; tenants have to tell them apart')
    if not set(entry.tenants).isdisjoint(other.tenants):
        raise ValueError(f'client "{entry.id}": tenants: shared with "{other.id}", and so is an issuer')


def _fault(fault: ErrorDetails, document: dict[str, Any]) -> str:
    """Put a fault in words: `client "north": algorithms.0: ...`."""
    where, text = list(fault["loc"]), fault["msg"].removeprefix("Value error, ")
    if len(where) >= 2 and where[0] == "client" and isinstance(where[1], int):
        entries = cast("list[object]", document["client"])
        entry = entries[where[1]]
        name = cast("dict[str, object]", entry).get("id") if isinstance(entry, dict) else None
        called = f'"{name}"' if isinstance(name, str) else f"number {where[1] + 1}"
        where = [f"client {called}", *where[2:]]
        field = ".".join(map(str, where[1:]))
        return f"{where[0]}: {f'{field}: ' if field else ''}{text}"
    field = ".".join(map(str, where))
    return f"{field}: {text}" if field else text
