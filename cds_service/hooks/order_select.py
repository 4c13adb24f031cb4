"""The hook order-select: somebody chooses an order; is it what the open finding calls for?"""

from __future__ import annotations

from typing import cast

from cds_service.hooks.order_drafts import Draft, breast_drafts, draft_resources, name_of
from cds_service.hooks.order_review import order_service, review
from cds_service.hooks.prefetch import Delivery
from cds_service.hooks.service_call import Answer, CallContext, Offered
from cds_service.protocol.hook_request import HookRequest
from fhir_models.entries import type_and_id

SERVICE = order_service("order-select")


def answer(request: HookRequest, delivery: Delivery, context: CallContext) -> Answer:
    """Review the drafts that were just selected.

    Raises:
        RequestError: 412 data not obtained or FHIR before R4, 413 more than can be read.
    """
    return review(_selected(request, context), request, delivery, context)


def concerns(request: HookRequest, context: CallContext) -> bool:
    """Whether an order of the breast is being chosen."""
    return bool(_selected(request, context))


def _selected(request: HookRequest, context: CallContext) -> list[Draft]:
    """Return the drafts that were just selected, however they are named; all where no order at all is named."""
    drafts = breast_drafts(request, context)
    tails = {type_and_id(name) for name in cast("list[str]", request.context["selections"])}
    named = {
        resource_name
        for _, resource, _ in draft_resources(request, context)
        if (resource_name := name_of(resource))
        and not tails.isdisjoint((resource_name, resource_name.partition("/")[2]))
    }
    return [draft for draft in drafts if draft.name in named] if named else list(drafts)


OFFERED = Offered(service=SERVICE, answer=answer, concerns=concerns)
