"""Feedback on cards over HTTP: acknowledged when it is on the disk, not before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import msgspec
from starlette.types import Receive, Scope, Send

from cds_service.clients.client import Client
from cds_service.errors import RequestError
from cds_service.ledger.ledger import Ledger
from cds_service.ledger.records import FeedbackRecord
from cds_service.ledger.store import StoreDownError
from cds_service.log_lines import LOGGER
from cds_service.protocol.feedback import FeedbackBatch, read_feedback
from cds_service.web.endpoints import require_method
from cds_service.web.load import LARGE_BODY, come_again
from cds_service.web.metrics import Metrics
from cds_service.web.request_body import BodyLimits, read_body

Headers = Sequence[tuple[bytes, bytes]]

RETRY_SECONDS = 10
"""When a client may send again what could not be kept."""

MAX_ISSUES = 20

_EMPTY = [(b"content-length", b"0"), (b"cache-control", b"no-store")]


class FeedbackEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Answers POST with 200 and no body. `admit` tells who calls, from headers and path, or raises `RequestError`."""

    service: str
    limits: BodyLimits
    ledger: Ledger
    metrics: Metrics
    admit: Callable[[Headers, str], Awaitable[Client]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep a batch, then acknowledge it.

        Raises:
            RequestError: 400 no batch of feedback, or nothing in it can be used; 503 it could not be kept; and what
                admission and the body may raise.
        """
        require_method(scope, "POST")
        client = await self.admit(scope["headers"], scope["path"])
        body = await read_body(scope, receive, self.limits)
        batch = read_feedback(body) if len(body) < LARGE_BODY else await asyncio.to_thread(read_feedback, body)
        if batch.set_aside and not batch.items:
            raise RequestError(400, *batch.set_aside[:MAX_ISSUES])
        received_at = datetime.now(UTC)
        records = [
            FeedbackRecord(item=item, client=client.id, service=self.service, received_at=received_at)
            for item in batch.items
        ]
        try:
            await self.ledger.keep_feedback(records)
        except StoreDownError:
            text = "the feedback could not be kept; send it again"
            raise come_again(503, "transient", text, RETRY_SECONDS) from None
        for item in batch.items:
            self.metrics.feedback.labels(self.service, item.outcome).inc()
        self._log(client, batch)
        await send({"type": "http.response.start", "status": 200, "headers": _EMPTY})
        await send({"type": "http.response.body", "body": b""})

    def _log(self, client: Client, batch: FeedbackBatch) -> None:
        faults = sorted(
            {issue.expression.rpartition("]")[2] or "item" for issue in batch.set_aside if issue.expression}
        )
        fields = {
            "client": client.id,
            "service": self.service,
            "kept": len(batch.items),
            "set_aside": len(batch.set_aside),
            "faults": [fault.lstrip(".") for fault in faults],
        }
        LOGGER.info("feedback", extra={"fields": fields})
