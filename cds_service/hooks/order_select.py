"""The hook order-select: somebody chooses an order; is it what the open finding calls for?"""

from __future__ import annotations

from datetime import date
from typing import cast

from cds_service.hooks.order_review import order_service, review
from cds_service.knowledge import Knowledge
from cds_service.protocol.hook_request import read_hook_request
from cds_service.settings import Settings

SERVICE = order_service("order-select")


def answer(body: bytes, knowledge: Knowledge, settings: Settings, today: date) -> bytes:
    """Answer one call, both sides as encoded JSON; the drafts that were just selected count, all where none is named.

    Raises:
        RequestError: 400 not JSON or not an order-select call, 412 data not obtained, 413 too many resources.
    """
    request = read_hook_request(body, SERVICE.hook)
    return review(request, _selected(request.context.get("selections")), knowledge, settings, today)


def _selected(selections: object) -> frozenset[str] | None:
    named = cast("list[object]", selections) if isinstance(selections, list) else []
    references = frozenset(reference for reference in named if isinstance(reference, str))
    return references or None
