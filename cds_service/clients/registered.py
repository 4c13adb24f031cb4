"""The clients of a site: by what each of them is known and how it is trusted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from cds_service.clients.client import Client
from cds_service.clients.key_source import KeySource
from cds_service.clients.refusal import Reason, RefusalError
from cds_service.clients.token import Claims


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A client that has to present a token.

    `tenants`: those it may speak for, any if empty. `audiences`: values of `aud` that are as good as the address that is
    called. `key_urls`: values that `jku` may have. `longest`: most seconds that a token may live.
    """

    client: Client
    issuers: frozenset[str]
    tenants: frozenset[str]
    audiences: frozenset[str]
    algorithms: frozenset[str]
    key_urls: frozenset[str]
    keys: KeySource
    longest: int
    services: frozenset[str] | None = None


class OpenClient(msgspec.Struct, frozen=True, kw_only=True):
    """A client that presents no token: whoever can reach the service."""

    client: Client
    services: frozenset[str] | None = None


class Registry(msgspec.Struct, frozen=True, kw_only=True):
    """All clients. `open` gets the calls without token; `origins` are those of browser-based clients."""

    by_issuer: Mapping[str, tuple[Registered, ...]] = {}
    open: OpenClient | None = None
    origins: tuple[str, ...] = ()

    @property
    def clients(self) -> tuple[Client, ...]:
        """Every client once."""
        named = [one.client for registered in self.by_issuer.values() for one in registered]
        return tuple({client.id: client for client in (*named, *([self.open.client] if self.open else []))}.values())

    def whose(self, claims: Claims) -> Registered:
        """Return the client that a token says it is of.

        Raises:
            RefusalError: no client has this issuer, or none of them this tenant.
        """
        if not (sharing := self.by_issuer.get(claims.iss)):
            raise RefusalError(Reason.ISSUER)
        for registered in sharing:
            if not registered.tenants or claims.tenant in registered.tenants:
                return registered
        raise RefusalError(Reason.TENANT)


def by_issuer(clients: Iterable[Registered]) -> dict[str, tuple[Registered, ...]]:
    """Return the clients of each issuer."""
    found: dict[str, tuple[Registered, ...]] = {}
    for registered in clients:
        for issuer in registered.issuers:
            found[issuer] = (*found.get(issuer, ()), registered)
    return found
