"""Faults of calls that are right."""

import json

from tests.cds_service.doctor.planting import (
    CRASH,
    SILENT,
    Planted,
    bundle,
    called,
    numbered,
    reports,
    status,
    waiting,
    when,
    with_reports,
)

_absent = reports(lambda value: value == "absent")
_text = reports(lambda value: value == "123")


def _holding(words: str):
    return reports(lambda value: words in json.dumps(value))


FAULTS: list[Planted] = [
    ("500 with everything", when(with_reports, CRASH), ("calls.full",)),
    ("a repeat is refused", when(numbered(with_reports, 3), status(409)), ("calls.repeat",)),
    ("silence without data", when(_absent, SILENT), ("calls.no-data",)),
    ("500 without data", when(_absent, CRASH), ("calls.no-data",)),
    ("null refused", when(reports(lambda value: value is None), status(412)), ("calls.null",)),
    ("an empty Bundle refused", when(_holding('"entry": []'), status(412)), ("calls.empty-bundle",)),
    ("entry required", when(bundle(lambda value: "entry" not in value), CRASH), ("calls.bundle-without-entry",)),
    ("outcomes counted as results", when(_holding("4101"), CRASH), ("calls.outcome-entry",)),
    ("a failed query taken for none", when(_holding("the query failed"), SILENT), ("calls.outcome-value",)),
    ("a text crashes", when(_text, CRASH), ("calls.string-value",)),
    ("other types crash", when(_holding("Substance"), CRASH), ("calls.foreign-types",)),
    (
        "extra keys refused",
        when(called(lambda call: len(call.get("prefetch", ())) > 2), status(400)),
        ("calls.extra-keys",),
    ),
    (
        "unknown members refused",
        when(called(lambda call: "unknownMember" in call), status(422)),
        ("calls.unknown-members",),
    ),
    (
        "extensions refused",
        when(called(lambda call: "org.example.numbers" in call.get("extension", ())), status(422)),
        ("calls.unknown-members",),
    ),
    (
        "unknown context refused",
        when(called(lambda call: "fieldOfALaterVersion" in call["context"]), status(422)),
        ("calls.unknown-members",),
    ),
    ("version 4 only", when(called(lambda call: "-11EC-" in call["hookInstance"]), status(400)), ("calls.uuid",)),
    (
        "patient required",
        when(called(lambda call: "(all of it)" in str(call.get("fhirAuthorization"))), status(400)),
        ("calls.authorization-1",),
    ),
    (
        "SMART v1 only",
        when(called(lambda call: ".rs" in str(call.get("fhirAuthorization"))), status(400)),
        ("calls.authorization-3",),
    ),
    (
        "authorization required",
        when(called(lambda call: "fhirServer" in call and "fhirAuthorization" not in call), status(400)),
        ("calls.open-server",),
    ),
    ("a next link crashes", when(bundle(lambda value: "link" in value), CRASH), ("calls.paged",)),
    ("slow", when(numbered(with_reports, 2, 3), waiting(0.6)), ("calls.latency",)),
    ("one call hangs", when(_text, waiting(2)), ("calls.string-value", "calls.abandoned")),
]
