"""Results that mammography reports name and that did not come: the newest reports' first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

from cds_service.fhir_client.base_url import BaseUrl
from fhir_models.entries import Located, type_and_id
from fhir_models.salvage import view_of
from fhir_models.study import study_kind
from fhir_models.terminology import Terminology
from fhir_models.views import DiagnosticReport
from rules.vocabulary import Modality

_OBSERVATION = re.compile(r"Observation/[A-Za-z0-9.-]{1,64}")


def missing_results(resources: Iterable[Located], base: BaseUrl, terminology: Terminology) -> tuple[str, ...]:
    """Return the Observations to read, relative to the base; those of other servers, and contained ones, are none."""
    located = tuple(resources)
    here = {f"{resource.get('resourceType')}/{resource.get('id')}" for _, resource, _ in located}
    here |= {full_url for _, _, full_url in located if full_url}
    wanted: dict[str, None] = {}
    for resource in sorted((item.resource for item in located if _is_report(item.resource)), key=_day, reverse=True):
        names = [name for name in _references(resource) if name not in here and type_and_id(name) not in here]
        missing = [relative for name in names if (relative := _relative(name, base))]
        if missing and _is_mammography(resource, terminology):
            wanted |= dict.fromkeys(missing)
    return tuple(wanted)


def _is_report(resource: dict[str, Any]) -> bool:
    return resource.get("resourceType") == "DiagnosticReport"


def _references(report: dict[str, Any]) -> Iterator[str]:
    results: object = report.get("result")
    for result in cast("list[object]", results if isinstance(results, list) else []):
        name = cast("dict[str, object]", result).get("reference") if isinstance(result, dict) else None
        if isinstance(name, str) and not name.startswith("#"):
            yield name


def _relative(name: str, base: BaseUrl) -> str | None:
    """Return "Observation/x" for what is one on this server, whatever version of it is named."""
    plain = name.partition("/_history/")[0]
    found = _OBSERVATION.fullmatch(plain) or _OBSERVATION.fullmatch(type_and_id(plain))
    return found[0] if found and base.below(plain) == base.below(found[0]) is not None else None


def _is_mammography(report: dict[str, Any], terminology: Terminology) -> bool:
    view, _ = view_of(report, "")
    return isinstance(view, DiagnosticReport) and study_kind(view.code, terminology).modality == Modality.MAMMOGRAPHY


def _day(report: dict[str, Any]) -> str:
    """Only an order in which to ask: what has no day comes last."""
    return str(report.get("effectiveDateTime") or report.get("issued") or "")
