"""What one value of prefetch, or one answer of a FHIR server, holds: resources, an empty result, an error, or a part."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from fhir_models.entries import Located
from fhir_models.reading import Unread

_SEARCHED_TYPE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)\?")
_NO_ERROR = ("warning", "information", "success")
_CUT_OFF = ("incomplete", "suppressed", "too-costly", "throttled", "timeout")
"""Codes of an outcome that says, with whatever severity, that there is more than what came."""


class Content(msgspec.Struct):
    """The resources of one value, their types (or the type that was searched for in vain), and whether it is all.

    `failed`: an error, or nothing that FHIR has. `broken`: a part of it is an error or could not be read. `single`: a
    resource on its own, which answers only what asks for its type. `matches` are the results of a search without what came
    beside them, `total` is how many there are by its own word, `next_urls` are where it says that it goes on, empty
    where it only says so.
    """

    resources: list[Located] = []
    types: set[str] = set()
    unread: list[Unread] = []
    failed: bool = False
    broken: bool = False
    single: bool = False
    matches: int = 0
    total: int | None = None
    next_urls: list[str] = []

    @property
    def short(self) -> bool:
        """Whether there are more results than it shows."""
        return self.total is not None and self.total > self.matches

    @property
    def partial(self) -> bool:
        """Whether there is more than what came."""
        return self.broken or self.short or bool(self.next_urls)


def read_content(path: str, value: object) -> Content:
    """Sort what a value holds; null means searched, and nothing found. `path` is where it stands."""
    if value is None:
        return Content()
    if not isinstance(value, dict):
        return Content(failed=True)
    fields = cast("dict[str, Any]", value)
    match fields.get("resourceType"):
        case "Bundle":
            return _read_bundle(path, fields)
        case "OperationOutcome":
            return Content(failed=_is_error(fields) or _is_incomplete(fields))
        case str(name):
            return Content(resources=[Located(path, fields)], types={name}, single=True, matches=1)
        case _ if isinstance(fields.get("resource"), dict):  # wrapped with its response, as before CDS Hooks 1.0
            return read_content(f"{path}.resource", fields["resource"])
        case _:
            return Content(unread=[Unread("unknown", path, "no resourceType")], failed=True)


def _read_bundle(path: str, bundle: Mapping[str, Any]) -> Content:
    links = _objects(bundle.get("link"))
    searches = (_SEARCHED_TYPE.search(str(link.get("url"))) for link in links if link.get("relation") == "self")
    whole = Content(types={search[1] for search in searches if search})
    urls = [link.get("url") for link in links if link.get("relation") == "next"]
    whole.next_urls = [url if isinstance(url, str) else "" for url in urls]
    entries: object = [] if bundle.get("entry") is None else bundle["entry"]
    if not isinstance(entries, list):
        return Content(unread=[Unread("unknown", f"{path}.entry", "not a list")], failed=True)
    for index, entry in enumerate(cast("list[Any]", entries)):
        _add_entry(whole, f"{path}.entry[{index}]", cast("object", entry))
    total = bundle.get("total")
    whole.total = total if isinstance(total, int) else None
    whole.failed = whole.partial and not whole.resources
    return whole


def _add_entry(whole: Content, path: str, entry: object) -> None:
    members = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
    search = members.get("search")
    mode = cast("dict[str, Any]", search).get("mode") if isinstance(search, dict) else None
    resource = members.get("resource")
    if not isinstance(resource, dict):
        whole.unread.append(Unread("unknown", path, "no resource"))
        whole.broken = True
        return
    fields = cast("dict[str, Any]", resource)
    kind = fields.get("resourceType")
    if kind == "OperationOutcome":
        whole.broken |= _is_error(fields) or _is_incomplete(fields)
    elif mode == "outcome":
        return  # says something of the search, and is no result of it
    elif isinstance(kind, str) and kind != "Bundle":
        url = members.get("fullUrl")
        whole.resources.append(Located(f"{path}.resource", fields, url if isinstance(url, str) else None))
        whole.types.add(kind)
        whole.matches += mode != "include"
    else:
        _add_part(whole, read_content(f"{path}.resource", fields))


def _add_part(whole: Content, part: Content) -> None:
    """Add a Bundle within the Bundle."""
    whole.resources += part.resources
    whole.types |= part.types
    whole.unread += part.unread
    whole.next_urls += part.next_urls
    whole.broken |= part.failed or part.broken or part.short
    whole.matches += 1


def _is_error(outcome: Mapping[str, Any]) -> bool:
    """An outcome that names no severity counts as an error."""
    severities = [issue.get("severity") for issue in _objects(outcome.get("issue"))]
    return not severities or any(severity not in _NO_ERROR for severity in severities)


def _is_incomplete(outcome: Mapping[str, Any]) -> bool:
    return any(issue.get("code") in _CUT_OFF for issue in _objects(outcome.get("issue")))


def _objects(value: object) -> list[dict[str, Any]]:
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]
