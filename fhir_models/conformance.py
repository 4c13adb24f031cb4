"""What is wrong with a sender's data: every issue that `fhir.resources` finds, all that cannot be used, unknown codes.

No member quotes what was sent, except codes and their systems.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, cast

import msgspec
from fhir.resources import get_fhir_model_class as r5_model
from fhir.resources.R4B import get_fhir_model_class as r4b_model
from pydantic import ValidationError

from fhir_models.entries import Located, document_resources
from fhir_models.read import read_document
from fhir_models.terminology import Terminology

MODELS = {"R4": r4b_model, "R5": r5_model}
"""R4 is checked as R4B, which differs in no resource that carries findings."""

_CODES = {"missing": "required", "model_field_validation.missing": "required", "extra_forbidden": "structure"}
"""FHIR IssueType of a pydantic error type; any other is "value"."""


class Nonconformity(msgspec.Struct, frozen=True):
    """One thing wrong. `severity` and `code` are FHIR's (IssueSeverity, IssueType), `path` is where in the document."""

    severity: str
    code: str
    path: str
    text: str


def check_document(document: object, terminology: Terminology, today: date, version: str) -> tuple[Nonconformity, ...]:
    """Return everything wrong with a resource, a Bundle or a CDS Hooks request; `version` is R4 or R5."""
    located = list(document_resources(document))
    if not located:
        return (Nonconformity("error", "structure", "$", "no FHIR resource, and no CDS Hooks request with prefetch"),)
    invalid = [issue for item in located for issue in _validate(item, version)]
    reading = read_document(document, terminology, today)
    unread = [Nonconformity("error", "processing", item.path, f"not used: {item.why}") for item in reading.unread]
    unknown = [
        Nonconformity(
            "warning",
            "code-invalid",
            item.system or "(no system)",
            f"code {item.code}, {item.count} times near a calcification finding, is in no table",
        )
        for item in reading.unknown_codes
    ]
    root = str(located[0].resource.get("resourceType")) if located[0].path == "$" else "$"
    found = dict.fromkeys((*invalid, *unread, *unknown))
    return tuple(msgspec.structs.replace(item, path=item.path.replace("$", root, 1)) for item in found)


def _validate(located: Located, version: str) -> Iterator[Nonconformity]:
    """Validate a resource; of a Bundle each entry by itself, so that one does not hide another."""
    path, resource, _ = located
    name = resource.get("resourceType")
    if not isinstance(name, str):
        yield Nonconformity("error", "required", f"{path}.resourceType", "no resourceType")
        return
    entries: object = resource.get("entry")
    if name == "Bundle" and isinstance(entries, list):
        shells: list[object] = []
        for index, entry in enumerate(cast("list[object]", entries)):
            members = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
            inner = members.get("resource")
            if isinstance(inner, dict):
                yield from _validate(Located(f"{path}.entry[{index}].resource", cast("dict[str, Any]", inner)), version)
                members = {member: value for member, value in members.items() if member != "resource"}
            shells.append(members if isinstance(entry, dict) else entry)
        resource = {**resource, "entry": shells}
    yield from _issues(resource, name, path, version)


def _issues(resource: Mapping[str, Any], name: str, path: str, version: str) -> Iterable[Nonconformity]:
    try:
        model = MODELS[version](name)
    except (KeyError, ValueError):
        return (Nonconformity("error", "structure", f"{path}.resourceType", f"{version} has no such resource type"),)
    try:
        model.model_validate(resource)
    except ValidationError as error:
        return tuple(
            Nonconformity("error", _CODES.get(fault["type"], "value"), f"{path}{_steps(fault['loc'])}", _words(fault))
            for fault in error.errors(include_url=False, include_input=False)
        )
    except RecursionError:
        return (Nonconformity("error", "structure", path, "nested too deep"),)
    return ()


def _steps(place: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)


def _words(fault: Mapping[str, Any]) -> str:
    return str(fault["msg"]).removeprefix("Value error, ")
