"""A call on its way through a service: what it is answered with, and the answer, before anything is encoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from cds_service.clients.client import Profile
from cds_service.hooks.prefetch import Delivery, read_prefetch
from cds_service.hooks.prefetch_keys import PATIENT_CHART, PrefetchKey
from cds_service.knowledge import Knowledge
from cds_service.protocol.hook_request import HookRequest, Service
from cds_service.settings import Settings
from fhir_models.reading import UnknownCode, Unread

Card = Mapping[str, Any]


class CallContext(msgspec.Struct, frozen=True, kw_only=True):
    """What every call of a client is answered with. `source_url` is where cards say they come from."""

    knowledge: Knowledge
    profile: Profile
    today: date
    max_resources: int
    source_url: str | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The cards, and what the operator wants to know of the call: what could not be used of what was read."""

    cards: Sequence[Card] = ()
    unread: Sequence[Unread] = ()
    unknown_codes: Sequence[UnknownCode] = ()


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A service: what discovery shows of it, whether a call concerns it at all, and the function that answers.

    `keys` are the prefetch keys that it reads. Both functions may raise `RequestError`: 412 data not obtained or FHIR before
    R4, 413 more than can be read. A call that does not concern it is answered without cards, and without asking anybody for
    data.
    """

    service: Service
    keys: tuple[PrefetchKey, ...] = PATIENT_CHART
    answer: Callable[[HookRequest, Delivery, CallContext], Answer]
    concerns: Callable[[HookRequest, CallContext], bool] = lambda _request, _context: True


def answer_call(offered: Offered, request: HookRequest, delivery: Delivery, context: CallContext) -> Answer:
    """Answer a call with the data that was delivered.

    Raises:
        RequestError: 412 data not obtained or FHIR before R4, 413 more than can be read.
    """
    return offered.answer(request, delivery, context) if offered.concerns(request, context) else Answer()


def context_for(knowledge: Knowledge, settings: Settings, profile: Profile, today: date) -> CallContext:
    """Return what the calls of a client with this profile are answered with."""
    return CallContext(
        knowledge=knowledge,
        profile=profile,
        today=today,
        max_resources=settings.max_resources,
        source_url=str(settings.public_url) if settings.public_url else None,
    )


def answer_as_sent(offered: Offered, request: HookRequest, context: CallContext) -> Answer:
    """Answer a call with nothing but what it brought.

    Raises:
        RequestError: 412 data not obtained or FHIR before R4, 413 more than can be read.
    """
    delivery = read_prefetch(request.prefetch, offered.keys, context.max_resources)
    return answer_call(offered, request, delivery, context)
