"""The hook patient-view: somebody opens a chart; is something about these calcifications still open, what is next?"""

from __future__ import annotations

from cds_service.cards.answers import answer_chart
from cds_service.hooks.hook_chart import read_hook_chart, render
from cds_service.hooks.prefetch import Delivery
from cds_service.hooks.prefetch_keys import PATIENT_CHART, queries
from cds_service.hooks.service_call import Answer, CallContext, Offered
from cds_service.protocol.hook_request import HookRequest, Service

SERVICE = Service(
    id="calcification-patient-view",
    hook="patient-view",
    title="Breast calcifications: what is next",
    description=(
        "Reads the mammography reports of the patient and says for each breast what the described calcifications call "
        "for: diagnostic mammogram, biopsy, short-interval follow-up, no follow-up, or a question to the radiologist, "
        "with the words it read, the rule and the evidence."
    ),
    usage_requirements=(
        "Needs the mammography reports or their findings (prefetch keys reports, observations). The other keys widen "
        "what can be said; without them nothing is assumed. FHIR R4, R4B or R5. Decision support for clinicians: it "
        "reads reports, not images."
    ),
    prefetch=queries(PATIENT_CHART),
)


def answer(request: HookRequest, delivery: Delivery, context: CallContext) -> Answer:
    """Say for each breast what is open.

    Raises:
        RequestError: 412 data not obtained or FHIR before R4, 413 more than can be read.
    """
    read = read_hook_chart(request, delivery, context)
    return render(read, answer_chart(read.chart, context.knowledge.ruleset, context.today), context)


OFFERED = Offered(service=SERVICE, answer=answer)
