"""Discovery: is it where clients look, and is it what the specification says?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from cds_service.doctor.checks import Sighting, judged, not_tried
from cds_service.doctor.exchange import Seen
from cds_service.doctor.fixtures import load_hooks
from cds_service.doctor.json_shape import (
    JsonObject,
    empty_places,
    is_object,
    is_text,
    items_of,
    members_of,
    plain,
    word,
)
from cds_service.doctor.session import Session

QUICK_SECONDS = 0.5
"""What CDS Hooks calls "on the order of 500 ms"."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SEGMENT = re.compile(r"[A-Za-z0-9._~-]+")
_REVERSE_DOMAIN = re.compile(r"[a-z][a-z0-9-]*(\.[A-Za-z0-9-]+)+")
_VERSION = re.compile(r"\d+\.\d+(\.\d+)?([-+][A-Za-z0-9.+-]+)?")
_TEXTS = ("title", "usageRequirements", "version", "hookVersion")


def probe_discovery(session: Session, first: Seen) -> Iterator[Sighting]:
    """Judge the discovery answer that was got, and look at the paths around it."""
    yield judge_transport(session.base)
    if first.status in (401, 403):
        yield not_tried("discovery.answers", f"{first.status}: discovery asks for a token that we do not have")
        return
    moved = f", to {_origin(first.headers.get('location', ''))}" if 300 <= first.status < 400 else ""
    yield judged("discovery.answers", first.status == 200, first.words + moved)
    if first.status != 200:
        return
    yield judged("discovery.content-type", first.media_type == "application/json", plain(first.media_type) or "none")
    fault = first.json_fault()
    yield judged("discovery.json", not fault, fault or "valid")
    document = first.document()
    yield from judge_document(document)
    second = session.send("GET", session.discovery_url)
    yield judged(
        "discovery.stable", second.document() == document, "the same twice" if second.status == 200 else second.words
    )
    fastest = min(first.seconds, second.seconds)
    yield judged("discovery.latency", fastest <= QUICK_SECONDS, f"{fastest * 1000:.0f} ms")
    yield _slash(session)


def judge_document(document: object) -> Iterator[Sighting]:
    """Judge a discovery document."""
    listed = members_of(document).get("services")
    whole, entries = isinstance(listed, list), items_of(listed)
    yield judged("discovery.services", whole, f"{len(entries)} services" if whole else word(listed))
    if not whole:
        return
    empty = [path for path in empty_places(document, "$") if path != "$.services"]
    yield judged("discovery.no-empty-values", not empty, _first(empty, "none"))
    pairs: Counter[tuple[str, str]] = Counter()
    for index, entry in enumerate(entries):
        path = f"services[{index}]"
        members = members_of(entry)
        missing = [name for name in ("hook", "id", "description") if not is_text(members.get(name))]
        yield judged("discovery.members", not missing, f"{path} lacks {', '.join(missing)}" if missing else "all there")
        yield judged("discovery.title", is_text(members.get("title")), f"{path}: {word(members.get('title'))}")
        wrong = _wrong_types(members)
        yield judged("discovery.optional-members", not wrong, f"{path}.{wrong}" if wrong else "right")
        version = members.get("version")
        right = isinstance(version, str) and bool(_VERSION.fullmatch(version))
        yield judged(
            "discovery.version", right, f"{path}: {plain(version) if isinstance(version, str) else word(version)}"
        )
        yield from _names(members, path)
        if not missing:
            pairs[str(members["id"]), str(members["hook"])] += 1
    twice = [f"{plain(name)} on {plain(hook)}" for (name, hook), times in pairs.items() if times > 1]
    yield judged("discovery.unique", not twice, _first(twice, f"{len(pairs)} different"))


def _names(members: JsonObject, path: str) -> Iterator[Sighting]:
    name, hook = members.get("id"), members.get("hook")
    if isinstance(name, str):
        plain_id = bool(_SEGMENT.fullmatch(name))
        yield judged("discovery.path-safe-id", plain_id, plain(name) if plain_id else f"{path}.id: {plain(name)}")
    if isinstance(hook, str):
        known = hook in load_hooks() or bool(_REVERSE_DOMAIN.fullmatch(hook))
        yield judged("discovery.hook-name", known, plain(hook))


def _wrong_types(members: JsonObject) -> str:
    texts = [name for name in _TEXTS if name in members and not isinstance(members[name], str)]
    objects = [name for name in ("prefetch", "extension") if name in members and not is_object(members[name])]
    templates = members_of(members.get("prefetch"))
    keys = [f"prefetch.{plain(key)}" for key, value in templates.items() if not isinstance(value, str)]
    return ", ".join((*texts, *objects, *keys))


def judge_transport(base: str) -> Sighting:
    """Judge the scheme of the base URL."""
    split = urlsplit(base)
    if split.scheme != "https" and split.hostname in _LOOPBACK:
        return not_tried("discovery.https", "http on this machine; ask the public URL")
    return judged("discovery.https", split.scheme == "https", split.scheme)


def _slash(session: Session) -> Sighting:
    seen = session.send("GET", f"{session.discovery_url}/")
    target = seen.headers.get("location", "")
    away = 300 <= seen.status < 400 and target.startswith("http://")
    return judged("discovery.no-http-redirect", not away, f"{seen.words}, to http" if away else seen.words)


def _origin(url: str) -> str:
    split = urlsplit(url)
    return plain(f"{split.scheme}://{split.netloc}") if split.netloc else "another path"


def _first(places: list[str], otherwise: str) -> str:
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{places[0]}{more}" if places else otherwise
