"""Completing a call's data from the client's FHIR server: what is missing, what was cut off, results that reports name."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine, Mapping, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Self

import httpx

from cds_service.clients.client import Client
from cds_service.fhir_client.base_url import BaseUrl, registered
from cds_service.fhir_client.exchange import Exchange, FetchLimits
from cds_service.fhir_client.merge import RESULTS, Obtained, merged, without_server
from cds_service.fhir_client.pages import Fetched, read_resource, read_search
from cds_service.fhir_client.query import asked_type, fill, is_search
from cds_service.fhir_client.report_results import missing_results
from cds_service.hooks.key_fate import Reason
from cds_service.hooks.prefetch import CutOff, Delivery
from cds_service.hooks.prefetch_keys import PrefetchKey
from cds_service.protocol.authorization import TokenFault
from cds_service.protocol.hook_request import HookRequest
from fhir_models.terminology import Terminology

_CONNECTIONS = httpx.Limits(max_connections=32, max_keepalive_connections=8, keepalive_expiry=30.0)


class FhirFetch:
    """Fetches for all calls. Each registered server has its own connections, so that a slow one holds up no other."""

    def __init__(self, limits: FetchLimits, terminology: Terminology, tls: ssl.SSLContext | None = None) -> None:
        """Prepare; nothing is connected yet. `tls` is the system's and httpx's trusted authorities unless given."""
        self._limits = limits
        self._terminology = terminology
        self._tls = tls or trusted_authorities()
        self._connections: dict[str, httpx.AsyncClient] = {}

    async def complete(
        self, request: HookRequest, delivery: Delivery, client: Client, keys: Sequence[PrefetchKey]
    ) -> Delivery:
        """Return the delivery with everything that could be fetched of what it lacks, and why the rest could not.

        Asks only a server that is registered for this client, never raises for what the server does, and takes no longer
        than its limit.
        """
        asked = _to_ask(delivery, keys)
        base = _server(request, client)
        if not isinstance(base, BaseUrl):
            return without_server(delivery, asked, base) if asked else delivery
        known = missing_results(delivery.resources, base, self._terminology)
        if not (asked or delivery.cut_off or known):
            return delivery
        room = self._limits.resources - len(delivery.resources)
        exchange = Exchange(self._connected(base), base, request.access_token, self._limits, room)
        whole = await self._complete_keys(exchange, request.context, delivery, asked, keys)
        names = missing_results(whole.resources, base, self._terminology)[: self._limits.reads]
        if not names:
            return whole
        results = await _all_of(
            [
                read_resource(exchange, f"{RESULTS}[{number}]", name, asked_type(name) or "")
                for number, name in enumerate(names)
            ]
        )
        return merged(whole, keys, Obtained(results=tuple(results)))

    async def _complete_keys(
        self,
        exchange: Exchange,
        context: Mapping[str, object],
        delivery: Delivery,
        asked: Sequence[PrefetchKey],
        keys: Sequence[PrefetchKey],
    ) -> Delivery:
        names = {key.name for key in asked}
        follows = [cut for cut in delivery.cut_off if cut.next_url and not names.issuperset(cut.keys)]
        came = await _all_of(
            [_ask(exchange, key, context) for key in asked] + [_follow(exchange, cut, keys) for cut in follows]
        )
        answers = dict(zip((key.name for key in asked), came, strict=False))
        rests = tuple(zip(follows, came[len(asked) :], strict=True))
        return merged(delivery, keys, Obtained(answers=answers, rests=rests))

    def _connected(self, base: BaseUrl) -> httpx.AsyncClient:
        if base.origin not in self._connections:
            self._connections[base.origin] = httpx.AsyncClient(
                verify=self._tls,
                http2=False,
                trust_env=False,
                follow_redirects=False,
                limits=_CONNECTIONS,
                timeout=None,  # noqa: S113  the exchange has one deadline for everything
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # one call's session is not another's
            )
        return self._connections[base.origin]

    async def aclose(self) -> None:
        """Close all connections."""
        for http in self._connections.values():
            await http.aclose()
        self._connections.clear()

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self.aclose()


def trusted_authorities() -> ssl.SSLContext:
    """Return a context that verifies certificates, by public authorities and the system's (a hospital's own)."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def _server(request: HookRequest, client: Client) -> BaseUrl | Reason | TokenFault:
    """Return the server that may be asked, or why none may."""
    if request.fhir_server is None:
        return Reason.NO_SERVER
    base = registered(request.fhir_server, client.fhir_servers)
    if base is None:
        return Reason.NOT_REGISTERED
    return request.token_fault or base


def _to_ask(delivery: Delivery, keys: Sequence[PrefetchKey]) -> list[PrefetchKey]:
    """Return the keys whose query has to be asked: without data, or cut off where no link leads on."""
    lacking = {fate.key for fate in delivery.fates if fate.outcome in ("missing", "failed")} | delivery.lacking
    going_on = {key for cut in delivery.cut_off if cut.next_url for key in cut.keys}
    stuck = {key for cut in delivery.cut_off if not cut.next_url for key in cut.keys}
    stuck |= set(delivery.incomplete) - going_on
    return [key for key in keys if key.name in lacking | stuck]


async def _ask(exchange: Exchange, key: PrefetchKey, context: Mapping[str, object]) -> Fetched:
    query = fill(key.query, context)
    kind = asked_type(query) if query else None
    if query is None or kind is None or exchange.base.below(query) is None:
        return Fetched(reason=Reason.NO_VALUE)
    if is_search(key.query):
        return await read_search(exchange, key.name, query, kind)
    return await read_resource(exchange, key.name, query, kind)


async def _follow(exchange: Exchange, cut: CutOff, keys: Sequence[PrefetchKey]) -> Fetched:
    """Read on where a prefetched Bundle ends. Under its key may stand what several of ours ask for."""
    kinds = [asked_type(key.query) for key in keys if key.name in cut.keys]
    kind = kinds[0] if len(kinds) == 1 else None
    return await read_search(exchange, cut.keys[0], cut.next_url or "", kind, shown=cut.shown)


async def _all_of(reads: Sequence[Coroutine[None, None, Fetched]]) -> list[Fetched]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(read) for read in reads]
    return [task.result() for task in tasks]
