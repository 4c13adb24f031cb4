"""A resource to its view, whatever its sender got wrong: common deviations are put right, a broken element is reported."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any, cast

import msgspec

from fhir_models.reading import Unread
from fhir_models.views import VIEWS, View

MAX_REPAIRS = 40
"""Broken elements after which a resource counts as unreadable."""

_FAULT = re.compile(r"^Expected `(?P<expected>[^`]*)`, got `(?P<got>[^`]*)`(?: - at `\$(?P<path>.*)`)?$")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


def view_of(resource: dict[str, Any], path: str) -> tuple[View | None, tuple[Unread, ...]]:
    """Return the view, None where the resource cannot be read at all, and what had to be left out of it."""
    name = str(resource.get("resourceType"))
    label = f"{name}/{resource.get('id')}" if isinstance(resource.get("id"), str) else name
    try:
        return msgspec.convert(resource, VIEWS[name]), ()
    except (msgspec.ValidationError, RecursionError) as error:
        return _repaired(deepcopy(resource), name, label, path, error)


def _repaired(
    resource: dict[str, Any], name: str, label: str, path: str, error: Exception
) -> tuple[View | None, tuple[Unread, ...]]:
    unread: list[Unread] = []
    for _ in range(MAX_REPAIRS):
        fault = _FAULT.match(str(error))
        steps = _steps(fault["path"]) if fault and fault["path"] else []
        if not fault or not steps:
            break
        if not _put_right(resource, steps, fault["expected"], fault["got"]):
            why = f"expected {fault['expected']}, got {fault['got']}"
            unread.append(Unread(label, f"{path}{fault['path']}", why))
            _leave_out(resource, steps)
        try:
            return msgspec.convert(resource, VIEWS[name]), tuple(unread)
        except (msgspec.ValidationError, RecursionError) as next_error:
            error = next_error
    return None, (Unread(label, path, "the resource does not have the form of its type"),)


def _steps(path: str) -> list[str | int]:
    return [match[1] or int(match[2]) for match in _STEP.finditer(path)]


def _parent(resource: Any, steps: list[str | int]) -> Any:
    for step in steps[:-1]:
        resource = resource[step]
    return resource


def _put_right(resource: Any, steps: list[str | int], expected: str, got: str) -> bool:
    """Wrap a single value, unwrap a list of one, write a number as text or read it from one."""
    parent, last = _parent(resource, steps), steps[-1]
    value = parent[last]
    kinds = expected.split(" | ")
    if "array" in kinds and got == "object":
        parent[last] = [value]
    elif "object" in kinds and got == "array" and len(value) == 1:
        parent[last] = value[0]
    elif "str" in kinds and got in ("int", "float"):
        parent[last] = str(value)
    elif got == "str" and ("float" in kinds or "int" in kinds) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        parent[last] = float(value) if "float" in kinds else int(float(value))
    elif "bool" in kinds and got == "str" and value in ("true", "false"):
        parent[last] = value == "true"
    elif "object" in kinds and got == "str" and last in ("code", "valueCodeableConcept", "bodySite"):
        parent[last] = {"text": value}
    elif "object" in kinds and got == "str" and last in ("clinicalStatus", "verificationStatus"):
        parent[last] = {"coding": [{"code": value}]}
    else:
        return False
    return True


def _leave_out(resource: Any, steps: list[str | int]) -> None:
    parent = cast("dict[str | int, Any] | list[Any]", _parent(resource, steps))
    del parent[steps[-1]]  # type: ignore[arg-type]
