"""From whatever arrived (resource, Bundle of any type, CDS Hooks request) to single resources, each once, with its path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple, cast

import msgspec
import orjson

from fhir_models.reading import Unread
from fhir_models.salvage import view_of
from fhir_models.views import VIEWS, View

MAX_NESTING = 8
"""Bundles inside one another; deeper ones are reported, not followed."""

_UNOPENED = ("Parameters", "Binary")
"""Types that hold other content, a report perhaps, and are not opened."""

_SUBJECTS = ("subject", "patient", "for")
"""Members that name the one whom a resource is about; an Appointment has participants, of whom some may be nobody's."""

_IDENTITY = re.compile(r"[\w.|:~^=+ -]{1,128}", re.ASCII)
"""An id as senders write it, wider than FHIR's. Anything else would be a path, or text, in the place of a reference."""


class Located(NamedTuple):
    """A resource as parsed, with its path in the document and the fullUrl of its Bundle entry."""

    path: str
    resource: dict[str, Any]
    full_url: str | None = None


class Resource(msgspec.Struct):
    """A resource that was read: its reference ("Observation/x"), where it stood, its view, whether it names a subject."""

    reference: str
    path: str
    name: str
    view: View
    has_subject: bool = False


class Entries(msgspec.Struct):
    """All resources by reference (in its order, so that nothing depends on how they arrived), fullUrls, what is unread."""

    resources: dict[str, Resource]
    aliases: dict[str, str]
    unread: list[Unread]

    def resolve(self, reference: str | None, within: str) -> Resource | None:
        """Return the resource that a reference names: contained, relative, absolute, versioned, or a fullUrl.

        `within` is the reference of the resource that names it; "#x" is contained in that one, or beside it.
        """
        if not reference:
            return None
        if reference[0] == "#":
            return self.resources.get(within.partition("#")[0] + reference)
        if found := self.resources.get(reference):
            return found
        if reference in self.aliases:
            return self.resources.get(self.aliases[reference])
        return self.resources.get(type_and_id(reference))

    def of(self, name: str) -> Iterator[Resource]:
        """Yield the resources of a type in the order of their references."""
        return (resource for resource in self.resources.values() if resource.name == name)


def type_and_id(reference: str) -> str:
    """Return the end of a reference, without server and version: "Observation/x"."""
    return "/".join(reference.partition("/_history/")[0].split("/")[-2:])


def document_resources(document: object, path: str = "$") -> Iterator[Located]:
    """Yield the resources of a resource, a Bundle or a CDS Hooks request (its prefetch), with their paths."""
    if not isinstance(document, dict):
        return
    members = cast("dict[str, Any]", document)
    if "resourceType" in members:
        yield Located(path, members)
    elif isinstance(members.get("prefetch"), dict):
        for key, value in cast("dict[str, Any]", members["prefetch"]).items():
            yield from document_resources(value, f"prefetch.{key}")
    elif isinstance(members.get("resource"), dict):
        yield from document_resources(members["resource"], f"{path}.resource")


def read_entries(located: Iterable[Located]) -> Entries:
    """Convert every resource alone; of several versions of one resource the newest stays, with what it contains."""
    entries = Entries({}, {}, [])
    versions: dict[str, list[Located]] = {}
    for item in _flatten(located, entries.unread):
        versions.setdefault(_reference(item.resource, item.path), []).append(item)
    newest: dict[str, Located] = {}
    for reference, items in versions.items():
        for number, item in enumerate(_different(items) if len(items) > 1 else items):
            key = reference if number == 0 else f"{reference}~{number + 1}"
            newest[key] = item
            if item.full_url:
                entries.aliases[item.full_url] = key
        for item in items:
            if item.full_url:
                entries.aliases.setdefault(item.full_url, reference)
    for reference, (path, resource, _) in list(newest.items()):
        if "contained" in resource:
            for inner, item in _contained(reference, path, resource["contained"], entries.unread):
                newest[inner if inner not in newest else f"{reference}#{item.path}"] = item
    for reference in sorted(newest):
        path, resource, _ = newest[reference]
        if _is_modified(resource):
            entries.unread.append(Unread(reference, path, "has a modifierExtension, which is not understood"))
            continue
        view, unread = view_of(resource, path)
        entries.unread.extend(unread)
        if view is not None:
            has_subject = any(resource.get(member) is not None for member in _SUBJECTS)
            entries.resources[reference] = Resource(reference, path, resource["resourceType"], view, has_subject)
    return entries


def _flatten(located: Iterable[Located], unread: list[Unread], depth: int = 0) -> Iterator[Located]:
    for path, resource, full_url in located:
        name = resource.get("resourceType")
        if not isinstance(name, str):
            unread.append(Unread("unknown", path, "no resourceType"))
        elif name == "Bundle":
            yield from _bundle_entries(path, resource, unread, depth)
        elif name in VIEWS:
            yield Located(path, resource, full_url)
        elif name in _UNOPENED:
            unread.append(Unread("unknown", path, f"what is inside a {name} is not read"))
        elif name not in _fhir_types():
            unread.append(Unread("unknown", path, "its resourceType is none of FHIR's"))


@cache
def _fhir_types() -> frozenset[str]:
    from fhir.resources import fhirtypes as r5  # slow to import: only where an unusual type arrives
    from fhir.resources.R4B import fhirtypes as r4b

    return frozenset(name.removesuffix("Type") for types in (r4b, r5) for name in dir(types))


def _bundle_entries(path: str, bundle: dict[str, Any], unread: list[Unread], depth: int) -> Iterator[Located]:
    entries: object = [] if bundle.get("entry") is None else bundle["entry"]
    if not isinstance(entries, list) or depth >= MAX_NESTING:
        unread.append(Unread("Bundle", f"{path}.entry", "not a list" if depth < MAX_NESTING else "nested too deep"))
        return
    for index, entry in enumerate(cast("list[Any]", entries)):
        place = f"{path}.entry[{index}]"
        members = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
        search = members.get("search")
        if isinstance(search, dict) and cast("dict[str, Any]", search).get("mode") == "outcome":
            continue
        resource = members.get("resource")
        if isinstance(resource, dict):
            url = members.get("fullUrl")
            inner = Located(
                f"{place}.resource", cast("dict[str, Any]", resource), url if isinstance(url, str) else None
            )
            yield from _flatten([inner], unread, depth + 1)
        elif resource is not None or not isinstance(entry, dict):
            unread.append(Unread("unknown", place, "no resource"))


def _contained(container: str, path: str, contained: object, unread: list[Unread]) -> Iterator[tuple[str, Located]]:
    """Yield the resources contained in another under references of its own: their ids mean something only there."""
    items = cast("list[Any]", contained if isinstance(contained, list) else [contained])
    for index, item in enumerate(items):
        place = f"{path}.contained[{index}]"
        members = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
        name, identity = members.get("resourceType"), members.get("id")
        if not isinstance(name, str):
            unread.append(Unread("unknown", place, "no resourceType"))
        elif name in VIEWS:
            yield f"{container}#{identity if _is_identity(identity) else place}", Located(place, members)


def _reference(resource: dict[str, Any], path: str) -> str:
    identity = resource.get("id")
    return f"{resource['resourceType']}/{identity if _is_identity(identity) else path}"


def _is_identity(value: object) -> bool:
    return isinstance(value, str) and bool(_IDENTITY.fullmatch(value))


def _is_modified(resource: dict[str, Any]) -> bool:
    """Whether an extension may change what the resource or a component means: FHIR forbids to use it unread."""
    components: object = resource.get("component")
    parts = cast("list[Any]", components) if isinstance(components, list) else []
    return any(isinstance(part, dict) and "modifierExtension" in part for part in (resource, *parts))


def _server(item: Located) -> str:
    return (item.full_url or "").partition("/_history/")[0]


def _different(items: list[Located]) -> list[Located]:
    """Return the newest version of each resource of one type and id, the same for every order of arrival.

    Versions are told by their meta. Without it, or from another server, equal ids may be two resources: each is kept.
    """
    servers = {_server(item) for item in items if item.full_url}
    kept: dict[str, Located] = {}
    for item in sorted(items, key=lambda item: (_version(item.resource), item.full_url or "")):
        content = _version(item.resource)[2]
        kept[content or (_server(item) if len(servers) > 1 else "")] = item
    return list(kept.values())[::-1]


def _version(resource: dict[str, Any]) -> tuple[str, ...]:
    meta = resource.get("meta")
    members = cast("dict[str, Any]", meta) if isinstance(meta, dict) else {}
    updated, version = str(members.get("lastUpdated", "")), str(members.get("versionId", ""))
    if not updated and not version:
        return "", "", orjson.dumps(resource, option=orjson.OPT_SORT_KEYS).decode()
    return updated, version.rjust(12, "0"), ""
