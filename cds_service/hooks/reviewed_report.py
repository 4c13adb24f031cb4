"""The report that is being read or signed: from the context before prefetch, and read as it stands, final or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec

from cds_service.errors import Issue, RequestError
from cds_service.hooks.context_bundle import bundle_resources
from cds_service.hooks.prefetch import Delivery
from cds_service.protocol.hook_request import HookRequest
from fhir_models.entries import Located, read_entries, type_and_id
from fhir_models.patients import set_aside_others

REPORT_KEY = "report"
_NOT_ISSUED = frozenset({"registered", "partial", "preliminary"})
"""Statuses of reports and Observations that are still being written: the normal case of this hook."""


class ReviewedReport(msgspec.Struct, frozen=True):
    """The report with all that was delivered.

    `name` is its type and id, `status` the one that it has while it is not issued. `delivery` holds `results` in the place
    of the same resources of prefetch, the report and its own Observations as if they were final. `own` are the names of
    these; `shown` are the resources of `results`.
    """

    name: str
    status: str | None
    delivery: Delivery
    own: frozenset[str]
    shown: tuple[Located, ...]


def reviewed_report(request: HookRequest, delivery: Delivery, limit: int) -> ReviewedReport:
    """Return the report that the call is about.

    Raises:
        RequestError: 412, it is neither among the results nor in prefetch, or is another patient's; 413, more than `limit`
            results.
    """
    name = f"DiagnosticReport/{request.context['reportId']}"
    shown = tuple(bundle_resources(request, "results", limit))
    sent = {_name(located) for located in shown}
    resources = (*shown, *(located for located in delivery.resources if _name(located) not in sent))
    by_name = {_name(located): located.resource for located in reversed(resources)}
    report = by_name.get(name)
    if report is None or _is_of_another(report, request.patient_id):
        text = "the report is neither in context.results nor prefetched"
        raise RequestError(412, Issue("required", text, f"prefetch.{REPORT_KEY}"))
    own = _belonging(name, by_name)
    own |= {_name(located) for located in shown if located.resource.get("resourceType") == "Observation"}
    status = report.get("status")
    return ReviewedReport(
        name=name,
        status=status if status in _NOT_ISSUED else None,
        delivery=msgspec.structs.replace(
            delivery,
            resources=tuple(_issued(located) if _name(located) in own else located for located in resources),
            absent=tuple(key for key in delivery.absent if key != REPORT_KEY),
            failed=tuple(key for key in delivery.failed if key != REPORT_KEY),
        ),
        own=frozenset(own),
        shown=shown,
    )


def _name(located: Located) -> str:
    """Return type and id; a resource without id is known by its place."""
    identity = located.resource.get("id")
    kind = located.resource.get("resourceType")
    return f"{kind}/{identity}" if isinstance(identity, str) else located.path


def _is_of_another(report: dict[str, Any], patient_id: str) -> bool:
    entries = read_entries([Located("report", report)])
    read = len(entries.resources)
    set_aside_others(entries, patient_id)
    return len(entries.resources) < read


def _belonging(name: str, by_name: Mapping[str, dict[str, Any]]) -> set[str]:
    """Return the report, the results that it names, and their members."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one in by_name and one not in found:
            found.add(one)
            waiting += [*_named(by_name[one].get("result")), *_named(by_name[one].get("hasMember"))]
    return found


def _named(references: object) -> Iterable[str]:
    for item in cast("list[object]", references) if isinstance(references, list) else ():
        reference = cast("dict[str, object]", item).get("reference") if isinstance(item, dict) else None
        if isinstance(reference, str):
            yield type_and_id(reference)


def _issued(located: Located) -> Located:
    """Return the resource as if it were final: what it says is judged, not whether it may still change."""
    if str(located.resource.get("status")) not in _NOT_ISSUED:
        return located
    return located._replace(resource={**located.resource, "status": "final"})
