"""Who may come in: every call of discovery, of a service and of its feedback is admitted here, the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cds_service.clients.client import Client
from cds_service.clients.keys import matching_keys
from cds_service.clients.refusal import Reason, RefusalError, refuse
from cds_service.clients.registered import OpenClient, Registered, Registry
from cds_service.clients.replay import ReplayGuard, token_digest
from cds_service.clients.token import LEEWAY_SECONDS, Token, bearer_token, read_token, verify_token

DISCOVERY = "/cds-services"
ANYONE = OpenClient(client=Client(id="anyone"), services=frozenset())
"""Who reads an open discovery without a token: nobody in particular, who may call nothing."""


class Gate:
    """Admits calls of registered clients. `public_url` is where they call the service, for the audience of tokens."""

    def __init__(
        self,
        registry: Registry,
        public_url: str | None,
        replay: ReplayGuard,
        *,
        discovery_open: bool = False,
        count_refusal: Callable[[str], None] = lambda _reason: None,
    ) -> None:
        """Guard the service; `discovery_open` lets calls of discovery in without a token."""
        self._count_refusal = count_refusal
        self._registry = registry
        self._base = (public_url or "").rstrip("/")
        self._replay = replay
        self._discovery_open = discovery_open

    async def admit(self, headers: Iterable[tuple[bytes, bytes]], path: str) -> Client:
        """Return the client that calls a path of this service, such as `/cds-services/some-service/feedback`.

        Raises:
            RequestError: 401 not authenticated, 403 not allowed to call this service.
        """
        client_id: str | None = None
        try:
            presented = bearer_token(headers)
            if presented is None or not self._registry.by_issuer:
                admitted = self._without_token(path)
                client_id = admitted.client.id
                _check_service(admitted.services, path)
                return admitted.client
            token = read_token(presented)
            registered = self._registry.whose(token.claims)
            client_id = registered.client.id
            await self._verify(token, registered, path)
        except RefusalError as refusal:
            self._count_refusal(refusal.reason)
            raise refuse(refusal.reason, client_id, path) from None
        return registered.client

    def _without_token(self, path: str) -> OpenClient:
        if self._registry.open is not None:
            return self._registry.open
        if self._discovery_open and path == DISCOVERY:
            return ANYONE
        raise RefusalError(Reason.NO_TOKEN)

    async def _verify(self, token: Token, registered: Registered, path: str) -> None:
        """Check everything of a token, and last that it is new: only a token that is good counts as used."""
        header, claims = token.header, token.claims
        if header.alg not in registered.algorithms:
            raise RefusalError(Reason.ALGORITHM)
        if header.jku is not None and header.jku not in registered.key_urls:
            raise RefusalError(Reason.KEY_URL)
        known = await registered.keys.keys(header.kid)
        if not known:
            raise RefusalError(Reason.NO_KEYS)
        address = self._base + path
        audiences = {address, f"{address}/", *registered.audiences}
        verify_token(token, matching_keys(known, header.kid, header.alg), audiences, registered.longest)
        _check_service(registered.services, path)
        expires = int(claims.exp) + LEEWAY_SECONDS
        if not await self._replay.first_use(token_digest(claims.iss, claims.jti), expires):
            raise RefusalError(Reason.REPLAYED)


def _check_service(services: frozenset[str] | None, path: str) -> None:
    """Discovery is for everyone who is admitted; a service and its feedback for those who may call it."""
    if services is not None and path != DISCOVERY and path.split("/")[2] not in services:
        raise RefusalError(Reason.SERVICE)
