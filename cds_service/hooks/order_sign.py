"""The hook order-sign: somebody signs orders; is it what the open finding calls for?"""

from __future__ import annotations

from cds_service.hooks.order_drafts import breast_drafts
from cds_service.hooks.order_review import order_service, review
from cds_service.hooks.prefetch import Delivery
from cds_service.hooks.service_call import Answer, CallContext, Offered
from cds_service.protocol.hook_request import HookRequest

SERVICE = order_service("order-sign")


def answer(request: HookRequest, delivery: Delivery, context: CallContext) -> Answer:
    """Review every draft.

    Raises:
        RequestError: 412 data not obtained or FHIR before R4, 413 more than can be read.
    """
    return review(breast_drafts(request, context), request, delivery, context)


def concerns(request: HookRequest, context: CallContext) -> bool:
    """Whether an order of the breast is being signed."""
    return bool(breast_drafts(request, context))


OFFERED = Offered(service=SERVICE, answer=answer, concerns=concerns)
