"""From the settings and the clients file to the registry that the gate asks; what would let strangers in stops the start."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from cds_service.clients.client import Client
from cds_service.clients.clients_file import ClientEntry, read_clients_file
from cds_service.clients.key_source import FetchedKeys, GivenKeys, KeySource
from cds_service.clients.keys import PublicKey, holds_private_key, keys_of
from cds_service.clients.profile_choices import build_profile
from cds_service.clients.registered import OpenClient, Registered, Registry, by_issuer
from cds_service.clients.urls import is_loopback
from cds_service.log_lines import LOGGER
from cds_service.settings import Settings
from fhir_models.strict_json import JsonError, parse_json
from rules.vocabulary import Recommendation

ANONYMOUS = "local"
"""Who calls where no clients are registered."""


def load_registry(settings: Settings, services: Collection[str]) -> Registry:
    """Return the clients that the settings name, or the anonymous one of a service that only this machine can reach.

    Raises:
        ValueError: the service would be open to others, or a client is wrong; names client and field.
        OSError: a file that is named cannot be read.
    """
    private = is_loopback(settings.host) or settings.insecure_open
    if settings.clients is None:
        if not private:
            raise ValueError(
                f"host {settings.host} can be reached by others, and no clients are registered: name a clients file "
                "(clients, FLECK_CLIENTS), listen on loopback, or say that anyone may call (serve --insecure-open)"
            )
        return Registry(open=OpenClient(client=Client(id=ANONYMOUS, profile=settings.profile)))
    entries = read_clients_file(settings.clients)
    for entry in entries:
        _refuse_strangers(entry, private=private)
    if any(not entry.open for entry in entries):
        _check_public_url(settings)
    folder = settings.clients.parent
    built = [(entry, _client(entry, settings.profile_settings, services)) for entry in entries]
    return Registry(
        by_issuer=by_issuer(_registered(entry, client, folder) for entry, client in built if not entry.open),
        open=next(
            (OpenClient(client=client, services=_services(entry)) for entry, client in built if entry.open), None
        ),
        origins=tuple(dict.fromkeys(origin for entry in entries for origin in entry.origins)),
    )


def log_registry(registry: Registry, *, insecure_open: bool) -> None:
    """Log at start-up what a site should see that it chose: hidden recommendations, and calls without a token."""
    for client in registry.clients:
        if hidden := [
            item for item in Recommendation if item != Recommendation.NO_CARD and not client.profile.shows(item)
        ]:
            fields = {"client": client.id, "hidden": hidden}
            LOGGER.warning("recommendations get no card", extra={"fields": fields})
    if registry.open and insecure_open:
        LOGGER.warning(
            "anyone who reaches this service may call it", extra={"fields": {"client": registry.open.client.id}}
        )


def _refuse_strangers(entry: ClientEntry, *, private: bool) -> None:
    """Refuse what is no authentication on a service that others can reach."""
    if entry.open and not private:
        raise _wrong(entry, "open", "only on a loopback host, or behind a gateway that authenticates (insecure_open)")
    known = {value: public["why"] for public in _public_keys() for value in (public["issuer"], public["jwks_url"])}
    for value in (*entry.issuers, *filter(None, (entry.jwks_url,))):
        if not (why := known.get(value) or known.get(f"{value}/") or known.get(value.rstrip("/"))):
            continue
        if not entry.i_know_this_key_is_public:
            raise _wrong(
                entry, "issuers", f"anyone can sign as {value}: {why}; for trials, i_know_this_key_is_public = true"
            )
        if not private:
            raise _wrong(entry, "i_know_this_key_is_public", "only on a loopback host, or with insecure_open")


def _check_public_url(settings: Settings) -> None:
    """Tokens name the address that is called, so the service has to know its own."""
    if settings.public_url is None:
        raise ValueError("public_url: missing; clients sign tokens for the address that they call (FLECK_PUBLIC_URL)")
    parts = urlsplit(str(settings.public_url))
    if parts.scheme != "https" and not is_loopback((parts.hostname or "").strip("[]")):
        raise ValueError("public_url: has to be https, as tokens and patient data go there (http only on loopback)")


def _client(entry: ClientEntry, settings: Mapping[str, Any], services: Collection[str]) -> Client:
    if unknown := [name for name in entry.services or () if name not in services]:
        raise _wrong(entry, "services", f"there is no {unknown[0]}; known are {', '.join(sorted(services))}")
    try:
        profile = build_profile(entry.profile, settings, entry.overrides)
    except ValueError as error:
        raise _wrong(entry, "overrides", str(error)) from None
    return Client(id=entry.id, profile=profile, fhir_servers=tuple(server.rstrip("/") for server in entry.fhir_servers))


def _registered(entry: ClientEntry, client: Client, folder: Path) -> Registered:
    return Registered(
        client=client,
        issuers=frozenset(entry.issuers),
        tenants=frozenset(entry.tenants),
        audiences=frozenset(entry.audiences),
        algorithms=frozenset(entry.algorithms),
        key_urls=frozenset((*entry.key_urls, *filter(None, (entry.jwks_url,)))),
        keys=_keys(entry, folder),
        longest=entry.max_token_seconds,
        services=_services(entry),
    )


def _services(entry: ClientEntry) -> frozenset[str] | None:
    return None if entry.services is None else frozenset(entry.services)


def _keys(entry: ClientEntry, folder: Path) -> KeySource:
    """Return where the keys come from; keys that are given are checked now."""
    if entry.jwks_url:
        try:
            return FetchedKeys(entry.id, entry.jwks_url, str(folder / entry.ca_file) if entry.ca_file else None)
        except OSError:
            raise _wrong(entry, "ca_file", "cannot be read as certificates (PEM)") from None
    if entry.jwks_file is None:
        return GivenKeys(_given_keys(entry, "jwks", orjson.dumps(entry.jwks)))
    try:
        data = (folder / entry.jwks_file).read_bytes()
    except OSError as error:
        raise _wrong(entry, "jwks_file", f"cannot be read: {error.strerror}") from None
    return GivenKeys(_given_keys(entry, "jwks_file", data))


def _given_keys(entry: ClientEntry, field: str, data: bytes) -> tuple[PublicKey, ...]:
    try:
        document = parse_json(data)
        keys: Sequence[PublicKey] = keys_of(document)
    except (JsonError, ValueError) as error:
        raise _wrong(entry, field, str(error)) from None
    if holds_private_key(document):
        raise _wrong(entry, field, "holds a private or symmetric key; only the client may have that")
    usable = tuple(key for key in keys if not key.by_algorithm.keys().isdisjoint(entry.algorithms))
    if not usable:
        raise _wrong(entry, field, f"has no key that fits algorithms ({', '.join(entry.algorithms)})")
    return usable


@cache
def _public_keys() -> list[dict[str, str]]:
    text = files("cds_service.clients").joinpath("public_keys.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["public"]


def _wrong(entry: ClientEntry, field: str, text: str) -> ValueError:
    return ValueError(f'client "{entry.id}": {field}: {text}')
