"""The client of the public CDS Hooks sandbox, as its source has it: what a page sends, and what it can show.

A browser asks for permission first and reads nothing without it; the client signs each call; queries that failed are left
out of the prefetch; what a card may look like is what its page can draw.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

ORIGIN = "https://sandbox.cds-hooks.org"
JKU = f"{ORIGIN}/.well-known/jwks.json"
LIFETIME_SECONDS = 300
FHIR_SERVER = "https://r4.fhir.example.org/fhir"
USER = "Practitioner/COREPRACTITIONER1"


class Signature(NamedTuple):
    """A key pair of this test run; the sandbox's own is public."""

    key: ec.EllipticCurvePrivateKey
    kid: str


def new_signature() -> Signature:
    return Signature(ec.generate_private_key(ec.SECP384R1()), str(uuid4()))


def key_set(signature: Signature) -> dict[str, Any]:
    """Return the JWK Set that a service checks the tokens with."""
    key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(signature.key.public_key()))
    return {"keys": [{**key, "kid": signature.kid, "use": "sig", "alg": "ES384"}]}


def token(signature: Signature, audience: str) -> str:
    """Return the JWT of one call, ES384, for exactly this URL."""
    now = int(time.time())
    claims = {"iss": ORIGIN, "aud": audience, "exp": now + LIFETIME_SECONDS, "iat": now, "jti": str(uuid4())}
    header = {"kid": signature.kid, "jku": JKU, "typ": "JWT"}
    return jwt.encode(claims, signature.key, algorithm="ES384", headers=header)


class Page(NamedTuple):
    """The sandbox's page in a browser, talking to one service base."""

    browser: httpx.Client
    base: str
    signature: Signature

    def discover(self) -> list[dict[str, Any]]:
        """Return the services; an empty list is a failed connection."""
        services = self._exchange("GET", f"{self.base}/cds-services").json()["services"]
        assert services, "the sandbox reports a failed connection"
        return services

    def call(self, service: str, body: object) -> httpx.Response:
        return self._exchange("POST", f"{self.base}/cds-services/{service}", body)

    def feedback(self, service: str, items: list[dict[str, Any]]) -> httpx.Response:
        return self._exchange("POST", f"{self.base}/cds-services/{service}/feedback", {"feedback": items})

    def _exchange(self, method: str, url: str, body: object = None) -> httpx.Response:
        """Ask for permission as a browser does, send, and read only what the page may read."""
        preflight = self.browser.options(
            url,
            headers={
                "Origin": ORIGIN,
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": "authorization,content-type" if body else "authorization",
            },
        )
        assert preflight.status_code in (200, 204), "the preflight carries no credentials and must pass"
        allowed = preflight.headers["access-control-allow-headers"].lower().replace(" ", "").split(",")
        assert "authorization" in allowed, "a star would not cover it"
        assert method in preflight.headers["access-control-allow-methods"]
        answer = self.browser.request(
            method,
            url,
            json=body,
            headers={
                "Origin": ORIGIN,
                "Accept": "application/json",
                "Authorization": f"Bearer {token(self.signature, url)}",
            },
        )
        for one in (preflight, answer):
            assert one.headers["access-control-allow-origin"] == ORIGIN, "the browser would show a network error"
            assert "access-control-allow-credentials" not in one.headers
        assert not answer.is_redirect
        return answer


def prefetched(service: dict[str, Any], context: dict[str, Any], store: dict[str, Any]) -> dict[str, Any]:
    """Return what the sandbox sends for a service's queries: each key that `store` can answer, no other key at all."""
    found: dict[str, Any] = {}
    for key, template in service["prefetch"].items():
        query = template
        for name, value in context.items():
            if isinstance(value, str):
                query = query.replace("{{context." + name + "}}", value)
        assert "{{" not in query, "a token that the sandbox does not know: the key is dropped"
        kind = query.partition("?")[0].partition("/")[0]
        if kind in store:
            found[key] = store[kind]
    return found


def request_body(hook: str, context: dict[str, Any], prefetch: dict[str, Any]) -> dict[str, Any]:
    return {
        "hookInstance": str(uuid4()),
        "hook": hook,
        "fhirServer": FHIR_SERVER,
        "context": {"userId": USER, **context},
        "prefetch": prefetch,
    }


def not_drawn(card: dict[str, Any]) -> Iterator[str]:
    """Yield what the page cannot draw, or would draw as something else."""
    if card.get("indicator") not in ("info", "warning", "critical"):
        yield "no colour, and no place in the order of cards"
    if not card.get("summary") or not card.get("source", {}).get("label"):
        yield "no heading or source"
    if "<" in card.get("detail", "").replace("\\<", "").replace("<= ", ""):
        yield "the detail is drawn with its raw HTML"
    if "uuid" not in card:
        yield "no button to dismiss it, and no reasons"
    if not all(reason.get("display") for reason in card.get("overrideReasons", ())):
        yield "a reason without words"
    for suggestion in card.get("suggestions", ()):
        if not suggestion.get("label") or not suggestion.get("uuid"):
            yield "a suggestion that cannot be accepted"
        for action in suggestion.get("actions", ()):
            if action.get("type") not in ("create", "update", "delete") or not isinstance(action.get("resource"), dict):
                yield "an action that cannot be taken"
