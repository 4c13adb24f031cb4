"""Faults of discovery."""

import json
import time

from tests.cds_service.doctor.little_service import Told
from tests.cds_service.doctor.planting import Planted, body, discovered, header, in_discovery, on, status, waiting, when


def _twice(document: bytes) -> bytes:
    return json.dumps({"services": json.loads(document)["services"] * 2}).encode()


def _name_twice(document: bytes) -> bytes:
    return document[:-1] + b', "x": 1, "x": 2}'


def _changing(document: bytes) -> bytes:
    return document.replace(b'"Little breast', f'"{time.time_ns()} Little breast'.encode())


def _to_http(told: Told) -> Told:
    return Told(307, b"", {"location": "http://inner.example.org/cds-services"})


FAULTS: list[Planted] = [
    ("it moved", when(discovered, status(307)), ("discovery.answers",)),
    ("text/html", when(discovered, header("content-type", "text/html")), ("discovery.content-type",)),
    ("a name twice", when(discovered, body(_name_twice)), ("discovery.json", "discovery.services")),
    ("services as object", when(discovered, status(200, b'{"services": {"a": 1}}')), ("discovery.services",)),
    ("no description", in_discovery(lambda it: it.pop("description")), ("discovery.members",)),
    ("prefetch as array", in_discovery(lambda it: it.update(prefetch=["x"])), ("discovery.optional-members",)),
    ("a null", in_discovery(lambda it: it.update(more=None)), ("discovery.no-empty-values",)),
    ("an empty prefetch", in_discovery(lambda it: it.update(prefetch={})), ("discovery.no-empty-values",)),
    ("no title", in_discovery(lambda it: it.pop("title")), ("discovery.title",)),
    ("version by name", in_discovery(lambda it: it.update(version="STU2")), ("discovery.version",)),
    ("an id with a slash", in_discovery(lambda it: it.update(id="a/b")), ("discovery.path-safe-id",)),
    ("a misspelt hook", in_discovery(lambda it: it.update(hook="patientView")), ("discovery.hook-name",)),
    ("an entry twice", when(discovered, body(_twice)), ("discovery.unique",)),
    ("another title each time", when(discovered, body(_changing)), ("discovery.stable",)),
    ("a slash leads to http", when(on("/cds-services/", "GET"), _to_http), ("discovery.no-http-redirect",)),
    ("slow", when(discovered, waiting(0.6)), ("discovery.latency",)),
]
