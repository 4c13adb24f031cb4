"""Faults of what is done with requests that are wrong."""

from collections.abc import Callable
from typing import Any

from tests.cds_service.doctor.little_service import PATH, Asked, Fault, Told
from tests.cds_service.doctor.planting import CRASH, SILENT, Planted, calling, on, sent, status, when


def _echoes(asked: Asked, told: Told) -> Told:
    return (
        Told(400, told.body[:-1] + b', "input": "' + asked.body[-900:] + b'"}', told.headers)
        if told.status == 400
        else told
    )


def _taking(test: Callable[[Asked], Any], *checks: str, crash: bool = False) -> tuple[Fault, tuple[str, ...]]:
    return when(sent(test), CRASH if crash else SILENT), tuple(f"malformed.{check}" for check in checks)


def _json(test: Callable[[dict[str, Any]], Any]) -> Callable[[Asked], Any]:
    return lambda asked: b"hook" in asked.body and bool(asked.json) and test(asked.json)


def _context_without(name: str) -> Callable[[Asked], Any]:
    return _json(lambda call: isinstance(call.get("context"), dict) and name not in call["context"])


def _bytes(part: bytes) -> Callable[[Asked], bool]:
    return lambda asked: part in asked.body


def _plain(told: Told) -> Told:
    return Told(told.status, b'{"detail": "bad request"}', told.headers) if told.status == 400 else told


FAULTS: list[Planted] = [
    ("a framework's error body", when(calling, _plain), ("malformed.outcome",)),
    ("the input comes back", Fault(change=_echoes), ("malformed.outcome", "malformed.no-echo")),
    ("422", when(calling, lambda told: status(422)(told) if told.status == 400 else told), ("malformed.status-400",)),
    ("what is not JSON taken", *_taking(lambda asked: asked.body.startswith(b"{'"), "not-json")),
    ("an empty body crashes", *_taking(lambda asked: not asked.body, "not-json", "outcome", crash=True)),
    ("an array taken", *_taking(lambda asked: asked.body == b"[]", "not-object")),
    ("no hook taken", *_taking(_json(lambda call: "hook" not in call), "no-hook")),
    ("any hook taken", *_taking(_json(lambda call: call.get("hook") == "doctor-no-such-hook"), "wrong-hook")),
    ("no instance taken", *_taking(_json(lambda call: "hookInstance" not in call), "no-instance")),
    (
        "any instance taken",
        *_taking(lambda asked: asked.body.find(b"not-a-uuid") > 0 and b"ud800" not in asked.body, "bad-instance"),
    ),
    ("no context taken", *_taking(_json(lambda call: "context" not in call), "no-context")),
    (
        "context as text crashes",
        *_taking(_json(lambda call: call.get("context") == "patient"), "no-context", "outcome", crash=True),
    ),
    (
        "no patient taken",
        *_taking(_context_without("patientId"), "no-patient"),
    ),
    ("no user taken", *_taking(_context_without("userId"), "no-user")),
    ("NaN taken", *_taking(_bytes(b"NaN"), "nan")),
    ("1e400 crashes", *_taking(_bytes(b"1e400"), "infinite-number", "outcome", crash=True)),
    ("a name twice taken", *_taking(_bytes(b'"hook": "doctor-no-such-hook", "hook"'), "name-twice")),
    ("a surrogate crashes", *_taking(_bytes(rb"\ud800"), "surrogate", "outcome", crash=True)),
    ("bad UTF-8 taken", *_taking(_bytes(b"\xc3\x28"), "utf8")),
    ("deep nesting crashes", *_taking(_bytes(b"[" * 100), "deep", "outcome", crash=True)),
    ("text/plain taken", *_taking(lambda asked: asked.headers.get("content-type") == "text/plain", "text-plain")),
    ("a form taken", *_taking(lambda asked: "form" in asked.headers.get("content-type", ""), "form")),
    (
        "a compressed body crashes",
        *_taking(lambda asked: "content-encoding" in asked.headers, "compressed", "outcome", crash=True),
    ),
    ("any size taken", *_taking(lambda asked: len(asked.body) > 500_000, "too-big")),
    (
        "unknown services answered",
        when(lambda asked: "no-such-service" in asked.path, SILENT),
        ("malformed.unknown-service",),
    ),
    ("GET answered", when(on(PATH, "GET"), SILENT), ("malformed.method",)),
]
