"""Requests that no client should send: refused with 4xx and an OperationOutcome that repeats nothing, never a crash."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec
import orjson

from cds_service.doctor.calls import Case
from cds_service.doctor.checks import Sighting, judged, not_tried
from cds_service.doctor.exchange import Seen
from cds_service.doctor.fixtures import read_table
from cds_service.doctor.json_shape import is_object, items_of, members_of
from cds_service.doctor.service import encode
from cds_service.doctor.session import JSON, Session

SECRETS = ("doctor-secret-4711", "Surname-of-nobody-4712")
"""A token and a name planted in every broken request."""

DEPTH = 5_000


class Broken(msgspec.Struct, frozen=True):
    """A broken request as a change of a valid one (malformed_requests.toml)."""

    check: str
    text: str | None = None
    drop: tuple[str, ...] = ()
    put: Mapping[str, Any] = {}
    insert: str = ""
    type: str = "application/json"
    expect: Literal["4xx", "no 5xx"] = "4xx"
    needs: str = ""


def probe_malformed(session: Session, case: Case) -> Iterator[Sighting]:
    """Send one service everything that is broken."""
    name, url = case.service.name, session.url_of(case.service)
    for broken in msgspec.convert(members_of(read_table("malformed_requests.toml"))["request"], list[Broken]):
        if broken.needs and broken.needs not in case.context:
            yield not_tried(broken.check, f"{name}: the hook has no {broken.needs}")
            continue
        body = _broken_body(case, broken)
        seen = session.send("POST", url, body, {"Content-Type": broken.type})
        right = seen.refused if broken.expect == "4xx" else not seen.crashed
        yield judged(broken.check, right, f"{name}: {seen.words}")
        yield from _judge_error(seen, f"{name}, {broken.check}", body)
        if broken.type == "application/json" and seen.refused:
            yield judged("malformed.status-400", seen.status != 422, f"{name}, {broken.check}: {seen.status}")
    yield from _compressed(session, case)
    listing = session.send("GET", url)
    yield judged("malformed.method", listing.refused, f"GET {name}: {listing.words}")


def probe_unknown_service(session: Session, case: Case) -> Iterator[Sighting]:
    """Call a service that is not there."""
    url = f"{session.discovery_url}/doctor-no-such-service"
    seen = session.send("POST", url, encode(case.request(case.prefetch)), JSON)
    yield judged("malformed.unknown-service", seen.status == 404, seen.words)
    yield from _judge_error(seen, "unknown service", b"")


def probe_huge(session: Session, case: Case, megabytes: int) -> Iterator[Sighting]:
    """Send a valid request that is far larger than any chart, once."""
    filling = {"extension": {"org.example.doctor.filling": "x" * (megabytes * 1024 * 1024)}}
    seen = session.send("POST", session.url_of(case.service), encode({**case.request({}), **filling}), JSON)
    cut_off = seen.status == 0 and not seen.trouble.startswith("no answer")
    yield judged("malformed.too-big", seen.refused or cut_off, f"{megabytes} MB: {seen.words}")


def _broken_body(case: Case, broken: Broken) -> bytes:
    if broken.text is not None:
        return broken.text.encode()
    request = _with_secrets(case)
    for path in broken.drop:
        holder, _, member = path.rpartition(".")
        holder_members = request[holder] if holder else request
        holder_members.pop(member)
    request |= broken.put
    text = orjson.dumps(request)
    if not broken.insert:
        return text
    if "hook" in broken.insert:
        request.pop("hook")
        text = orjson.dumps(request)
    inserted = broken.insert.replace("{hook}", orjson.dumps(case.service.hook).decode())
    inserted = inserted.replace("{deep}", "[" * DEPTH + "]" * DEPTH)
    return text[:-1] + b"," + inserted.encode().replace(b"{bad-byte}", b"\xc3\x28") + b"}"


def _with_secrets(case: Case) -> dict[str, Any]:
    token, name = SECRETS
    patient = {"resourceType": "Patient", "id": "doctor-patient", "name": [{"family": name}]}
    authorization = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 1,
        "scope": "patient/*.read",
        "subject": "doctor-client",
    }
    request: dict[str, Any] = case.request({**case.prefetch, "patient": patient})
    return request | {"fhirServer": case.fhir, "fhirAuthorization": authorization, "context": dict(case.context)}


def _judge_error(seen: Seen, place: str, sent: bytes) -> Iterator[Sighting]:
    if seen.status < 300:
        return
    document = seen.document()
    issues = items_of(members_of(document).get("issue"))
    whole = (
        is_object(document)
        and document.get("resourceType") == "OperationOutcome"
        and bool(issues)
        and all({"severity", "code"} <= set(members_of(issue)) for issue in issues)
    )
    yield judged(
        "malformed.outcome", whole, f"{place}: {seen.status} {'with' if whole else 'without'} OperationOutcome"
    )
    echoed = any(secret.encode() in seen.body and secret.encode() in sent for secret in SECRETS)
    yield judged("malformed.no-echo", not echoed, f"{place}: {'what was sent comes back' if echoed else 'nothing'}")


def _compressed(session: Session, case: Case) -> Iterator[Sighting]:
    body = gzip.compress(encode(case.request(case.prefetch)))
    seen = session.send("POST", session.url_of(case.service), body, {**JSON, "Content-Encoding": "gzip"})
    unpacked = seen.status == 200
    yield judged("malformed.compressed", unpacked or seen.refused, f"{case.service.name}: {seen.words}")
    yield from _judge_error(seen, f"{case.service.name}, compressed", b"")
