"""Every fault that `fhir.resources` finds in one resource, in words that repeat nothing of what was sent.

It validates in steps, and a fault of one step hides those of the next: a wrong element hides that a status is missing.
So what is wrong is taken out of a copy, what is missing put in, and the copy validated again until nothing new shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, cast

import msgspec
from fhir.resources import get_fhir_model_class as r5_model
from fhir.resources.R4B import get_fhir_model_class as r4b_model
from pydantic import ValidationError

MODELS = {"R4": r4b_model, "R5": r5_model}
"""R4 is checked as R4B, which differs in no resource that carries findings."""

MAX_ROUNDS = 12
"""Validations of one resource; each goes at least one step further."""

_MISSING, _PRIMITIVE_MISSING, _NO_SUCH, _NOT_A_LIST = (
    "missing",
    "model_field_validation.missing",
    "extra_forbidden",
    "list_type",
)
_WORDS = {
    _MISSING: "required, and not there",
    _PRIMITIVE_MISSING: "required, and not there",
    "model_validation_format": "has not the form of its type",
    "fhir-validation-wrong-resource-type": "names a resourceType that does not belong here",
    "json_invalid": "text where an object belongs",
}
_CODES = {_MISSING: "required", _PRIMITIVE_MISSING: "required", _NO_SUCH: "structure"}
"""FHIR IssueType of a pydantic error type; any other is "value"."""

_TOO_MANY = "but got multiple!"
"""Ends the message about a choice (value[x]) given twice, which taking something out never causes."""

_ELEMENT = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")
_GIVEN = {"extension": [{"url": "urn:fleck:given", "valueBoolean": True}]}
_LIBRARY_STOPS = (KeyError, TypeError, AttributeError)
"""What escapes from the library, instead of a fault, for a number as url or a resourceType that it does not know."""

_MARKERS = ("root", "resource_type")
"""Steps that the library adds to a place without any element of that name."""

Place = tuple[str | int, ...]


class Fault(msgspec.Struct, frozen=True):
    """`code` is a FHIR IssueType, `steps` the path below the resource (".component[0].code")."""

    code: str
    steps: str
    text: str


def faults_of(resource: Mapping[str, Any], version: str) -> tuple[Fault, ...]:
    """Return every fault of a resource by itself; `version` is R4 or R5."""
    name = resource.get("resourceType")
    if not isinstance(name, str):
        return (Fault("required", ".resourceType", _WORDS[_MISSING]),)
    try:
        model = MODELS[version](name)
    except (KeyError, ValueError):
        return (Fault("structure", ".resourceType", f"{version} has no such resource type"),)
    found: dict[Place, Fault] = {}
    copy = deepcopy(dict(resource))
    for _ in range(MAX_ROUNDS):
        errors = list(_errors(model, copy))
        known = tuple(found)
        for place, kind, words in errors:
            if not _follows(place, words, known):
                found[place] = Fault(_CODES.get(kind, "value"), steps(place), _worded(kind, words, version))
        if not [_go_on(copy, place, kind) for place, kind, _ in errors if place]:
            break
    return tuple(found.values())


def _follows(place: Place, words: str, found: Iterable[Place]) -> bool:
    """Whether a fault comes from one already found: it is below that, or above it because of what was taken out."""
    return any(
        place[: len(other)] == other or (other[: len(place)] == place and not words.endswith(_TOO_MANY))
        for other in found
    )


def steps(place: Place) -> str:
    """Return a place as a path; a name that cannot be an element's is not repeated, as it may be anything."""
    return "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" if _ELEMENT.fullmatch(step) else ".(name)"
        for step in place
    )


def _errors(model: Any, resource: dict[str, Any]) -> Iterator[tuple[Place, str, str]]:
    try:
        model.model_validate(resource)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            place = fault["loc"]
            while place and place[-1] in _MARKERS:
                place = place[:-1]
            yield place, fault["type"], fault["msg"]
    except RecursionError:
        yield (), "", "nested too deep"
    except _LIBRARY_STOPS:
        for name in [name for name in resource if name != "resourceType" and _stops(model, resource, name)]:
            yield (name,), "", "holds a value, or a resource, of a type that does not exist there"


def _stops(model: Any, resource: Mapping[str, Any], name: str) -> bool:
    """Whether the library cannot go on at this member alone."""
    try:
        model.model_validate({"resourceType": resource["resourceType"], name: resource[name]})
    except ValidationError:
        return False
    except _LIBRARY_STOPS:
        return True
    return False


def _worded(kind: str, words: str, version: str) -> str:
    if kind == _NO_SUCH:
        return f"{version} has no such element"
    return _WORDS.get(kind) or words.removeprefix("Value error, ")


def _go_on(resource: dict[str, Any], place: Place, kind: str) -> None:
    """Change what is wrong at a place so that the next validation sees further."""
    parent: Any = resource
    for step in place[:-1]:
        if not _has(parent, step):
            return
        parent = parent[step]
    last: Any = place[-1]
    there = _has(parent, last)
    if kind == _PRIMITIVE_MISSING:
        parent[f"_{last}"] = _GIVEN
    elif kind == _MISSING:
        parent[last] = _GIVEN
    elif kind == _NOT_A_LIST and there and parent[last] is _GIVEN:
        parent[last] = [_GIVEN]
    elif there and isinstance(last, int):
        parent[last] = _GIVEN  # the others keep their places
    elif there:
        del parent[last]


def _has(parent: Any, step: str | int) -> bool:
    if isinstance(step, int):
        return isinstance(parent, list) and step < len(cast("list[Any]", parent))
    return isinstance(parent, dict) and step in parent
