"""A service call on its way: who calls, what it brings, the answer, and what is noted of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from time import perf_counter
from typing import TypeVar

import msgspec
from starlette.types import Receive, Scope, Send

from cds_service.clients.client import Client
from cds_service.clients.gate import DISCOVERY, Gate
from cds_service.errors import RequestError
from cds_service.fhir_client.fetch import FhirFetch
from cds_service.hooks.prefetch import Delivery, read_prefetch
from cds_service.hooks.service_call import Answer, CallContext, Offered
from cds_service.ledger.ledger import Ledger
from cds_service.ledger.records import CallRecord, card_record, gaps_of, unread_counts
from cds_service.protocol.hook_request import HookRequest, encode_answer, read_hook_request
from cds_service.web.endpoints import require_method
from cds_service.web.load import LARGE_BODY, Load, come_again
from cds_service.web.metrics import Metrics
from cds_service.web.request_body import BodyLimits, bound_of, read_body
from cds_service.web.request_net import log_fields
from cds_service.web.responses import send_json

T = TypeVar("T")

MANY_RESOURCES = 200
"""So many, fetched or prefetched, are read in a thread, as large bodies are."""


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What every call endpoint works with.

    `gate` says who calls, `fetch` gets what was not prefetched, `ledger` and `metrics` note what became of it. `seconds` is
    the time within which a call is answered or given up.
    """

    gate: Gate
    fetch: FhirFetch
    ledger: Ledger
    metrics: Metrics
    context_of: Callable[[Client, date], CallContext]
    today: Callable[[], date]
    table_version: str
    limits: BodyLimits
    load: Load
    threads: ThreadPoolExecutor
    seconds: float


class _Course(msgspec.Struct):
    """How far a call came: its members are set as they become known."""

    given_at: datetime
    started: float
    status: int = 500
    client: Client | None = None
    request: HookRequest | None = None
    delivery: Delivery | None = None
    answer: Answer = Answer()


class CallEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Answers POST on one service."""

    offered: Offered
    desk: Desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call and note it, whatever comes of it.

        Raises:
            RequestError: the call cannot be answered.
        """
        course = _Course(datetime.now(UTC), perf_counter())
        try:
            require_method(scope, "POST")
            course.client = await self.desk.gate.admit(scope["headers"], f"{DISCOVERY}/{self.offered.service.id}")
            await self._answer(course, course.client, scope, receive)
            body = encode_answer(course.answer.cards)
            course.status = 200
            await send_json(send, course.status, body)
        except RequestError as error:
            course.status = error.status
            raise
        finally:
            self._note(course)

    async def _answer(self, course: _Course, client: Client, scope: Scope, receive: Receive) -> None:
        desk = self.desk
        with desk.metrics.in_hand.track_inprogress(), desk.load.hold(bound_of(scope["headers"], desk.limits)):
            body = await read_body(scope, receive, desk.limits)
            try:
                async with asyncio.timeout(desk.seconds):
                    await self._answer_body(course, client, body, log_fields(scope))
            except TimeoutError:
                raise come_again(503, "timeout", f"the call took longer than {desk.seconds:g} seconds") from None

    async def _answer_body(self, course: _Course, client: Client, body: bytes, fields: dict[str, object]) -> None:
        desk, offered = self.desk, self.offered
        context = desk.context_of(client, desk.today())
        large = len(body) >= LARGE_BODY
        request = await self._do(large, lambda: read_hook_request(body, offered.service.hook))
        fields.update(client=client.id, hook_instance=request.hook_instance)
        course.request = request
        prefetched = await self._do(large, lambda: read_prefetch(request.prefetch, offered.keys, context.max_resources))
        if not await self._do(large, lambda: offered.concerns(request, context)):
            return
        delivery = await desk.fetch.complete(request, prefetched, client, offered.keys)
        course.delivery = delivery
        large = large or len(delivery.resources) >= MANY_RESOURCES
        course.answer = await self._do(large, lambda: offered.answer(request, delivery, context))

    async def _do(self, large: bool, work: Callable[[], T]) -> T:
        """Do small work at once, large work in a thread."""
        if not large:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self.desk.threads, work)

    def _note(self, course: _Course) -> None:
        """Count the call; where the caller is known, write it in the ledger."""
        service, client = self.offered.service, course.client
        seconds, metrics = perf_counter() - course.started, self.desk.metrics
        metrics.called(service.id, client.id if client else "unknown", course.status, seconds)
        if client is None:
            return
        answer = course.answer if course.status == 200 else Answer()  # what did not leave was not given
        metrics.answered(service.id, client.id, answer)
        if course.delivery:
            metrics.delivered(client.id, course.delivery)
        request = course.request
        self.desk.ledger.record(
            CallRecord(
                given_at=course.given_at,
                service=service.id,
                hook=service.hook,
                client=client.id,
                milliseconds=seconds * 1000,
                status=course.status,
                hook_instance=request.hook_instance if request else None,
                patient_id=request.patient_id if request else None,
                table_version=self.desk.table_version,
                cards=tuple(map(card_record, answer.cards)),
                gaps=gaps_of(course.delivery) if course.delivery else {},
                unread=unread_counts(answer.unread),
            )
        )
