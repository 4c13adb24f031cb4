"""One run against one service: where it is, how we sign, what it has answered so far."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cds_service.doctor.exchange import Seen, Wire
from cds_service.doctor.json_shape import JsonObject, members_of
from cds_service.doctor.service import Service, encode
from cds_service.doctor.tokens import Identity, sign

JSON: Mapping[str, str] = {"Content-Type": "application/json"}


class Answered(msgspec.Struct, frozen=True):
    """A call that was answered with some 2xx."""

    service: Service
    patient: str
    seen: Seen


class Session:
    """Requests to the service under test. `base` has no slash at its end; without `identity` nothing is signed."""

    def __init__(self, wire: Wire, base: str, identity: Identity | None) -> None:
        self.wire = wire
        self.base = base
        self.identity = identity
        self.answered: list[Answered] = []

    @property
    def discovery_url(self) -> str:
        """Where the services are listed."""
        return f"{self.base}/cds-services"

    def url_of(self, service: Service) -> str:
        """Where a service is called."""
        return f"{self.discovery_url}/{service.id}"

    def send(self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Seen:
        """Send as a client does: with a fresh token of ours, if we have a key."""
        signed = {"Authorization": f"Bearer {self._token(self.identity, url)}"} if self.identity else {}
        return self.wire.send(method, url, {**signed, **(headers or {})}, body)

    def audience_of(self, identity: Identity, url: str) -> str:
        """Return what `aud` has to be for a URL: the same path under the service's public base URL."""
        return identity.audience + url.removeprefix(self.base)

    def _token(self, identity: Identity, url: str) -> str:
        return sign(identity, self.audience_of(identity, url))

    def call(self, service: Service, request: JsonObject) -> Seen:
        """Call a service; what it answers is kept for the checks on cards."""
        seen = self.send("POST", self.url_of(service), encode(request), JSON)
        if 200 <= seen.status < 300:
            patient = str(members_of(request.get("context")).get("patientId", ""))
            self.answered.append(Answered(service, patient, seen))
        return seen
