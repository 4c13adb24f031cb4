"""A small CDS Hooks service that does everything right, unless a fault is planted in it."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import jwt
import msgspec
import uvicorn
from starlette.types import Receive, Scope, Send

from fhir_models.strict_json import JsonError, parse_json
from tests.cds_service.doctor.little_answers import DISCOVERY, SERVICE, card_about, order_for

ORIGIN = "https://ehr.example.org"
PATH = f"/cds-services/{SERVICE}"
BODY_LIMIT = 500_000
FETCH_SECONDS = 0.3
LIFE_LIMIT = 3600
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Reading the usual certificates takes longer than a call."""


class Asked(msgspec.Struct, frozen=True):
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """Its body; empty where it is no JSON object."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}


class Told(msgspec.Struct):
    """An answer."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = {}


Change = Callable[[Asked, Told], Told]


class Fault(msgspec.Struct, frozen=True):
    """What is wrong on purpose. `flaws` are rules that the service skips; `change` rewrites its answers."""

    flaws: frozenset[str] = frozenset()
    change: Change = lambda _asked, told: told


class RefusedError(Exception):
    """The answer is an error."""

    def __init__(self, status: int, what: str, **headers: str) -> None:
        super().__init__(what)
        outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid"}]}
        outcome["issue"][0]["details"] = {"text": what}  # type: ignore[index]
        self.told = Told(status, json.dumps(outcome).encode(), headers)


class LittleService:
    """The service. `keys` are public keys by kid, `fhir` the one FHIR server that it may call."""

    def __init__(self, issuer: str, keys: dict[str, Any], fhir: str) -> None:
        self.issuer = issuer
        self.keys = keys
        self.fhir = fhir
        self.fault = Fault()
        self.used: set[str] = set()
        self.base = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        asked = Asked(scope["method"], scope["path"], headers, body)
        told = await asyncio.to_thread(self.answer, asked)
        lines = [(name.encode(), value.encode()) for name, value in told.headers.items()]
        await send({"type": "http.response.start", "status": told.status, "headers": lines})
        await send({"type": "http.response.body", "body": told.body})

    def answer(self, asked: Asked) -> Told:
        """Return the answer, with the planted fault."""
        try:
            told = self._answer(asked)
        except RefusedError as refused:
            told = refused.told
        told.headers = {"content-type": "application/json", **told.headers}
        if asked.headers.get("origin") == ORIGIN:
            told.headers |= {"access-control-allow-origin": ORIGIN, "vary": "Origin"}
        return self.fault.change(asked, told)

    def _answer(self, asked: Asked) -> Told:
        if asked.method == "OPTIONS":
            return _preflight(asked)
        if asked.path == "/cds-services" and asked.method == "GET":
            return Told(200, json.dumps(DISCOVERY).encode())
        if asked.path not in (PATH, f"{PATH}/feedback"):
            raise RefusedError(404, "no such path")
        if asked.method != "POST":
            raise RefusedError(405, "POST only", allow="POST")
        self._admit(asked)
        if len(asked.body) > BODY_LIMIT:
            raise RefusedError(413, "too large")
        if asked.headers.get("content-type") != "application/json" or "content-encoding" in asked.headers:
            raise RefusedError(415, "application/json only")
        try:
            document = parse_json(asked.body)
        except JsonError:
            raise RefusedError(400, "not JSON") from None
        if asked.path == PATH:
            return self._cards(document)
        return _feedback(document)

    def _admit(self, asked: Asked) -> None:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        faults = self._token_faults(token, self.base + asked.path) if token else {"closed"}
        if faults - self.fault.flaws:
            raise RefusedError(401, "not allowed", **{"www-authenticate": "Bearer"})

    def _token_faults(self, token: str, url: str) -> set[str]:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
        faults = {"required-claims"} if {"iss", "aud", "exp", "iat", "jti"} - set(claims) else set[str]()
        if header["alg"] not in ("ES384", "RS384"):
            faults.add("none" if header["alg"] == "none" else "symmetric")
        elif "jku" in header:
            faults.add("jku")
            if "jku" in self.fault.flaws:
                httpx.get(header["jku"], trust_env=False)
        elif header["kid"] not in self.keys:
            faults.add("unknown-kid")
        elif not _verified(token, self.keys[header["kid"]]):
            faults.add("signature")
        now, audience = time.time(), claims.get("aud", url)
        faults |= {"issuer"} if claims["iss"] != self.issuer else set()
        faults |= {"expired"} if claims.get("exp", now) < now else set()
        faults |= {"long-life"} if claims.get("exp", now) - claims.get("iat", now) > LIFE_LIMIT else set()
        faults |= {"audience"} if url not in ([audience] if isinstance(audience, str) else audience) else set()
        if isinstance(audience, list) and "string-audience" in self.fault.flaws:
            faults.add("audience-array")
        faults |= {"replay"} if claims.get("jti") in self.used else set()
        self.used.add(claims.get("jti", ""))
        return faults

    def _cards(self, document: object) -> Told:
        call = document if isinstance(document, dict) else {}
        context = call.get("context")
        if call.get("hook") != "patient-view" or not isinstance(context, dict):
            raise RefusedError(400, "hook and context are required")
        if not (isinstance(context.get("patientId"), str) and isinstance(context.get("userId"), str)):
            raise RefusedError(400, "context.patientId and context.userId are required")
        try:
            UUID(call.get("hookInstance", ""))
        except ValueError:
            raise RefusedError(400, "hookInstance must be a UUID") from None
        reports = self._reports(call, context["patientId"])
        cards = [card_about(context["patientId"])] if reports else []
        answer: dict[str, Any] = {"cards": cards}
        if cards:
            answer["systemActions"] = [{"type": "update", "resource": order_for(context["patientId"])}]
        return Told(200, json.dumps(answer).encode())

    def _reports(self, call: dict[str, Any], patient: str) -> list[dict[str, Any]]:
        prefetch = call.get("prefetch", {})
        value = prefetch.get("reports", "absent")
        if value is None:
            return []
        if isinstance(value, dict) and value.get("resourceType") == "Bundle":
            return _in(value)
        if prefetch and "holes" in self.fault.flaws:
            return []
        if not call.get("fhirServer"):
            raise RefusedError(412, "reports are needed")
        return self._fetch(call, f"DiagnosticReport?patient={patient}")

    def _fetch(self, call: dict[str, Any], query: str) -> list[dict[str, Any]]:
        flaws, server = self.fault.flaws, call["fhirServer"].rstrip("/")
        if server != self.fhir and "any-server" not in flaws:
            raise RefusedError(412, "this FHIR server is not registered")
        token = call.get("fhirAuthorization", {}).get("access_token", "")
        headers = {} if "no-token" in flaws else {"Authorization": f"Bearer {token}"}
        found, url = list[dict[str, Any]](), f"{server}/{query}"
        timeout = None if "patient" in flaws else FETCH_SECONDS
        try:
            with httpx.Client(trust_env=False, verify=NO_TLS, timeout=timeout, headers=headers) as client:
                for _ in range(150 if "endless" in flaws else 3):
                    answered = client.get(url)
                    if answered.is_redirect and "redirects" in flaws:
                        answered = client.get(answered.headers["location"])
                    bundle = answered.raise_for_status().json()
                    found += _in(bundle)
                    links = [link["url"] for link in bundle.get("link", ()) if link["relation"] == "next"]
                    if not links or (urlsplit(links[0]).netloc != urlsplit(server).netloc and "strays" not in flaws):
                        return found
                    url = links[0]
        except (httpx.HTTPError, ValueError):
            raise RefusedError(412, "the FHIR server gave no data") from None
        return found


def _preflight(asked: Asked) -> Told:
    if asked.headers.get("origin") != ORIGIN:
        raise RefusedError(400, "origin not allowed")
    allowed = {
        "access-control-allow-headers": "Authorization, Content-Type",
        "access-control-allow-methods": "GET, POST",
    }
    return Told(204, b"", allowed)


def _feedback(document: object) -> Told:
    items = document.get("feedback") if isinstance(document, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) and "card" in item for item in items):
        raise RefusedError(400, "feedback items need a card")
    return Told(200)


def _verified(token: str, key: Any) -> bool:
    try:
        jwt.decode(token, key, algorithms=["ES384", "RS384"], options={"verify_aud": False, "verify_exp": False})
    except jwt.InvalidSignatureError:
        return False
    except jwt.InvalidTokenError:
        return True
    return True


def _in(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    resources = [entry.get("resource", {}) for entry in bundle.get("entry", ())]
    return [resource for resource in resources if resource.get("resourceType") == "DiagnosticReport"]


@contextmanager
def running(app: LittleService) -> Generator[LittleService]:
    """Run it on a free port."""
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    app.base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield app
    finally:
        server.should_exit = True
        thread.join()
