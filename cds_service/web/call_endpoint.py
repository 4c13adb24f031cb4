"""A service call on its way: who calls, what it brings, the answer, and what is noted of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from time import perf_counter
from typing import TypeVar

import msgspec
from starlette.types import Receive, Scope, Send

from cds_service.clients.client import Client
from cds_service.clients.gate import DISCOVERY, Gate
from cds_service.errors import RequestError
from cds_service.hooks.prefetch import Delivery, read_prefetch
from cds_service.hooks.prefetch_keys import PATIENT_CHART
from cds_service.hooks.service_call import Answer, CallContext, Offered, answer_call
from cds_service.protocol.hook_request import HookRequest, encode_answer, read_hook_request
from cds_service.web.endpoints import require_method
from cds_service.web.load import Load, come_again
from cds_service.web.metrics import Metrics
from cds_service.web.request_body import BodyLimits, bound_of, read_body
from cds_service.web.request_net import log_fields
from cds_service.web.responses import send_json

T = TypeVar("T")

LARGE_BODY = 64 * 1024
"""Bytes from which on a call is answered in a thread: it takes milliseconds, and the event loop has others to serve."""


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What every call endpoint works with.

    `gate` says who calls, `seconds` is the time within which a call is answered or given up.
    """

    gate: Gate
    context_of: Callable[[Client, date], CallContext]
    today: Callable[[], date]
    limits: BodyLimits
    load: Load
    metrics: Metrics
    threads: ThreadPoolExecutor
    seconds: float


class CallEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Answers POST on one service."""

    offered: Offered
    desk: Desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call and count it, whatever comes of it.

        Raises:
            RequestError: the call cannot be answered.
        """
        started, status, client = perf_counter(), 500, "unknown"
        try:
            require_method(scope, "POST")
            caller = await self.desk.gate.admit(scope["headers"], f"{DISCOVERY}/{self.offered.service.id}")
            client = caller.id
            answer = await self._answer(caller, scope, receive)
            status = 200
            await send_json(send, status, encode_answer(answer.cards))
            self.desk.metrics.answered(self.offered.service.id, client, answer)
        except RequestError as error:
            status = error.status
            raise
        finally:
            self.desk.metrics.called(self.offered.service.id, client, status, perf_counter() - started)

    async def _answer(self, client: Client, scope: Scope, receive: Receive) -> Answer:
        desk = self.desk
        with desk.metrics.in_hand.track_inprogress(), desk.load.hold(bound_of(scope["headers"], desk.limits)):
            body = await read_body(scope, receive, desk.limits)
            try:
                async with asyncio.timeout(desk.seconds):
                    context = desk.context_of(client, desk.today())
                    request, delivery = await self._apart(body, lambda: self._read(body, context))
                    log_fields(scope).update(client=client.id, hook_instance=request.hook_instance)
                    return await self._apart(body, lambda: answer_call(self.offered, request, delivery, context))
            except TimeoutError:
                raise come_again(503, "timeout", f"the call took longer than {desk.seconds:g} seconds") from None

    def _read(self, body: bytes, context: CallContext) -> tuple[HookRequest, Delivery]:
        request = read_hook_request(body, self.offered.service.hook)
        return request, read_prefetch(request.prefetch, PATIENT_CHART, context.max_resources)

    async def _apart(self, body: bytes, work: Callable[[], T]) -> T:
        """Do small work at once, large work in a thread."""
        if len(body) < LARGE_BODY:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self.desk.threads, work)
