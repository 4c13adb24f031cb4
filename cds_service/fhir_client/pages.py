"""The answer to one query: a resource, or a search with all its pages that may be followed."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from cds_service.fhir_client.exchange import Exchange, RefusalError
from cds_service.hooks.key_fate import Reason
from cds_service.hooks.prefetch_content import Content, read_content
from fhir_models.entries import Located
from fhir_models.reading import Unread

ORIGIN = "fhirServer"
"""Where paths of fetched resources begin, as those of prefetched ones begin with "prefetch"."""


class Fetched(msgspec.Struct):
    """What came of a query. `pages` is 0 where nothing came; `reason` says why it is not all, None if it is."""

    resources: list[Located] = []
    unread: list[Unread] = []
    pages: int = 0
    reason: Reason | None = None


async def read_resource(exchange: Exchange, place: str, relative: str, kind: str) -> Fetched:
    """Read the resource at a URL relative to the base. `place` is what its path is called, `kind` its resource type."""
    try:
        document = _of_type(await exchange.read(_below(exchange, relative)), kind)
        exchange.take(1)
    except RefusalError as refusal:
        return Fetched(reason=refusal.reason)
    content = read_content(f"{ORIGIN}/{place}", document)
    return Fetched(resources=content.resources, unread=content.unread, pages=1)


async def read_search(
    exchange: Exchange, place: str, relative: str, kind: str | None, *, shown: int | None = None
) -> Fetched:
    """Read a search page by page; `kind` is the type that it searches, None if that cannot be told.

    `shown` are the results that came before: then the URL is the second page, as a Bundle named it. What came is kept where
    a later page fails.
    """
    found = Fetched()
    results, total, number = shown or 0, 0, 0 if shown is None else 1
    pending, seen = [relative], set[str]()
    try:
        while pending:
            url = _unread(exchange, pending.pop(0), seen)
            seen.add(url)
            content = _page(await exchange.read(url), _path(place, number + found.pages), kind)
            exchange.take(len(content.resources))
            found.resources += content.resources
            found.unread += content.unread
            found.pages += 1
            results, total = results + content.matches, max(total, content.total or 0)
            if content.broken:
                found.reason = Reason.CUT_OFF
            pending += content.next_urls
    except RefusalError as refusal:
        found.reason = refusal.reason
    if total > results:
        found.reason = found.reason or Reason.CUT_OFF
    return found


def _below(exchange: Exchange, url: str) -> str:
    if below := exchange.base.below(url):
        return below
    raise RefusalError(Reason.LINK_NOT_FOLLOWED)


def _unread(exchange: Exchange, url: str, seen: set[str]) -> str:
    url = _below(exchange, url)
    if url in seen:
        raise RefusalError(Reason.CUT_OFF)  # pages in a circle: what they leave out cannot be told
    if len(seen) >= exchange.limits.pages:
        raise RefusalError(Reason.TOO_MANY)
    return url


def _path(place: str, number: int) -> str:
    return f"{ORIGIN}/{place}.page[{number}]" if number else f"{ORIGIN}/{place}"


def _page(document: object, path: str, kind: str | None) -> Content:
    """Return what a page holds; a warning that nothing was found is an empty page."""
    bundle = _of_type(document, "Bundle", "OperationOutcome")
    content = read_content(path, bundle)
    if content.failed and not content.next_urls:
        outcome = content.broken or bundle["resourceType"] == "OperationOutcome"
        raise RefusalError(Reason.ERROR_OUTCOME if outcome else Reason.CUT_OFF if content.short else Reason.NOT_FHIR)
    if kind and content.resources and all(located.resource["resourceType"] != kind for located in content.resources):
        raise RefusalError(Reason.WRONG_TYPE)
    return content


def _of_type(document: object, *kinds: str) -> dict[str, Any]:
    fields = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    kind = fields.get("resourceType")
    if not isinstance(kind, str):
        raise RefusalError(Reason.NOT_FHIR)
    if kind not in kinds:
        raise RefusalError(Reason.ERROR_OUTCOME if kind == "OperationOutcome" else Reason.WRONG_TYPE)
    return fields
