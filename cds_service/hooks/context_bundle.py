"""A Bundle in the context of a call: its resources with their paths, each as the client sent it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from cds_service.errors import Issue, RequestError
from cds_service.protocol.hook_request import HookRequest
from fhir_models.entries import Located


def bundle_resources(request: HookRequest, field: str, limit: int) -> list[Located]:
    """Return the resources of a Bundle that the context's definition knows; none where it did not come.

    Bundles within it are returned as they are, and nothing in them is ever changed.

    Raises:
        RequestError: 413, more than `limit` resources.
    """
    bundle = cast("dict[str, Any]", request.context.get(field) or {})
    entries: Sequence[object] = bundle.get("entry") or ()
    if len(entries) > limit:
        raise RequestError(413, Issue("too-costly", f"more than {limit} resources", f"context.{field}"))
    members = [cast("dict[str, object]", entry) if isinstance(entry, dict) else {} for entry in entries]
    return [
        Located(f"context.{field}.entry[{index}].resource", cast("dict[str, Any]", resource), _url(entry))
        for index, entry in enumerate(members)
        if isinstance(resource := entry.get("resource"), dict)
    ]


def _url(entry: dict[str, object]) -> str | None:
    url = entry.get("fullUrl")
    return url if isinstance(url, str) else None
