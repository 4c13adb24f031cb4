"""What is wrong with a sender's data: every issue that `fhir.resources` finds, all that cannot be used, unknown codes.

No member quotes what was sent, except codes and their systems.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, cast

import msgspec

from fhir_models.entries import Located, document_resources
from fhir_models.read import read_document
from fhir_models.reading import UnknownCode
from fhir_models.terminology import Terminology
from fhir_models.validation import faults_of, steps

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Nonconformity(msgspec.Struct, frozen=True):
    """One thing wrong. `severity` and `code` are FHIR's (IssueSeverity, IssueType), `path` is where in the document.

    `version` is the FHIR version (R4, R5) by which it is wrong, None where that makes no difference; `unknown` is the
    code that no table knows, None for anything else.
    """

    severity: str
    code: str
    path: str
    text: str
    version: str | None = None
    unknown: UnknownCode | None = None


def check_document(document: object, terminology: Terminology, today: date, version: str) -> tuple[Nonconformity, ...]:
    """Return everything wrong with a resource, a Bundle or a CDS Hooks request; `version` is R4 or R5."""
    document = _plain_keys(document)
    located = list(every_resource(document))
    if not located:
        return (Nonconformity("error", "structure", "$", "no FHIR resource, and no CDS Hooks request with prefetch"),)
    invalid = [
        Nonconformity("error", fault.code, f"{path}{fault.steps}", fault.text, version)
        for path, resource, _ in located
        for fault in faults_of(resource, version)
    ]
    reading = read_document(document, terminology, today)
    named = {item.path for item in invalid}
    unread = [
        Nonconformity("error", "processing", item.path, f"not used: {item.why}")
        for item in reading.unread
        if item.path not in named
    ]
    places = _coded_places(located)
    unknown = [_unknown(item, places.get((item.system, item.code), "$")) for item in reading.unknown_codes]
    root = str(located[0].resource.get("resourceType")) if located[0].path == "$" else ""
    found = dict.fromkeys((*invalid, *unread, *unknown))
    if not re.fullmatch(r"[A-Za-z]{1,64}", root):
        return tuple(found)
    return tuple(msgspec.structs.replace(item, path=re.sub(r"^\$", root, item.path)) for item in found)


def every_resource(document: object) -> Iterator[Located]:
    """Yield every resource, those in Bundles and contained ones too, each without the others that it holds."""
    for path, resource, _ in document_resources(document):
        yield from _with_inner(path, resource)


def _with_inner(path: str, resource: dict[str, Any]) -> Iterator[Located]:
    """Each is checked by itself, so that one does not hide another."""
    inner: list[Located] = []
    outer = dict(resource)
    entries: object = resource.get("entry")
    if resource.get("resourceType") == "Bundle" and isinstance(entries, list):
        outer["entry"] = [
            _without_resource(entry, f"{path}.entry[{index}]", inner)
            for index, entry in enumerate(cast("list[object]", entries))
        ]
    contained: object = resource.get("contained")
    if isinstance(contained, list) and all(isinstance(item, dict) for item in cast("list[object]", contained)):
        del outer["contained"]
        for index, item in enumerate(cast("list[dict[str, Any]]", contained)):
            inner.append(Located(f"{path}.contained[{index}]", item))
    yield Located(path, outer)
    for place, item, _ in inner:
        yield from _with_inner(place, item)


def _without_resource(entry: object, path: str, inner: list[Located]) -> object:
    if not isinstance(entry, dict):
        return entry
    members = cast("dict[str, Any]", entry)
    if not isinstance(members.get("resource"), dict):
        return members
    inner.append(Located(f"{path}.resource", members["resource"]))
    return {name: value for name, value in members.items() if name != "resource"}


def _plain_keys(document: object) -> object:
    """A sender's prefetch key stands in every path below it, so one that is no plain word is replaced."""
    if not isinstance(document, dict):
        return document
    members = cast("dict[str, object]", document)
    prefetch = members.get("prefetch")
    if "resourceType" in members or not isinstance(prefetch, dict):
        return members
    keyed = {
        key if _PLAIN_KEY.fullmatch(key) else f"(key {number})": value
        for number, (key, value) in enumerate(cast("dict[str, object]", prefetch).items(), 1)
    }
    return {**members, "prefetch": keyed}


def _unknown(item: UnknownCode, path: str) -> Nonconformity:
    times = f", {item.count} times," if item.count > 1 else ""
    text = f"code {item.code} of {item.system or 'no system'}{times} near a calcification finding is in no table"
    return Nonconformity("warning", "code-invalid", path, text, unknown=item)


def _coded_places(located: Iterable[Located]) -> dict[tuple[str | None, str], str]:
    """Return where each coding of the Observations stands first."""
    places: dict[tuple[str | None, str], str] = {}
    for path, resource, _ in located:
        if resource.get("resourceType") == "Observation":
            for coding, place in _codings(resource, ()):
                places.setdefault(coding, f"{path}{steps(place)}")
    return places


def _codings(value: object, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | None, str], Any]]:
    if isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            yield from _codings(item, (*place, index))
    elif isinstance(value, dict):
        members = cast("dict[str, object]", value)
        system, code = members.get("system"), members.get("code")
        if isinstance(code, str):
            yield (system if isinstance(system, str) else None, code), place
        for name, item in members.items():
            yield from _codings(item, (*place, name))
