"""What arrived as prefetch: the resources, under whatever key, and the gaps.

Content decides, not the key: sites type keys and queries in by hand. A key that is absent or holds an error is not the
same as a search that found nothing, and only the latter may end in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec

from cds_service.errors import Issue, RequestError
from cds_service.hooks.prefetch_keys import PrefetchKey
from fhir_models.entries import Located
from fhir_models.reading import Unread

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SEARCHED_TYPE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)\?")
_ENVELOPES = ("Bundle", "OperationOutcome")
_NO_ERROR = ("warning", "information", "success")
_CUT_OFF = ("incomplete", "suppressed", "too-costly", "throttled", "timeout")
"""Codes of an outcome that says, with whatever severity, that there is more than what came."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Prefetch as received: resources with their paths, and what is known to be missing.

    `absent` are keys that did not come, `failed` those that came as an error, `incomplete` those of which a part came.
    """

    resources: tuple[Located, ...]
    absent: tuple[str, ...]
    failed: tuple[str, ...]
    incomplete: tuple[str, ...]
    unread: tuple[Unread, ...]

    @property
    def lacking(self) -> frozenset[str]:
        """Keys without any data."""
        return frozenset((*self.absent, *self.failed))

    @property
    def not_received(self) -> tuple[str, ...]:
        """Keys without data."""
        return (*self.absent, *self.failed)


class _Content(msgspec.Struct):
    """What one value holds: its resources, their types (or the type searched for in vain), and whether it is all."""

    resources: list[Located] = []
    types: set[str] = set()
    unread: list[Unread] = []
    failed: bool = False
    partial: bool = False


def read_prefetch(prefetch: Mapping[str, object], keys: Sequence[PrefetchKey], limit: int) -> Delivery:
    """Sort what arrived into resources and gaps.

    Raises:
        RequestError: 413, more than `limit` resources or keys.
    """
    if len(prefetch) > limit:
        raise RequestError(413, Issue("too-costly", f"more than {limit} keys", "prefetch"))
    contents = {name: _read_value(_path(name), value) for name, value in prefetch.items()}
    resources = tuple(located for content in contents.values() for located in content.resources)
    if len(resources) > limit:
        raise RequestError(413, Issue("too-costly", f"more than {limit} resources", "prefetch"))
    obtained = [(name, content) for name, content in contents.items() if not content.failed]
    apart = frozenset(key.name for key in keys if not key.types)
    missing = [key for key in keys if not _sources(key, obtained, apart)]
    cut_off = [source for source in obtained if source[1].partial]
    return Delivery(
        resources=resources,
        absent=tuple(key.name for key in missing if key.name not in contents and key.failure != "silent"),
        failed=tuple(key.name for key in missing if key.name in contents),
        incomplete=tuple(key.name for key in keys if _sources(key, cut_off, apart)),
        unread=tuple(fault for content in contents.values() for fault in content.unread),
    )


def not_obtained(delivery: Delivery, names: Sequence[str]) -> RequestError:
    """Return the error 412 for keys that are absent or failed: no cards would say "checked, nothing to do"."""
    issues: list[Issue] = []
    for name in names:
        state = "holds an error or no FHIR resource" if name in delivery.failed else "is absent"
        text = f"{name} were not prefetched, and this service cannot fetch them"
        issues.append(Issue("required", text, f"prefetch.{name}", f"prefetch key {name} {state}"))
    return RequestError(412, *issues)


def _path(name: str) -> str:
    """A client's key reaches cards and errors only if it is a plain word."""
    return f"prefetch.{name}" if _PLAIN_KEY.fullmatch(name) else "prefetch.(key)"


def _sources(key: PrefetchKey, contents: Iterable[tuple[str, _Content]], apart: frozenset[str]) -> list[str]:
    """Names of the client's keys that answer ours: the same name, or resources of its types under another one.

    `apart` are the keys that answer no other.
    """
    return [
        name
        for name, content in contents
        if name == key.name or (name not in apart and not content.types.isdisjoint(key.types))
    ]


def _read_value(path: str, value: object) -> _Content:
    if value is None:
        return _Content()
    if not isinstance(value, dict):
        return _Content(failed=True)
    fields = cast("dict[str, Any]", value)
    match fields.get("resourceType"):
        case "Bundle":
            return _read_bundle(path, fields)
        case "OperationOutcome":
            return _Content(failed=_is_error(fields) or _is_incomplete(fields))
        case str(name):
            return _Content(resources=[Located(path, fields)], types={name})
        case _ if isinstance(fields.get("resource"), dict):  # wrapped with its response, as before CDS Hooks 1.0
            return _read_value(f"{path}.resource", fields["resource"])
        case _:
            return _Content(unread=[Unread("unknown", path, "no resourceType")], failed=True)


def _read_bundle(path: str, bundle: Mapping[str, Any]) -> _Content:
    links = _objects(bundle.get("link"))
    searches = (_SEARCHED_TYPE.search(str(link.get("url"))) for link in links if link.get("relation") == "self")
    whole = _Content(types={search[1] for search in searches if search})
    whole.partial = any(link.get("relation") == "next" for link in links)
    resources, types = whole.resources, whole.types
    entries: object = [] if bundle.get("entry") is None else bundle["entry"]
    if not isinstance(entries, list):
        return _Content(unread=[Unread("unknown", f"{path}.entry", "not a list")], failed=True)
    for index, entry in enumerate(cast("list[Any]", entries)):
        members = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
        resource = members.get("resource")
        kind = cast("dict[str, Any]", resource).get("resourceType") if isinstance(resource, dict) else None
        if isinstance(kind, str) and kind not in _ENVELOPES:
            url = members.get("fullUrl")
            place = f"{path}.entry[{index}].resource"
            resources.append(Located(place, cast("dict[str, Any]", resource), url if isinstance(url, str) else None))
            types.add(kind)
        else:
            _add_envelope(whole, f"{path}.entry[{index}]", cast("object", resource))
    total = bundle.get("total")
    whole.partial |= isinstance(total, int) and total > len(cast("list[Any]", entries))
    whole.failed = whole.partial and not whole.resources
    return whole


def _add_envelope(whole: _Content, path: str, resource: object) -> None:
    """Add an entry that is no plain resource: a Bundle within the Bundle, an outcome, or something unusable."""
    if not isinstance(resource, dict):
        whole.unread.append(Unread("unknown", path, "no resource"))
        whole.partial = True
        return
    members = cast("dict[str, Any]", resource)
    if members.get("resourceType") == "OperationOutcome":
        whole.partial |= _is_error(members) or _is_incomplete(members)
        return
    part = _read_value(f"{path}.resource", members)
    whole.resources += part.resources
    whole.types |= part.types
    whole.unread += part.unread
    whole.partial |= part.failed or part.partial


def _is_error(outcome: Mapping[str, Any]) -> bool:
    """An outcome that names no severity counts as an error."""
    severities = [issue.get("severity") for issue in _objects(outcome.get("issue"))]
    return not severities or any(severity not in _NO_ERROR for severity in severities)


def _is_incomplete(outcome: Mapping[str, Any]) -> bool:
    return any(issue.get("code") in _CUT_OFF for issue in _objects(outcome.get("issue")))


def _objects(value: object) -> list[dict[str, Any]]:
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]
