"""The hook order-sign: somebody signs orders; is it what the open finding calls for?"""

from __future__ import annotations

from datetime import date

from cds_service.hooks.order_review import order_service, review
from cds_service.knowledge import Knowledge
from cds_service.protocol.hook_request import read_hook_request
from cds_service.settings import Settings

SERVICE = order_service("order-sign")


def answer(body: bytes, knowledge: Knowledge, settings: Settings, today: date) -> bytes:
    """Answer one call, both sides as encoded JSON; every draft counts.

    Raises:
        RequestError: 400 not JSON or not an order-sign call, 412 data not obtained, 413 too many resources.
    """
    return review(read_hook_request(body, SERVICE.hook), None, knowledge, settings, today)
