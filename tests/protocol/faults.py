"""What CDS Hooks 2.0.1 does not allow in an answer: each fault as a path and a rule. Knows nothing of breasts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

INDICATORS = ("info", "warning", "critical")
ACTIONS = ("create", "update", "delete")
SELECTIONS = ("any", "at-most-one")
MEMBERS = {
    "answer": {"cards", "systemActions", "extension"},
    "card": {
        "uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons", "links",
        "extension",
    },
    "source": {"label", "url", "icon", "topic"},
    "suggestion": {"label", "uuid", "isRecommended", "actions", "extension"},
    "action": {"type", "description", "resource", "resourceId", "extension"},
    "link": {"label", "url", "type", "appContext", "autolaunchable"},
    "coding": {"code", "system", "display"},
    "service": {"hook", "title", "description", "id", "prefetch", "usageRequirements", "version", "hookVersion",
                "extension"},
}  # fmt: skip
"""The members that the specification gives each object; another one would be an invention."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REVERSE_DOMAIN = re.compile(r"[a-z]{2,}(\.[a-z0-9-]+){2,}", re.IGNORECASE)


def empties(value: Any, path: str = "$", allowed: tuple[str, ...] = ("$.cards", "$.services")) -> Iterator[str]:
    """Yield the paths of null, "", [] and {} (row 2)."""
    if value is None or value in ("", [], {}):
        if path not in allowed:
            yield path
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from empties(member, f"{path}.{name}", allowed)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from empties(member, f"{path}[{index}]", allowed)


def answer_faults(answer: Any) -> list[str]:
    """Return what is wrong with the body of a 200."""
    faults = [f"{path} is empty" for path in empties(answer)]
    if not isinstance(answer, dict) or not isinstance(answer.get("cards"), list):
        return [*faults, "$.cards is no array"]
    faults += _foreign(answer, "answer", "$")
    for index, card in enumerate(answer["cards"]):
        faults += card_faults(card, f"$.cards[{index}]")
    identities = [
        part["uuid"] for card in answer["cards"] for part in (card, *card.get("suggestions", ())) if "uuid" in part
    ]
    return faults if len(set(identities)) == len(identities) else [*faults, "a uuid occurs twice"]


def card_faults(card: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield what is wrong with a card."""
    yield from _foreign(card, "card", path)
    summary = card.get("summary")
    if not isinstance(summary, str) or not 0 < len(summary) < 140 or len(summary.splitlines()) != 1:
        yield f"{path}.summary is not one line of fewer than 140 characters"
    if card.get("indicator") not in INDICATORS:
        yield f"{path}.indicator is none of {INDICATORS}"
    if not isinstance(card.get("detail", "-"), str):
        yield f"{path}.detail is no string"
    if "uuid" in card and not _is_uuid(card["uuid"]):
        yield f"{path}.uuid is no lower-case UUID"
    yield from _source_faults(card.get("source"), f"{path}.source")
    if ("suggestions" in card) != ("selectionBehavior" in card):
        yield f"{path} has only one of suggestions and selectionBehavior"
    if card.get("selectionBehavior", "any") not in SELECTIONS:
        yield f"{path}.selectionBehavior is none of {SELECTIONS}"
    for index, suggestion in enumerate(card.get("suggestions", ())):
        yield from _suggestion_faults(suggestion, f"{path}.suggestions[{index}]")
    recommended = [one for one in card.get("suggestions", ()) if one.get("isRecommended")]
    if card.get("selectionBehavior") == "at-most-one" and len(recommended) > 1:
        yield f"{path} recommends more than one suggestion of at most one"
    for index, reason in enumerate(card.get("overrideReasons", ())):
        yield from coding_faults(reason, f"{path}.overrideReasons[{index}]", display=True)
    for index, link in enumerate(card.get("links", ())):
        yield from _link_faults(link, f"{path}.links[{index}]")
    for name in card.get("extension", ()):
        if not _REVERSE_DOMAIN.fullmatch(name):
            yield f"{path}.extension has a name that is no reversed domain"


def coding_faults(coding: Any, path: str, *, display: bool = False) -> Iterator[str]:
    """Yield what is wrong with a Coding (row 76)."""
    needed = ("code", "system", "display") if display else ("code", "system")
    if not isinstance(coding, dict) or not all(isinstance(coding.get(name), str) for name in needed):
        yield f"{path} lacks one of {needed}"
    else:
        yield from _foreign(coding, "coding", path)


def _source_faults(source: Any, path: str) -> Iterator[str]:
    if not isinstance(source, dict) or not isinstance(source.get("label"), str):
        yield f"{path}.label is no string"
        return
    yield from _foreign(source, "source", path)
    yield from (
        f"{path}.{name} is no absolute URL" for name in ("url", "icon") if name in source and not _is_url(source[name])
    )
    yield from coding_faults(source.get("topic"), f"{path}.topic")


def _suggestion_faults(suggestion: Mapping[str, Any], path: str) -> Iterator[str]:
    yield from _foreign(suggestion, "suggestion", path)
    if not isinstance(suggestion.get("label"), str):
        yield f"{path}.label is no string"
    if not _is_uuid(suggestion.get("uuid")):
        yield f"{path}.uuid is no lower-case UUID"
    if not isinstance(suggestion.get("isRecommended", True), bool):
        yield f"{path}.isRecommended is no boolean"
    for index, action in enumerate(suggestion.get("actions", ())):
        yield from _action_faults(action, f"{path}.actions[{index}]")


def _action_faults(action: Mapping[str, Any], path: str) -> Iterator[str]:
    yield from _foreign(action, "action", path)
    kind, resource = action.get("type"), action.get("resource")
    if kind not in ACTIONS:
        yield f"{path}.type is none of {ACTIONS}"
    if not isinstance(action.get("description"), str):
        yield f"{path}.description is no string"
    if kind != "delete" and not (isinstance(resource, dict) and isinstance(resource.get("resourceType"), str)):
        yield f"{path}.resource is no FHIR resource"
    elif kind == "update" and not isinstance(resource.get("id"), str):
        yield f"{path}.resource has no id"
    elif kind == "delete" and not re.fullmatch(r"[A-Z][A-Za-z]+/\S+", str(action.get("resourceId"))):
        yield f"{path}.resourceId is no relative reference"


def _link_faults(link: Mapping[str, Any], path: str) -> Iterator[str]:
    yield from _foreign(link, "link", path)
    if not isinstance(link.get("label"), str) or not _is_url(link.get("url")):
        yield f"{path} lacks label or absolute url"
    if link.get("type") not in ("absolute", "smart") or ("appContext" in link and link["type"] != "smart"):
        yield f"{path}.type does not fit"


def service_faults(service: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield what is wrong with a service as discovery shows it."""
    yield from _foreign(service, "service", path)
    yield from (f"{path} {fault} is empty" for fault in empties(service))
    needed = ("hook", "id", "description")
    yield from (f"{path}.{name} is no string" for name in needed if not isinstance(service.get(name), str))
    optional = ("title", "usageRequirements", "version", "hookVersion")
    yield from (f"{path}.{name} is no string" for name in optional if not isinstance(service.get(name, ""), str))
    if not re.fullmatch(r"[a-z0-9-]+", str(service.get("id"))):
        yield f"{path}.id is no plain path segment"
    prefetch = service.get("prefetch", {})
    if not isinstance(prefetch, dict) or not all(isinstance(query, str) for query in prefetch.values()):
        yield f"{path}.prefetch is no object of strings"


def outcome_faults(outcome: Any) -> Iterator[str]:
    """Yield what is wrong with the body of an error (row 56)."""
    yield from (f"{path} is empty" for path in empties(outcome, allowed=()))
    if not isinstance(outcome, dict) or outcome.get("resourceType") != "OperationOutcome":
        yield "$ is no OperationOutcome"
        return
    issues = outcome.get("issue", [])
    if not issues:
        yield "$.issue is missing"
    for issue in issues:
        if issue.get("severity") not in ("fatal", "error") or not isinstance(issue.get("code"), str):
            yield "$.issue lacks severity or code"
        if not isinstance(issue.get("details", {}).get("text"), str):
            yield "$.issue.details.text is missing"


def _foreign(members: Mapping[str, Any], kind: str, path: str) -> Iterator[str]:
    yield from (f"{path}.{name} is no member of {kind}" for name in sorted(set(members) - MEMBERS[kind]))


def _is_uuid(value: Any) -> bool:
    return isinstance(value, str) and bool(_UUID.fullmatch(value))


def _is_url(value: Any) -> bool:
    parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
    return parts.scheme in ("https", "http") and bool(parts.hostname)
