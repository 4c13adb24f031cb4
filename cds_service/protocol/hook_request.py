"""CDS Hooks 2.0.1: discovery, the shape of a service call, the shape of an answer. Knows nothing of breasts.

Tolerates what 1.0 and 3.0 clients send: unknown members are ignored, null counts as absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import msgspec
import orjson
from pydantic import SecretStr

from cds_service.errors import Issue, RequestError
from cds_service.protocol.authorization import TokenFault, read_authorization
from cds_service.protocol.hook_context import context_faults, fault
from fhir_models.strict_json import JsonError, parse_json

VERSION = "2.0.1"
"""The CDS Hooks version that discovery names."""

_UUID = re.compile(r"(?:urn:uuid:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service as discovery shows it. `prefetch` maps each key to its query template."""

    id: str
    hook: str
    title: str
    description: str
    usage_requirements: str
    prefetch: Mapping[str, str]


class HookRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a service needs of a valid call. `patient_id` is a bare FHIR id; `context` is the hook's, as sent.

    `fhir_server` is a base URL as sent, and nobody has said yet that it may be called; `access_token` is for it alone, and
    lives no longer than the call. `token_fault` says why there is none although one came.
    """

    hook: str
    hook_instance: str
    patient_id: str
    context: Mapping[str, object]
    prefetch: Mapping[str, object]
    extension: Mapping[str, object]
    fhir_server: str | None = None
    access_token: SecretStr | None = None
    token_fault: TokenFault | None = None


def discovery_document(services: Iterable[Service]) -> bytes:
    """Return the body of `GET /cds-services`; what a service has not is left out, as nothing may be empty."""
    entries = [
        {
            "hook": service.hook,
            "title": service.title,
            "description": service.description,
            "id": service.id,
            "prefetch": service.prefetch,
            "usageRequirements": service.usage_requirements,
            "version": VERSION,
        }
        for service in services
    ]
    return orjson.dumps({"services": [_without_empties(entry) for entry in entries]})


def read_hook_request(body: bytes, hook: str) -> HookRequest:
    """Parse and check a call of a hook that `hook_contexts.toml` defines.

    Raises:
        RequestError: 400, not strict JSON, or an issue for each required member that is missing or invalid.
    """
    try:
        document = parse_json(body)
    except JsonError as error:
        raise RequestError(400, Issue("structure", f"the body is not acceptable JSON: {error}")) from None
    if not isinstance(document, dict):
        raise RequestError(400, Issue("structure", "the body must be a JSON object, a CDS Hooks request"))
    call = cast("dict[str, object]", document)
    faults = [*_hook_faults(call, hook), *context_faults(call.get("context"), hook), *_member_faults(call)]
    if faults:
        raise RequestError(400, *faults)
    context = cast("dict[str, str]", call["context"])
    extension = call.get("extension")
    sent = cast("dict[str, object]", call.get("fhirAuthorization") or {})
    authorization = read_authorization(sent, context["patientId"])
    return HookRequest(
        hook=hook,
        hook_instance=cast("str", call["hookInstance"]),
        patient_id=context["patientId"],
        context=context,
        prefetch=cast("dict[str, object]", call.get("prefetch") or {}),
        extension=cast("dict[str, object]", extension) if isinstance(extension, dict) else {},
        fhir_server=cast("str | None", call.get("fhirServer")),
        access_token=authorization.token,
        token_fault=authorization.fault,
    )


def encode_answer(cards: Sequence[Mapping[str, object]]) -> bytes:
    """Return the body of an answer."""
    return orjson.dumps({"cards": cards})


def _without_empties(members: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in members.items() if value}


def _hook_faults(call: Mapping[str, object], hook: str) -> Iterable[Issue]:
    instance = call.get("hookInstance")
    if (named := call.get("hook")) != hook:
        yield fault(named, "hook", f'must be "{hook}" for this service')
    if not (isinstance(instance, str) and _UUID.fullmatch(instance)):
        yield fault(instance, "hookInstance", "must be a UUID")


def _member_faults(call: Mapping[str, object]) -> Iterable[Issue]:
    if not isinstance(call.get("prefetch"), dict | None):
        yield Issue("value", "prefetch must be an object", "prefetch")
    if not isinstance(call.get("fhirServer"), str | None):
        yield Issue("value", "fhirServer must be a URL", "fhirServer")
    if not isinstance(call.get("fhirAuthorization"), dict | None):
        yield Issue("value", "fhirAuthorization must be an object", "fhirAuthorization")
