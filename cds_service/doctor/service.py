"""A service as its discovery document offers it, and requests to it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

import msgspec
import orjson

from cds_service.doctor.json_shape import JsonObject, is_object, is_text, items_of, members_of


class Service(msgspec.Struct, frozen=True):
    """What is needed to call it; `prefetch` maps keys to templates."""

    id: str
    hook: str
    prefetch: Mapping[str, str] = {}

    @property
    def name(self) -> str:
        """How the table names it."""
        return self.id


def offered_services(document: object) -> tuple[Service, ...]:
    """Return the services of a discovery document that can be called; what is wrong with the others is for checks."""
    entries = (entry for entry in items_of(members_of(document).get("services")) if is_object(entry))
    return tuple(service for entry in entries if (service := _service(entry)))


def _service(entry: JsonObject) -> Service | None:
    name, hook = entry.get("id"), entry.get("hook")
    if not (is_text(name) and is_text(hook)):
        return None
    templates = members_of(entry.get("prefetch"))
    return Service(name, hook, {key: value for key, value in templates.items() if isinstance(value, str)})


def new_request(service: Service, context: JsonObject, prefetch: Mapping[str, object] | None) -> dict[str, object]:
    """Return a call as a client of 2.0.1 sends it, without FHIR server."""
    request: dict[str, object] = {"hook": service.hook, "hookInstance": str(uuid4()), "context": dict(context)}
    return request if prefetch is None else request | {"prefetch": dict(prefetch)}


def encode(request: JsonObject) -> bytes:
    """Return a request as bytes."""
    return orjson.dumps(request)
