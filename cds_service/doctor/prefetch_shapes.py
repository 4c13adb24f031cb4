"""Prefetch as clients send it: all of it from a chart, and every odd shape that a key's value may have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from cds_service.doctor.json_shape import JsonObject, is_object, members_of

_TYPE = re.compile(r"/?([A-Z][A-Za-z]*)([/?]?)")

_NO_RESULT: JsonObject = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "warning",
            "code": "not-found",
            "details": {"coding": [{"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369", "code": "4101"}]},
            "diagnostics": "Resource request returns no results",
        }
    ],
}
"""As Epic sends it."""

FAILED_QUERY: JsonObject = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "exception", "details": {"text": "the query failed"}}],
}


def full_prefetch(templates: Mapping[str, str], chart: Iterable[JsonObject]) -> dict[str, object]:
    """Return what the templates would find in the chart."""
    held = list(chart)
    return {key: answer_query(template, held) for key, template in templates.items()}


def answer_query(query: str, chart: Iterable[JsonObject]) -> JsonObject | None:
    """Return the resource of a read, or a searchset of the type. What else a search asks for is not looked at."""
    named = _TYPE.match(query)
    alike = [resource for resource in chart if named and resource["resourceType"] == named[1]]
    if named and named[2] == "/":
        return alike[0] if alike else None
    return searchset(alike)


def searchset(resources: Iterable[JsonObject], **members: object) -> JsonObject:
    """Return a Bundle as FHIR servers answer a search."""
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries, **members}


def _without_entry(full: object) -> object:
    bundle = _of_search({"total": 0})(full)
    return (
        {name: value for name, value in members_of(bundle).items() if name != "entry"} if is_object(bundle) else bundle
    )


def _of_search(change: JsonObject) -> Callable[[object], object]:
    """Change what a search found; what was read by its id stays."""
    return lambda full: {**members_of(full), **change} if _is_bundle(full) else full


def _is_bundle(value: object) -> bool:
    return members_of(value).get("resourceType") == "Bundle"


SHAPES: Mapping[str, Callable[[object], object]] = {
    "full": lambda full: full,
    "extra": lambda full: full,
    "null": lambda full: None if _is_bundle(full) else full,
    "all-null": lambda _: None,
    "empty": _of_search({"total": 0, "entry": []}),
    "no-entry": _without_entry,
    "outcome-entry": _of_search({"total": 0, "entry": [{"resource": _NO_RESULT, "search": {"mode": "outcome"}}]}),
    "outcome-value": lambda _: FAILED_QUERY,
    "string": lambda _: "123",
    "foreign": lambda _: searchset([{"resourceType": "Substance", "id": "doctor-foreign", "code": {"text": "none"}}]),
    "paged": _of_search({"link": [{"relation": "next", "url": "https://ehr.invalid/fhir?page=2"}]}),
}
"""What a key holds, made from what it would hold."""


def shaped(prefetch: Mapping[str, object], shape: str) -> dict[str, object]:
    """Return the prefetch with every key in one shape."""
    values = {key: SHAPES[shape](full) for key, full in prefetch.items()}
    return values | {"doctorExtraKey": searchset([])} if shape == "extra" else values
