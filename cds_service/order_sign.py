"""The hook order-sign: somebody signs orders; is it what the open finding calls for?"""

from __future__ import annotations

from datetime import date

from cds_service.knowledge import Knowledge
from cds_service.order_review import review
from cds_service.prefetch_keys import PATIENT_CHART
from cds_service.protocol import Service, read_hook_request
from cds_service.settings import Settings

SERVICE = Service(
    id="calcification-order-sign",
    hook="order-sign",
    title="Breast calcifications: is this the order that the open finding calls for?",
    description=(
        "Compares breast orders being placed with what the open calcification findings call for: a screening "
        "mammogram where work-up or biopsy is due, the wrong breast, a second order for one already placed. A fitting "
        "order, or no open finding, gives no card."
    ),
    usage_requirements=(
        "Needs the mammography reports or their findings (prefetch keys reports, observations), and orders to know "
        "what was ordered before. FHIR R4, R4B or R5. Decision support for clinicians: it reads reports, not images."
    ),
    prefetch={key.name: key.query for key in PATIENT_CHART},
)


def answer(body: bytes, knowledge: Knowledge, settings: Settings, today: date) -> bytes:
    """Answer one call, both sides as encoded JSON; every draft counts.

    Raises:
        RequestError: 400 not JSON or not an order-sign call, 412 data not obtained, 413 too many resources.
    """
    return review(read_hook_request(body, SERVICE.hook), None, knowledge, settings, today)
